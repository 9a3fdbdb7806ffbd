"""Plan jobs in a real worker: looked at, drawn, and never painted."""

import io

import uuid_utils
from PIL import Image

from pipelines.plan import Plan
from server.jobs.job import Job, Status
from server.jobs.order import Order, SizeTarget, Task
from tests.drawings import draw_coordinates, to_png
from tests.server.images.zips import make_zip
from tests.server.jobs.house import make_draft
from tests.server.work.workshop import Workshop

PICTURE = to_png(draw_coordinates(24, 24))


def submit(workshop: Workshop, data: bytes = PICTURE) -> Job:
    job_id = str(uuid_utils.uuid7())
    name = f"sources/{job_id}/given0"
    workshop.store.put(name, data)
    order = Order(
        sources=(f"blob:{name}?photo.png",),
        targets=(SizeTarget(width=24, height=32), SizeTarget(width=24, height=40)),
        seed=7,
        task=Task.PLAN,
    )
    return workshop.queue.submit(make_draft(id=job_id, order=order)).job


def test_a_plan_is_drawn_for_every_target_and_nothing_is_painted(workshop: Workshop) -> None:
    job = submit(workshop)
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    assert [output.file_name for output in done.outputs] == [
        "photo-24x32-plan.png",
        "photo-24x40-plan.png",
    ]
    for output in done.outputs:
        with Image.open(io.BytesIO(workshop.store.read(output.blob))) as drawing:
            assert drawing.size == (output.width, output.height)
            assert max(drawing.size) == 1200
        plan = Plan.from_fields(output.record["plan"])
        assert (plan.source, plan.target.width) == ((24, 24), 24)
        assert output.record["composition"]["describer"] == "small"
        assert output.record["source"]["size"] == [24, 24]
    assert workshop.published(job) == sorted(output.blob for output in done.outputs)
    assert not workshop.lines("renders.log")
    assert (done.made, done.seconds.get("outpaint")) == (0, None)
    assert done.gpu_seconds > 0


def test_a_zip_of_several_pictures_has_no_plan(workshop: Workshop) -> None:
    job = submit(workshop, make_zip({"a.png": PICTURE, "b.png": PICTURE}))
    workshop.start()
    [done] = workshop.wait([job])
    assert done.failure
    assert (done.failure.code, done.failure.step) == ("invalid_option", "gather")
    assert "file_input" in done.failure.message
