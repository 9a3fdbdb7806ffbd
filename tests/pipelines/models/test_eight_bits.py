"""Linear layers in eight bits: what they compute, which they are, and whom they leave alone."""

import pytest
import torch
from torch import nn

from benchmarks.gpu.models import add_few_step
from pipelines.geometry import Size
from pipelines.models.device import CPU
from pipelines.models.eight_bits import (
    EIGHT_BITS,
    LARGEST,
    EightBitLinear,
    can_use_eight_bits,
    round_rows,
    use_eight_bits,
)
from pipelines.models.sdxl.lora import adapted
from tests.pipelines.models.test_compiling import make_unet, see


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def make_linear(*, bias: bool = True) -> nn.Linear:
    linear = nn.Linear(64, 48, bias=bias).requires_grad_(requires_grad=False)
    linear.weight.copy_(draw(48, 64, seed=1) / 8)
    return linear


def measure_difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(5, 64), (2, 7, 64)])
def test_a_product_is_the_exact_one_of_the_rounded_numbers(
    shape: tuple[int, ...], *, bias: bool
) -> None:
    linear, given = make_linear(bias=bias), draw(*shape)
    rows, scale = round_rows(given.flatten(0, -2))
    weight, weight_scale = round_rows(linear.weight)
    exact = (rows.float() * scale) @ (weight.float() * weight_scale).T
    exact = exact.view(*shape[:-1], -1) + (linear.bias if bias else 0)
    found = EightBitLinear(linear)(given)
    assert found.shape == (*shape[:-1], 48)
    assert found.dtype is given.dtype
    torch.testing.assert_close(found, exact, rtol=2**-7, atol=1e-3)  # told in bfloat16
    assert 0.005 < measure_difference(found, linear(given)) < 0.05


def test_a_row_is_what_it_is_whatever_lies_beside_it() -> None:
    layer, given = EightBitLinear(make_linear()), draw(3, 64)
    loud = torch.cat([given, 1000 * draw(2, 64, seed=3)])
    assert torch.equal(layer(loud)[:3], layer(given))


def test_rounding_uses_the_whole_range_and_bears_rows_of_nothing() -> None:
    values = draw(4, 16)
    values[2] = 0
    rounded, scale = round_rows(values)
    assert rounded.dtype is EIGHT_BITS
    most = rounded.float().abs().amax(dim=1)
    assert most[[0, 1, 3]].tolist() == [LARGEST] * 3
    assert most[2] == 0
    assert scale.isfinite().all()
    assert measure_difference(rounded.float() * scale, values) < 0.04


def test_a_unet_in_eight_bits_sees_nearly_the_same() -> None:
    plain, unet = make_unet(), make_unet()
    # each of four blocks: eight of attention, two of the network behind it
    assert use_eight_bits(unet) == 4 * 10
    difference = measure_difference(see(unet, Size(16, 8), 2), see(plain, Size(16, 8), 2))
    assert 0 < difference < 0.1


def test_the_few_step_adapter_keeps_its_numbers_and_its_say() -> None:
    unet = make_unet()
    add_few_step(unet)
    before = {name: values.clone() for name, values in unet.named_parameters() if "lora_" in name}
    assert use_eight_bits(unet) == 40
    after = dict(unet.named_parameters())
    assert before
    assert all(torch.equal(after[name], values) for name, values in before.items())
    off = see(unet, Size(16, 8), 2)
    with adapted(unet, wanted=True):
        on = see(unet, Size(16, 8), 2)
    assert measure_difference(on, off) > 0.1


def test_layers_of_other_sides_are_left_as_they_are() -> None:
    unet = make_unet()
    block = unet.down_blocks[0].attentions[0].transformer_blocks[0]
    block.ff.net[2] = nn.Linear(64, 24)
    assert use_eight_bits(unet) == 39
    assert type(block.ff.net[2]) is nn.Linear


def test_the_processor_does_not_multiply_in_eight_bits_by_itself() -> None:
    assert not can_use_eight_bits(CPU)
