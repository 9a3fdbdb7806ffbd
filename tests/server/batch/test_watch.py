"""A folder that is watched: pictures are taken when they are whole, once, also after a restart."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.batch.source import Input
from server.batch.watch import Watch
from tests.drawings import draw_meadow, to_png
from tests.server.batch.process import start

PICTURE = to_png(draw_meadow(90, 60))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def rounds(folder: Path) -> Iterator[Iterator[list[Input]]]:
    stopping = threading.Event()
    yield Watch(folder, folder / "out", stopping).rounds()
    stopping.set()


def names(found: list[Input]) -> list[str]:
    return [item.relative.as_posix() for item in found]


def test_what_is_there_what_comes_and_what_changes_is_taken_once(
    folder: Path, rounds: Iterator[list[Input]]
) -> None:
    (folder / "a.png").write_bytes(PICTURE)
    assert names(next(rounds)) == ["a.png"]
    (folder / "deep").mkdir()
    for name in ("deep/b.png", ".hidden.png", "notes.txt", "empty.png"):
        (folder / name).write_bytes(b"" if name == "empty.png" else PICTURE)
    (folder / "out").mkdir()
    (folder / "out/made.png").write_bytes(PICTURE)
    assert names(next(rounds)) == ["deep/b.png"]
    (folder / "a.png").write_bytes(PICTURE + b"\0")
    assert names(next(rounds)) == ["a.png"]


def test_a_file_that_grows_is_waited_for(folder: Path, rounds: Iterator[list[Input]]) -> None:
    grown = threading.Event()
    sizes = []

    def grow() -> None:
        with (folder / "a.png").open("wb") as file:
            for start in range(0, len(PICTURE), len(PICTURE) // 12):
                file.write(PICTURE[start : start + len(PICTURE) // 12])
                file.flush()
                grown.wait(0.15)  # slower than it is looked at, faster than it settles

    writer = threading.Thread(target=grow)
    writer.start()
    found = next(rounds)
    writer.join()
    assert found[0].path is not None
    sizes.append(found[0].path.stat().st_size)
    assert sizes == [len(PICTURE)]


@pytest.mark.slow
def test_a_batch_that_watches_ends_when_told_and_goes_on_later(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (folder / "a.png").write_bytes(PICTURE)
    with start(folder, out, "-s", "40x30", "--watch") as batch:
        assert [line["output"] for line in batch.read(1)] == ["a.png"]
        elsewhere = tmp_path / "b.png"
        elsewhere.write_bytes(PICTURE)
        elsewhere.rename(folder / "b.png")
        (folder / "bad.png").write_bytes(b"text")
        told = {line["output"]: line["error"] for line in batch.read(2)}
        assert told["b.png"] is None
        assert told["bad.png"]["code"] == "image_undecodable"
        (folder / "bad.png").write_bytes(PICTURE)
        assert [line["error"] for line in batch.read(1)] == [None]
        assert batch.tell(signal.SIGTERM) == 0
    assert (out / "report.csv").read_text().count("\n") == 4
    with start(folder, out, "-s", "40x30", "--watch") as batch:
        assert [line["skipped"] for line in batch.read(3)] == [True] * 3
        (folder / "c.png").write_bytes(PICTURE)
        assert [line["output"] for line in batch.read(1)] == ["c.png"]
        assert batch.tell(signal.SIGINT) == 0
    noted = (out / ".smart-resize/batch.jsonl").read_text().splitlines()
    assert len(list(map(json.loads, noted))) == 1 + 5
