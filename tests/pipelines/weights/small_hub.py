"""A model hub on loopback, small but real: what huggingface_hub asks for, and ways to fail."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.store import Store

REVISION = "0123456789abcdef0123456789abcdef01234567"
LARGE = 10_000
"""Bytes from which a hub stores a file as a large one."""


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_files(seed: int = 0) -> dict[str, bytes]:
    """A model in miniature; its weights have no pattern that a mistake could hide in."""
    weights = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(9_000))
    return {
        "config.json": b'{"seed": %d}' % seed,
        "tokenizer/vocab.txt": b"a\nb\n",
        "unet/model.safetensors": weights,
    }


def lock_model(
    files: dict[str, bytes], role: str = "inpaint", licence: str = "apache-2.0"
) -> LockedModel:
    """What a lock says of ``files``."""
    return LockedModel(
        role=role,
        repository=f"acme/{role}",
        revision=REVISION,
        licence=licence,
        files=tuple(
            LockedFile(path, len(data), sha256(data), None) for path, data in sorted(files.items())
        ),
    )


def lock_all(**roles: dict[str, bytes]) -> WeightsLock:
    return WeightsLock(tuple(lock_model(files, role) for role, files in roles.items()))


@dataclass
class SmallHub:
    """Serves ``files[repository][path]``; what it announces stays as it was when it was made."""

    files: dict[str, dict[str, bytes]]
    licence: str | None = "apache-2.0"
    endpoint: str = ""
    requests: list[str] = field(default_factory=list)
    cut_after: dict[str, int] = field(default_factory=dict)
    """Close the connection once after so many bytes of a path."""
    gone_after_cut: bool = False
    """Whether a path that was cut is refused from then on."""
    gone: set[str] = field(default_factory=set)
    answers: dict[str, int] = field(default_factory=dict)
    """Answer with this status and nothing else for a path."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Send whoever asks for a path to this endpoint."""
    stalls: dict[str, int] = field(default_factory=dict)
    """Send so many bytes of a path and then none until ``go_on``."""
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    names_commits: bool = True
    announced: dict[str, dict[str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self.announced = {name: dict(files) for name, files in self.files.items()}

    def describe(self, repository: str) -> dict[str, object]:
        """The answer to a question for a repository's files."""
        siblings = []
        for path, data in self.announced[repository].items():
            entry = {"rfilename": path, "size": len(data), "blobId": git_blob(data)}
            if len(data) >= LARGE:
                entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        card = {"license": self.licence} if self.licence else None
        answer: dict[str, object] = {"id": repository, "sha": REVISION, "siblings": siblings}
        return answer | {"cardData": card}


@contextmanager
def serve(hub: SmallHub) -> Iterator[SmallHub]:
    """Run ``hub`` in a thread, at its ``endpoint``."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: SmallHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Keep still; the tests look at ``requests``."""

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        asked = self.headers.get("Range", "")
        self.hub.requests.append(f"{self.command} {path} {asked}".strip())
        repository, _, rest = path.removeprefix("/api/models").strip("/").partition("/revision/")
        if rest and repository in self.hub.files:
            self._send(200, json.dumps(self.hub.describe(repository)).encode(), {}, with_body)
            return
        repository, _, rest = path.strip("/").partition(f"/resolve/{REVISION}/")
        headers = self._describe(repository, rest)
        refusal = self._choose_refusal(repository, rest, path)
        if refusal:
            status, more = refusal
            self._send(status, b"", headers | more, with_body)
        elif asked:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            data = self.hub.files[repository][rest]
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            self._send(206, data[begin:], headers, with_body)
        elif with_body and rest in self.hub.stalls:
            self._stall(self.hub.files[repository][rest], headers, self.hub.stalls[rest])
        else:
            cut = self.hub.cut_after.pop(rest, None) if with_body else None
            if cut is not None and self.hub.gone_after_cut:
                self.hub.gone.add(rest)
            self._send(200, self.hub.files[repository][rest], headers, with_body, cut)

    def _describe(self, repository: str, path: str) -> dict[str, str]:
        """What the head of an answer says of a file."""
        announced = self.hub.announced.get(repository, {}).get(path, b"")
        etag = sha256(announced) if len(announced) >= LARGE else git_blob(announced)
        headers = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        return headers | ({"X-Repo-Commit": REVISION} if self.hub.names_commits else {})

    def _choose_refusal(
        self, repository: str, path: str, asked: str
    ) -> tuple[int, dict[str, str]] | None:
        """The status and the headers of an answer without the file, if it is to be one."""
        if path in self.hub.answers:
            return self.hub.answers[path], {}
        if path not in self.hub.files.get(repository, {}):
            return 404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        if path in self.hub.elsewhere:
            return 302, {"Location": self.hub.elsewhere[path] + asked}
        return (403, {}) if path in self.hub.gone else None

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        with_body: bool,
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # the library keeps its client, and with it a line
        self.end_headers()
        if with_body:
            self.wfile.write(body if cut is None else body[:cut])

    def _stall(self, body: bytes, headers: dict[str, str], count: int) -> None:
        self.send_response(200)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:count])
        self.wfile.flush()
        self.hub.stalled.set()
        self.hub.go_on.wait(30)
        self.close_connection = True


def fill(store: Store, model: LockedModel, files: dict[str, bytes]) -> Path:
    """Put files where ``model`` has them, as somebody who copies them by hand would."""
    folder = store.folder_of(model)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
