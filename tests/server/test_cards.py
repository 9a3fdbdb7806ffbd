"""A machine's cards are told from what its driver says, and doubt stays doubt."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server.cards import VISIBLE, read_memories

Driver = Callable[[str], None]
TWO = "0, GPU-aaaa-1, 24564\n1, GPU-bbbb-2, 8192\n"
LARGE, SMALL = 24564 * 2**20, 8192 * 2**20


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A nvidia-smi that says what it is told to; none until then."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VISIBLE, raising=False)

    def install(answer: str) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\n")
        tool.chmod(0o755)

    return install


def test_a_machine_without_a_driver_has_no_cards(driver: Driver) -> None:
    assert read_memories() == ()


def test_every_card_is_told_with_its_memory(driver: Driver) -> None:
    driver(TWO)
    assert read_memories() == (LARGE, SMALL)


@pytest.mark.parametrize(
    ("visible", "memories"),
    [
        ("0", (LARGE,)),
        ("1", (SMALL,)),
        ("1,0", (SMALL, LARGE)),
        ("GPU-bbbb", (SMALL,)),
        ("", ()),
        ("MIG-1234", None),
        ("7", None),
        ("GPU-", None),
    ],
)
def test_only_what_is_visible_counts(
    visible: str, memories: tuple[int, ...] | None, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(TWO)
    monkeypatch.setenv(VISIBLE, visible)
    assert read_memories() == memories


@pytest.mark.parametrize("answer", ["0, GPU-aaaa-1, [N/A]\n", "no devices\n"])
def test_what_cannot_be_understood_is_not_known(answer: str, driver: Driver) -> None:
    driver(answer)
    assert read_memories() is None


def test_a_driver_that_fails_leaves_it_open(
    tmp_path: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(TWO)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert read_memories() is None
