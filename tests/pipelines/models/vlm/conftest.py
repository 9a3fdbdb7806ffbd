"""One tiny Qwen3-VL for the whole session, loaded as the real one would be."""

from pathlib import Path

import pytest

from pipelines.models.device import CPU
from pipelines.models.vlm.components import Vlm, load_vlm
from tests.pipelines.models.vlm.replica import write_vlm_replica


@pytest.fixture(scope="session")
def vlm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model; tests that change files copy it first."""
    return write_vlm_replica(tmp_path_factory.mktemp("vlm"))


@pytest.fixture(scope="session")
def vlm(vlm_folder: Path) -> Vlm:
    """A tiny model; tests that bend it load their own."""
    return load_vlm(vlm_folder, CPU)
