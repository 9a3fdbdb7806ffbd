"""The describer on a tiny model: a picture goes in, a composition comes out."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from pipelines.composition import Composition
from pipelines.errors import ModelError, OutOfMemory
from pipelines.geometry import UNIT, Edge
from pipelines.models.batcher import Batcher
from pipelines.models.device import CPU
from pipelines.models.lane import Lane, alone
from pipelines.models.vlm.answer import NAME
from pipelines.models.vlm.components import Vlm, load_vlm
from pipelines.models.vlm.describer import UNUSABLE, VlmDescriber
from pipelines.models.vlm.writer import Writer
from pipelines.preview.describer import PreviewDescriber
from tests.drawings import draw_meadow, draw_object_on_white
from tests.pipelines.models.vlm.scenes import count_looks, draw_pictures, load_stubborn

ASTRONAUT = Path(__file__).parents[3] / "pictures/astronaut.jpg"

SAYS_LITTLE = "a]"
"""Wishes of a model that writes letters and lists no subjects: an answer of use."""

SEES_NOTHING = "a[,0"
"""Wishes of a model whose boxes are all empty."""


def see_plainly(picture: Image.Image) -> Composition:
    """Tell pictures apart by their widths."""
    edges = frozenset({Edge.TOP} if picture.width % 4 else {Edge.LEFT})
    return Composition("plain", flat_edges=edges, warnings=("guessed",))


def make_describer(vlm: Vlm, budget: int = 12) -> VlmDescriber:
    return VlmDescriber(alone(Writer(vlm, CPU, budget)), see_plainly)


def test_a_photo_is_described_in_words_on_top_of_its_pixels(vlm_folder: Path) -> None:
    photo = Image.open(ASTRONAUT).convert("RGB")
    facts = PreviewDescriber()(photo)
    writer = Writer(load_stubborn(vlm_folder, SAYS_LITTLE), CPU, 20)
    describe = VlmDescriber(alone(writer), PreviewDescriber())
    seen = describe(photo)
    assert seen == Composition(
        NAME,
        caption="a" * 14,
        cut_edges=facts.cut_edges,
        flat_edges=facts.flat_edges,
        content=facts.content,
    )
    assert seen.cut_edges == {Edge.BOTTOM}


def test_an_unusable_answer_leaves_the_fallback_and_says_so(vlm_folder: Path) -> None:
    describe = make_describer(load_stubborn(vlm_folder, SEES_NOTHING))
    picture = draw_object_on_white(101, 80)
    seen = describe(picture)
    assert seen == Composition(
        "plain", flat_edges=frozenset({Edge.TOP}), warnings=("guessed", UNUSABLE)
    )
    assert describe(picture) == seen


@pytest.mark.parametrize("size", [(3000, 200), (1, 1), (20, 900)])
def test_pictures_of_any_shape_are_described(vlm: Vlm, size: tuple[int, int]) -> None:
    seen = make_describer(vlm)(draw_meadow(*size) if min(size) > 1 else Image.new("RGB", size))
    assert seen.describer in {NAME, "plain"}
    assert all(subject.box.inside(UNIT) for subject in seen.subjects)


def test_a_transparent_picture_is_described(vlm_folder: Path) -> None:
    describe = make_describer(load_stubborn(vlm_folder, SAYS_LITTLE))
    assert describe(Image.new("RGBA", (60, 60), (255, 0, 0, 40))).describer == NAME


def test_a_picture_is_looked_at_once(vlm: Vlm) -> None:
    describe = make_describer(vlm)
    meadow, block = draw_meadow(240, 160), draw_object_on_white(100, 90)
    with count_looks(vlm) as shown:
        seen = [describe(picture) for picture in (meadow, block, meadow.copy())]
    assert shown == [1, 1]
    assert seen[0] == seen[2]


def test_many_threads_share_the_models_batches(vlm: Vlm) -> None:
    pictures = draw_pictures()
    lane = Lane(Writer(vlm, CPU, 12), kind=lambda _: None, rows=4)
    with Batcher(patience=1.0) as batcher, count_looks(vlm) as shown:
        describe = VlmDescriber(partial(batcher.call, lane), see_plainly)
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(describe, pictures))
    assert shown == [4]
    assert together == [make_describer(vlm)(picture) for picture in pictures]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(torch.OutOfMemoryError, OutOfMemory), (torch.AcceleratorError, ModelError)],
)
def test_a_failing_device_is_our_error(
    vlm_folder: Path, failure: type[Exception], expected: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise failure

    vlm = load_vlm(vlm_folder, CPU)
    vlm.model.model.visual.register_forward_pre_hook(fail)
    with pytest.raises(expected):
        make_describer(vlm)(draw_meadow(64, 64))
