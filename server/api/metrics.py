"""What Prometheus scrapes: the house's tallies, how it stands now, and this process's requests.

What comes from the database is the same whichever API process answers. Only ``http_`` and
``process_`` are of one process.
"""

import importlib.metadata
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from types import MappingProxyType

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from pipelines.errors import DeviceFailed, OutOfMemory
from server.api.models import MODELS
from server.api.schemas import FAILURES
from server.errors import BlobMissing, InternalError, StorageFull, WorkerLost
from server.images.stores import FOLDER
from server.jobs import tallies
from server.jobs.job import Status
from server.jobs.table import JOBS
from server.jobs.tallies import DeliveryOutcome, Tally
from server.jobs.workers import Beat, live_workers
from server.settings import Settings

PREFIX = "smart_resize_"

NO_ROUTE = "none"
"""Stands for the route of a request that was answered before it had one."""

BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Seconds; a request may wait two minutes for its run."""

COUNTERS: Mapping[str, str] = MappingProxyType(
    {
        tallies.JOBS: "Jobs that ended, by model and outcome.",
        tallies.OUTPUTS: "Pictures made (outcome succeeded), or asked for in vain.",
        tallies.FAILURES: "Jobs that failed, by the code of the error.",
        tallies.GPU_SECONDS: "Seconds that jobs had the engine, by the id of the API key.",
        tallies.CALLBACKS: "Callbacks after their last try, by outcome.",
    }
)
"""The help of each tally that is a counter under its own name."""

SUMMARIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        tallies.WAIT_SECONDS: (tallies.WAITS, "Seconds from a job's acceptance to its start."),
        tallies.STAGE_SECONDS: (tallies.STAGES, "Seconds of each step of the jobs that succeeded."),
    }
)
"""The tally that counts what each sum of seconds adds up, and the help."""

FAULTS = (InternalError, WorkerLost, DeviceFailed, OutOfMemory, StorageFull, BlobMissing)
"""Failures that somebody should look at: shown from the start, so that the first one is a rise."""

ENDS = [status.value for status in Status if status.is_final]


class Requests(Collector):
    """The requests of this process; may be used from several threads."""

    def __init__(self) -> None:
        """None yet."""
        labels = ("route", "status")
        self._count = Counter(
            f"{PREFIX}http_requests",
            "Requests answered, by the template of their route and status.",
            labels,
            registry=None,
        )
        self._seconds = Histogram(
            f"{PREFIX}http_request_seconds",
            "Seconds until a request was answered whole; one that follows events takes long.",
            labels,
            registry=None,
            buckets=BUCKETS,
        )

    def observe(self, route: str | None, status: int, seconds: float) -> None:
        """Count an answer; ``route`` is a template like ``/v1/runs/{job_id}``, never a path."""
        labels = (route or NO_ROUTE, str(status))
        self._count.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        for family in (*self._count.collect(), *self._seconds.collect()):
            # when each series began is nothing that anybody asks for
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


class House(Collector):
    """Everything that the database and the disk tell, read anew for each scrape."""

    def __init__(self, engine: sa.Engine, settings: Settings, silence: timedelta) -> None:
        """``silence`` is after how long without a sign of life a worker counts as gone."""
        self._engine, self._settings, self._silence = engine, settings, silence

    def collect(self) -> Iterator[Metric]:
        """See Collector; raises DatabaseUnavailable."""
        with self._engine.connect() as connection:
            counted = _with_zeros(tallies.read(connection))
            standing = _read_unfinished(connection)
        yield from _show_counters(counted)
        yield from _show_summaries(counted)
        yield from _show_queue(standing, self._settings.max_queue)
        yield from _show_workers(live_workers(self._engine, self._silence))
        yield from self._show_disk()
        version = {"version": importlib.metadata.version("smart-resize")}
        yield InfoMetricFamily(f"{PREFIX}build", "The version that answers.", version)

    def _show_disk(self) -> Iterator[Metric]:
        pictures = self._settings.data / FOLDER
        free = shutil.disk_usage(pictures if pictures.is_dir() else self._settings.data).free
        yield _gauge("disk_free_bytes", "Bytes free where pictures are kept.", free)
        reserve = self._settings.min_free
        yield _gauge("disk_reserve_bytes", "Free bytes below which it is not ready.", reserve)


def make_router(house: House, requests: Requests) -> APIRouter:
    """The route, over a registry of its own."""
    registry = CollectorRegistry()
    registry.register(house)
    registry.register(requests)
    ProcessCollector(namespace=PREFIX.rstrip("_"), registry=registry)
    router = APIRouter(tags=["metrics"], responses=FAILURES)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def get_metrics() -> Response:
        """Tallies and gauges in Prometheus' text format; keys appear by their ids."""
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


