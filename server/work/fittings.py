"""What the house gives a worker besides its device: pictures in and out, callbacks, retention."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from pipelines.export.signing import Signer
from server.access.key_store import KeyStore
from server.callbacks.history import History
from server.callbacks.own_style import make_style as make_own_style
from server.callbacks.secret_store import CallbackSecrets
from server.callbacks.sender import CallbackSender, Style
from server.doors import fashn
from server.doors.fal import wish as fal_wish
from server.doors.fal.signing_key import find_signing_key
from server.doors.fal.webhook import make_style
from server.doors.fashn.prediction import STYLE as FASHN
from server.images.address import EgressPolicy
from server.images.assets import Assets
from server.images.fetch import Fetcher
from server.images.fetches import fetch_sources
from server.images.gather import gather
from server.images.links import Links, find_secret
from server.images.store import ImageStore
from server.images.stores import open_store
from server.jobs.job import Output, OutputExtra
from server.settings import TEN_YEARS, Settings
from server.signer import load_signer
from server.work.bench import Deliver, Fetch, Gather

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  compared, not listened on


@dataclass(frozen=True, slots=True)
class Fittings:
    """``own``, ``forget`` and ``sweep`` are those of ``Retention``."""

    store: ImageStore
    fetch: Fetch
    gather: Gather
    deliver: Deliver
    signer: Signer | None
    own: Callable[[], Mapping[str, timedelta]]
    forget: Callable[[str], None]
    sweep: Callable[[datetime], object]


def open_fittings(settings: Settings, engine: sa.Engine) -> Fittings:
    """As the operator wants them.

    Raises:
        InvalidOption: a setting cannot be what it is.
        Unavailable, StorageFull: the image store cannot be used.
    """
    store = open_store(
        settings.data,
        bucket=settings.bucket,
        endpoint=settings.bucket_endpoint,
        min_free=settings.min_free,
    )
    policy = EgressPolicy.parse(
        settings.allow_hosts, private=settings.allow_private_hosts, http=settings.allow_http
    )
    fetcher = Fetcher(policy, settings.max_source, settings.fetch_timeout)
    history = History(engine)
    sender = CallbackSender(
        history=history,
        own=make_own_style(CallbackSecrets(engine), settings.callback_attempts),
        post=fetcher.post,
        link=partial(_link, _open_links(settings), _base(settings)),
        styles=_read_styles(settings),
    )
    return Fittings(
        store=store,
        fetch=partial(fetch_sources, store=store, fetcher=fetcher),
        gather=partial(gather, store=store),
        deliver=sender,
        signer=load_signer(settings),
        own=partial(_own_retention, KeyStore(engine)),
        forget=history.forget,
        sweep=Assets(engine, store).sweep,
    )


def _read_styles(settings: Settings) -> dict[str, Style]:
    """How the hosted APIs tell of a job's end, by model."""
    key = find_signing_key(settings.data, settings.link_secret)
    return {fashn.MODEL: FASHN, fal_wish.MODEL: make_style(key)}


def _open_links(settings: Settings) -> Links:
    settings.data.mkdir(parents=True, exist_ok=True)
    return Links(find_secret(settings.data, settings.link_secret), settings.link_lifetime)


def _link(links: Links, base: str, output: Output | OutputExtra) -> str:
    return base + links.path(output.blob, output.file_name)


def _base(settings: Settings) -> str:
    """Where a receiver of callbacks finds the outputs: nobody's request says so here."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = socket.gethostname() if settings.host in EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _own_retention(keys: KeyStore) -> dict[str, timedelta]:
    return {
        key.id: timedelta(seconds=min(key.retention, TEN_YEARS))
        for key in keys.list()
        if key.retention is not None
    }
