"""A batch that is killed again and again repeats nothing that was finished, and leaves no half."""

import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from tests.drawings import draw_meadow
from tests.server.batch.process import start

PICTURES = 6
SIZES = ("-s", "64x48,48x64,300x300", "--preset", "iab/button", "--extra", "record")


def find_outputs(out: Path) -> dict[str, tuple[int, int]]:
    """Every file under its final name, and what tells it from one that took its place."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {
        path.relative_to(out).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in files
        if ".smart-resize" not in path.relative_to(out).parts and "report" not in path.name
    }


def read_noted(out: Path) -> Counter[str]:
    lines = (out / ".smart-resize/batch.jsonl").read_text().splitlines()
    return Counter(entry["output"] for entry in map(json.loads, lines) if "output" in entry)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(PICTURES):
        draw_meadow(90, 60, seed=number).save(folder / f"{number}.png")
    return folder


@pytest.mark.slow
def test_nothing_finished_is_repeated_and_nothing_is_half(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    finished: dict[str, tuple[int, int]] = {}
    kills = 0
    for heard in (1, 2, 3, 5, 4):  # records of what was there come first, in no time
        with start(folder, out, *SIZES, "--at-once", "2") as batch:
            batch.read(len([name for name in finished if not name.endswith(".json")]) + heard)
            batch.kill()
        kills += 1
        now = find_outputs(out)
        assert {name: now.get(name) for name in finished} == finished
        assert not [name for name in now if Path(name).name.startswith(".")]
        for name in now:
            if name.endswith(".json"):
                json.loads((out / name).read_text())
            else:
                Image.open(out / name).load()
        finished = now
    before = read_noted(out)
    with start(folder, out, *SIZES, "--resume") as batch:
        assert batch.wait() == 0
    now, noted = find_outputs(out), read_noted(out)
    assert {name: now[name] for name in finished} == finished
    pictures = [name for name in now if not name.endswith(".json")]
    assert len(pictures) == 4 * PICTURES
    assert all(noted[name] == before[name] for name in finished if name in noted)
    # two at once: what was on its way at a kill is all that was made again
    assert 4 * PICTURES <= noted.total() <= 4 * PICTURES + 2 * kills
    assert not list((out / ".smart-resize").glob("unfinished/*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asks_it_to_stop_gets_whole_pictures_and_a_report(
    folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    with start(folder, out, *SIZES) as batch:
        batch.read(2)
        assert batch.tell(number) == 130
    pictures = [name for name in find_outputs(out) if not name.endswith(".json")]
    assert 2 <= len(pictures) < 4 * PICTURES
    assert set(read_noted(out)) == set(pictures)
    assert (out / "report.csv").read_text().count("\n") == len(pictures) + 1
    with start(folder, out, *SIZES) as batch:
        assert batch.wait() == 0
    assert read_noted(out).total() == 4 * PICTURES
