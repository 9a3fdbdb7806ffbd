"""What outputs are called, and the files beside them."""

from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path

from pipelines.export.wishes import Extra
from server.batch.wish import Wish
from server.images.label import tell_apart

GROWN = "expanded"
"""Stands for the size where that depends on the source."""


def name_beside(output: Path, kind: Extra, extension: str) -> Path:
    """``ad-mask.png`` beside ``ad.jpg``, and its record ``ad.json``."""
    if kind is Extra.RECORD:
        return output.with_suffix(extension)
    return output.with_name(f"{output.stem}-{kind}{extension}")


def list_slots(wishes: Sequence[Wish]) -> list[str]:
    """A slot for each output of one source: its size, and more where sizes are the same."""
    return tell_apart(
        (str(wish.size or GROWN), wish.preset.id if wish.preset else None) for wish in wishes
    )


class Names:
    """Gives every output of a batch a path of its own, the same one each time.

    No two in one folder share a stem, for the files beside them are called after it.
    """

    def __init__(self, earlier: Mapping[Path, str]) -> None:
        """``earlier`` says whose each path was before; owners are texts."""
        self._owners = {path.with_suffix(""): owner for path, owner in earlier.items()}

    def reserve(self, path: Path, owner: str, extras: Sequence[Extra] = ()) -> bool:
        """Keep ``path`` and those beside it for one output; False where another one has them."""
        wanted = {path.with_suffix(""): owner}
        for kind in extras:
            if kind is not Extra.RECORD:
                wanted[name_beside(path, kind, "").with_suffix("")] = f"{owner} {kind}"
        if any(self._owners.get(stem, whose) != whose for stem, whose in wanted.items()):
            return False
        self._owners |= wanted
        return True

    def give(self, relative: Path, owner: str, suffix: str, wish: Wish) -> Path:
        """The path, in the output folder, of what is made of the source at ``relative``."""
        export = wish.request.export
        stem = f"{relative.stem}{suffix}"
        kind = relative.suffix.lower().removeprefix(".") or "file"
        others = (f"{stem}-{kind}{number}" for number in count(2))
        for name in chain([stem, f"{stem}-{kind}"], others):
            # a.jpg and a.png in one folder
            path = relative.with_name(f"{name}{export.format.extension}")
            if self.reserve(path, owner, sorted(export.extras)):
                return path
        raise AssertionError
