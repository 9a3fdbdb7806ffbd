"""Makes a batch's outputs on a server, by its run API.

A run is submitted under a key made of its content: however often a batch is killed, or the server
restarted, the run that is under way is found again and not begun anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipelines.codec.limits import Limits
from pipelines.errors import (
    ImageTooLarge,
    ImageUndecodable,
    JobCancelled,
    ReframeError,
    RequestError,
)
from pipelines.export.wishes import Extra
from pipelines.request import ReframeRequest
from server.batch.client import Client
from server.batch.errors import make_error
from server.batch.maker import Answer, Beside, Made, Pending
from server.batch.wire import RunInput, make_run_inputs
from server.batch.wish import Fitter
from server.errors import (
    AccessError,
    BlobMissing,
    IdempotencyConflict,
    NotFound,
    SourceForbidden,
    Unavailable,
)

LARGE = 4_000_000
"""Bytes from which a source is uploaded by itself, and not with each of its runs."""

HOLD = 30
"""Seconds that the server is asked to wait for a run's end before it answers."""

FIRST_LOOK, LONGEST_LOOK = 0.25, 3.0
"""Seconds between two looks at a run, growing."""

FIRST_PATIENCE = 20.0
"""Seconds that a server may be away before anything was heard of it."""

UNFINISHED = frozenset({"queued", "dispatching", "running"})
SAME_FOR_ALL = (ImageTooLarge, ImageUndecodable, SourceForbidden)
HOPELESS = (AccessError, Unavailable, JobCancelled)

SPOILED = 3
"""Downloads of an output that may arrive damaged."""


