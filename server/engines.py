"""The engines by name."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import preview
from pipelines.engine import Engine
from pipelines.errors import EngineUnavailable, WeightsMissing
from pipelines.preview.describer import PreviewDescriber
from pipelines.weights import list_missing, locate
from pipelines.weights.lock import LockedModel
from pipelines.weights.lock_file import NAME, find_lock, is_writable, read_lock
from pipelines.weights.remedy import name_remedy
from pipelines.weights.store import DEFAULT_FOLDER, Store
from pipelines.weights.verify import Depth, State, verify
from server.cards import read_memories
from server.settings import EngineName

log = logging.getLogger(__name__)

LARGE_CARD = 0.9 * 24 * 2**30
"""Bytes of a card that the larger describer takes; a test holds this to the engine's profiles."""


@dataclass(frozen=True, slots=True)
class Supplies:
    """Where an engine's weights are, and what it may do to be faster.

    ``graphs`` is where it keeps what it compiles, None to compile nothing. ``eight_bits`` lets a
    card that can do so paint in FP8, a little less exactly.
    """

    weights: Path = DEFAULT_FOLDER
    lock: Path | None = None
    graphs: Path | None = None
    eight_bits: bool = False


def load_engine(name: EngineName, supplies: Supplies | None = None) -> Engine:
    """Make the engine ready; never another one than asked for.

    Raises:
        EngineUnavailable: its packages are not installed.
        WeightsError: its weights are missing or are not those of the lock.
    """
    supplies = supplies or Supplies()
    match name:
        case EngineName.PREVIEW:
            return preview.load()
        case EngineName.SDXL:
            return _load_sdxl(supplies)


def choose_describers(memories: tuple[int, ...] | None) -> tuple[str, ...]:
    """The roles of which this machine's engine takes one, by the bytes of its cards."""
    if memories is None:
        return ("vlm", "vlm-light")
    chosen = {"vlm" if memory >= LARGE_CARD else "vlm-light" for memory in memories}
    return tuple(sorted(chosen)) or ("vlm-light",)


class _Shelf:
    """The weights of one start: each model is verified once, and what takes long is logged."""

    def __init__(self, supplies: Supplies) -> None:
        self._lock = read_lock(supplies.lock or find_lock())
        self._lock_file = supplies.lock
        self._store = Store(supplies.weights.expanduser())
        self._found: dict[str, Path] = {}

    def require(self, describers: tuple[str, ...]) -> None:
        """Verify what cannot be done without, before anything slow is imported.

        Of several ``describers`` one is enough. All that is missing is said at once, and what is
        only good to have is asked for together with it.
        """
        known = tuple(role for role in describers if self._lock.find(role)) or describers
        missing = list_missing(self._lock, self._store, ("inpaint", *known))
        roles = {model.role for model in missing}
        has_describer = not roles.issuperset(known)
        if has_describer and "inpaint" not in roles:
            for role in ("inpaint", *(known if len(known) == 1 else ())):
                self.find(role)
            return
        skipped = known if has_describer else known[1:]
        needed = [model for model in missing if model.role not in skipped]
        raise WeightsMissing(self._say_missing(needed, unsure=not has_describer and len(known) > 1))

    def _say_missing(self, needed: Sequence[LockedModel], *, unsure: bool) -> str:
        helpful = [role for role in ("few-step", "nsfw") if self._lock.find(role)]
        wanted = [*needed, *list_missing(self._lock, self._store, helpful)]
        lock, notes = self._lock_file, ""
        if (
            lock is None
            and any(model.unpinned for model in wanted)
            and not is_writable(find_lock())
        ):
            lock = self._store.folder / NAME
            notes += f"; and set SMART_RESIZE_LOCK={lock}, for this installation's is read-only"
        if unsure:
            notes += "; with a card below 24 GB or none, say vlm-light for vlm"
        roles = " and ".join(model.role for model in needed)
        remedy = name_remedy(wanted, self._store, lock)
        return f"the weights for {roles} are not all here; get them with: {remedy}{notes}"

    def find(self, role: str) -> tuple[Path, LockedModel]:
        """The folder of the model with this role; raises as ``locate`` does."""
        if role not in self._found:
            self._announce(role)
            self._found[role] = locate(self._lock, self._store, role, self._lock_file)
        model = self._lock.find(role)
        assert model
        return self._found[role], model

    def _announce(self, role: str) -> None:
        model = self._lock.find(role)
        if model is None:
            return
        findings = verify(model, self._store, Depth.NOTHING).findings
        if any(found.state is State.UNREAD for found in findings):
            words = "weights of %s are verified, %.1f GB, about a second per GB"
            log.info(words, role, model.size / 1e9)


def _load_sdxl(supplies: Supplies) -> Engine:
    shelf = _Shelf(supplies)
    shelf.require(choose_describers(read_memories()))
    try:
        from pipelines import models  # noqa: PLC0415  torch waits until it is asked for
    except ImportError as error:
        msg = "engine sdxl needs torch, diffusers and transformers (extra: cuda)"
        raise EngineUnavailable(msg) from error

    def find(role: str) -> models.Weights:
        folder, model = shelf.find(role)
        return models.Weights(folder, f"{model.repository}@{model.revision}")

    return models.load(
        find, PreviewDescriber(), graphs=supplies.graphs, eight_bits=supplies.eight_bits
    )
