"""Conversations with fal's door, word for word: what changes in them changes the contract.

A step is a request with its answer, or something that a worker does to the latest job. ``${name}``
stands for a field of an earlier answer. Ids, times and signatures are written as what they are.
"""

import json
import re
from pathlib import Path
from string import Template
from typing import Any

import httpx2
import pytest

from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Stage
from tests.server.api.conftest import Api, open_api
from tests.server.api.test_runs import DATA_URI, PICTURE
from tests.server.api.transcripts.fal.scene import carry_out, carry_out_soon

FOLDER = Path(__file__).parent / "transcripts/fal"
SHOWN = re.compile("(x-fal-.*|retry-after|etag|content-type|www-authenticate)")
CHANGING = (
    (re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+"), "<time>"),
    (re.compile(r"[.\w-]{20,}\.[\w-]{43}"), "<signed>"),
    (re.compile(r'"x": "[\w-]{43}", "kid": "[0-9a-f]{16}"'), '"x": "<key>", "kid": "<name>"'),
    (re.compile(r'"inference_time": [0-9.]+'), '"inference_time": "<seconds>"'),
    (re.compile(re.escape(DATA_URI)), "<picture>"),
    (re.compile(r'\\"[0-9a-f]{32}\\"'), "<tag>"),
    (re.compile(r'"file_size": \d+'), '"file_size": "<bytes>"'),
)


def hide_changing(body: str) -> str:
    for pattern, name in CHANGING:
        body = pattern.sub(name, body)
    return body


def fill_in(value: Any, known: dict[str, str]) -> Any:
    match value:
        case str():
            return Template(value).substitute(known)
        case list():
            return [fill_in(each, known) for each in value]
        case dict():
            return {name: fill_in(each, known) for name, each in value.items()}
        case _:
            return value


def show(answer: httpx2.Response) -> dict[str, Any]:
    """An answer as it is written down."""
    headers = {name: value for name, value in answer.headers.items() if SHOWN.fullmatch(name)}
    shown: dict[str, Any] = {"status": answer.status_code, "headers": headers}
    if headers.get("content-type") == "application/json":
        shown["json"] = answer.json()
    elif headers.get("content-type", "").startswith("text/"):
        lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
        shown["events"] = [json.loads(line.removeprefix("data: ")) for line in lines]
    hidden: dict[str, Any] = json.loads(hide_changing(json.dumps(shown)))
    return hidden


class Conversation:
    """Goes through the steps of a transcript."""

    def __init__(self, fal: Api) -> None:
        self.fal = fal
        self.known: dict[str, str] = {"picture": DATA_URI}

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = fill_in(request, self.known)
        if asked.pop("sends", None) == "picture":
            asked["content"] = PICTURE
        answer = self.fal(asked.pop("method"), asked.pop("path"), **asked)
        if answer.headers["content-type"] == "application/json" and answer.is_success:
            fields = answer.json().items()
            self.known |= {name: text for name, text in fields if isinstance(text, str)}
        self.known.setdefault("request_id", answer.headers["x-fal-request-id"])
        return show(answer)

    def act(self, deed: str) -> None:
        queue = DurableQueue(self.fal.engine)
        job_id = self.known.get("request_id", "")
        match deed:
            case "carry out what comes":
                carry_out_soon(self.fal)
            case "begin":
                queue.begin(job_id, "worker-1")
            case "paint":
                queue.report(job_id, Stage("outpaint", 0.5))
            case "carry out":
                carry_out(self.fal, queue.get(job_id))
            case _:
                code, _, message = deed.removeprefix("fail with ").partition(": ")
                queue.fail(job_id, Failure(code, message, "decode"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(tmp_path: Path, path: Path) -> None:
    conversation = Conversation(open_api(tmp_path))
    for number, step in enumerate(json.loads(path.read_text())):
        if "worker" in step:
            conversation.act(step["worker"])
            continue
        assert conversation.ask(step["request"]) == step["answer"], f"step {number}"


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.json"))) >= 6
