"""The record of an output."""

import json

from PIL import Image

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.engine import Engine, Painting
from pipelines.fill import fill_edge
from pipelines.geometry import Box, Size
from pipelines.progress import Progress
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Rules
from tests.drawings import draw_meadow, to_png


def see_a_ball(picture: Image.Image) -> Composition:
    return Composition("eye", subjects=(Subject(Box(0.4, 0.4, 0.6, 0.9), "ball", must_keep=False),))


def repeat_border(painting: Painting, progress: Progress) -> Image.Image:
    return fill_edge(painting.canvas)


def test_the_record_says_which_subjects_were_protected_and_who_named_them() -> None:
    rules = Rules(protect=(Box(0, 0, 0.2, 0.2),), protect_kinds=frozenset({SubjectKind.OTHER}))
    reframer = Reframer(Engine("test", see_a_ball, repeat_border))
    source = to_png(draw_meadow(120, 80))
    (output,) = reframer(source, [ReframeRequest(Size(160, 90), rules)])
    record = json.loads(json.dumps(output.to_json()))
    named, found = record["subjects"]
    assert (named["by"], named["box"]) == ("caller", [0, 0, 0.2, 0.2])
    assert (found["by"], found["label"], found["kind"]) == ("describer", "ball", "other")
    assert named["must_keep"] is named["trusted"] is True
    assert found["must_keep"] is found["trusted"] is True
    assert record["rules"]["protect_kinds"] == ["other"]
    (output,) = reframer(source, [ReframeRequest(Size(160, 90))])
    (seen,) = output.to_json()["subjects"]
    assert (seen["by"], seen["must_keep"]) == ("describer", False)
