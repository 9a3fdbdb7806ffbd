"""Models that take turns on one device: whoever is asked comes in, and the others wait outside."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from torch import nn


class _Seat(NamedTuple):
    """Where a tensor belongs in its model, and the one that lies in the host's memory."""

    owner: nn.Module
    name: str
    home: torch.Tensor


class Turns:
    """One model at a time is on the device; for cards that cannot hold all of them.

    The models only infer, so their tensors in the host's memory stay what they are: coming in
    copies them, leaving drops the copies, and nothing is ever copied back. The addresses on the
    device change from turn to turn; a captured graph would not outlast them.
    """

    def __init__(self, hardware: torch.device) -> None:
        """Nobody is on the device yet."""
        self._hardware = hardware
        self._members: dict[nn.Module, list[_Seat]] = {}
        self._present: nn.Module | None = None

    @property
    def present(self) -> nn.Module | None:
        """Whose turn it is."""
        return self._present

    def admit(self, model: Any) -> Any:
        """Let a model take part: from now on it comes in by itself when it is called.

        That includes its other ways in: a VAE's ``encode`` and ``decode``, which diffusers marks,
        and a language model's ``generate``, which asks where the model is before it calls it. It
        must lie in the host's memory, where it stays until its first turn.
        """
        self._members[model] = list(_find_seats(model))
        if hasattr(model, "generate"):
            model.generate = partial(self._let_in, model, model.generate)
        return add_hook_to_module(model, _Knock(self), append=True)

    def take(self, model: nn.Module) -> None:
        """Make it this model's turn; free where it is so already."""
        if self._present is model:
            return
        self.clear()
        seats = self._members[model]
        homes = dict.fromkeys(seat.home for seat in seats)  # tied weights have several seats
        copies = {home: self._copy(home) for home in homes}
        for seat in seats:
            setattr(seat.owner, seat.name, copies[seat.home])
        self._present = model

    def clear(self) -> None:
        """Send whoever is on the device out."""
        if self._present is None:
            return
        for seat in self._members[self._present]:
            setattr(seat.owner, seat.name, seat.home)
        self._present = None
        if self._hardware.type == "cuda":
            torch.cuda.empty_cache()  # the next model's tensors have other sizes

    def _let_in(self, model: nn.Module, way: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self.take(model)
        return way(*args, **named)

    def _copy(self, home: torch.Tensor) -> torch.Tensor:
        copy = home.to(self._hardware)
        return nn.Parameter(copy, requires_grad=False) if isinstance(home, nn.Parameter) else copy


class _Knock(ModelHook):  # type: ignore[misc]  # accelerate is untyped
    """Takes the turn before a model's forward pass.

    accelerate's own hook sends only the model before it in a chain away; whoever is skipped, as
    the text encoders are when a prompt is remembered, would leave two models on the device.
    """

    def __init__(self, turns: Turns) -> None:
        """Knock at these."""
        self._turns = turns

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Called by accelerate, and by diffusers before ``encode`` and ``decode``."""
        self._turns.take(module)
        return args, kwargs


def _find_seats(model: nn.Module) -> Iterator[_Seat]:
    for owner in model.modules():
        tensors = chain(owner.named_parameters(recurse=False), owner.named_buffers(recurse=False))
        for name, tensor in tensors:
            yield _Seat(owner, name, tensor)
