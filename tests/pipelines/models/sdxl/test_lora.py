"""The few-step adapter: loaded whole or not at all, and unnoticed by who does not want it."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from pipelines.engine import Mode, Painting
from pipelines.errors import JobCancelled, ModelError, WeightsMissing
from pipelines.models.device import CPU, Device
from pipelines.models.sdxl.components import Components, load_components
from pipelines.models.sdxl.lora import adapted, load_few_step
from pipelines.models.sdxl.recipe import FEW_STEP, Recipe, choose_recipes
from pipelines.progress import ignore_progress
from pipelines.weights.lock_file import find_lock, read_lock
from tests.pipelines.models.sdxl.lora_replica import FILE, RANK, list_tensors, write_lora
from tests.pipelines.models.sdxl.replica import make_unet
from tests.pipelines.models.sdxl.scenes import draw_canvas, make_outpainter

PUBLISHED = Path(__file__).parents[1] / "published/sdxl/unet/config.json"

Weights = dict[str, torch.Tensor]

FAST = replace(FEW_STEP, steps=3)
GUIDED = Recipe(steps=3, guidance=4.0, interval=(0.0, 0.5))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lora(tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def few_step(replica: Path, adapter: Path) -> Components:
    return load_components(replica, CPU, adapter)


def paint(components: Components, recipe: Recipe) -> bytes:
    painting = Painting(draw_canvas(128, 128), "the red sky", 1)
    return make_outpainter(components, recipe)(painting, ignore_progress).tobytes()


def look(unet: UNet2DConditionModel) -> torch.Tensor:
    """What the UNet sees in some latents."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        view, words = torch.randn(1, 9, 16, 16), torch.randn(1, 77, 64)
    sides = {"text_embeds": torch.zeros(1, 32), "time_ids": torch.zeros(1, 6)}
    with CPU.working():
        seen: torch.Tensor = unet(
            view.to(unet.dtype),
            torch.tensor(500.0),
            encoder_hidden_states=words.to(unet.dtype),
            added_cond_kwargs={name: side.to(unet.dtype) for name, side in sides.items()},
        )[0]
    return seen


def test_the_other_modes_paint_the_same_bits_as_without_the_adapter(
    components: Components, few_step: Components
) -> None:
    before = paint(components, GUIDED)
    assert paint(few_step, GUIDED) == before
    assert paint(few_step, FAST) != paint(components, replace(FAST, few_step=False))
    assert paint(few_step, GUIDED) == before


def test_the_adapter_adds_what_its_pairs_multiply_to(
    components: Components, few_step: Components, adapter: Path
) -> None:
    by_hand = make_unet()
    by_hand.load_state_dict(components.unet.state_dict())
    weights = load_file(adapter / FILE)
    layers = {"lora_unet_" + name.replace(".", "_"): each for name, each in named_layers(by_hand)}
    for name, layer in layers.items():
        if f"{name}.alpha" in weights:
            down, up = (weights[f"{name}.lora_{part}.weight"].float() for part in ("down", "up"))
            product = up.flatten(1) @ down.flatten(1) * (weights[f"{name}.alpha"].float() / RANK)
            layer.weight.data += product.view_as(layer.weight)
    with adapted(few_step.unet, wanted=True):
        seen = look(few_step.unet)
    expected, plain = look(CPU.settle(by_hand)), look(components.unet)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)
    assert (seen - plain).abs().max() > 0.1


def named_layers(unet: UNet2DConditionModel) -> Iterator[tuple[str, Any]]:
    for name, layer in unet.named_modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            yield name, layer


def test_it_stands_aside_again_whatever_happens(few_step: Components) -> None:
    before = look(few_step.unet)
    with pytest.raises(JobCancelled), adapted(few_step.unet, wanted=True):
        raise JobCancelled
    assert torch.equal(look(few_step.unet), before)


def test_the_parts_are_frozen_and_say_that_there_is_an_adapter(
    components: Components, few_step: Components
) -> None:
    paint(few_step, FAST)
    assert few_step.has_few_step
    assert not components.has_few_step
    assert not few_step.unet.training
    assert not any(weight.requires_grad for weight in few_step.unet.parameters())
    assert choose_recipes(has_few_step=few_step.has_few_step)[Mode.FAST].few_step