def _with_zeros(counted: Iterable[Tally]) -> list[Tally]:
    """What is known to come stands at 0 before: else nobody sees the first one as a rise."""
    names = (tallies.JOBS, tallies.OUTPUTS)
    expected = [
        (name, {"model": model, "outcome": end})
        for name, model, end in product(names, MODELS, ENDS)
    ]
    expected += [(tallies.FAILURES, {"code": fault.code}) for fault in FAULTS]
    expected += [(tallies.CALLBACKS, {"outcome": outcome.value}) for outcome in DeliveryOutcome]
    found = list(counted)
    seen = [(each.name, each.labels) for each in found]
    return found + [Tally(*each, 0.0) for each in expected if each not in seen]


def _show_counters(counted: Iterable[Tally]) -> Iterator[Metric]:
    families: dict[str, CounterMetricFamily] = {}
    for name, labels, value in counted:
        if name not in COUNTERS:
            continue
        if name not in families:
            help_ = COUNTERS[name]
            families[name] = CounterMetricFamily(PREFIX + name, help_, labels=list(labels))
        families[name].add_metric(list(labels.values()), value)
    yield from families.values()


def _show_summaries(counted: Iterable[Tally]) -> Iterator[Metric]:
    values = {(name, *labels.items()): value for name, labels, value in counted}
    for name, (counter, help_) in SUMMARIES.items():
        keys = [key[1:] for key in values if key[0] == name]
        if keys:
            labels = [label for label, _ in keys[0]]
            family = SummaryMetricFamily(PREFIX + name, help_, labels=labels)
            for key in keys:
                number = int(values[(counter, *key)])
                family.add_metric([value for _, value in key], number, values[(name, *key)])
            yield family


def _read_unfinished(connection: sa.Connection) -> dict[Status, tuple[int, datetime]]:
    """How many jobs wait and run, and since when the oldest of them is here."""
    statuses = [status.value for status in Status if not status.is_final]
    columns = (JOBS.c.status, sa.func.count(), sa.func.min(JOBS.c.created_at))
    query = sa.select(*columns).where(JOBS.c.status.in_(statuses)).group_by(JOBS.c.status)
    return {Status(status): (number, since) for status, number, since in connection.execute(query)}


def _show_queue(standing: Mapping[Status, tuple[int, datetime]], limit: int) -> Iterator[Metric]:
    now = datetime.now(UTC)
    jobs = GaugeMetricFamily(
        f"{PREFIX}unfinished_jobs", "Jobs that wait and that run.", labels=["status"]
    )
    for status in (Status.QUEUED, Status.RUNNING):
        jobs.add_metric([status.value], standing.get(status, (0, now))[0])
    yield jobs
    _, oldest = standing.get(Status.QUEUED, (0, now))
    age = max(0.0, (now - oldest).total_seconds())
    yield _gauge("oldest_waiting_seconds", "Age of the job that has waited longest.", age)
    yield _gauge("queue_limit_jobs", "Jobs that may wait; more are turned away.", limit)


def _show_workers(beats: Iterable[Beat]) -> Iterator[Metric]:
    now = datetime.now(UTC)
    found = list(beats)
    kinds = [(each.engine, each.device) for each in found]
    alive = GaugeMetricFamily(
        f"{PREFIX}workers", "Workers that give signs of life.", labels=["engine", "device"]
    )
    for kind in sorted(set(kinds)):
        alive.add_metric(kind, kinds.count(kind))
    trouble = GaugeMetricFamily(
        f"{PREFIX}worker_trouble", "1 where the device refuses its check.", labels=["worker"]
    )
    age = GaugeMetricFamily(
        f"{PREFIX}worker_answer_age_seconds",
        "Seconds since the device last passed its check.",
        labels=["worker"],
    )
    for each in found:
        trouble.add_metric([each.worker], float(each.trouble is not None))
        if each.checked_at is not None:
            age.add_metric([each.worker], max(0.0, (now - each.checked_at).total_seconds()))
    yield from (alive, trouble, age)


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_, value)
