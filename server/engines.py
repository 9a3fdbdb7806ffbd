"""The engines by name."""

from dataclasses import dataclass
from pathlib import Path

from pipelines import preview
from pipelines.engine import Engine
from pipelines.errors import EngineUnavailable
from pipelines.preview.describer import PreviewDescriber
from pipelines.weights import locate
from pipelines.weights.lock_file import find_lock, read_lock
from pipelines.weights.store import DEFAULT_FOLDER, Store
from server.settings import EngineName


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


def _load_sdxl(supplies: Supplies) -> Engine:
    lock = read_lock(supplies.lock or find_lock())
    store = Store(supplies.weights.expanduser())
    locate(lock, store, "inpaint")  # says what is missing before anything slow is imported
    try:
        from pipelines import models  # noqa: PLC0415  torch waits until it is asked for
    except ImportError as error:
        msg = "engine sdxl needs torch, diffusers and transformers (extra: cuda)"
        raise EngineUnavailable(msg) from error

    def find(role: str) -> models.Weights:
        folder = locate(lock, store, role)
        model = lock.find(role)
        assert model
        return models.Weights(folder, f"{model.repository}@{model.revision}")

    return models.load(
        find, PreviewDescriber(), graphs=supplies.graphs, eight_bits=supplies.eight_bits
    )
