"""Models that take turns: one at a time is there, and none of them notices.

The meta device stands for a card: what is moved there loses its numbers, so whatever comes back
with the right ones came from the host's memory.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pipelines.engine import Painting
from pipelines.models.device import CPU, Device, choose_device
from pipelines.models.sdxl.components import Components, load_components
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.turns import Turns
from pipelines.progress import ignore_progress
from tests.pipelines.models.sdxl.replica import WORDS
from tests.pipelines.models.sdxl.scenes import draw_canvas, make_outpainter

META = torch.device("meta")


class Pair(nn.Module):
    """Two layers that share a weight, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("offset", torch.ones(3), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.second(self.first(values)) + self.offset
        return result


def admit(turns: Turns, *models: nn.Module) -> list[Any]:
    return [turns.admit(model.eval().requires_grad_(requires_grad=False)) for model in models]


def list_tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def is_on(hardware: torch.device, model: nn.Module) -> bool:
    places = {tensor.device for tensor in list_tensors(model)}
    assert len(places) == 1, "a model is in one piece"
    return places == {hardware}


def test_nobody_is_on_the_device_before_the_first_call() -> None:
    models = admit(Turns(META), Pair(), nn.Linear(3, 3))
    assert not any(is_on(META, model) for model in models)


def test_one_model_at_a_time_is_on_the_device() -> None:
    models = admit(Turns(META), Pair(), nn.Linear(3, 3), nn.LayerNorm(3))
    for number in (0, 1, 2, 0, 2, 1, 1, 0):
        assert models[number](torch.zeros(1, 3, device=META)).device == META
        assert [is_on(META, model) for model in models] == [
            place == number for place in range(len(models))
        ]


def test_who_comes_back_out_is_unchanged() -> None:
    pair = Pair()
    before = [tensor.clone() for tensor in list_tensors(pair)]
    turns = Turns(META)
    admit(turns, pair)
    pair(torch.zeros(1, 3, device=META))
    turns.clear()
    assert all(map(torch.equal, list_tensors(pair), before))
    assert list(pair.state_dict()) == ["first.weight", "second.weight"]


def test_weights_that_are_shared_stay_shared_on_the_device() -> None:
    (pair,) = admit(Turns(META), Pair())
    pair(torch.zeros(1, 3, device=META))
    assert pair.first.weight is pair.second.weight


def test_a_turn_lasts_until_somebody_else_is_called() -> None:
    (pair, other) = admit(Turns(CPU.hardware), Pair(), nn.Linear(3, 3))
    pair(torch.zeros(1, 3))
    copy = pair.first.weight
    pair(torch.zeros(1, 3))
    assert pair.first.weight is copy
    other(torch.zeros(1, 3))
    pair(torch.zeros(1, 3))
    assert pair.first.weight is not copy


class Heavy(torch.Tensor):
    """Does not fit onto any device."""

    def to(self, *given: Any, **named: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError


def test_who_finds_no_room_is_not_left_half_way_in() -> None:
    turns = Turns(META)
    heavy = Pair()
    heavy.offset = torch.ones(3).as_subclass(Heavy)
    (pair, other) = admit(turns, heavy, nn.Linear(3, 3))
    for _ in range(2):
        with pytest.raises(torch.OutOfMemoryError):
            pair(torch.zeros(1, 3, device=META))
        assert turns.present is None
        assert not is_on(META, pair)
        other(torch.zeros(1, 3, device=META))
        assert is_on(META, other)


class Writer(nn.Linear):
    """A model that looks where it is before it calls itself, as transformers' do."""

    def generate(self, rows: int, *, width: int) -> torch.Tensor:
        result: torch.Tensor = self(torch.zeros(rows, width, device=self.weight.device))
        return result


def test_a_writer_is_there_before_it_looks_where_it_is() -> None:
    (writer,) = admit(Turns(META), Writer(3, 4))
    written = writer.generate(2, width=3)
    assert written.device == META
    assert written.shape == (2, 4)


@pytest.fixture(scope="module")
def distant(replica: Path) -> tuple[Turns, Components]:
    """The tiny SDXL, whose models take turns on the meta device."""
    device = replace(CPU, hardware=META).in_turns()
    assert device.turns is not None
    return device.turns, load_components(replica, device)


def test_sdxl_comes_in_part_by_part(distant: tuple[Turns, Components]) -> None:
    turns, parts = distant
    models = [parts.unet, parts.vae, *parts.text_encoders]
    pixels = torch.zeros(1, 3, 64, 64, device=META)
    latents = torch.zeros(1, 9, 8, 8, device=META)
    ids = torch.zeros(1, 77, dtype=torch.long, device=META)
    sides = {"text_embeds": torch.zeros(1, WORDS), "time_ids": torch.zeros(1, 6)}
    sides = {name: side.to(META) for name, side in sides.items()}
    words = torch.zeros(1, 77, 2 * WORDS, device=META)

    def paint(*, prompt_is_known: bool) -> Iterator[Any]:
        parts.vae.encode(pixels)
        yield parts.vae
        for encoder in () if prompt_is_known else parts.text_encoders:
            encoder(ids, output_hidden_states=True)
            yield encoder
        for _ in range(2):
            parts.unet(latents, 1, encoder_hidden_states=words, added_cond_kwargs=sides)
            yield parts.unet
        parts.vae.decode(latents[:, :4])
        yield parts.vae

    with torch.inference_mode():
        for model in chain(paint(prompt_is_known=False), paint(prompt_is_known=True)):
            assert turns.present is model
            assert [is_on(META, other) for other in models] == [other is model for other in models]


@pytest.fixture(scope="module")
def canvas() -> Painting:
    return Painting(draw_canvas(160, 96), prompt="the red sky", seed=3)


def test_sdxl_in_turns_paints_what_it_paints_side_by_side(
    components: Components, replica: Path, canvas: Painting
) -> None:
    device = CPU.in_turns()
    assert device.turns is not None
    parts = load_components(replica, device)
    recipe = Recipe(steps=2, guidance=3.0)
    expected = make_outpainter(components, recipe)(canvas, ignore_progress)
    in_turns = make_outpainter(parts, recipe, device=device)
    for _ in range(2):
        painted = in_turns(canvas, ignore_progress)
        assert painted.tobytes() == expected.tobytes()
    assert device.turns.present is parts.vae


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_card_never_holds_two_models() -> None:
    card = choose_device()
    side = 8192  # far above what a matrix product sets aside for itself

    def measure(device: Device) -> tuple[int, list[torch.Tensor]]:
        torch.manual_seed(0)
        models = [device.settle(nn.Linear(side, side, dtype=card.dtype)) for _ in range(4)]
        given = device.upload(torch.ones(1, side, dtype=card.dtype))
        torch.cuda.reset_peak_memory_stats()
        with device.working():
            results = [model(given).cpu() for model in models]
        return torch.cuda.max_memory_allocated(), results

    before = torch.cuda.memory_allocated()
    in_turns, results = measure(card.in_turns())
    together, expected = measure(card)
    weights = side * (side + 1) * card.dtype.itemsize
    assert in_turns - before < 2 * weights
    assert together - before > 4 * weights
    assert all(map(torch.equal, results, expected))
