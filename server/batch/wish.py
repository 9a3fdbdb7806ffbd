"""What one output of every source is to be."""

from dataclasses import dataclass, replace

from pipelines.codec.decode import decode
from pipelines.codec.limits import Limits
from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.presets.preset import Preset
from pipelines.protection import read_mask
from pipelines.request import ReframeRequest
from pipelines.target import Expansion, output_size

NOWHERE = Size(1, 1)


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
        target = self.request.target
        return None if isinstance(target, Expansion) else output_size(target, NOWHERE)

    def fit(self, data: bytes, limits: Limits) -> ReframeRequest:
        """The request for one source.

        Raises:
            InvalidOption, InvalidPlan: a mask or a series' plan of another ratio.
            ImageUndecodable, ImageTooLarge: of source or mask.
        """
        if self.mask is None and self.plan is None:
            return self.request
        source = Size(*decode(data, limits).picture.size)
        request = self.request
        if self.mask is not None:
            protect = (*request.rules.protect, *read_mask(self.mask, source, limits))
            request = replace(request, rules=replace(request.rules, protect=protect))
        return replace(request, plan=self.plan.fit(source)) if self.plan else request
