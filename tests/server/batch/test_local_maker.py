"""Outputs made here: each fails for itself, and the source is looked at once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pipelines.codec.encode import Format
from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Painting
from pipelines.errors import EngineUnavailable, OutOfMemory, ReframeError
from pipelines.fill import fill_edge
from pipelines.geometry import Box, Size
from pipelines.progress import Progress
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.safety import Safety, SafetyAction
from server.batch.item import Piece
from server.batch.local_maker import LocalMaker
from server.batch.maker import Made, Pending
from server.batch.wish import Wish
from tests.drawings import draw_meadow, to_png

SOURCE = to_png(draw_meadow(60, 40))
PLAIN = ReframeRequest(Size(64, 48))
SIGNED = replace(PLAIN, export=replace(PLAIN.export, c2pa=True))
TINY = replace(PLAIN, export=replace(PLAIN.export, format=Format.JPEG, max_bytes=1))
BLOCKED = replace(PLAIN, safety=Safety(SafetyAction.BLOCK))


class Eye:
    """Sees one subject and counts how often it looks; where it is ``full`` it cannot."""

    def __init__(self, *, full: bool = False) -> None:
        self.looks, self._full = 0, full

    def __call__(self, picture: Image.Image) -> Composition:
        self.looks += 1
        if self._full:
            raise OutOfMemory
        return Composition("eye", subjects=(Subject(Box(0.3, 0.3, 0.7, 0.9), "ball"),))


def paint(painting: Painting, progress: Progress) -> Image.Image:
    return fill_edge(painting.canvas)


def rate(picture: Image.Image) -> float:
    return 0.9 if picture.size == (60, 40) else 0.1


def make(
    engine: Engine, requests: Sequence[ReframeRequest], data: bytes = SOURCE
) -> dict[int, str]:
    """What became of each: the code of its error, or nothing."""
    pending = [
        Pending(Piece(Wish(request), Path(str(number)), ""), str(number))
        for number, request in enumerate(requests)
    ]
    answers = LocalMaker(Reframer(engine)).make("a.png", data, pending)
    return {int(answer.pending.key): code(answer.made) for answer in answers}


def code(made: Made | Exception) -> str:
    return made.code if isinstance(made, ReframeError) else ""


def test_a_signature_that_cannot_be_had_is_blamed_on_who_asked_for_it() -> None:
    eye = Eye()
    made = make(Engine("test", eye, paint), [PLAIN, SIGNED, PLAIN])
    assert made == {0: "", 1: "invalid_option", 2: ""}
    assert eye.looks == 1


def test_the_source_is_looked_at_once_however_many_fail() -> None:
    eye = Eye()
    made = make(Engine("test", eye, paint), [TINY, PLAIN, TINY])
    assert made == {0: "unreachable_budget", 1: "", 2: "unreachable_budget"}
    assert eye.looks == 1


def test_a_source_that_is_rejected_is_so_only_for_who_rejects_it() -> None:
    eye = Eye()
    made = make(Engine("test", eye, paint, rate=rate), [BLOCKED, PLAIN, BLOCKED])
    assert made == {0: "content_rejected", 1: "", 2: "content_rejected"}
    assert eye.looks == 1


def test_what_is_wrong_with_the_source_is_so_for_all() -> None:
    eye = Eye(full=True)
    assert set(make(Engine("test", eye, paint), [PLAIN] * 3).values()) == {"out_of_memory"}
    assert eye.looks == 1
    broken = make(Engine("test", eye, paint), [PLAIN, SIGNED, PLAIN], b"text")
    assert broken == {0: "image_undecodable", 1: "invalid_option", 2: "image_undecodable"}


def test_what_no_picture_can_have_here_ends_all() -> None:
    with pytest.raises(EngineUnavailable):
        make(Engine("test", Eye(), paint), [PLAIN, BLOCKED])


@pytest.mark.parametrize(("batch", "sources"), [(1, 1), (8, 12)])
def test_only_an_engine_that_makes_batches_gets_several_sources(batch: int, sources: int) -> None:
    engine = Engine("test", Eye(), paint, batch=batch)
    assert LocalMaker(Reframer(engine)).at_once == sources
