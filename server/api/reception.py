"""Takes orders in, whichever door they came through: pictures stored, order checked, job queued."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from pydantic import ValidationError

from pipelines.errors import SourceUnavailable
from server.access.key import ApiKey
from server.api.errors import invalid
from server.errors import AssetNotFound, DatabaseUnavailable, RateLimited
from server.images.assets import Assets
from server.images.data_uri import is_data_uri, read_data_uri
from server.images.store import VOLATILE, ImageStore
from server.jobs.job import Draft
from server.jobs.order import Order
from server.jobs.queue import JobQueue, Submission

ASSET = "runflow://assets/"
"""How a source names an upload."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for, after its door has read it.

    ``sources`` are URLs, data URIs or uploads, ``files`` what came along: a name and bytes.
    ``wishes`` are the fields of an ``Order`` but its sources and, where the caller has no wish, its
    seed. The rest is as in ``Draft``.
    """

    model: str
    key: ApiKey
    sources: Sequence[str]
    wishes: Mapping[str, Any]
    files: Sequence[tuple[str, bytes]] = ()
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


@dataclass(frozen=True, slots=True)
class Reception:
    """Where every accepted job begins; ``most_bytes`` bounds each picture that comes along."""

    queue: JobQueue
    store: ImageStore
    assets: Assets
    most_bytes: int
    count_unfinished: Callable[[str], int]
    draw_seed: Callable[[], int] = draw_seed

    def take(self, asked: Asked) -> Submission:
        """Accept it, or keep nothing of it.

        Raises:
            InvalidBody, AssetNotFound: what the caller got wrong.
            RequestError: targets, plans or pictures that nothing could make possible.
            RateLimited, QueueFull, StorageFull, DatabaseUnavailable: not now.
        """
        self._check_concurrency(asked.key)
        self.store.check()
        job_id = str(uuid_utils.uuid7())
        wishes = {"seed": self.draw_seed(), **asked.wishes}
        order = _order(wishes, [*asked.sources, *("blob:form" for _ in asked.files)])
        order.requests()  # refuses what no picture could make possible
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
        sources = self._keep(asked, f"{prefix}sources/{job_id}/given")
        return Draft(
            id=job_id,
            owner=asked.key.id,
            model=asked.model,
            order=order.model_copy(update={"sources": tuple(sources)}),
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
        sources = []
        for number, source in enumerate(asked.sources):
            if is_data_uri(source):
                data = read_data_uri(source, self.most_bytes).data
                self.store.put(f"{folder}{number}", data)
                sources.append(f"blob:{folder}{number}")
            elif source.startswith(ASSET):
                asset = self.assets.find(asked.key.id, source.removeprefix(ASSET))
                if asset.confirmed_at is None:
                    msg = "the upload has not been confirmed"
                    raise AssetNotFound(msg)
                sources.append(f"blob:{asset.blob}?{asset.name}")
            elif source.startswith(("https://", "http://")):
                sources.append(source)
            else:
                msg = "a picture is given as an http(s) URL, a data URI or an asset"
                raise SourceUnavailable(msg)
        for number, (name, data) in enumerate(asked.files, len(asked.sources)):
            self.store.put(f"{folder}{number}", data)
            sources.append(f"blob:{folder}{number}?{name}")
        return sources

    def _discard(self, job_id: str) -> None:
        """Forget the pictures of what became no job."""
        for prefix in ("", VOLATILE):
            self.store.delete(f"{prefix}sources/{job_id}/")

    def _check_concurrency(self, key: ApiKey) -> None:
        """Near enough: requests that come at the same moment may exceed it by a few."""
        if key.concurrency and self.count_unfinished(key.id) >= key.concurrency:
            msg = f"this key may have {key.concurrency} unfinished runs at a time"
            raise RateLimited(msg, retry_after=5.0)


def _order(wishes: Mapping[str, Any], sources: Sequence[str]) -> Order:
    try:
        return Order(sources=tuple(sources), **wishes)
    except ValidationError as error:
        raise invalid(error.errors()) from error
