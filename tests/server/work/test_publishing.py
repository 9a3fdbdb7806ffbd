"""What a job's files are called."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import preview
from pipelines.reframe import Reframer
from server.images.stores import open_store
from server.jobs.job import Job, Output, Status
from server.jobs.order import ExpansionTarget, Order, SizeTarget
from server.work.publishing import Publisher
from tests.drawings import draw_meadow, to_png

SQUARE = SizeTarget(width=32, height=32)
BESIDE = {"extras": ("mask", "record")}


def publish(folder: Path, **wishes: Any) -> list[Output]:
    order = Order.model_validate({"sources": ("blob:a?in/a.png",), "seed": 1, **wishes})
    job = Job("1", "me", "local/smart-resize", order, Status.RUNNING, datetime.now(UTC))
    publisher = Publisher(open_store(folder), job)
    made = Reframer(preview.load())(to_png(draw_meadow(30, 24)), order.requests())
    return [publisher.publish(each, 0, index, "in/a.png") for index, each in enumerate(made)]


def named(preset: str, form: str | None = None) -> SizeTarget:
    return SizeTarget.model_validate({**SQUARE.model_dump(), "preset": preset, "format": form})


@pytest.mark.parametrize(
    ("wishes", "names"),
    [
        ({"targets": [SQUARE]}, ["a-32x32.png"]),
        ({"targets": [SQUARE, SQUARE]}, ["a-32x32.png", "a-32x32-2.png"]),
        ({"targets": [SQUARE], "variants": 2}, ["a-32x32-1.png", "a-32x32-2.png"]),
        (
            {"targets": [SQUARE, SQUARE], "variants": 2},
            ["a-32x32-1.png", "a-32x32-2.png", "a-32x32-2-1.png", "a-32x32-2-2.png"],
        ),
        (
            {"targets": [named("my/feed"), named("my/square"), named("my/feed")]},
            ["a-32x32.png", "a-32x32-my-square.png", "a-32x32-my-feed.png"],
        ),
        ({"targets": [ExpansionTarget(left=50)]}, ["a-45x24.png"]),
    ],
)
def test_outputs_of_one_size_are_told_apart_by_preset_or_number(
    tmp_path: Path, wishes: dict[str, Any], names: list[str]
) -> None:
    assert [each.file_name for each in publish(tmp_path, **wishes)] == names


def test_no_two_files_of_a_source_are_called_the_same(tmp_path: Path) -> None:
    targets = [named("my/feed"), named("my/square", "jpeg"), named("my/story", "webp"), SQUARE]
    made = publish(tmp_path, targets=targets, **BESIDE)
    names = [each.file_name for each in made]
    names += [extra.file_name for each in made for extra in each.extras]
    assert len(names) == len(set(names)) == 12
