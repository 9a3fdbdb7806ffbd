"""Takes orders in, whichever door they came through: pictures stored, order checked, job queued."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from pydantic import ValidationError

from pipelines.errors import SourceUnavailable
from pipelines.export.files import check_signing
from server.access.defaults import apply_defaults
from server.access.key import ApiKey
from server.api.errors import invalid
from server.errors import AssetNotFound, DatabaseUnavailable, InvalidBody, RateLimited
from server.images.assets import Assets
from server.images.data_uri import is_data_uri, read_data_uri
from server.images.store import VOLATILE, ImageStore
from server.jobs.job import Draft, Job
from server.jobs.order import Order
from server.jobs.queue import JobQueue, Submission

ASSET = "runflow://assets/"
"""How a source names an upload."""

LONGEST_ADDRESS = 8000
"""Characters of a source that is not a data URI."""

FORM = "blob:form"
"""Stands for what came along in a form, until it is stored."""

OWN = "local/"
"""Begins the names of our own models; the others have the options of the hosted ones alone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for, after its door has read it.

    ``sources`` are URLs, data URIs or uploads, ``files`` what came along: a name and bytes. So may
    a ``mask`` have come: then the wishes' ``protect_mask`` is ``FORM``.
    ``wishes`` are the fields of an ``Order`` but its sources and, where the caller has no wish, its
    seed. The rest is as in ``Draft``.
    """

    model: str
    key: ApiKey
    sources: Sequence[str]
    wishes: Mapping[str, Any]
    files: Sequence[tuple[str, bytes]] = ()
    mask: bytes | None = None
    callback_url: str | None = None
    client_ref: str | None = None
    metadata: dict[str, Any] | None = None
    idempotency: str | None = None
    fingerprint: str | None = None
    priority: int = 5
    deadline: datetime | None = None
    request_id: str | None = None


def draw_seed() -> int:
    """Any seed."""
    return secrets.randbelow(2**32)


FindEarlier = Callable[[str, str, str | None], Job | None]
"""By owner, idempotency key and fingerprint; raises IdempotencyConflict."""


def no_earlier(owner: str, idempotency: str, fingerprint: str | None) -> None:
    """Leave it to the queue, which finds it in any case."""
    del owner, idempotency, fingerprint


@dataclass(frozen=True, slots=True)
class Reception:
    """Where every accepted job begins; ``most_bytes`` bounds each picture that comes along.

    ``find_earlier`` has a repeated request answered even when no new one would be taken.
    ``check_callback`` raises for an address that nothing could ever be delivered to. ``can_sign``
    says whether the operator has a certificate.
    """

    queue: JobQueue
    store: ImageStore
    assets: Assets
    most_bytes: int
    count_unfinished: Callable[[str], int]
    draw_seed: Callable[[], int] = draw_seed
    find_earlier: FindEarlier = no_earlier
    check_callback: Callable[[str], object] = str
    can_sign: bool = True

    def take(self, asked: Asked) -> Submission:
        """Accept it, or keep nothing of it.

        Raises:
            InvalidBody, AssetNotFound: what the caller got wrong.
            RequestError: targets, plans or pictures that nothing could make possible.
            SourceForbidden, SourceUnavailable: the callback's address is none.
            RateLimited, QueueFull, StorageFull, DatabaseUnavailable: not now.
        """
        if earlier := self._find_earlier(asked):
            return Submission(earlier, is_new=False)
        if asked.callback_url:
            self.check_callback(asked.callback_url)
        self._check_concurrency(asked.key)
        self.store.check()
        job_id = str(uuid_utils.uuid7())
        hosted = not asked.model.startswith(OWN)
        wished = apply_defaults(asked.key.defaults, asked.wishes, hosted=hosted)
        wishes = {"seed": self.draw_seed(), **wished}
        order = make_order(wishes, [*asked.sources, *(FORM for _ in asked.files)])
        for request in order.requests():  # refuses what no picture could make possible
            check_signing(request.export, can_sign=self.can_sign)
        try:
            draft = self._draft(job_id, asked, order)
            submission = self.queue.submit(draft)
        except DatabaseUnavailable:
            raise  # it may have been kept all the same, and then its pictures are needed
        except BaseException:
            self._discard(job_id)
            raise
        if not submission.is_new:
            self._discard(job_id)
        return submission

    def _draft(self, job_id: str, asked: Asked, order: Order) -> Draft:
        prefix = VOLATILE if order.volatile else ""
        folder = f"{prefix}sources/{job_id}/given"
        kept = {
            "sources": tuple(self._keep(asked, folder)),
            "protect_mask": self._keep_mask(asked, order.protect_mask, f"{folder}mask"),
        }
        return Draft(
            id=job_id,
            owner=asked.key.id,
            model=asked.model,
            order=order.model_copy(update=kept),
            callback_url=asked.callback_url,
            client_ref=asked.client_ref,
            metadata=asked.metadata,
            idempotency=asked.idempotency,
            fingerprint=asked.fingerprint,
            priority=asked.priority,
            deadline=asked.deadline,
            request_id=asked.request_id,
        )

    def _keep(self, asked: Asked, folder: str) -> list[str]:
        """The sources as a worker can read them: addresses, and names in the store."""
        labels = _label_nameless(asked)
        sources = [
            self._keep_one(asked.key, source, f"{folder}{number}", labels.get(number))
            for number, source in enumerate(asked.sources)
        ]
        for number, (name, data) in enumerate(asked.files, len(asked.sources)):
            self.store.put(f"{folder}{number}", data)
            sources.append(f"blob:{folder}{number}?{name or labels[number]}")
        return sources

    def _keep_mask(self, asked: Asked, mask: str | None, blob: str) -> str | None:
        if mask is None:
            return None
        if mask == FORM and asked.mask is not None:
            self.store.put(blob, asked.mask)
            return f"blob:{blob}"
        return self._keep_one(asked.key, mask, blob)

    def _keep_one(self, key: ApiKey, source: str, blob: str, label: str | None = None) -> str:
        """A picture as a worker can read it; a data URI is stored as ``blob``, and is ``label``."""
        if is_data_uri(source):
            self.store.put(blob, read_data_uri(source, self.most_bytes).data)
            return f"blob:{blob}?{label}" if label else f"blob:{blob}"
        if len(source) > LONGEST_ADDRESS:
            msg = f"a picture's address has at most {LONGEST_ADDRESS} characters"
            raise InvalidBody(msg)
        if source.startswith(ASSET):
            asset = self.assets.find(key.id, source.removeprefix(ASSET))
            if asset.confirmed_at is None:
                msg = "the upload has not been confirmed"
                raise AssetNotFound(msg)
            return f"blob:{asset.blob}?{asset.name}"
        if source.startswith(("https://", "http://")):
            return source
        msg = "a picture is given as an http(s) URL, a data URI or an asset"
        raise SourceUnavailable(msg)

    def _discard(self, job_id: str) -> None:
        """Forget the pictures of what became no job."""
        for prefix in ("", VOLATILE):
            self.store.delete(f"{prefix}sources/{job_id}/")

    def _find_earlier(self, asked: Asked) -> Job | None:
        if asked.idempotency is None:
            return None
        return self.find_earlier(asked.key.id, asked.idempotency, asked.fingerprint)

    def _check_concurrency(self, key: ApiKey) -> None:
        """Near enough: requests that come at the same moment may exceed it by a few."""
        if key.concurrency and self.count_unfinished(key.id) >= key.concurrency:
            msg = f"this key may have {key.concurrency} unfinished runs at a time"
            raise RateLimited(msg, retry_after=5.0)


def _label_nameless(asked: Asked) -> dict[int, str]:
    """What people call the pictures that came without a name, by their numbers."""
    named = [not is_data_uri(source) for source in asked.sources]
    named += [bool(name) for name, _ in asked.files]
    nameless = [number for number, has_name in enumerate(named) if not has_name]
    if len(nameless) == 1:
        return {nameless[0]: "image"}
    return {number: f"image-{place}" for place, number in enumerate(nameless, 1)}


def make_order(wishes: Mapping[str, Any], sources: Sequence[str]) -> Order:
    """The order that these wishes are; raises InvalidBody."""
    try:
        return Order(sources=tuple(sources), **wishes)
    except ValidationError as error:
        raise invalid(error.errors()) from error
