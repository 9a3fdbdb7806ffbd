"""What ``smart-resize weights`` says of licences, locks, folders and its progress."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.errors import InvalidOption, LicenceNotAccepted, WeightsError, WeightsMismatch
from pipelines.weights.bundle import export_bundle
from pipelines.weights.licences import LICENCES, read_text
from pipelines.weights.lock import WeightsLock
from pipelines.weights.lock_file import find_lock, read_lock, write_lock
from pipelines.weights.store import Store
from server.cli.weights import app
from tests.drawings import draw_meadow
from tests.house.house import ROOT
from tests.pipelines.weights.small_hub import SmallHub, fill, lock_model, make_files, serve

FILES = make_files()
MODEL = lock_model(FILES, "vlm")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "weights.lock"
    write_lock(WeightsLock((MODEL,)), path)
    return path


def test_a_licence_is_printed_whole() -> None:
    done = CliRunner().invoke(app, ["licence", "openrail++"])
    assert done.exit_code == 0
    assert done.stdout == read_text(LICENCES["openrail++"])
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("licence", "said"), [("openrail", "only apache-2.0, mit, openrail"), ("mit", "https://")]
)
def test_a_licence_that_is_not_here_is_a_wrong_option(licence: str, said: str) -> None:
    error = CliRunner().invoke(app, ["licence", licence]).exception
    assert isinstance(error, InvalidOption)
    assert said in error.detail


def test_the_lock_of_the_environment_is_taken_and_the_options_goes_before_it(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.lock"
    write_lock(WeightsLock((lock_model(FILES, "other"),)), other)
    monkeypatch.setenv("SMART_RESIZE_LOCK", str(lock))
    folder = ["--weights", str(tmp_path / "weights")]
    assert "acme/vlm" in CliRunner().invoke(app, ["list", *folder]).stdout
    assert "acme/other" in CliRunner().invoke(app, ["list", *folder, "--lock", str(other)]).stdout


@pytest.mark.parametrize("command", ["run", "plan", "batch", "work"])
def test_whoever_loads_an_engine_takes_the_lock_of_the_environment(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    draw_meadow(60, 40).save(tmp_path / "in/photo.png")
    pictures = [str(tmp_path / "in"), "--aspect", "1:1"]
    words = {
        "run": [*pictures, "--output", str(tmp_path / "out")],
        "plan": pictures,
        "batch": [*pictures[:1], str(tmp_path / "out"), *pictures[1:]],
        "work": ["--data", str(tmp_path / "data")],
    }
    monkeypatch.setenv("SMART_RESIZE_LOCK", str(tmp_path / "own.lock"))
    done = subprocess.run(
        [sys.executable, "-m", "server", command, *words[command], "--engine", "sdxl"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 3, done.stderr
    assert f"{tmp_path / 'own.lock'} cannot be read: there is none" in done.stderr


def test_a_lock_of_ones_own_begins_as_the_installations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SMART_RESIZE_LOCK", str(tmp_path / "own.lock"))
    installed = read_lock(find_lock())
    with serve(SmallHub({"acme/light": make_files(3)})) as hub:
        words = ["lock", "vlm-light", "--repository", "acme/light", "--endpoint", hub.endpoint]
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    own = read_lock(tmp_path / "own.lock")
    light = own.find("vlm-light")
    assert light is not None
    assert light.repository == "acme/light"
    assert not light.unpinned
    assert own.put(installed.models[2]) == installed
    assert read_lock(find_lock()) == installed


def test_a_lock_that_cannot_be_written_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    words = ["lock", "vlm", "--lock", str(tmp_path / "no" / "own.lock"), "--endpoint", "http://[::"]
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, WeightsError)
    assert "own.lock cannot be written; a lock of your own is said with --lock" in error.detail


def test_a_bundle_of_another_lock_leaves_no_trace(lock: Path, tmp_path: Path) -> None:
    other = lock_model(make_files(5), "vlm", "openrail++")
    origin, bundle = Store(tmp_path / "origin"), tmp_path / "weights.tar"
    fill(origin, other, make_files(5))
    export_bundle([other], origin, bundle)
    words = ["bundle", "import", str(bundle), "--lock", str(lock)]
    words += ["--weights", str(tmp_path / "weights"), "--accept-licence", "openrail++"]
    assert isinstance(CliRunner().invoke(app, words).exception, WeightsMismatch)
    assert not (tmp_path / "weights").exists()


def test_which_licence_is_accepted_our_own_lock_says(lock: Path, tmp_path: Path) -> None:
    """A bundle may say that its model is free where our lock says that it is not."""
    origin, bundle = Store(tmp_path / "origin"), tmp_path / "weights.tar"
    fill(origin, MODEL, FILES)
    export_bundle([MODEL], origin, bundle)
    write_lock(WeightsLock((replace(MODEL, licence="openrail++"),)), lock)
    words = ["bundle", "import", str(bundle), "--lock", str(lock)]
    words += ["--weights", str(tmp_path / "weights")]
    assert isinstance(CliRunner().invoke(app, words).exception, LicenceNotAccepted)
    done = CliRunner().invoke(app, [*words, "--accept-licence", "openrail++"])
    assert done.exit_code == 0, done.exception


def test_verify_names_the_folder_where_it_looked(lock: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "weights")
    words = ["verify", "--lock", str(lock), "--weights", str(store.folder)]
    assert f"there is no folder {store.folder}" in CliRunner().invoke(app, words).stderr
    folder = fill(store, MODEL, FILES | {"added.json": b"{}"})
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 3
    assert f"added.json: not in the lock; delete {folder}/added.json" in done.stdout
    assert f"looked in {store.folder}" in done.stderr
    (folder / "added.json").unlink()
    (folder / ".DS_Store").write_bytes(b"?")
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert done.stdout == "vlm: verified, 3 files, 288.01 kB\n"


def test_without_a_terminal_every_file_has_a_line_when_it_begins_and_one_when_it_is_done(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    where = ["--lock", str(lock), "--weights", str(tmp_path / "weights")]
    with serve(SmallHub({"acme/vlm": FILES})) as hub:
        done = CliRunner().invoke(app, ["fetch", *where, "--endpoint", hub.endpoint])
    lines = [
        line
        for path, size in (
            ("config.json", "11 B"),
            ("tokenizer/vocab.txt", "4 B"),
            ("unet/model.safetensors", "288.00 kB"),
        )
        for verb in ("fetch", "verify")
        for line in (f"{verb} {path} ...", f"{verb} {path}: {size} in 0 s")
    ]
    assert done.stderr.splitlines()[:-1] == lines
    again = CliRunner().invoke(app, ["verify", *where])
    assert again.stderr == "", "what is believed is not read"
    deep = CliRunner().invoke(app, ["verify", "--deep", *where])
    assert deep.stderr.splitlines() == [line for line in lines if line.startswith("verify")]


def test_on_a_terminal_fetching_and_verifying_each_have_a_bar(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("FORCE_COLOR", "1")  # to rich, stderr is a terminal then
    where = ["--lock", str(lock), "--weights", str(tmp_path / "weights")]
    with serve(SmallHub({"acme/vlm": FILES})) as hub:
        done = CliRunner().invoke(app, ["fetch", *where, "--endpoint", hub.endpoint])
    assert done.exit_code == 0
    for verb in ("fetch", "verify"):
        assert f"{verb} unet/model.safetensors" in done.stderr
    assert done.stderr.count("288.0/288.0 kB") >= 2
    assert "..." not in done.stderr


def test_a_file_that_failed_has_no_line_that_says_it_is_done(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    where = ["--lock", str(lock), "--weights", str(tmp_path / "weights")]
    with serve(SmallHub({"acme/vlm": FILES})) as hub:
        hub.answers["config.json"] = 403
        done = CliRunner().invoke(app, ["fetch", *where, "--endpoint", hub.endpoint])
    assert isinstance(done.exception, WeightsError)
    assert done.stderr.splitlines() == ["fetch config.json ..."]
