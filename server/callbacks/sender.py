"""Sends callbacks: at most so many tries, again only after a server's error or none at all."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple, Protocol

import structlog

from pipelines.errors import ReframeError
from server.callbacks.history import Attempt, Delivery, History, is_taken
from server.callbacks.payload import Link
from server.errors import SourceForbidden
from server.jobs.job import Job
from server.jobs.tallies import DeliveryOutcome

TIMEOUT = 15.0
"""Seconds that a receiver has to answer."""

SHORT = 3.0
"""Seconds that a try and the pause after it may hold a place among those who are sent."""

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


class Again(NamedTuple):
    """The next try: how many came before it, and when it is due."""

    past: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CallbackSender:
    """Tells a job's ``callback_url`` that it has ended, in the style of the API that took it.

    ``styles`` are those of the hosted APIs, by model; ``own`` is the run API's, for all else.
    """

    history: History
    own: Style
    post: Post
    link: Link
    sleep: Callable[[float], None] = time.sleep
    styles: Mapping[str, Style] = field(default_factory=dict)

    def __call__(self, job: Job, number: int = 0, past: int = 0) -> Again | None:
        """Try once, or a few times if that is quick; returns the next try, None if it is over.

        ``number`` above 0 delivers once more. ``past`` tries were made before, as ``Again`` said.
        Begun again after its process ended, it makes no try that was answered a second time.
        """
        if job.callback_url is None:
            return None
        style = self.styles.get(job.model, self.own)
        body = json.dumps(style.write(job, self.link), separators=(",", ":")).encode()
        delivery = self.history.open(f"{job.id}-{number}", job.id, job.callback_url, body)
        made = delivery.attempts
        if len(made) > past and made[-1].next_at is not None:
            return Again(len(made), made[-1].next_at)  # this was made before its process ended
        if made and _is_last(made[-1], style):
            if made[-1].finished_at is None:
                cut = replace(made[-1], finished_at=datetime.now(UTC), error="cut off")
                self.history.end(delivery, cut, DeliveryOutcome.UNANSWERED)
            return None
        return self._try_on(job, delivery, style)

    def _try_on(self, job: Job, delivery: Delivery, style: Style) -> Again | None:
        for number in count(len(delivery.attempts) + 1):
            attempt = self._try(job, delivery, style, number)
            if attempt.next_at is None or attempt.finished_at is None:
                return None
            # the line is coarse; but only who answers at once may wait in front of it
            if (attempt.next_at - attempt.started_at).total_seconds() > SHORT:
                return Again(number, attempt.next_at)
            self.sleep(style.pauses[number - 1])
        return None

    def _try(self, job: Job, delivery: Delivery, style: Style, number: int) -> Attempt:
        """One try, from its note to what came of it."""
        self.history.begin(delivery, number)
        began = datetime.now(UTC)
        status, error, again = None, None, False
        try:
            headers = {**HEADERS, **style.sign(job, delivery)}
            status = self.post(delivery.url, delivery.body, headers, TIMEOUT)
            again = style.again(status)
        except SourceForbidden as refused:
            error = refused.detail
        except ReframeError as failure:
            error, again = failure.detail, True
        now, next_at = datetime.now(UTC), None
        if again and number <= len(style.pauses):
            next_at = now + timedelta(seconds=style.pauses[number - 1])
        attempt = Attempt(number, began, now, status, error, next_at)
        self.history.end(delivery, attempt, None if next_at else _find_outcome(status))
        log.info("callback", job=job.id, attempt=number, status=status, error=error)
        return attempt


def _is_last(made: Attempt, style: Style) -> bool:
    """Whether there is no try after this one, which somebody made."""
    if made.number > len(style.pauses):
        return True
    return made.status is not None and (is_taken(made.status) or not style.again(made.status))


def _find_outcome(status: int | None) -> DeliveryOutcome:
    if status is None:
        return DeliveryOutcome.UNANSWERED
    return DeliveryOutcome.DELIVERED if is_taken(status) else DeliveryOutcome.REFUSED
