"""The ledger: what is noted stands, what is torn never was, and nobody else writes meanwhile."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from server.batch.ledger import Entry, Ledger
from server.errors import Conflict

DATA = b"a picture"
DONE = Entry(
    output="deep/a.jpg", key="k", input="a.png", slot="9x9", sha256=sha256(DATA).hexdigest()
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.jpg").write_bytes(DATA)
    return tmp_path


def note(out: Path, *entries: Entry) -> Path:
    ledger = Ledger(out)
    for entry in entries:
        ledger.add(entry)
    ledger.close()
    return out / ".smart-resize/batch.jsonl"


def find(out: Path, key: str = "k") -> Entry | None:
    ledger = Ledger(out)
    try:
        return ledger.find_done(Path("deep/a.jpg"), key)
    finally:
        ledger.close()


def test_what_was_noted_is_found_by_the_next_one_with_all_its_numbers(out: Path) -> None:
    entry = replace(DONE, painted=0.5, warnings=("a", "b"), needs_review=True)
    note(out, entry)
    assert find(out) == entry


def test_only_what_was_made_of_the_same_and_is_there_unchanged_is_done(out: Path) -> None:
    note(out, DONE)
    assert find(out, "other") is None
    (out / "deep/a.jpg").write_bytes(b"another picture")
    assert find(out) is None
    (out / "deep/a.jpg").unlink()
    assert find(out) is None


def test_a_file_beside_it_that_is_gone_makes_it_undone(out: Path) -> None:
    (out / "deep/a.json").write_bytes(b"{}")
    note(out, replace(DONE, extras=(("deep/a.json", sha256(b"{}").hexdigest()),)))
    assert find(out)
    (out / "deep/a.json").unlink()
    assert find(out) is None


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_last_line_is_as_if_it_was_never_written(out: Path, cut: int) -> None:
    path = note(out, DONE, replace(DONE, output="b.jpg"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert find(out) == DONE
    note(out, replace(DONE, output="c.jpg"))
    ledger = Ledger(out)
    # cut by the line's end alone, the entry itself is whole
    assert set(ledger.entries) == {"deep/a.jpg", "c.jpg"} | ({"b.jpg"} if cut == 1 else set())
    ledger.close()


def test_lines_that_say_nothing_known_are_passed_over(out: Path) -> None:
    path = note(out, DONE)
    with path.open("a") as file:
        file.write('[1]\n7\n{"output": "x"}\n\xff\n')
        file.write(json.dumps({"output": "deep/a.jpg", "key": "new", "input": "a", "more": 1}))
    assert find(out, "new") is None  # the newest line holds: its sha256 is another


def test_the_name_of_the_batch_outlives_it_but_not_a_fresh_start(out: Path) -> None:
    ledgers = []
    for fresh in (False, False, True):
        ledger = Ledger(out, fresh=fresh)
        ledgers.append((ledger.id, len(ledger.entries)))
        ledger.add(DONE)
        ledger.close()
    (first, _), (second, kept), (third, left) = ledgers
    assert first == second != third
    assert (kept, left) == (1, 0)


def test_a_second_batch_is_refused_until_the_first_has_ended(out: Path) -> None:
    first = Ledger(out)
    with pytest.raises(Conflict, match="another batch"):
        Ledger(out)
    first.close()
    Ledger(out).close()


def test_what_a_killed_batch_left_unfinished_is_swept_away(out: Path) -> None:
    ledger = Ledger(out)
    (ledger.scratch / "half").write_bytes(b"1")
    ledger._file.close()
    ledger._lock.close()  # as the end of the process does
    Ledger(out).close()
    assert not list(out.rglob("half"))


def test_failures_are_counted_for_the_same_work_alone(out: Path) -> None:
    note(out, replace(DONE, error="out_of_memory", failures=2))
    ledger = Ledger(out)
    assert ledger.count_failures(Path("deep/a.jpg"), "k") == 2
    assert ledger.count_failures(Path("deep/a.jpg"), "other") == 0
    assert ledger.find_done(Path("deep/a.jpg"), "k") is None
    ledger.close()
