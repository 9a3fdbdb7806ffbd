"""The few-step adapter: small matrices beside the UNet's own, which stand aside when not asked for.

Read from the published file, a low-rank pair and its weight (``alpha``) for each layer, by the
names that Kohya's trainer gives them. Only safetensors, nothing downloaded.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from safetensors.torch import load_file

from pipelines.errors import ModelError, WeightsMissing

FILE = "pytorch_lora_weights.safetensors"

PREFIX = "lora_unet_"
"""Begins the name of every layer in the file; dots have become underscores."""

DOWN, UP, ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
"""What the file has of each layer."""

ADAPTER = "few-step"
"""Its name inside the UNet."""


def load_few_step(unet: UNet2DConditionModel, folder: Path) -> None:
    """Put the adapter in ``folder`` beside the layers of a UNet not yet settled, switched off.

    Raises:
        WeightsMissing: the file is not there.
        ModelError: the file is damaged, or belongs to another model.
    """
    if not (folder / FILE).is_file():
        msg = f"{FILE} is missing from the few-step adapter's folder"
        raise WeightsMissing(msg)
    try:
        pairs = _sort(load_file(folder / FILE), unet)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        msg = "the few-step adapter is damaged or belongs to another model"
        raise ModelError(msg) from error
    weights: dict[str, torch.Tensor] = {}
    for name, pair in pairs.items():
        weights[f"unet.{name}.lora_A.weight"] = pair[DOWN].to(unet.dtype)
        weights[f"unet.{name}.lora_B.weight"] = pair[UP].to(unet.dtype)
    unet.load_lora_adapter(
        weights,
        prefix="unet",
        network_alphas={f"unet.{name}.alpha": float(pair[ALPHA]) for name, pair in pairs.items()},
        adapter_name=ADAPTER,
        low_cpu_mem_usage=True,  # no random weights first
    )
    unet.disable_adapters()


@contextmanager
def adapted(unet: UNet2DConditionModel, *, wanted: bool) -> Iterator[None]:
    """Let the adapter, which must be loaded, have its say inside if it is ``wanted``."""
    if not wanted:
        yield
        return
    layers = [layer for layer in unet.modules() if isinstance(layer, BaseTunerLayer)]
    assert layers, "no few-step adapter is loaded"
    _switch(layers, on=True)
    try:
        yield
    finally:
        _switch(layers, on=False)


def _switch(layers: Sequence[BaseTunerLayer], *, on: bool) -> None:
    for layer in layers:
        # the public way visits every gradient's flag as well, and takes as long as a step
        layer._disable_adapters = not on  # noqa: SLF001


def _sort(
    weights: Mapping[str, torch.Tensor], unet: UNet2DConditionModel
) -> Mapping[str, Mapping[str, torch.Tensor]]:
    """What the file has of each of the UNet's layers, by the layer's own name.

    Raises ValueError or KeyError where it does not fit.
    """
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    layers = {name: layer for name, layer in unet.named_modules() if isinstance(layer, kinds)}
    known = {PREFIX + name.replace(".", "_"): name for name in layers}
    pairs: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for key, weight in weights.items():
        layer, _, part = key.partition(".")
        pairs[known[layer]][part] = weight
    if not all(_fits(pair, layers[name].weight) for name, pair in pairs.items()) or not pairs:
        raise ValueError
    return pairs


def _fits(pair: Mapping[str, torch.Tensor], weight: torch.Tensor) -> bool:
    """Whether the pair, multiplied, has the shape of the layer's own ``weight``."""
    if set(pair) != {DOWN, UP, ALPHA}:
        return False
    outer, *inner = weight.shape
    rank = len(pair[DOWN])
    ones = [1 for _ in inner[1:]]  # the second of two convolutions sees single cells
    return [*pair[DOWN].shape] == [rank, *inner] and [*pair[UP].shape] == [outer, rank, *ones]
