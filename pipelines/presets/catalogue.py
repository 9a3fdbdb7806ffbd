"""All presets there are, found by name, by platform or by collection."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import InvalidOption
from pipelines.presets.collection import Collection
from pipelines.presets.preset import Preset


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Presets in the order of their file, no two with the same id."""

    presets: tuple[Preset, ...]
    collections: tuple[Collection, ...] = ()

    def __post_init__(self) -> None:
        """Refuse collections that nobody could mean; raises InvalidOption."""
        ids = {preset.id for preset in self.presets}
        for collection in self.collections:
            if collection.name in self.platforms:
                msg = f"{collection.name} is the name of a platform, not of a collection"
                raise InvalidOption(msg)
            for name in collection.presets:
                if name not in ids:
                    msg = f"collection {collection.name} has {name!r}, which is no preset"
                    raise InvalidOption(msg)

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
            names = (*self.platforms, *(collection.name for collection in self.collections))
            msg = f"there are no presets for {platform!r}; there are {', '.join(names)}"
            raise InvalidOption(msg)
        return found

    def find_collection(self, name: str) -> Collection | None:
        """The collection with this name."""
        found = (collection for collection in self.collections if collection.name == name)
        return next(found, None)

    def select(self, names: Sequence[str]) -> tuple[Preset, ...]:
        """The presets that these ids, platforms and collections mean, in this order, each once.

        Raises:
            InvalidOption: a name that means none.
        """
        chosen: dict[str, Preset] = {}
        for name in map(str.strip, names):
            chosen |= {preset.id: preset for preset in self._mean(name)}
        return tuple(chosen.values())

    def _mean(self, name: str) -> tuple[Preset, ...]:
        if "/" in name:
            return (self.find(name),)
        if collection := self.find_collection(name):
            return tuple(map(self.find, collection.presets))
        return self.of(name)
