"""Webhooks: the result or the error, signed so that the hosted service's own recipe verifies it."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

from server.callbacks.history import Delivery, is_taken
from server.callbacks.payload import Link
from server.callbacks.sender import Style
from server.doors.fal.refusal import find_refusal
from server.doors.fal.result import render_result
from server.doors.fal.signing_key import SigningKey
from server.jobs.job import Job

PAUSES = (10.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1200.0, 1800.0, 2400.0)
"""Seconds before each further try: ten of them, in two hours."""


def render_webhook(job: Job, link: Link) -> dict[str, Any]:
    """The body; pictures are addresses even where the result has them inline."""
    body = {"request_id": job.id, "gateway_request_id": job.id}
    refusal = find_refusal(job)
    if refusal is None:
        return {**body, "status": "OK", "payload": render_result(job, link)}
    error = f"Invalid status code: {refusal.status}"
    return {**body, "status": "ERROR", "error": error, "payload": refusal.body}


def make_style(key: SigningKey, clock: Callable[[], float] = time.time) -> Style:
    """How the hosted service tells that a request has ended."""

    def sign(job: Job, delivery: Delivery) -> dict[str, str]:
        signed = (job.id, job.owner, str(int(clock())), hashlib.sha256(delivery.body).hexdigest())
        return {
            "X-Fal-Webhook-Request-Id": job.id,
            "X-Fal-Webhook-User-Id": job.owner,
            "X-Fal-Webhook-Timestamp": signed[2],
            "X-Fal-Webhook-Signature": key.sign("\n".join(signed).encode()),
        }

    return Style(
        write=render_webhook, sign=sign, pauses=PAUSES, again=lambda status: not is_taken(status)
    )
