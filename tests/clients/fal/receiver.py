"""A small web server of this machine: it gives a picture, and keeps the webhooks that come."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.drawings import draw_meadow, to_png

PICTURE = to_png(draw_meadow(120, 80))
PATIENCE = 20.0
TOLERANCE = 300
"""Seconds that a webhook's time may be off."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One that came, byte for byte."""

    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """What it says."""
        return json.loads(self.body)

    def verify(self, keys: Any) -> None:
        """As fal's documentation tells receivers to; raises InvalidSignature."""
        names = ("request-id", "user-id", "timestamp")
        parts = [self.headers[f"x-fal-webhook-{name}"] for name in names]
        assert abs(time.time() - int(parts[2])) < TOLERANCE
        message = "\n".join([*parts, hashlib.sha256(self.body).hexdigest()]).encode()
        signature = bytes.fromhex(self.headers["x-fal-webhook-signature"])
        (key,) = keys["keys"]
        public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


@dataclass(slots=True)
class Receiver:
    """``picture`` is the address of one, ``hook`` where webhooks go."""

    url: str = ""
    came: list[Webhook] = field(default_factory=list)

    @property
    def picture(self) -> str:
        return f"{self.url}/picture.png"

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"

    def wait(self, request_id: str) -> Webhook:
        """The webhook about a request, once it has come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for webhook in list(self.came):
                if webhook.told["request_id"] == request_id:
                    return webhook
            time.sleep(0.02)
        raise TimeoutError(request_id)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, receiver: Receiver, *rest: Any) -> None:
        self._receiver = receiver
        super().__init__(*rest)

    def do_GET(self) -> None:
        found = self.path == "/picture.png"
        self._answer(200 if found else 404, PICTURE if found else b"no picture")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._receiver.came.append(Webhook(headers, body))
        self._answer(200, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receive() -> Iterator[Receiver]:
    """Be there until the block ends."""
    receiver = Receiver()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, receiver)) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
