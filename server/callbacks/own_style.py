"""How the run API tells that a job has ended: its body, and the headers that sign it."""

from datetime import UTC, datetime

from server.callbacks.history import Delivery
from server.callbacks.payload import render_callback
from server.callbacks.secret_store import CallbackSecrets
from server.callbacks.sender import Style
from server.callbacks.signature import sign, sign_standard
from server.jobs.job import Job

FAILED = 500
"""Answers from this on are the receiver's fault, and may be better the next time."""


def make_style(secrets: CallbackSecrets, attempts: int = 3) -> Style:
    """With at most ``attempts`` tries, signed where the job's owner has one of the ``secrets``."""

    def sign_headers(job: Job, delivery: Delivery) -> dict[str, str]:
        headers = {"Runflow-Request-Id": job.request_id or job.id}
        valid = [secret.plain for secret in secrets.sign_with(job.owner)]
        if valid:
            headers["Runflow-Signature"] = sign(valid[0], delivery.body)
            headers |= sign_standard(valid, delivery.id, datetime.now(UTC), delivery.body)
        return headers

    pauses = tuple(2.0**number for number in range(attempts - 1))  # 1 s, 2 s, 4 s ...
    return Style(render_callback, sign_headers, pauses, lambda status: status >= FAILED)
