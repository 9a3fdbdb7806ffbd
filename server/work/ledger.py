"""DBOS's books, as far as a worker must look into them beside its jobs."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from dbos import DBOSClient
from dbos._utils import INTERNAL_QUEUE_NAME

from server.jobs import contract
from server.jobs.migration import SCHEMA
from server.jobs.serializer import JsonSerializer

BROKEN = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
MOST = 200
"""Broken entries that are looked at in one go."""


class Entry(NamedTuple):
    """One workflow, and the worker that has it; ``status`` is DBOS's."""

    id: str
    name: str
    status: str
    worker: str | None


class Ledger:
    """Every method raises DBAPIError at once where the database is away."""

    def __init__(self, engine: sa.Engine) -> None:
        """Connects when first used."""
        self._books = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=SCHEMA,
            serializer=JsonSerializer(),
            application_name=contract.APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def taken(self) -> list[Entry]:
        """What some worker has taken up and not ended."""
        return self._list(("PENDING",), None)

    def broken(self) -> list[Entry]:
        """What ended in another way than by coming to its end, the oldest first."""
        return self._list(BROKEN, MOST)

    def hand_out_again(self, entry: Entry) -> bool:
        """Put it back in line if it is still that worker's: false where somebody was faster.

        The public ``resume_workflow`` would ask nobody, and forget how often it was handed out.
        """
        books = self._books._sys_db  # noqa: SLF001  not public: see there, and the pinned version
        return books.reenqueue_for_recovery(entry.id, [entry.worker or ""], INTERNAL_QUEUE_NAME)

    def give_back(self, entry: Entry) -> None:
        """Put it back in line as if it had never been handed out."""
        self._books.resume_workflow(entry.id, queue_name=contract.QUEUES[entry.name])

    def forget(self, ids: Sequence[str]) -> None:
        """Delete them, steps and all."""
        self._books.delete_workflows(list(ids))

    def beside(self, job_ids: Sequence[str]) -> list[str]:
        """What else belongs to these jobs: callbacks, also repeated ones, and fetches."""
        prefixes = [contract.callback_id(job_id) for job_id in job_ids]
        prefixes += [contract.fetch_id(job_id) for job_id in job_ids]
        found = self._books.list_workflows(
            workflow_id_prefix=prefixes, load_input=False, load_output=False
        )
        return [entry.workflow_id for entry in found]

    def _list(self, statuses: Sequence[str], most: int | None) -> list[Entry]:
        found = self._books.list_workflows(
            status=list(statuses), load_input=False, load_output=False, limit=most
        )
        return [
            Entry(entry.workflow_id, entry.name, entry.status, entry.executor_id) for entry in found
        ]