class RemoteMaker:
    """A server as a batch needs it."""

    at_once = 12
    """A large card's callers; what is too many waits in the server's line."""

    def __init__(self, client: Client, batch: str, limits: Limits) -> None:
        """``batch`` is the ledger's id: what is begun afresh is other runs.

        Raises:
            ReframeError: the server is not there, or does not know the key.
        """
        self._client, self._batch, self._limits = client, batch, limits
        first = replace(client, patience=min(client.patience, FIRST_PATIENCE))
        about = first.ask("GET", "/v1/models").json()  # a wrong key is known before any upload
        listed = first.ask("GET", "/v1/presets").json()["items"]
        self._presets: Mapping[str, Any] = {preset["id"]: preset for preset in listed}
        engines = about.get("engines", ())  # an older server does not say
        self.identity = " ".join(("server", client.base, about.get("version", ""), *engines))

    def make(self, name: str, data: bytes, pending: Sequence[Pending]) -> Iterator[Answer]:
        """As few runs as can be, one after the other."""
        fitted: list[tuple[Pending, ReframeRequest]] = []
        fitter = Fitter(data, self._limits)
        for each in pending:
            try:
                fitted.append((each, fitter.fit(each.piece.wish)))
            except ReframeError as error:
                yield Answer(each, error)
        source = _Source(name, data)
        run_inputs = make_run_inputs(fitted, self._presets)
        requests = {id(each): request for each, request in fitted}
        while run_inputs:
            run_input = run_inputs.pop(0)
            try:
                yield from self._carry_out(run_input, source)
            except HOPELESS:
                raise
            except RequestError as error:
                if len(run_input.pending) == 1 or isinstance(error, SAME_FOR_ALL):
                    yield from [Answer(each, error) for each in run_input.pending]
                else:  # one of them cannot be made: which?
                    alone = ([(each, requests[id(each)])] for each in run_input.pending)
                    run_inputs[:0] = [make_run_inputs(one, self._presets)[0] for one in alone]
            except ReframeError as error:
                yield from [Answer(each, error) for each in run_input.pending]

    def _carry_out(self, run_input: RunInput, source: "_Source") -> list[Answer]:
        try:
            return self._collect(self._run(run_input, source, 0), run_input)
        except (NotFound, BlobMissing):  # run or outputs have expired since an earlier call
            return self._collect(self._run(run_input, source, 1), run_input)

    def _run(self, run_input: RunInput, source: "_Source", again: int) -> dict[str, Any]:
        """The run's record at its end; raises what it failed with."""
        run = self._submit(run_input, source, self._name(run_input, source, again))
        pause = FIRST_LOOK
        while run["status_code"] in UNFINISHED:
            self._client.pause(pause)
            run = self._client.ask("GET", f"/v1/runs/{run['id']}").json()
            pause = min(LONGEST_LOOK, pause * 1.5)
        if run["status_code"] != "succeeded":
            words = run.get("failure_message") or f"the run was {run['status_code']}"
            raise make_error(run.get("failure_code") or "", words)
        return dict(run)

    def _name(self, run_input: RunInput, source: "_Source", again: int) -> str:
        """The same for the same work, and another one for each that failed."""
        keys = [each.key for each in run_input.pending]
        failures = max(each.failures for each in run_input.pending)
        asked = [run_input.model, run_input.fields]
        what = [self._batch, source.digest, *asked, keys, failures, again]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"batch-{digest[:40]}"

    def _submit(self, run_input: RunInput, source: "_Source", name: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": name, "Prefer": f"wait={HOLD}"}
        given: dict[str, Any]
        if len(source.data) < LARGE:
            fields = {"input": json.dumps(run_input.fields), "client_ref": name}
            given = {"data": fields, "files": {"image": (source.label, source.data)}}
        else:
            address = source.uploaded or self._upload(source)
            fields = {**run_input.fields, "image_url": address}
            given = {"json": {"input": fields, "client_ref": name}}
        try:
            path = f"/v1/models/{run_input.model}/runs"
            answer = self._client.ask("POST", path, headers=headers, **given)
        except IdempotencyConflict:  # begun before this call, with another upload of the same
            answer = self._client.ask("GET", "/v1/runs", params={"q": name, "limit": 1})
            found = answer.json()["items"]
            if not found:
                raise
            return dict(found[0])
        return dict(answer.json())

    def _upload(self, source: "_Source") -> str:
        announced = {
            "filename": source.label,
            "mime_type": "application/octet-stream",
            "size_bytes": len(source.data),
        }
        place = self._client.ask("POST", "/v1/asset-uploads", json=announced).json()
        self._client.put(place["upload_url"], source.data)
        asset = place["asset_id"]
        self._client.ask("POST", f"/v1/asset-uploads/{asset}/confirmations")
        source.uploaded = f"runflow://assets/{asset}"
        return source.uploaded

    def _collect(self, run: dict[str, Any], run_input: RunInput) -> list[Answer]:
        outputs = {output["target"]: output for output in run["output"]["outputs"]}
        return [
            Answer(each, self._download(outputs[number], each.piece.wish.request.export.extras))
            for number, each in enumerate(run_input.pending)
        ]

    def _download(self, output: dict[str, Any], wanted: frozenset[Extra]) -> Made:
        """The output, and of what lies beside it what was asked for: only that has a place."""
        beside = []
        for extra in output.get("extras", ()):
            if extra["kind"] not in wanted:
                continue
            ending = f".{extra['file_name'].rpartition('.')[2]}"
            beside.append(Beside(Extra(extra["kind"]), self._fetch(extra), ending))
        return Made(self._fetch(output), output["record"], tuple(beside))

    def _fetch(self, file: dict[str, Any]) -> bytes:
        for _ in range(SPOILED):
            data = self._client.fetch(file["url"])
            if hashlib.sha256(data).hexdigest() == file["sha256"]:
                return data
        msg = f"{file['file_name']} arrives damaged: its sha256 is not the one in the record"
        raise Unavailable(msg)


class _Source:
    """One picture on its way, and where it lies once it was uploaded."""

    def __init__(self, name: str, data: bytes) -> None:
        self.label = name.encode("utf-8", "replace").decode()
        self.data = data
        self.digest = hashlib.sha256(data).hexdigest()
        self.uploaded = ""
