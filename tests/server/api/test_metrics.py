"""What Prometheus is told, and what it is never told."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from server.access.key_store import KeyStore
from server.api.gate import is_open
from server.api.metrics import Requests
from server.api.models import MODELS
from server.errors import DatabaseUnavailable
from server.jobs.durable_queue import DurableQueue
from server.jobs.table import JOBS
from server.jobs.workers import WORKERS, Beat, beat
from tests.house.tools import need
from tests.server.api.scrape import Samples, ask, live, open_house, read
from tests.server.jobs.house import make_draft

MODEL = "local/smart-resize"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_house(tmp_path)


def scrape(engine: sa.Engine, data: Path, requests: Requests | None = None) -> Samples:
    answer = ask(engine, data, requests)
    assert answer.status_code == 200
    return {
        name.removeprefix("smart_resize_"): values for name, values in read(answer.text).items()
    }


def test_metrics_are_behind_the_gate() -> None:
    assert not is_open("/metrics", "GET")


def test_every_name_is_ours_and_nothing_goes_into_the_common_registry(
    engine: sa.Engine, tmp_path: Path
) -> None:
    live(engine)
    requests = Requests()
    requests.observe("/healthz", 200, 0.001)
    names = read(ask(engine, tmp_path, requests).text)
    assert len(names) > 20
    assert all(name.startswith("smart_resize_") for name in names)
    assert not any(name.endswith("_created") for name in names)
    assert not [family for family in REGISTRY.collect() if "smart_resize" in family.name]


def test_what_has_happened_is_told_by_model_outcome_step_and_key(
    engine: sa.Engine, tmp_path: Path
) -> None:
    live(engine)
    found = scrape(engine, tmp_path)
    for outcome in ("succeeded", "failed", "cancelled"):
        assert found["jobs_total"][MODEL, outcome] == 1
    assert found["outputs_total"][MODEL, "failed"] == 1
    assert found["outputs_total"][MODEL, "succeeded"] == 0  # it made none
    assert found["failures_total"]["worker_lost",] == 1
    assert found["gpu_seconds_total"] == {("key-1",): 4.5}
    assert found["callbacks_total"]["delivered",] == 3
    assert found["stage_seconds_sum"] == {("outpaint",): 3.75}
    assert found["stage_seconds_count"] == {("outpaint",): 3}
    assert found["wait_seconds_sum"] == {(MODEL,): 6}
    assert found["wait_seconds_count"] == {(MODEL,): 3}


def test_what_has_not_happened_yet_stands_at_zero(engine: sa.Engine, tmp_path: Path) -> None:
    found = scrape(engine, tmp_path)
    assert len(found["jobs_total"]) == len(MODELS) * 3
    for name in ("jobs_total", "outputs_total", "failures_total", "callbacks_total"):
        assert found[name]
        assert set(found[name].values()) == {0}
    assert "gpu_seconds_total" not in found
    assert found["unfinished_jobs"] == {("queued",): 0, ("running",): 0}
    assert found["oldest_waiting_seconds"] == {(): 0}
    assert "workers" not in found


def test_the_queue_is_told_with_the_age_of_its_oldest_job(
    engine: sa.Engine, tmp_path: Path
) -> None:
    queue = DurableQueue(engine)
    first, second, third = (queue.submit(make_draft()).job.id for _ in range(3))
    queue.begin(first, "worker-1")
    queue.cancel(third)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as connection:
        older = JOBS.update().where(JOBS.c.id.in_((first, second, third)))
        connection.execute(older.values(created_at=long_ago))
    queue.submit(make_draft())
    found = scrape(engine, tmp_path)
    assert found["unfinished_jobs"] == {("queued",): 2, ("running",): 1}
    assert found["oldest_waiting_seconds"][()] == pytest.approx(3600, abs=30)
    assert found["queue_limit_jobs"] == {(): 20}


def test_workers_are_told_by_engine_and_device_while_they_live(
    engine: sa.Engine, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    for name, checked_at, trouble in (
        ("a", now - timedelta(seconds=40), None),
        ("b", now, "no answer"),
        ("c", None, None),
        ("gone", now, None),
    ):
        beat(engine, Beat(name, "cuda:0", "sdxl", 1, checked_at, trouble))
    beat(engine, Beat("d", "cpu", "preview", 1, now))
    with engine.begin() as connection:
        silent = WORKERS.update().where(WORKERS.c.worker == "gone")
        connection.execute(silent.values(seen_at=now - timedelta(minutes=1)))
    found = scrape(engine, tmp_path)
    assert found["workers"] == {("cpu", "preview"): 1, ("cuda:0", "sdxl"): 3}
    assert found["worker_trouble"] == {("a",): 0, ("b",): 1, ("c",): 0, ("d",): 0}
    ages = found["worker_answer_age_seconds"]
    assert ages["a",] == pytest.approx(40, abs=30)
    assert ("c",) not in ages


def test_the_disk_is_told_with_its_reserve(engine: sa.Engine, tmp_path: Path) -> None:
    found = scrape(engine, tmp_path)
    free = shutil.disk_usage(tmp_path).free
    assert found["disk_free_bytes"][()] == pytest.approx(free, rel=0.2)
    assert found["disk_reserve_bytes"] == {(): 1000}


def test_requests_are_counted_by_route_and_status(engine: sa.Engine, tmp_path: Path) -> None:
    requests = Requests()
    for seconds in (0.03, 0.3, 3.0):
        requests.observe("/v1/runs/{job_id}", 200, seconds)
    requests.observe(None, 401, 0.001)
    found = scrape(engine, tmp_path, requests)
    assert found["http_requests_total"] == {("/v1/runs/{job_id}", "200"): 3, ("none", "401"): 1}
    buckets = found["http_request_seconds_bucket"]
    assert buckets["0.05", "/v1/runs/{job_id}", "200"] == 1
    assert buckets["0.5", "/v1/runs/{job_id}", "200"] == 2
    assert buckets["+Inf", "/v1/runs/{job_id}", "200"] == 3
    assert found["http_request_seconds_sum"]["/v1/runs/{job_id}", "200"] == pytest.approx(3.33)


def test_no_name_digest_or_secret_of_a_key_is_told(engine: sa.Engine, tmp_path: Path) -> None:
    key, secret = KeyStore(engine).create("a studio of ours")
    queue = DurableQueue(engine)
    queue.submit(make_draft(owner=key.id, client_ref="order-9", callback_url="https://h/x"))
    live(engine)
    text = ask(engine, tmp_path).text
    for private in (secret, key.digest, key.name, "order-9", "https://h/x"):
        assert private not in text


def test_a_database_that_is_away_fails_the_scrape(tmp_path: Path) -> None:
    engine = open_house(tmp_path)
    engine.dispose()
    for path in tmp_path.glob("*.sqlite*"):
        path.unlink()
    tmp_path.joinpath("smart-resize.sqlite").mkdir()
    with pytest.raises(DatabaseUnavailable):  # which the API answers with 503
        ask(engine, tmp_path)


def test_prometheus_own_linter_has_nothing_against_the_exposition(
    engine: sa.Engine, tmp_path: Path
) -> None:
    live(engine)
    requests = Requests()
    requests.observe("/healthz", 200, 0.001)
    answer = ask(engine, tmp_path, requests)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    command = [need("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=answer.text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
