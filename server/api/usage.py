"""What a key has used, day by day: time on the device, jobs and pictures."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from server.api.schemas import FAILURES
from server.jobs.selection import Usage, read_usage

DAYS = 30
"""Shown where nobody asks for more."""


def make_router(engine: sa.Engine) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["usage"], responses=FAILURES)

    @router.get("/v1/usage")
    async def get_usage(request: Request, since: date | None = None) -> dict[str, Any]:
        """The calling key's use since a day, in UTC; GPU-seconds are what a run held the device."""
        start = since or (datetime.now(UTC) - timedelta(days=DAYS)).date()
        days = await run_in_threadpool(_read, engine, request.state.key.id, start)
        return {
            "key": request.state.key.name,
            "since": start.isoformat(),
            "total": {
                "jobs": sum(day.jobs for day in days),
                "outputs": sum(day.outputs for day in days),
                "gpu_seconds": round(sum(day.gpu_seconds for day in days), 3),
            },
            "items": [{**day._asdict(), "day": day.day.isoformat()} for day in days],
        }

    return router


def _read(engine: sa.Engine, owner: str, since: date) -> list[Usage]:
    with engine.connect() as connection:
        return read_usage(connection, owner, since)
