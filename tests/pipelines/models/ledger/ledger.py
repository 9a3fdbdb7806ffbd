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


class Call(NamedTuple):
    """What a model was given: by place and by name."""

    given: tuple[Any, ...]
    named: dict[str, Any]


class Ledger:
    """An entry for each call of each model that it was told to watch.

    torch counts operations in one thread at a time and slows the models down. So they are counted
    right where a model is called, and once for each shape of a row.
    """

    def __init__(self) -> None:
        """Nothing is watched yet."""
        self._entries: list[Entry] = []
        self._prices: dict[Hashable, int] = {}

    def watch(self, model: Any) -> None:
        """Note from now on what ``model`` is asked; raises KeyError where it is unknown."""
        match ACCOUNTS[type(model)]:
            case Account.ENCODES:  # a VAE's halves are called by themselves
                self._listen(Account.ENCODES, model.encoder)
                self._listen(Account.DECODES, model.decoder)
            case Account.TOKENS:
                self._listen(Account.TOKENS, model)
                self._listen(Account.LOOKS, model.model.visual)
            case account:
                self._listen(account, model)

    @contextmanager
    def page(self) -> Iterator[list[Entry]]:
        """A list that holds, after the block, what was noted in it."""
        page: list[Entry] = []
        begin = len(self._entries)
        yield page
        page += self._entries[begin:]

    def _listen(self, account: Account, module: Any) -> None:
        forward: Callable[..., Any] = module.forward
        adapters = [part for part in module.modules() if isinstance(part, BaseTunerLayer)]

        @functools.wraps(forward)
        def noted(*given: Any, **named: Any) -> Any:
            call = Call(given, named)
            rows, size = _measure(account, call)
            if _is_free(account, call):
                price, seen = 0, forward(*given, **named)
            else:
                adapted = any(not adapter.disable_adapters for adapter in adapters)
                price, seen = self._count((module, adapted), rows, call, forward)
            self._entries.append(Entry(account, rows, size, price * rows))
            return seen

        module.forward = noted

    def _count(
        self, what: Hashable, rows: int, call: Call, forward: Callable[..., Any]
    ) -> tuple[int, Any]:
        """The operations of a row, and what the model makes of the call."""
        shapes = [tuple(leaf.shape) for leaf in tree_leaves(call) if torch.is_tensor(leaf)]
        alike = [shape[1:] if shape[:1] == (rows,) else shape for shape in shapes]
        key = (what, *alike)
        if key in self._prices:
            return self._prices[key], forward(*call.given, **call.named)
        with FlopCounterMode(display=False, custom_mapping=CPU_ATTENTION) as counter:
            seen = forward(*call.given, **call.named)
        price = self._prices[key] = counter.get_total_flops() // rows
        return price, seen


def _measure(account: Account, call: Call) -> tuple[int, str]:
    """Rows and size of what goes in."""
    match account:
        case Account.LOOKS:
            return len(call.named["grid_thw"]), ""
        case Account.TOKENS:
            return len(call.named["input_ids"]), ""
        case Account.TEXTS | Account.VIEWS:
            return len(call.given[0]), ""
        case _:
            rows, _, height, width = call.given[0].shape
            return rows, f"{width}x{height}"


def _is_free(account: Account, call: Call) -> bool:
    """Whether a call's operations are another's, or nothing beside the weights that it reads."""
    if account is Account.TOKENS:  # all of them but the first, which takes a look
        return bool(call.named["input_ids"].shape[1] == 1)
    return account is Account.LOOKS


def _count_attention(
    query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any
) -> int:
    rows, heads, length, depth = query
    return 2 * rows * heads * length * key[2] * (depth + value[3])


ACCOUNTS: dict[type, Account] = {
    Qwen3VLForConditionalGeneration: Account.TOKENS,
    UNet2DConditionModel: Account.EVALUATIONS,
    AutoencoderKL: Account.ENCODES,
    CLIPTextModel: Account.TEXTS,
    CLIPTextModelWithProjection: Account.TEXTS,
    ViTForImageClassification: Account.VIEWS,
}
"""The models that an engine may have, and what each is charged for."""

CPU_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _count_attention}
"""What torch's own counter leaves out."""
