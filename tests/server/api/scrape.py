"""What a scrape shows of a house in which everything has happened once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import sqlalchemy as sa
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from server.api.metrics import House, Requests, make_router
from server.database.engine import database_url, open_database, say_unavailable
from server.jobs.job import Failure, Job, Status
from server.jobs.order import Order, SizeTarget
from server.jobs.tallies import DeliveryOutcome, count_delivery, count_end
from server.jobs.workers import Beat, beat
from server.settings import Settings
from server.work.preparation import prepare_database

SILENCE = timedelta(seconds=15)

Samples = dict[str, dict[tuple[str, ...], float]]
"""By name, and then by the values of the labels in order of their names."""


def open_house(data: Path) -> sa.Engine:
    """A fresh database in ``data``."""
    prepare_database(database_url(data, None))
    return say_unavailable(open_database(database_url(data, None)))


def live(engine: sa.Engine) -> None:
    """One job of each end, a callback, a worker."""
    now = datetime.now(UTC)
    order = Order(sources=("blob:a",), targets=(SizeTarget(width=64, height=64),), seed=7)
    for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
        failed = Failure("worker_lost", "gone") if status is Status.FAILED else None
        job = Job(
            id=status.value,
            owner="key-1",
            model="local/smart-resize",
            order=order,
            status=status,
            created_at=now,
            started_at=now + timedelta(seconds=2),
            failure=failed,
            gpu_seconds=1.5,
            seconds={"outpaint": 1.25},
        )
        with engine.begin() as connection:
            count_end(connection, job)
            count_delivery(connection, DeliveryOutcome.DELIVERED)
    beat(engine, Beat("cuda-0-abc", "cuda:0", "sdxl", 1, checked_at=now))


def ask(engine: sa.Engine, data: Path, requests: Requests | None = None) -> httpx2.Response:
    """``GET /metrics``, with neither the gate nor the rest of the API."""
    app = FastAPI()
    house = House(engine, Settings(data=data, min_free=1000, max_queue=20), SILENCE)
    app.include_router(make_router(house, requests or Requests()))

    async def asking() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/metrics")

    answer: httpx2.Response = asyncio.run(asking())
    return answer


def read(text: str) -> Samples:
    """Every sample of an exposition."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[values] = sample.value
    return found
