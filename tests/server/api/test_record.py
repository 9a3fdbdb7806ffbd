"""What a run's record and its log say of finished outputs."""

from typing import Any

import pytest

from server.api.record import render_record
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Output, OutputExtra
from tests.server.api.conftest import Api

RECORD: dict[str, Any] = {
    "seed": 12,
    "engine": "sdxl",
    "attempts": [
        {"seed": 7, "seam_worst": 4.256, "duplicates": 1, "chosen": False},
        {"seed": 12, "seam_worst": 1.0, "duplicates": 0, "chosen": True},
    ],
    "warnings": ["cup is cut: 12% of it is lost"],
    "review": ["the left seam may show"],
    "needs_review": True,
}


def finish(api: Api, record: dict[str, Any], *extras: OutputExtra) -> str:
    queue = DurableQueue(api.engine)
    job_id: str = api.submit()["id"]
    queue.begin(job_id, "worker-1")
    output = Output(
        f"outputs/{job_id}/0-a.png", "a.png", "image/png", 8, 8, 1, "ab", 0, 0, 0, record, extras
    )
    queue.finish(job_id, [output], gpu_seconds=1.0, seconds={})
    return job_id


def read_log(api: Api, job_id: str) -> list[tuple[str, str]]:
    lines = api("GET", f"/v1/runs/{job_id}/logs").json()["items"]
    return [(line["level"], line["message"]) for line in lines]


def test_the_log_tells_of_attempts_warnings_and_review(api: Api) -> None:
    assert read_log(api, finish(api, RECORD)) == [
        ("info", "queued"),
        ("info", "started"),
        ("info", "a.png: painting 1 of 2: seed 7, worst seam 4.26, subjects added 1"),
        ("info", "a.png: painting 2 of 2: seed 12, worst seam 1.00, subjects added 0, kept"),
        ("warning", "a.png: cup is cut: 12% of it is lost"),
        ("warning", "a.png: needs review: the left seam may show"),
        ("info", "succeeded"),
    ]


def test_the_log_of_an_output_of_before_is_short(api: Api) -> None:
    lines = read_log(api, finish(api, {"attempts": RECORD["attempts"][:1]}))
    assert [words for _, words in lines] == ["queued", "started", "succeeded"]


def test_a_cost_is_told_where_the_operator_names_a_price(api: Api) -> None:
    job = DurableQueue(api.engine).get(finish(api, RECORD))
    assert render_record(job, str, None)["cost"] is None
    assert render_record(job, str, 0.25)["cost"] == 0.25


@pytest.mark.parametrize(
    ("kind", "ending", "media_type"),
    [("mask", "png", "image/png"), ("record", "json", "application/json")],
)
def test_files_beside_an_output_have_links_of_their_own(
    api: Api, kind: str, ending: str, media_type: str
) -> None:
    blob = f"outputs/019/0-abc-{kind}.{ending}"
    open_store(api.data).put(blob, b"{}")
    extra = OutputExtra(kind, blob, f"a-{kind}.{ending}", media_type, 2, "cd")
    run = api("GET", f"/v1/runs/{finish(api, RECORD, extra)}").json()
    (output,) = run["output"]["outputs"]
    (shown,) = output["extras"]
    assert shown == {
        "kind": kind,
        "url": shown["url"],
        "file_name": f"a-{kind}.{ending}",
        "content_type": media_type,
        "file_size": 2,
        "sha256": "cd",
    }
    answer = api("GET", shown["url"].removeprefix("http://here"))
    assert (answer.content, answer.headers["content-type"]) == (b"{}", media_type)
    assert "sandbox" in answer.headers["content-security-policy"]


def test_an_output_without_extras_has_none(api: Api) -> None:
    run = api("GET", f"/v1/runs/{finish(api, RECORD)}").json()
    assert run["output"]["outputs"][0]["extras"] == []
