"""Who notes what an engine's models are asked to do, whichever thread asks them."""

import functools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Qwen3VLForConditionalGeneration,
    ViTForImageClassification,
)


class Account(StrEnum):
    """What is charged for; looks and tokens are the describer's, views the classifier's."""

    LOOKS = "looks"
    TOKENS = "tokens"
    EVALUATIONS = "evaluations"
    ENCODES = "encodes"
    DECODES = "decodes"
    TEXTS = "texts"
    VIEWS = "views"


class Entry(NamedTuple):
    """One call of one model, with ``rows`` in its batch.

    ``size``, as ``WIDTHxHEIGHT``, is that of what goes in: px, or cells for latents; empty where
    nobody asks. ``operations`` are two for each multiplication.
    """

    account: Account
    rows: int
    size: str
    operations: int


class Ledger:
    """An entry for each call of each model that it was told to watch.

    torch counts operations in the calling thread only, and slows the call down: so they are
    counted inside the call, once for each model and shape of what goes in.
    """

    def __init__(self) -> None:
        """Nothing is watched yet."""
        self._entries: list[Entry] = []
        self._operations: dict[Hashable, int] = {}

    def watch(self, model: Any) -> None:
        """Note from now on what ``model`` is asked; raises ValueError where it is unknown."""
        for account, module in _find_accounts(model):
            module.forward = self._note(account, module, module.forward)

    @contextmanager
    def page(self) -> Iterator[list[Entry]]:
        """A list that holds, after the block, what was noted in it."""
        page: list[Entry] = []
        begin = len(self._entries)
        yield page
        page += self._entries[begin:]

    def _note(
        self, account: Account, module: Any, forward: Callable[..., Any]
    ) -> Callable[..., Any]:
        @functools.wraps(forward)
        def noted(*given: Any, **named: Any) -> Any:
            with self._count(account, module, (given, named)) as count:
                seen = forward(*given, **named)
            rows, size = _measure(account, given, named)
            self._entries.append(Entry(account, rows, size, count()))
            return seen

        return noted

    @contextmanager
    def _count(self, account: Account, module: Any, given: Any) -> Iterator[Callable[[], int]]:
        """How many operations the block takes, known after it."""
        shapes = [leaf.shape for leaf in tree_leaves(given) if isinstance(leaf, torch.Tensor)]
        key = (module, _is_adapted(module), *shapes)
        if account is Account.LOOKS or (account is Account.TOKENS and _has_begun(given)):
            yield lambda: 0
        elif key in self._operations:
            yield lambda: self._operations[key]
        else:
            with FlopCounterMode(display=False, custom_mapping=CPU_ATTENTION) as counter:
                yield lambda: self._operations[key]
            self._operations[key] = counter.get_total_flops()


def _find_accounts(model: Any) -> list[tuple[Account, Any]]:
    """The modules to be watched; of a VAE both halves, which are called by themselves."""
    match model:
        case UNet2DConditionModel():
            return [(Account.EVALUATIONS, model)]
        case AutoencoderKL():
            return [(Account.ENCODES, model.encoder), (Account.DECODES, model.decoder)]
        case CLIPTextModel() | CLIPTextModelWithProjection():
            return [(Account.TEXTS, model)]
        case ViTForImageClassification():
            return [(Account.VIEWS, model)]
        case Qwen3VLForConditionalGeneration():
            return [(Account.TOKENS, model), (Account.LOOKS, model.model.visual)]
        case _:
            msg = f"the ledger has no account for a {type(model).__name__}"
            raise ValueError(msg)


def _measure(account: Account, given: Any, named: Any) -> tuple[int, str]:
    """Rows and size of what goes in."""
    match account:
        case Account.LOOKS:
            return len(named["grid_thw"]), ""
        case Account.TOKENS:
            return len(named["input_ids"]), ""
        case Account.TEXTS | Account.VIEWS:
            return len(given[0]), ""
        case _:
            rows, _, height, width = given[0].shape
            return rows, f"{width}x{height}"


def _has_begun(given: Any) -> bool:
    """Whether an answer goes on by one token: its work is to read the weights, not to compute."""
    _, named = given
    return bool(named["input_ids"].shape[1] == 1)


def _is_adapted(module: Any) -> bool:
    """Whether an adapter has its say, which takes operations of its own."""
    layers = (layer for layer in module.modules() if isinstance(layer, BaseTunerLayer))
    return any(not layer.disable_adapters for layer in layers)


def _count_attention(
    query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any
) -> int:
    rows, heads, length, depth = query
    return 2 * rows * heads * length * key[2] * (depth + value[3])


CPU_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _count_attention}
"""What torch's counter leaves out: attention, where a processor does it in one piece."""