def test_in_half_precision_the_adapter_is_so_too(replica: Path, adapter: Path) -> None:
    half = Device(CPU.hardware, torch.float16, CPU.attention)
    unet = load_components(replica, half, adapter).unet
    assert {weight.dtype for weight in unet.parameters()} == {torch.float16}
    before = look(unet)
    with adapted(unet, wanted=True):
        assert (look(unet) - before).abs().max() > 0.1


def test_a_recipe_that_wants_an_adapter_needs_one(components: Components) -> None:
    with pytest.raises(AssertionError, match="adapter"):
        paint(components, FAST)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pytorch_lora_weights.bin").write_bytes(b"a pickle")
    with pytest.raises(WeightsMissing, match=FILE):
        load_few_step(make_unet(), tmp_path)


def drop_a_part(weights: Weights) -> None:
    del weights[next(name for name in weights if name.endswith(".alpha"))]


def add_a_layer(weights: Weights) -> None:
    for part in ("alpha", "lora_down.weight", "lora_up.weight"):
        weights[f"lora_te1_text_model_encoder_layers_0_mlp_fc1.{part}"] = torch.ones(1, 1)


def add_a_part(weights: Weights) -> None:
    name = next(name for name in weights if name.endswith(".alpha"))
    weights[name.replace(".alpha", ".dora_scale")] = torch.ones(1)


def widen_a_layer(weights: Weights) -> None:
    name = next(name for name in weights if name.endswith("to_q.lora_down.weight"))
    weights[name] = torch.cat([weights[name], weights[name]], 1)


def change_a_rank(weights: Weights) -> None:
    name = next(name for name in weights if name.endswith("conv1.lora_up.weight"))
    weights[name] = weights[name][:, :1].contiguous()


def empty(weights: Weights) -> None:
    weights.clear()


@pytest.mark.parametrize(
    "damage", [drop_a_part, add_a_layer, add_a_part, widen_a_layer, change_a_rank, empty]
)
def test_an_adapter_that_does_not_fit_is_refused_and_leaves_the_model_alone(
    adapter: Path, tmp_path: Path, damage: Callable[[Weights], None]
) -> None:
    weights = load_file(adapter / FILE)
    damage(weights)
    save_file(weights, tmp_path / FILE)
    unet = CPU.settle(make_unet())
    before = look(unet)
    with pytest.raises(ModelError, match="adapter"):
        load_few_step(unet, tmp_path)
    assert torch.equal(look(unet), before)
    assert not any("lora" in name for name, _ in unet.named_parameters())


@pytest.mark.parametrize("length", [0, 5, 5000])
def test_a_torn_file_is_refused(adapter: Path, tmp_path: Path, length: int) -> None:
    (tmp_path / FILE).write_bytes((adapter / FILE).read_bytes()[:length])
    with pytest.raises(ModelError, match="damaged"):
        load_few_step(make_unet(), tmp_path)


def test_loading_is_silent_and_asks_nobody_on_the_network(
    replica: Path,
    adapter: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_components(replica, CPU, adapter)
    assert capfd.readouterr() == ("", "")


def test_at_full_size_the_layout_fills_the_file_that_is_locked() -> None:
    """788 pairs of rank 64 in half precision: their bytes, and the header that names them."""
    config = json.loads(PUBLISHED.read_text())
    with torch.device("meta"):
        unet = UNet2DConditionModel(**{key: config[key] for key in config if key in SHAPING})
    tensors = list_tensors(unet, 64)
    assert len(tensors) == 3 * 788
    described = {
        name: {"dtype": "F16", "shape": list(shape), "data_offsets": [10**8, 10**8]}
        for name, shape in tensors.items()
    }
    data = 2 * sum(int(np.prod(shape)) for shape in tensors.values())
    header = len(json.dumps(described, separators=(",", ":")))
    (model,) = (model for model in read_lock(find_lock()).models if model.role == "few-step")
    assert model.size - data == pytest.approx(header, rel=0.02)


SHAPING = {
    "in_channels",
    "block_out_channels",
    "down_block_types",
    "up_block_types",
    "transformer_layers_per_block",
    "attention_head_dim",
    "cross_attention_dim",
    "use_linear_projection",
    "addition_embed_type",
    "addition_time_embed_dim",
    "projection_class_embeddings_input_dim",
}
"""What of the published configuration decides about shapes."""
