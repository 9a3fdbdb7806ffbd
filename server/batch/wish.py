"""What one output of every source is to be."""

from dataclasses import dataclass, replace
from functools import cached_property

from pipelines.codec.decode import decode
from pipelines.codec.limits import Limits
from pipelines.geometry import Box, Size
from pipelines.plan import Plan
from pipelines.presets.preset import Preset
from pipelines.protection import read_mask
from pipelines.request import ReframeRequest
from pipelines.target import fixed_size


@dataclass(frozen=True, slots=True)
class Wish:
    """One output of each source, and the preset that it is for.

    ``mask`` is a picture of the source's ratio, white where nothing may be cut. ``plan`` is that
    of a series' first source, to be carried out for all the others.
    """

    request: ReframeRequest
    preset: Preset | None = None
    mask: bytes | None = None
    plan: Plan | None = None

    @property
    def size(self) -> Size | None:
        """Of the output, px; None where it depends on the source."""
        return fixed_size(self.request.target)


class Fitter:
    """Fits wishes to one source, which is decoded once, and only where one of them needs that."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """``limits`` bound the source and its masks."""
        self._data, self._limits = data, limits
        self._boxes: dict[bytes, tuple[Box, ...]] = {}

    def fit(self, wish: Wish) -> ReframeRequest:
        """The request for this source.

        Raises:
            InvalidOption, InvalidPlan: a mask or a series' plan of another ratio.
            ImageUndecodable, ImageTooLarge: of source or mask.
        """
        request = wish.request
        if wish.mask is not None:
            request = request.protecting(self._read(wish.mask))
        return replace(request, plan=wish.plan.fit(self._size)) if wish.plan else request

    def _read(self, mask: bytes) -> tuple[Box, ...]:
        if mask not in self._boxes:
            self._boxes[mask] = read_mask(mask, self._size, self._limits)
        return self._boxes[mask]

    @cached_property
    def _size(self) -> Size:
        return Size(*decode(self._data, self._limits).picture.size)
