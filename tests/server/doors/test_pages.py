"""The doors' pages say what the code does, field by field and error by error."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from server.answers import ANSWERS
from server.api.intake import RunBody
from server.api.record import CODES, render_record
from server.api.runflow import RunflowOutpaint, RunflowSmartResize
from server.callbacks.payload import EVENTS, render_callback
from server.doors.fal.wish import SmartResizeInput
from server.doors.fashn import errors as fashn, inputs as fashn_inputs
from server.doors.fashn.prediction import NAMES
from server.doors.pixazo import errors as pixazo
from server.doors.pixazo.inputs import ResizeBody, ResultBody
from server.jobs.job import Failure, Status
from tests.server.api.conftest import open_api
from tests.server.doors.page import read_table, show_fields
from tests.server.doors.test_pixazo import make_job

Answer = tuple[int, str]

TABLES: Sequence[tuple[str, str, type[BaseModel]]] = (
    ("fal", "Input", SmartResizeInput),
    ("fashn", "Run", fashn_inputs.RunBody),
    ("fashn", "Inputs", fashn_inputs.ReframeInputs),
    ("pixazo", "Submit", ResizeBody),
    ("pixazo", "Status", ResultBody),
    ("runflow", "Body", RunBody),
    ("runflow", "smart-resize", RunflowSmartResize),
    ("runflow", "outpaint", RunflowOutpaint),
)

SIZES = ["1024x1024", "1920x1080"]
IMAGE = "https://example.com/a.png"
NEEDED: dict[type[BaseModel], dict[str, Any]] = {
    SmartResizeInput: {"image_url": IMAGE, "target_sizes": SIZES},
    ResizeBody: {"image_url": IMAGE, "target_sizes": SIZES},
    RunflowSmartResize: {"image_url": IMAGE, "aspect_ratio": "4:3", "resolution": "1K"},
    RunflowOutpaint: {"image_url": IMAGE, **{f"expand_{side}": 10 for side in
                      ("top", "bottom", "left", "right")}},
    fashn_inputs.ReframeInputs: {"image": IMAGE, "aspect_ratio": "16:9"},
}  # fmt: skip
RATIOS = ("21:9", "1:1", "4:3", "3:2", "2:3", "5:4", "4:5", "3:4", "16:9", "9:16")

HOSTED: Sequence[tuple[type[BaseModel], str, Any, Sequence[Any], Sequence[Any]]] = (
    (SmartResizeInput, "prompt", "", ["", "a beach"], []),
    (SmartResizeInput, "num_images_per_size", 1, [1, 4], [0, 5]),
    (SmartResizeInput, "resolution", "1K", ["1K", "2K", "4K"], ["8K"]),
    (SmartResizeInput, "output_format", "png", ["jpeg", "png", "webp"], ["gif"]),
    (SmartResizeInput, "safety_tolerance", "4", list("123456"), ["0", "7"]),
    (SmartResizeInput, "seed", None, [0, 42], ["x"]),
    (SmartResizeInput, "sync_mode", False, [True, False], ["perhaps"]),
    (ResizeBody, "prompt", "", ["keep face centered"], []),
    (ResizeBody, "num_images_per_size", 1, [1, 2], [0]),
    (ResizeBody, "resolution", "1K", ["1K", "2K", "4K"], ["8K"]),
    (ResizeBody, "output_format", "png", ["jpeg", "png", "webp"], ["gif"]),
    (ResizeBody, "safety_tolerance", "4", list("123456"), ["0", "7", True]),
    (ResizeBody, "seed", None, [42], ["x"]),
    (ResizeBody, "sync_mode", False, [True, False], ["perhaps"]),
    (fashn_inputs.ReframeInputs, "aspect_ratio", "16:9", RATIOS, ["7:3"]),
    (fashn_inputs.ReframeInputs, "resolution", "1k", ["1k", "2k", "4k"], ["1K", "8k"]),
    (fashn_inputs.ReframeInputs, "generation_mode", None, ["fast", "balanced", "quality"], ["x"]),
    (fashn_inputs.ReframeInputs, "num_images", 1, [1, 4], [0, 5]),
    (fashn_inputs.ReframeInputs, "seed", 42, [0, 2**32 - 1], [-1, 2**32]),
    (fashn_inputs.ReframeInputs, "output_format", "png", ["png", "jpeg"], ["webp"]),
    (fashn_inputs.ReframeInputs, "return_base64", False, [True, False], ["perhaps"]),
    (RunflowSmartResize, "aspect_ratio", "4:3", RATIOS, ["wide"]),
    (RunflowSmartResize, "resolution", "1K", ["1K", "2K", "4K"], ["1k", "8K"]),
    *(
        (RunflowOutpaint, f"expand_{side}", 10, [0, 10, 80], [-1, 81, 1.5])
        for side in ("top", "bottom", "left", "right")
    ),
)
"""What the hosted pages say of a field: its default, values that it takes, and that it does not."""


@pytest.mark.parametrize(("door", "title", "kind"), TABLES, ids=str)
def test_every_field_is_there_as_the_code_has_it(
    door: str, title: str, kind: type[BaseModel]
) -> None:
    assert [row[:4] for row in read_table(door, title, "field")] == show_fields(kind)


@pytest.mark.parametrize(("kind", "name", "default", "right", "wrong"), HOSTED)
def test_every_field_is_as_the_hosted_page_has_it(
    kind: type[BaseModel], name: str, default: Any, right: Sequence[Any], wrong: Sequence[Any]
) -> None:
    given = NEEDED[kind]
    assert getattr(kind.model_validate(given), name) == default
    for value in (default, *right):
        kind.model_validate({**given, name: value})
    for value in wrong:
        with pytest.raises(ValueError, match=name):
            kind.model_validate({**given, name: value})


@pytest.mark.parametrize("kind", NEEDED)
def test_what_is_needed_is_needed_and_what_is_unknown_is_ignored(kind: type[BaseModel]) -> None:
    given = NEEDED[kind]
    assert kind.model_validate({**given, "something_new": [1]}) == kind.model_validate(given)
    for name in given:
        with pytest.raises(ValueError, match=name):
            kind.model_validate({**given, name: None})


def read_answers(door: str) -> set[Answer]:
    """Every status with every name in its row."""
    return {
        (int(row[0].split()[0]), name)
        for row in read_table(door, "Errors", "answer")
        for name in re.findall("`(.*?)`", row[0])
    }


def test_every_error_of_fashn_is_there_and_no_other() -> None:
    answers = {(status, name) for _, status, name in fashn.ANSWERS}
    assert read_answers("fashn") == answers | {(429, fashn.TOO_MANY_JOBS)}
    shown = {row[0].strip("`") for row in read_table("fashn", "Status", "runtime error")}
    assert shown == {*NAMES.values(), "InternalServerError"}


def test_every_error_of_pixazo_is_there_and_no_other() -> None:
    assert read_answers("pixazo") == {(status, title) for _, status, title in pixazo.ANSWERS}
    shown = {row[0].strip("`") for row in read_table("pixazo", "Errors", "title of a 400")}
    titles = {title.format("FIELD") for title in pixazo.TITLES.values()}
    printed = {pixazo.WRONG_FORMAT["error"], "Invalid target_sizes", "Invalid FIELD"}
    assert shown == titles | printed


def test_every_answer_of_runflow_is_one_of_ours() -> None:
    known = {(status, code) for status, code in ANSWERS.values()}
    assert read_answers("runflow") <= known
    statuses = {status for status, _ in read_answers("runflow")}
    only_of_runs = {403, 504}
    assert statuses == {status for status, _ in known} - only_of_runs


def test_the_record_of_runflow_is_as_the_page_has_it() -> None:
    job = make_job(Status.QUEUED)
    shown = {name for row in read_table("runflow", "Record", "field of a record")
             for name in re.findall("`(.*?)`", row[0]) if "." not in name}  # fmt: skip
    assert shown - set(render_record(job, lambda _: "")) == {"timing"}
    row = next(row for row in read_table("runflow", "Record", "field of a record")
               if row[0] == "`status_code`")  # fmt: skip
    assert re.findall("`(.*?)`", row[1]) == list(CODES.values())


def test_the_callback_of_runflow_is_as_the_page_has_it() -> None:
    job = make_job(Status.FAILED, failure=Failure("model_error", "it failed"))
    table = {row[0]: row[1] for row in read_table("runflow", "Callback", "field of a callback")}
    shown = [name for row in table for name in re.findall("`(.*?)`", row)]
    assert shown == list(render_callback(job, lambda _: ""))
    assert re.findall("`(.*?)`", table["`event`"]) == list(EVENTS.values())
    words = [status.value for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)]
    assert re.findall("`(.*?)`", table["`status`"]) == words


def test_a_browser_may_read_every_header_that_a_page_has(tmp_path: Path) -> None:
    names = [
        *(row[0] for row in read_table("runflow", "Calls", "response header")),
        *(row[0] for row in read_table("fal", "Calls", "response header")),
        *(row[0] for row in read_table("fashn", "Status", "field") if row[0].startswith("`x-")),
    ]
    shown = {name.lower() for text in names for name in re.findall("`(.*?)`", text)}
    answer = open_api(tmp_path)("GET", "/healthz", headers={"Origin": "https://example.com"})
    told = answer.headers["access-control-expose-headers"]
    assert shown <= set(told.lower().split(", "))
    assert len(shown) >= 9
