"""The application: everything put together, once."""

import importlib.metadata
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from pipelines.engine import Mode
from pipelines.presets.preset_file import read_presets
from server.access.key import ApiKey
from server.access.key_store import KEYS, KeyStore
from server.api import (
    callbacks,
    errors,
    fashn,
    files,
    health,
    metrics,
    models,
    page,
    pixazo,
    plans,
    presets,
    runs,
    sources,
    uploads,
    usage,
)
from server.api.about import About
from server.api.callbacks import Callbacks
from server.api.docs import SafeDocs
from server.api.door import ByHost, Doors
from server.api.fal.door import make_door as make_fal_door
from server.api.fashn import Fashn
from server.api.gate import Gate, is_loopback
from server.api.health import Check
from server.api.links import Linker
from server.api.metrics import House, Requests
from server.api.pixazo import Pixazo
from server.api.plans import Plans
from server.api.reception import Reception
from server.api.request_log import RequestLog
from server.api.runs import Runs
from server.api.schemas import FAILURES
from server.api.sources import Sources
from server.callbacks.history import History
from server.callbacks.secret_store import CallbackSecrets
from server.database.engine import database_url, open_database, say_unavailable
from server.doors.fal.signing_key import find_signing_key
from server.errors import IdempotencyConflict, Unavailable
from server.images.address import EgressPolicy
from server.images.assets import Assets
from server.images.fetch import check_callback
from server.images.links import Links, find_secret
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.estimate import Spent, read_history
from server.jobs.job import Job
from server.jobs.outage import reaching
from server.jobs.selection import count_unfinished, find_earlier, read_job
from server.jobs.workers import live_workers
from server.settings import Settings

SILENCE = timedelta(seconds=15)
"""Without a sign of life for so long, a worker counts as gone."""

DEVICE_SILENCE = timedelta(seconds=60)
"""Workers try a real operation on their device more often than that."""

ANONYMOUS = ApiKey("local", "without a key", "", datetime(2026, 1, 1, tzinfo=UTC))
"""Whoever calls a server that has no keys; only loopback can, unless the operator opened it."""

EXPOSED = (
    "X-Request-Id",
    "Runflow-Request-Id",
    "Location",
    "Retry-After",
    "Idempotent-Replayed",
)
"""Headers of the run API that a browser's scripts may read; doors name their own."""


def create_app(settings: Settings) -> FastAPI:
    """The API over the operator's database and image store; touches neither yet."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    engine = say_unavailable(open_database(database_url(settings.data, url)))
    store = open_store(
        settings.data,
        bucket=settings.bucket,
        endpoint=settings.bucket_endpoint,
        min_free=settings.min_free,
    )
    queue = DurableQueue(engine, bound=settings.max_queue)
    policy = EgressPolicy.parse(
        settings.allow_hosts, private=settings.allow_private_hosts, http=settings.allow_http
    )
    links = Links(find_secret(settings.data, settings.link_secret), settings.link_lifetime)
    linker = Linker(links, settings.public_url)
    assets = Assets(engine, store)
    count = partial(_count_unfinished, engine)
    reception = Reception(
        queue,
        store,
        assets,
        settings.max_source,
        count,
        find_earlier=partial(_find_earlier, engine),
        check_callback=partial(check_callback, policy),
        can_sign=settings.c2pa_certificate is not None,
    )
    version = importlib.metadata.version("smart-resize")
    about = About(version, partial(_find_engines, engine, settings))
    app = FastAPIOffline(
        title="Smart Resize",
        summary="Reframes pictures on your own machine.",
        version=version,
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,  # a redirect repeats whatever host the caller made up
        static_url="/docs/assets",
    )
    catalogue = read_presets(settings.presets)
    fal_key = find_signing_key(settings.data, settings.link_secret)
    hosted = [
        make_fal_door(reception, linker, engine, fal_key),
        fashn.make_door(Fashn(queue, reception, linker, store, settings.balance, settings.credits)),
        pixazo.make_door(Pixazo(queue, reception, linker, store)),
    ]
    doors = Doors(hosted, errors.answer)
    requests = Requests()
    errors.install(app, doors)
    checks: dict[str, Check] = {
        "database": partial(_check_database, engine),
        "storage": store.check,
        "workers": partial(_check_workers, engine),
    }
    for router in (
        runs.make_router(Runs(queue, reception, linker, catalogue, settings.price)),
        sources.make_router(Sources(queue, store, linker)),
        plans.make_router(
            Plans(
                queue,
                reception,
                linker,
                catalogue,
                lambda: about.find_engines()[0],
                partial(_read_history, engine),
            )
        ),
        callbacks.make_router(
            Callbacks(queue, History(engine), CallbackSecrets(engine), queue.redeliver)
        ),
        uploads.make_router(assets, links, linker),
        files.make_router(links, store, FAILURES),
        health.make_router(checks, about),
        usage.make_router(engine),
        metrics.make_router(House(engine, settings, SILENCE), requests),
        models.make_router(about),
        presets.make_router(catalogue),
        *((page.make_router(),) if settings.page else ()),
        *(door.router for door in hosted),
    ):
        app.include_router(router)
    open_to_all = settings.insecure_open or is_loopback(settings.host)
    app.add_middleware(
        Gate,
        keys=KeyStore(engine),
        doors=doors,
        max_body=settings.max_body,
        anonymous=ANONYMOUS if open_to_all else None,
        open_to_all=settings.insecure_open,
    )
    app.add_middleware(ByHost, doors=doors)
    app.add_middleware(SafeDocs)
    app.add_middleware(RequestLog, observe=requests.observe, render_error=doors.render_error)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=[*EXPOSED, *doors.exposed],
    )
    return app


def _check_database(engine: sa.Engine) -> None:
    nothing = KEYS.update().where(KEYS.c.id == "").values(name="")
    with engine.begin() as connection:  # writes nothing, but only who may write can do so
        connection.execute(nothing)


def _find_earlier(
    engine: sa.Engine, owner: str, idempotency: str, fingerprint: str | None
) -> Job | None:
    with reaching(), engine.connect() as connection:
        row = find_earlier(connection, "", owner, idempotency)
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise IdempotencyConflict
        return read_job(connection, row.id)


def _count_unfinished(engine: sa.Engine, owner: str) -> int:
    with engine.connect() as connection:
        return count_unfinished(connection, owner)


def _find_engines(engine: sa.Engine, settings: Settings) -> tuple[str, ...]:
    """Who works at the moment, each once; the operator's choice where nobody does."""
    found = {beat.engine for beat in live_workers(engine, SILENCE)}
    return tuple(sorted(found)) or (settings.engine.value,)


def _read_history(engine: sa.Engine, name: str, mode: Mode) -> list[Spent]:
    with engine.connect() as connection:
        return read_history(connection, name, mode)


def _check_workers(engine: sa.Engine) -> None:
    workers = live_workers(engine, SILENCE)
    if not workers:
        msg = "no worker is alive"
        raise Unavailable(msg)
    if not any(beat.answers(DEVICE_SILENCE) for beat in workers):
        msg = "no worker's device answers"
        raise Unavailable(msg)
