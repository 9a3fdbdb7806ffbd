"""How often each job was taken up: what the third time too ends its worker is given up.

DBOS counts as well, but each job that was taken up beside the culprit with it; here nothing is
counted before the job's own turn, and one that a worker gives back does not count.
"""

import sqlalchemy as sa

from server.jobs.outage import reaching
from server.jobs.table import JOBS

MOST = 3
"""Tries that a job gets."""

BACKSTOP = 100
"""Times that DBOS hands the same job out."""


class Tries:
    """The count in each job's row."""

    def __init__(self, engine: sa.Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine

    def read(self, job_id: str) -> int:
        """How many tries there were; 0 for a job that nobody knows."""
        with reaching(), self._engine.connect() as connection:
            query = sa.select(JOBS.c.tries).where(JOBS.c.id == job_id)
            return connection.execute(query).scalar() or 0

    def add(self, job_id: str) -> None:
        """Count one more."""
        self._change(job_id, JOBS.c.tries + 1)

    def take_back(self, job_id: str) -> None:
        """The worker stops before the job is done, which is not the job's fault."""
        self._change(job_id, sa.case((JOBS.c.tries > 0, JOBS.c.tries - 1), else_=0))

    def _change(self, job_id: str, tries: sa.ColumnElement[int]) -> None:
        with reaching(), self._engine.begin() as connection:
            connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(tries=tries))
