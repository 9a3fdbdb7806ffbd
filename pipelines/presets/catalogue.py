"""All presets there are, found by name or by platform."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import InvalidOption
from pipelines.presets.preset import Preset


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Presets in the order of their file, no two with the same id."""

    presets: tuple[Preset, ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        """Each once, in the order of the file."""
        return tuple(dict.fromkeys(preset.platform for preset in self.presets))

    def find(self, name: str) -> Preset:
        """The preset with this id; raises InvalidOption."""
        for preset in self.presets:
            if preset.id == name:
                return preset
        msg = f"there is no preset {name!r}; smart-resize presets list shows what there is"
        raise InvalidOption(msg)

    def of(self, platform: str) -> tuple[Preset, ...]:
        """All of a platform; raises InvalidOption where there are none."""
        found = tuple(preset for preset in self.presets if preset.platform == platform)
        if not found:
            msg = f"there are no presets for {platform!r}; there are {', '.join(self.platforms)}"
            raise InvalidOption(msg)
        return found

    def select(self, names: Sequence[str]) -> tuple[Preset, ...]:
        """The presets that these ids and platforms mean, in this order, each once.

        Raises:
            InvalidOption: a name that means none.
        """
        chosen: dict[str, Preset] = {}
        for name in map(str.strip, names):
            meant = (self.find(name),) if "/" in name else self.of(name)
            chosen |= {preset.id: preset for preset in meant}
        return tuple(chosen.values())
