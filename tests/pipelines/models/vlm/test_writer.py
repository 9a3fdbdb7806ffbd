"""The writer: whole answers within their bounds, the same alone and in company."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from torch._dynamo.utils import counters
from torch.nn.attention import SDPBackend
from transformers import CompileConfig, StaticCache

from pipelines.composition import SubjectKind
from pipelines.models.audience import Audience
from pipelines.models.device import CPU, Device, choose_device
from pipelines.models.vlm.caches import Caches
from pipelines.models.vlm.components import Vlm, load_vlm
from pipelines.models.vlm.grammar import CAPTION, MOST_SUBJECTS, REST, SCENE
from pipelines.models.vlm.writer import Listening, Writer
from tests.drawings import draw_meadow
from tests.pipelines.models.vlm.replica import write_vlm_replica
from tests.pipelines.models.vlm.scenes import (
    count_looks,
    draw_pictures,
    ignore,
    load_stubborn,
    nobody,
)


@pytest.fixture(autouse=True)
def forget_graphs() -> Iterator[None]:
    yield
    torch._dynamo.reset()


ENOUGH = 400
"""A letter for each token, as with the replica's tokenizer, an answer is never longer."""


def listen() -> Listening:
    return Listening(nobody(), ENOUGH)


def check_shape(text: str) -> None:
    content = json.loads(text)
    assert json.dumps(content, separators=(",", ":")) == text
    assert list(content) == ["c", "s", "e", "o"]
    assert len(content["c"]) <= CAPTION
    assert len(content["s"]) <= SCENE
    assert content["e"] == "".join(edge for edge in "ltrb" if edge in content["e"])
    assert len(content["o"]) <= MOST_SUBJECTS
    for kind, weight, box in content["o"]:
        assert kind in set(SubjectKind)
        assert 1 <= weight <= 9
        assert len(box) == 4
        assert all(type(side) is int and 0 <= side <= 1000 for side in box)


@pytest.mark.parametrize(("seed", "budget"), [(1, 0), (2, 20), (3, 40), (4, ENOUGH)])
def test_random_weights_write_whole_answers_within_the_bound(
    tmp_path: Path, seed: int, budget: int
) -> None:
    vlm = load_vlm(write_vlm_replica(tmp_path, seed), CPU)
    for text in Writer(vlm, CPU, budget)(draw_pictures(), nobody()).values():
        check_shape(text)
        assert len(text) < budget + REST


def test_even_a_model_that_never_ends_by_itself_is_brought_to_an_end(vlm_folder: Path) -> None:
    """It takes all the letters, subjects and digits that it may."""
    endless = load_stubborn(vlm_folder, "a[,pr09")
    text = Writer(endless, CPU, ENOUGH)([draw_meadow(64, 64)], nobody())[0]
    check_shape(text)
    content = json.loads(text)
    assert (len(content["c"]), len(content["s"]), len(content["o"])) == (CAPTION, SCENE, 4)
    hurried = Writer(endless, CPU, 20)([draw_meadow(64, 64)], nobody())[0]
    assert hurried == '{"c":"aaaaaaaaaaaaaa","s":"","e":"","o":[["product",9,[0,0,0,0]]]}'


def test_a_number_is_not_cut_short_by_the_hurry(vlm_folder: Path) -> None:
    vlm = load_stubborn(vlm_folder, "a[9pr")
    text = Writer(vlm, CPU, 0)([draw_meadow(64, 64)], nobody())[0]
    assert json.loads(text)["o"] == [["product", 9, [999] * 4]]


def test_rows_of_different_sizes_answer_as_they_would_alone(vlm: Vlm) -> None:
    write = Writer(vlm, CPU, 12)
    pictures = draw_pictures()
    together = write(pictures, nobody())
    assert list(together.values()) == [write([picture], nobody())[0] for picture in pictures]
    assert len(set(together.values())) > 1, "a model that sees nothing proves nothing"


def test_the_same_pictures_get_the_same_answers_again(vlm: Vlm) -> None:
    write = Writer(vlm, CPU, 12)
    assert write(draw_pictures(), nobody()) == write(draw_pictures(), nobody())


def test_the_audience_hears_of_every_token(vlm: Vlm) -> None:
    heard: list[float] = []
    text = Writer(vlm, CPU, 12)([draw_meadow(64, 64)], Audience([heard.append]))[0]
    assert len(heard) == len(text) + 1  # the end is a token too
    assert heard == sorted(heard)
    assert 0 < heard[0] < heard[-1] <= 1


