"""Several sources in one job: a series, one plan for all, and a mask; in a real worker."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import uuid_utils
from PIL import Image

from pipelines import preview
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from server.batch.local_maker import LocalMaker
from server.batch.wish import Wish
from server.jobs.job import Job, Status
from server.jobs.order import Order, OrderRules, SizeTarget
from server.work.series import follow
from tests.drawings import center, draw_coordinates, draw_meadow, draw_object_on_white, to_png
from tests.server.jobs.house import make_draft
from tests.server.work.workshop import Workshop, kill

SMALL, LARGE = to_png(draw_coordinates(24, 16)), to_png(draw_coordinates(48, 32))
SQUARE = to_png(draw_coordinates(24, 24))


def submit(workshop: Workshop, *sources: bytes, mask: bytes | None = None, **wishes: object) -> Job:
    job_id = str(uuid_utils.uuid7())
    shelf = f"sources/{job_id}/given"
    for number, data in enumerate(sources):
        workshop.store.put(f"{shelf}{number}", data)
    if mask is not None:
        workshop.store.put(f"{shelf}mask", mask)
    given = {
        "sources": [f"blob:{shelf}{n}?photo{n}.png" for n in range(len(sources))],
        "targets": [SizeTarget(width=32, height=32), SizeTarget(width=32, height=40)],
        "seed": 7,
        "fill": "generate",
        "protect_mask": None if mask is None else f"blob:{shelf}mask",
        **wishes,
    }
    draft = make_draft(id=job_id, order=Order.model_validate(given))
    return workshop.queue.submit(draft).job


def plans(job: Job) -> list[Plan]:
    return [Plan.from_fields(output.record["plan"]) for output in job.outputs]


def is_same(plan: Plan, other: Plan) -> bool:
    """But for the words on it: they are of each picture."""
    return replace(plan, reasons=(), warnings=()) == replace(other, reasons=(), warnings=())


def test_a_series_is_made_as_its_first_picture_was(workshop: Workshop) -> None:
    job = submit(workshop, SMALL, LARGE, series=True)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    made = plans(done)
    assert [plan.source for plan in made] == [Size(24, 16)] * 2 + [Size(48, 32)] * 2
    for first, second in zip(made[:2], made[2:], strict=True):
        assert is_same(second, first.fit(Size(48, 32)))


def test_a_series_stays_one_when_its_worker_ends_between_two_pictures(workshop: Workshop) -> None:
    given: dict[str, Any] = {"prompt": "sleep 1.0", "targets": [SizeTarget(width=32, height=32)]}
    job = submit(workshop, SMALL, LARGE, series=True, **given)
    worker = workshop.start()
    workshop.wait_for(lambda: sum(workshop.renders("begin").values()) == 2)
    kill(worker)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    assert sum(workshop.renders("begin").values()) == 3, "the first was not painted again"
    first, second = plans(done)
    assert is_same(second, first.fit(Size(48, 32)))


def test_a_picture_of_another_ratio_ends_a_series_and_is_named(workshop: Workshop) -> None:
    job = submit(workshop, SMALL, SQUARE, series=True)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.failure
    assert done.failure.code == "invalid_plan"
    assert "source 2 of 2 (photo1.png)" in done.failure.message
    assert "another ratio" in done.failure.message


def test_one_plan_fits_all_pictures_of_its_ratio(workshop: Workshop) -> None:
    plan = Plan.from_fields(
        {"source": [12, 8], "target": [32, 32], "crop": [0, 0, 8, 8], "place": [0, 0, 32, 32]}
    )
    target = [SizeTarget(width=0, height=0)]
    job = submit(workshop, SMALL, LARGE, plan=plan.to_json(), targets=target)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    assert [tuple(plan.crop) for plan in plans(done)] == [(0, 0, 16, 16), (0, 0, 32, 32)]


def draw_mask(left: int, right: int) -> bytes:
    mask = Image.new("L", (24, 16))
    mask.paste(255, (left, 0, right, 16))
    return to_png(mask)


@pytest.mark.parametrize(("left", "right"), [(0, 8), (16, 24)])
def test_what_is_white_in_the_mask_stays_whole(workshop: Workshop, left: int, right: int) -> None:
    cropped = OrderRules(policy="crop")
    job = submit(workshop, SMALL, LARGE, mask=draw_mask(left, right), rules=cropped)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    for plan in plans(done):
        scale = plan.source.width / 24
        assert plan.crop.left <= left * scale
        assert plan.crop.right >= right * scale
        assert plan.lost_fraction > 0


def test_a_mask_of_another_ratio_is_refused(workshop: Workshop) -> None:
    job = submit(workshop, SMALL, mask=SQUARE)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.failure
    assert done.failure.code == "invalid_option"
    assert "a mask has the ratio of its picture" in done.failure.message


def test_files_beside_an_output_are_published_with_it(workshop: Workshop) -> None:
    studio = to_png(draw_object_on_white(48, 32))
    extras = ["mask", "difference", "record"]
    job = submit(workshop, studio, extras=extras, targets=[SizeTarget(width=32, height=32)])
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    (output,) = done.outputs
    assert [extra.kind for extra in output.extras] == extras
    assert [extra.file_name for extra in output.extras] == [
        "photo0-32x32-mask.png",
        "photo0-32x32-difference.png",
        "photo0-32x32-record.json",
    ]
    beside = [extra.blob for extra in output.extras]
    assert workshop.published(job) == sorted([output.blob, *beside])
    with Image.open(io.BytesIO(workshop.store.read(beside[0]))) as mask:
        assert mask.size == (32, 32)
    record = json.loads(workshop.store.read(beside[2]))
    assert record["output"]["sha256"] == output.sha256


def frame_scan() -> bytes:
    """On an even background with a dark border, as scanners leave it."""
    picture = draw_object_on_white(240, 160)
    scan = Image.new("RGB", (248, 168), (20, 20, 20))
    scan.paste(picture, (4, 4))
    return to_png(scan)


@pytest.mark.parametrize(
    "source",
    [to_png(draw_object_on_white(240, 160)), to_png(draw_meadow(240, 160)), frame_scan()],
    ids=["studio", "photo", "scan"],
)
@pytest.mark.parametrize("feather", [None, 0, 5])
def test_a_series_here_and_one_of_a_job_have_one_plan(source: bytes, feather: int | None) -> None:
    rules = Rules(Policy.EXPAND, feather=feather)
    sizes = (Size(240, 400), Size(500, 160), Size(60, 40))
    requests = [
        ReframeRequest(size, rules, fill=fill)
        for size in sizes
        for fill in (Fill.AUTO, Fill.SOLID, Fill.GENERATE)
    ]
    reframer = Reframer(preview.load())
    records = [json.loads(json.dumps(made.to_json())) for made in reframer(source, requests)]
    assert len({record["fill"] for record in records}) > 1
    here = LocalMaker(reframer).plan_series(source, [Wish(request) for request in requests])
    assert [each.plan for each in follow(requests, records)] == [wish.plan for wish in here]


def test_a_plan_that_was_given_keeps_its_own_seam() -> None:
    plan = replace(center(Size(60, 40), Size(60, 100)), feather=2)
    request = ReframeRequest(Size(60, 100), plan=plan)
    drawn = {"plan": replace(plan, feather=0).to_json(), "fill": "solid"}
    assert follow([request], [drawn]) == [request]
