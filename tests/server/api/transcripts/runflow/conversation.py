"""Goes through a conversation with the run API that was written down, against a live server.

A step is a request with its answer, or a callback that comes. ``${name}`` stands for a field of an
earlier answer. What differs each time is written as what it is, in angle brackets.
"""

import base64
import hashlib
import hmac
import re
import time
from string import Template
from typing import Any

import httpx2

from tests.clients.fal.receiver import PICTURE, Receiver, Webhook
from tests.drawings import draw_coordinates, draw_meadow, to_png
from tests.server.images.zips import make_zip

ZIP = make_zip(
    {"wide.png": to_png(draw_meadow(90, 60)), "flat.png": to_png(draw_coordinates(48, 32))}
)
SENDS = {"picture": PICTURE, "zip": ZIP}
SHOWN = ("content-type", "location", "retry-after", "idempotent-replayed", "allow")
PATIENCE = 20.0

HOSTED = frozenset({
    "id", "flow_id", "model_id", "target_type", "target_version", "org_id", "status_code", "input",
    "source_code", "output", "context", "duration_ms", "cost", "batch_id", "cost_breakdown",
    "nodes_total", "nodes_completed", "client_ref", "request_id", "created_by", "created_at",
    "started_at", "completed_at", "callback_url", "metadata", "has_logs", "has_node_runs", "links",
    "failure_code", "failure_message", "failure_stage_code", "node_runs", "logs",
    "model", "status", "finished_at", "error", "failure_stage",
})  # fmt: skip
"""Fields of the hosted record, and those that its client reads instead."""

KEPT: tuple[tuple[str, frozenset[str]], ...] = (
    ("flow_id", HOSTED),
    (
        "file_name",
        frozenset(["type", "url", "file_name", "content_type", "width", "height", "source"]),
    ),
    ("number", frozenset(["number", "status_code", "error", "started_at", "finished_at"])),
)
"""Of a record, an output and an attempt, each known by one of its fields: what is written down.

What else the run API says of them is its own.
"""

NAMED = {
    "timing": "<seconds by step>",
    "duration_ms": "<ms>",
    "gpu_seconds": "<seconds>",
    "seed": "<seed>",
    "key_prefix": "<prefix>",
    "plain_secret": "<secret>",
    "input": "<order>",
}
"""Fields whose values nobody can know before; null stays null."""

CHANGING = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"[.\w-]{20,}\.[\w-]{43}"), "<signed>"),
    (re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+"), "<time>"),
)


class Conversation:
    """With one server, in the name of one key; callbacks come to ``receiver``."""

    def __init__(self, base: str, secret: str, receiver: Receiver) -> None:
        self._client = httpx2.Client(
            base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=60
        )
        self._receiver, self._heard = receiver, len(receiver.came)
        self._secret = ""
        self.known = {
            "picture": f"{receiver.url}/picture.png",
            "receiver": receiver.hook,
            "zip": "data:application/zip;base64," + base64.b64encode(ZIP).decode(),
        }

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        """What comes of a step, as it is written down."""
        if "request" in step:
            return {"request": step["request"], "answer": self._ask(step["request"])}
        return {"callback": self._hear()}

    def close(self) -> None:
        """Ask nothing more."""
        self._client.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = _fill_in(request, self.known)
        if what := asked.pop("sends", None):
            asked["content"] = SENDS[what]
        answer = self._client.request(asked.pop("method"), asked.pop("path"), **asked)
        shown: dict[str, Any] = {"status": answer.status_code}
        shown["headers"] = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
        assert answer.headers["runflow-request-id"] == answer.headers["x-request-id"]
        if answer.headers.get("content-type") == "application/json":
            shown["json"] = answer.json()
            self._remember(answer.json())
        hidden: dict[str, Any] = _hide(shown)
        return hidden

    def _remember(self, body: dict[str, Any]) -> None:
        self.known |= {name: text for name, text in body.items() if isinstance(text, str)}
        if "plain_secret" in body:
            self._secret, self.known["secret"] = body["plain_secret"], body["id"]

    def _hear(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while len(self._receiver.came) <= self._heard:
            assert time.monotonic() < deadline, "no callback comes"
            time.sleep(0.02)
        webhook = self._receiver.came[self._heard]
        self._heard += 1
        self._wait_for_history(webhook.told["run_id"], deadline)
        heard: dict[str, Any] = _hide({"signed": self._is_signed(webhook), "json": webhook.told})
        return heard

    def _wait_for_history(self, run: str, deadline: float) -> None:
        """Until the sender has noted what came of its last attempt."""
        while True:
            items = self._client.get(f"/v1/runs/{run}/callback").json()["items"]
            if items[-1]["attempts"][-1]["finished_at"]:
                self.known["run"] = run
                return
            assert time.monotonic() < deadline, items
            time.sleep(0.02)

    def _is_signed(self, webhook: Webhook) -> bool:
        """As Runflow's documentation has it verified."""
        assert webhook.headers["runflow-request-id"]
        signature = webhook.headers.get("runflow-signature")
        if signature is None:
            return False
        right = hmac.new(self._secret.encode(), webhook.body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signature, right)
        return True


def _fill_in(value: Any, known: dict[str, str]) -> Any:
    match value:
        case str():
            return Template(value).substitute(known)
        case list():
            return [_fill_in(each, known) for each in value]
        case dict():
            return {name: _fill_in(each, known) for name, each in value.items()}
        case _:
            return value


def _hide(shown: Any) -> Any:
    match shown:
        case dict():
            names = next((names for field, names in KEPT if field in shown), frozenset(shown))
            return {
                name: NAMED[name] if name in NAMED and each is not None else _hide(each)
                for name, each in shown.items()
                if name in names
            }
        case list():
            return [_hide(each) for each in shown]
        case str():
            for pattern, name in CHANGING:
                shown = pattern.sub(name, shown)
            return shown
        case _:
            return shown