def test_writing_goes_on_for_who_is_left_and_stops_for_nobody(vlm: Vlm) -> None:
    heard: list[float] = []

    def leave_early(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 3:
            raise TimeoutError

    write = Writer(vlm, CPU, 12)
    alone = write([draw_meadow(64, 64)], nobody())
    assert write([draw_meadow(64, 64)], Audience([leave_early, ignore])) == alone
    heard.clear()
    broken_off = write([draw_meadow(64, 64)], Audience([leave_early]))
    assert broken_off == {0: alone[0][:3]}


def test_thriftily_the_model_sees_one_picture_at_a_time(vlm: Vlm) -> None:
    write = Writer(vlm, CPU, 12)
    pictures = draw_pictures()
    heard: list[float] = []
    together = write(pictures, nobody())
    with count_looks(vlm) as shown:
        assert write(pictures, Audience([heard.append]), thrifty=True) == together
    assert shown == [1, 1, 1, 1]
    assert heard == sorted(heard)
    assert heard[-1] <= 1


def test_a_model_that_takes_turns_on_the_device_answers_the_same(
    vlm: Vlm, vlm_folder: Path
) -> None:
    turns = CPU.in_turns()
    pictures = draw_pictures()[:2]
    write = Writer(load_vlm(vlm_folder, turns), turns, 12)
    assert write(pictures, nobody()) == Writer(vlm, CPU, 12)(pictures, nobody())


def test_a_cache_that_stays_changes_no_token(vlm: Vlm) -> None:
    write, again = Writer(vlm, CPU, 12), Writer(vlm, CPU, 12)
    again.warm_up(2)  # the processor has nothing compiled, and the same cache
    with CPU.working():
        for pictures in (draw_pictures()[:2], draw_pictures()[1:2]):
            assert torch.equal(write.write(pictures, listen()), again.write(pictures, listen()))


def test_all_numbers_of_rows_share_one_cache_at_one_place(vlm: Vlm) -> None:
    """A graph that was captured holds on to addresses."""
    caches = Caches(vlm, CPU, 2000, 4)
    places = {find_place(caches.lend(rows)) for rows in (4, 1, 2, 4, 3)}
    assert len(places) == 1
    whole = caches.lend(4)
    assert [layer.keys.shape for layer in whole.layers] == [(4, 2, 2048, 16)] * 3
    assert whole.layers[0].keys.dtype is vlm.model.dtype


def find_place(cache: StaticCache) -> tuple[int, ...]:
    layers = cache.layers
    kept = [
        tensor for each in layers for tensor in (each.keys, each.values, each.cumulative_length)
    ]
    return tuple(tensor.data_ptr() for tensor in kept)


def test_a_cache_is_lent_empty_with_the_places_marked_that_stay(vlm: Vlm) -> None:
    caches = Caches(vlm, CPU, 100, 3)
    caches.lend(3).update(torch.ones(3, 2, 5, 16), torch.ones(3, 2, 5, 16), 0)
    cache = caches.lend(2)
    assert not cache.get_seq_length()
    first = cache.layers[0]
    assert not first.keys.any()
    marked = [tensor._dynamo_static_input_type for tensor in (first.keys, first.values)]
    assert marked == ["unguarded"] * 2, "what moves costs a copy for every token"


def compile_with(vlm: Vlm, backend: Any) -> None:
    """Have the library compile on the processor what it would compile on a card."""
    wish = CompileConfig(backend=backend, mode=None)
    wish._compile_all_devices = True
    vlm.model.generation_config.compile_config = wish


def test_after_warming_up_nothing_is_compiled_again(vlm_folder: Path) -> None:
    vlm = load_vlm(vlm_folder, CPU)
    write = Writer(vlm, CPU, 12)
    pictures = draw_pictures()
    expected = write(pictures, nobody())
    compile_with(vlm, "eager")
    write.warm_up(4)
    graphs = counters["stats"]["unique_graphs"]
    assert graphs
    for chosen in (pictures[:1], pictures[1:2], [pictures[0]] * 3, pictures):
        texts = write(chosen, nobody(len(chosen)))
        assert all(text in expected.values() for text in texts.values())
    assert counters["stats"]["unique_graphs"] == graphs


@pytest.mark.parametrize(
    "failure", [RuntimeError("no C compiler"), torch.OutOfMemoryError()], ids=repr
)
def test_where_the_compiler_fails_the_writer_does_without(
    vlm_folder: Path, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    def fail(graph: torch.fx.GraphModule, given: list[torch.Tensor]) -> Callable[..., Any]:
        def launch(*given: torch.Tensor) -> NoReturn:
            raise failure

        return launch

    vlm = load_vlm(vlm_folder, CPU)
    write = Writer(vlm, CPU, 12)
    expected = write(draw_pictures(), nobody())
    compile_with(vlm, fail)
    write.warm_up(4)
    assert "runs without" in caplog.text
    assert write(draw_pictures(), nobody()) == expected


@pytest.mark.gpu
@pytest.mark.filterwarnings("default")  # compilers warn of what could be faster
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_card_the_compiled_work_changes_no_token(vlm_folder: Path) -> None:
    """In full precision, where equal scores are not a matter of rounding."""
    kernels = (SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    card = Device(torch.device("cuda"), torch.float32, kernels)
    vlm = load_vlm(vlm_folder, CPU)
    card.settle(vlm.model)
    eager, compiled = Writer(vlm, card, 12), Writer(vlm, card, 12)
    compiled.warm_up(4)
    with card.working():
        for pictures in (draw_pictures(), draw_pictures()[:3], draw_pictures()[:1]):
            wanted = eager.write(pictures, listen())
            assert torch.equal(compiled.write(pictures, listen()), wanted)


@pytest.mark.gpu
@pytest.mark.filterwarnings("default")  # compilers warn of what could be faster
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_card_answers_are_whole_in_the_published_numbers(vlm_folder: Path) -> None:
    card = choose_device()
    vlm = load_vlm(vlm_folder, card)
    assert {weight.dtype for weight in vlm.model.parameters()} == {torch.bfloat16}
    for text in Writer(vlm, card, 12)(draw_pictures(), nobody()).values():
        check_shape(text)
