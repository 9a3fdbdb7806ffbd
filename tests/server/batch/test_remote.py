"""A batch that a server carries out: with its real API and worker, also when either is ended."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.access.key_store import KeyStore
from server.batch.remote_maker import LARGE
from server.database.engine import database_url, open_database
from server.jobs.workers import Beat, beat
from tests.drawings import draw_meadow, to_png
from tests.server.batch.process import Process, start
from tests.server.console import size_of
from tests.server.live import serve

pytestmark = pytest.mark.slow


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(3):
        draw_meadow(90, 60, seed=number + 50).save(folder / "deep" / f"{number}.png")
    return folder


def batch(base: str, secret: str, *arguments: str | Path) -> Any:
    return start(*arguments, "--server", base, SMART_RESIZE_API_KEY=secret)


def count_runs(base: str, secret: str) -> int:
    answer = httpx2.get(f"{base}/v1/runs?limit=500", headers={"X-API-Key": secret})
    return len(answer.json()["items"])


def finish(process: Process) -> list[dict[str, Any]]:
    """All records that are still to come."""
    lines = []
    while found := process.read(1):
        lines += found
    return lines


def test_the_same_tree_comes_back_and_nothing_is_asked_for_twice(
    server: tuple[str, str], folder: Path, tmp_path: Path
) -> None:
    out, before = tmp_path / "out", count_runs(*server)
    wishes = ("--preset", "iab/button,iab/smartphone-banner", "-s", "64x48")
    with batch(*server, folder, out, *wishes) as process:
        lines = finish(process)
        assert process.wait() == 0
    assert len(lines) == 9
    assert size_of(out / "deep/0_120x60.jpg") == (120, 60)
    assert size_of(out / "deep/2_64x48.png") == (64, 48)
    assert all(line["painted"] is not None and line["seconds"] > 0 for line in lines)
    assert (out / "deep/0_120x60.jpg").read_bytes()[6:10] == b"JFIF"
    assert count_runs(*server) == before + 3  # one for each picture
    with batch(*server, folder, out, *wishes) as process:
        assert {line["skipped"] for line in finish(process)} == {True}
        assert process.wait() == 0
    assert count_runs(*server) == before + 3


def test_one_output_that_cannot_be_made_leaves_its_siblings_be(
    server: tuple[str, str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (folder / "bad.png").write_bytes(b"text")
    with batch(*server, folder, out, "-s", "64x48,64x64", "--max-crop", "0.5") as process:
        lines = {line["output"]: line["error"] for line in finish(process)}
        assert process.wait() == 1
    assert lines.pop("bad_64x48.png")["code"] == lines.pop("bad_64x64.png")["code"]
    assert set(lines.values()) == {None}
    assert len(lines) == 6


def test_a_large_picture_is_uploaded_once_for_all_its_runs(
    server: tuple[str, str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    data = to_png(draw_meadow(60, 40)) + bytes(LARGE)  # what follows the picture is passed over
    (folder / "large.png").write_bytes(data)
    with batch(*server, folder, out, "-s", "64x48", "--preset", "iab/button") as process:
        lines = finish(process)
        assert process.wait() == 0, lines
    assert size_of(out / "large_64x48.png") == (64, 48)
    before = count_runs(*server)
    for path in out.glob("large*"):
        path.unlink()
    with batch(*server, folder, out, "-s", "64x48", "--preset", "iab/button") as process:
        finish(process)
        assert process.wait() == 0
    assert count_runs(*server) == before  # the runs of before are found, and fetched again


def test_a_batch_that_is_killed_finds_its_runs_again(
    server: tuple[str, str], folder: Path, tmp_path: Path
) -> None:
    out, before = tmp_path / "out", count_runs(*server)
    for _ in range(2):
        with batch(*server, folder, out, "-s", "300x300", "--at-once", "1") as process:
            process.read(1)
            process.kill()
    with batch(*server, folder, out, "-s", "300x300") as process:
        finish(process)
        assert process.wait() == 0
    assert count_runs(*server) == before + 3
    noted = (out / ".smart-resize/batch.jsonl").read_text().splitlines()
    assert len([line for line in noted if json.loads(line).get("error") == ""]) <= 3 + 2


def test_a_server_may_restart_while_a_batch_goes_on(folder: Path, tmp_path: Path) -> None:
    data, out, port = tmp_path / "data", tmp_path / "out", free_port()
    data.mkdir()
    wishes = (folder, out, "-s", "300x300,400x200", "--at-once", "1")
    with serve(data, "--port", port) as (base, secret):
        process = batch(base, secret, *wishes)
        running = process.__enter__()
        first = running.read(1)
    try:
        with serve(data, "--port", port) as (again, _):
            assert again == base
            rest = finish(running)
            assert running.wait() == 0
    finally:
        process.__exit__(None, None, None)
    assert len(first) + len(rest) == 6
    assert {line["error"] for line in rest} == {None}


def test_what_the_key_has_of_its_own_changes_no_output(folder: Path, tmp_path: Path) -> None:
    data, out, here = tmp_path / "data", tmp_path / "out", tmp_path / "here"
    data.mkdir()
    with serve(data) as (base, _):
        database = open_database(database_url(data, None))
        defaults = {"xmp": False, "extras": ["mask", "generated"]}
        _, secret = KeyStore(database).create("studio", defaults=defaults)
        database.dispose()
        with batch(base, secret, folder, out, "-s", "64x48", "--extra", "mask") as process:
            finish(process)
            assert process.wait() == 0
    with start(folder, here, "-s", "64x48", "--extra", "mask") as process:
        finish(process)
        assert process.wait() == 0
    made = {path.name for path in (out / "deep").iterdir()}
    assert made == {path.name for path in (here / "deep").iterdir()}
    assert len(made) == 6
    for name in made:
        assert (out / "deep" / name).read_bytes() == (here / "deep" / name).read_bytes()


def test_a_wrong_key_is_told_before_anything_is_sent(
    server: tuple[str, str], folder: Path, tmp_path: Path
) -> None:
    base, _ = server
    with batch(base, "wrong", folder, tmp_path / "out", "-s", "64x48") as process:
        assert finish(process) == []
        assert process.wait() == 1


def test_another_engine_on_the_server_makes_everything_again(folder: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    with serve(data) as server:
        skipped = []
        for engine in ("preview", "preview", "another"):
            beat(open_database(database_url(data, None)), Beat("w", "cpu", engine, 1))
            with batch(*server, folder, out, "-s", "64x48") as process:
                skipped.append([line.get("skipped", False) for line in finish(process)])
                assert process.wait() == 0
    assert skipped == [[False] * 3, [True] * 3, [False] * 3]
