"""One tiny model for the whole session, loaded as the real one would be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipelines.models.device import CPU
from pipelines.models.sdxl.components import Components, load_components
from tests.pipelines.models.sdxl.replica import write_replica
from tests.pipelines.models.supplies import write_supplies


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny models gain nothing from threads, and lose minutes waiting where cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model; tests that change files copy it first."""
    return write_replica(tmp_path_factory.mktemp("replica"))


@pytest.fixture(scope="session")
def components(replica: Path) -> Components:
    return load_components(replica, CPU)


@pytest.fixture(scope="session")
def supplies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with tiny weights of every role and their lock; who changes files copies it."""
    return write_supplies(tmp_path_factory.mktemp("supplies"))
