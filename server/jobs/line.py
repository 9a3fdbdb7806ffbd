"""DBOS's line: who waits there for a worker, put in by the commit that also changes a job's row."""

from datetime import UTC, datetime

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from server.jobs import contract
from server.jobs.serializer import JsonSerializer

FIRST, LATER = 1, 2
"""Which callbacks go first: whoever never answers is in nobody's way."""


class Line:
    """Putting the same in line twice changes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        """Connects when first used, and migrates nothing."""
        self._client = DBOSClient(
            system_database_engine=engine,
            serializer=JsonSerializer(),
            application_name=contract.APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def add_job(self, connection: sa.Connection, job_id: str, priority: int) -> None:
        """A job that only needs a device."""
        options: EnqueueOptions = {
            "workflow_name": contract.REFRAME_JOB,
            "queue_name": contract.JOBS,
            "workflow_id": job_id,
            "priority": priority,
        }
        self._client.enqueue_in_transaction(connection, options, job_id)

    def add_fetch(self, connection: sa.Connection, job_id: str, priority: int, owner: str) -> None:
        """A job whose sources lie elsewhere."""
        options: EnqueueOptions = {
            "workflow_name": contract.FETCH_SOURCES,
            "queue_name": contract.FETCHES,
            "workflow_id": contract.fetch_id(job_id),
            "queue_partition_key": owner,
            "priority": priority,
        }
        self._client.enqueue_in_transaction(connection, options, job_id)

    def add_callback(self, connection: sa.Connection, job_id: str, number: int = 0) -> None:
        """A callback's first try."""
        options: EnqueueOptions = {
            "workflow_name": contract.DELIVER_CALLBACK,
            "queue_name": contract.CALLBACKS,
            "workflow_id": contract.callback_id(job_id, number),
            "priority": FIRST,
        }
        self._client.enqueue_in_transaction(connection, options, job_id, number)

    def add_try(
        self, connection: sa.Connection, job_id: str, number: int, past: int, at: datetime
    ) -> None:
        """A callback's next try after so many, for when it is due."""
        options: EnqueueOptions = {
            "workflow_name": contract.DELIVER_CALLBACK,
            "queue_name": contract.CALLBACKS,
            "workflow_id": contract.callback_id(job_id, number, past),
            "priority": LATER,
            "delay_seconds": max(0.0, (at - datetime.now(UTC)).total_seconds()),
        }
        self._client.enqueue_in_transaction(connection, options, job_id, number)

    def has_callback(self, job_id: str, number: int) -> bool:
        """Whether this delivery was ever put in line."""
        name = contract.callback_id(job_id, number)
        return bool(
            self._client.list_workflows(workflow_ids=[name], load_input=False, load_output=False)
        )

    def leave(self, job_id: str) -> None:
        """A job that ended while it waited need not be taken up to learn so.

        One that was taken up already, to get its sources, learns it when it would begin.
        """
        waiting = self._client.list_workflows(
            workflow_ids=[job_id], status="ENQUEUED", load_input=False, load_output=False
        )
        for workflow in waiting:
            self._client.cancel_workflow(workflow.workflow_id)
