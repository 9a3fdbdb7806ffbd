"""Sends callbacks: at most so many tries, again only after a server's error or none at all."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from pipelines.errors import ReframeError
from server.callbacks.history import Delivery, History, is_taken
from server.callbacks.payload import Link, render_callback
from server.callbacks.secret_store import CallbackSecrets
from server.callbacks.signature import sign, sign_standard
from server.errors import SourceForbidden
from server.jobs.job import Job
from server.jobs.tallies import DeliveryOutcome

TIMEOUT = 15.0
"""Seconds that a receiver has to answer."""

FAILED = 500
"""Answers from this on are the receiver's fault, and may be better the next time."""

HEADERS = {"Content-Type": "application/json", "User-Agent": "smart-resize"}

log = structlog.get_logger("server.callbacks")


class Post(Protocol):
    """Sends a body to an address that may be dialled; redirects are not followed."""

    def __call__(self, url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
        """The answer's status.

        Raises:
            SourceForbidden: the address may not be dialled.
            ReframeError: there was no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Style:
    """How one API tells that a job has ended.

    ``write`` gives the body, ``sign`` the headers for its very bytes. ``pauses`` are the seconds
    before each further try, ``again`` says whether an answer with that status is worth one.
    """

    write: Callable[[Job, Link], dict[str, Any]]
    sign: Callable[[Job, Delivery], dict[str, str]]
    pauses: tuple[float, ...]
    again: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class CallbackSender:
    """Tells a job's ``callback_url`` that it has ended, in the style of the API that took it.

    ``styles`` are those of the hosted APIs, by model; all else is told as the run API does, with at
    most ``attempts`` tries.
    """

    history: History
    secrets: CallbackSecrets
    post: Post
    link: Link
    attempts: int = 3
    sleep: Callable[[float], None] = time.sleep
    styles: Mapping[str, Style] = field(default_factory=dict)

    def __call__(self, job: Job, number: int = 0) -> bool:
        """Deliver, and say whether it arrived; ``number`` above 0 delivers once more.

        Begun again after its process ended, it goes on with the tries that are left.
        """
        if job.callback_url is None:
            return True
        style = self.styles.get(job.model) or self._own_style()
        body = json.dumps(style.write(job, self.link), separators=(",", ":")).encode()
        delivery = self.history.open(f"{job.id}-{number}", job.id, job.callback_url, body)
        if delivery.delivered:
            return True
        outcome = self._try_all(job, delivery, style)
        self.history.tally(outcome)
        return outcome is DeliveryOutcome.DELIVERED

    def _try_all(self, job: Job, delivery: Delivery, style: Style) -> DeliveryOutcome:
        pauses, status = (0.0, *style.pauses), None
        for attempt in range(len(delivery.attempts), len(pauses)):
            if attempt:
                self.sleep(pauses[attempt])
            status, again = self._try(job, delivery, style, attempt + 1)
            if status is not None and is_taken(status):
                return DeliveryOutcome.DELIVERED
            if not again:
                break
        return DeliveryOutcome.UNANSWERED if status is None else DeliveryOutcome.REFUSED

    def _try(
        self, job: Job, delivery: Delivery, style: Style, number: int
    ) -> tuple[int | None, bool]:
        """The answer's status, and whether another try is worth it."""
        self.history.begin(delivery, number)
        status, error, again = None, None, False
        try:
            headers = {**HEADERS, **style.sign(job, delivery)}
            status = self.post(delivery.url, delivery.body, headers, TIMEOUT)
            again = style.again(status)
        except SourceForbidden as refused:
            error = refused.detail
        except ReframeError as failure:
            error, again = failure.detail, True
        self.history.end(delivery, number, status=status, error=error)
        log.info("callback", job=job.id, attempt=number, status=status, error=error)
        return status, again

    def _own_style(self) -> Style:
        pauses = tuple(2.0**number for number in range(self.attempts - 1))  # 1 s, 2 s, 4 s ...
        return Style(render_callback, self._sign, pauses, lambda status: status >= FAILED)

    def _sign(self, job: Job, delivery: Delivery) -> dict[str, str]:
        headers = {"Runflow-Request-Id": job.request_id or job.id}
        valid = [secret.plain for secret in self.secrets.sign_with(job.owner)]
        if valid:
            headers["Runflow-Signature"] = sign(valid[0], delivery.body)
            headers |= sign_standard(valid, delivery.id, datetime.now(UTC), delivery.body)
        return headers
