"""``smart-resize weights`` as people and scripts use it, against a hub on loopback."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.errors import InvalidOption, LicenceNotAccepted, ReframeError, WeightsMismatch
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.lock_file import read_lock, write_lock
from server.cli.weights import app
from tests.pipelines.weights.small_hub import (
    REVISION,
    SmallHub,
    lock_model,
    make_files,
    serve,
)

PAINTER, DESCRIBER = make_files(1), make_files(2)
LIGHT = LockedModel(
    role="light",
    repository="acme/light",
    revision=REVISION,
    licence="apache-2.0",
    files=tuple(LockedFile(path) for path in sorted(PAINTER)),
    optional=True,
)


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str
    error: ReframeError | None


Call = Callable[..., Done]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "weights.lock"
    models = lock_model(PAINTER, "inpaint", "openrail++"), lock_model(DESCRIBER, "vlm"), LIGHT
    write_lock(WeightsLock(models), path)
    return path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names = {"acme/inpaint": PAINTER, "acme/vlm": DESCRIBER, "acme/light": make_files(3)}
    with serve(SmallHub({name: dict(files) for name, files in names.items()})) as hub:
        yield hub


@pytest.fixture
def call(lock: Path, tmp_path: Path) -> Call:
    def run(*arguments: str | Path, folder: str = "weights") -> Done:
        words = [*map(str, arguments), "--lock", str(lock)]
        if arguments[0] != "lock":
            words += ["--weights", str(tmp_path / folder)]
        result = CliRunner().invoke(app, words)
        error = result.exception if isinstance(result.exception, ReframeError) else None
        if result.exception and not error and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr, error)

    return run


def fetch_all(call: Call, hub: SmallHub) -> Done:
    return call("fetch", "--endpoint", hub.endpoint, "--accept-licence", "openrail++")


def test_the_list_shows_what_is_here_and_what_is_not(call: Call, hub: SmallHub) -> None:
    before = call("list").stdout.splitlines()
    line = ["inpaint", "acme/inpaint", "openrail++ (to be accepted)", "288.01 kB", "missing"]
    assert [cell.strip() for cell in before[1].split("  ") if cell] == line
    assert before[3].endswith("not pinned (optional)")
    fetch_all(call, hub)
    after = call("list").stdout
    assert "(accepted)" in after
    assert after.count("verified") == 2


def test_the_list_as_json_has_every_fact(call: Call, tmp_path: Path) -> None:
    inpaint = json.loads(call("list", "--json").stdout)[0]
    assert inpaint == {
        "role": "inpaint",
        "repository": "acme/inpaint",
        "revision": REVISION,
        "licence": "openrail++",
        "accepted": False,
        "optional": False,
        "bytes": sum(map(len, PAINTER.values())),
        "folder": str(tmp_path / "weights" / "acme--inpaint" / REVISION),
        "state": "missing",
        "problems": dict.fromkeys(PAINTER, "missing"),
    }


def test_folders_of_other_revisions_are_pointed_out(call: Call, tmp_path: Path) -> None:
    old = tmp_path / "weights" / "acme--inpaint" / ("f" * 40)
    old.mkdir(parents=True)
    assert f"free to be deleted: {old}" in call("list").stderr


def test_a_fetch_without_acceptance_says_how_and_asks_the_hub_nothing(
    call: Call, hub: SmallHub
) -> None:
    done = call("fetch", "--endpoint", hub.endpoint)
    assert isinstance(done.error, LicenceNotAccepted)
    assert "--accept-licence openrail++" in done.error.detail
    assert hub.requests == []


def test_an_acceptance_is_remembered(call: Call, hub: SmallHub) -> None:
    assert fetch_all(call, hub).code == 0
    again = call("fetch", "--endpoint", hub.endpoint)
    assert again.code == 0
    assert again.stderr.startswith("nothing is missing in")


def test_accepting_a_licence_that_no_model_has_is_a_wrong_option(
    call: Call, hub: SmallHub, tmp_path: Path
) -> None:
    done = call("fetch", "--endpoint", hub.endpoint, "--accept-licence", "openrail")
    assert isinstance(done.error, InvalidOption)
    assert not (tmp_path / "weights").exists()


def test_a_role_that_is_not_locked_is_a_wrong_option(call: Call) -> None:
    assert isinstance(call("fetch", "painter").error, InvalidOption)


def test_a_dry_run_says_what_is_missing_and_gets_nothing(
    call: Call, hub: SmallHub, tmp_path: Path
) -> None:
    done = call("fetch", "vlm", "--dry-run", "--endpoint", hub.endpoint)
    assert "vlm: unet/model.safetensors, 288.00 kB" in done.stdout
    assert "3 files, 288.01 kB to fetch" in done.stderr
    assert hub.requests == []
    assert not (tmp_path / "weights").exists()


def test_a_fetch_prints_results_on_stderr_and_nothing_on_stdout(call: Call, hub: SmallHub) -> None:
    done = fetch_all(call, hub)
    assert done.stdout == ""
    assert "6 files, 576.03 kB fetched and verified" in done.stderr


def test_verify_ends_with_three_until_everything_is_right(
    call: Call, hub: SmallHub, tmp_path: Path
) -> None:
    missing = call("verify")
    assert missing.code == 3
    assert missing.stdout.splitlines() == [
        "inpaint: missing, 3 files, 288.01 kB",
        "vlm: missing, 3 files, 288.01 kB",
    ]
    fetch_all(call, hub)
    assert call("verify").code == 0
    (tmp_path / "weights" / "acme--vlm" / REVISION / "config.json").write_bytes(b"{}")
    damaged = call("verify")
    assert damaged.code == 3
    assert "vlm: damaged, 3 files, 288.01 kB\n  config.json: wrong size" in damaged.stdout
    assert call("verify", "inpaint").code == 0
    assert call("verify", "inpaint", "--deep").code == 0
    assert json.loads(call("verify", "vlm", "--json").stdout)[0]["problems"] == {
        "config.json": "wrong size"
    }


def test_a_bundle_goes_from_one_folder_to_another(
    call: Call, hub: SmallHub, tmp_path: Path
) -> None:
    fetch_all(call, hub)
    bundle = tmp_path / "weights.tar"
    assert "2 models, 576.03 kB" in call("bundle", "export", bundle).stderr
    refused = call("bundle", "import", bundle, folder="other")
    assert isinstance(refused.error, LicenceNotAccepted)
    done = call("bundle", "import", bundle, "--accept-licence", "openrail++", folder="other")
    assert done.code == 0
    assert call("verify", "--deep", folder="other").code == 0


def test_lock_completes_what_is_not_known_and_then_it_can_be_fetched(
    call: Call, hub: SmallHub, lock: Path
) -> None:
    assert "weights lock light" in str(call("fetch", "light").error)
    done = call("lock", "--endpoint", hub.endpoint)
    assert f"light: acme/light at {REVISION[:12]}, changed" in done.stderr
    light = read_lock(lock).find("light")
    assert light is not None
    assert light.optional
    assert call("fetch", "light", "--endpoint", hub.endpoint).code == 0


def test_lock_leaves_the_file_alone_when_the_hub_contradicts_it(
    call: Call, hub: SmallHub, lock: Path
) -> None:
    before = lock.read_bytes()
    hub.announced["acme/vlm"]["unet/model.safetensors"] = make_files(9)["unet/model.safetensors"]
    assert isinstance(call("lock", "--endpoint", hub.endpoint).error, WeightsMismatch)
    assert lock.read_bytes() == before


def test_lock_takes_in_a_new_repository_for_one_role(call: Call, hub: SmallHub, lock: Path) -> None:
    arguments = ("--repository", "acme/light", "--include", "unet/*", "--endpoint", hub.endpoint)
    assert isinstance(call("lock", *arguments).error, InvalidOption)
    hub.files["acme/light"]["LICENSE"] = hub.announced["acme/light"]["LICENSE"] = b"be kind"
    other = lock.read_text().replace("acme/light", "acme/old")
    lock.write_text(other)
    assert call("lock", "light", *arguments).code == 0
    light = read_lock(lock).find("light")
    assert light is not None
    assert [file.path for file in light.files] == ["LICENSE", "unet/model.safetensors"]
    assert light.optional, "as before"


def test_a_fetch_talks_to_its_endpoint_and_to_nobody_else(
    hub: SmallHub, lock: Path, tmp_path: Path
) -> None:
    program = """
import sys
def watch(event, arguments):
    if event == "socket.connect" and arguments[1][0] != "127.0.0.1":
        raise SystemExit(f"somebody else was asked: {arguments}")
    if event == "socket.getaddrinfo" and arguments[0] != "127.0.0.1":
        raise SystemExit(f"somebody else was looked up: {arguments}")
sys.addaudithook(watch)
from server.cli.weights import app
app()
"""
    cache = tmp_path / "home" / "hub" / "models--acme--vlm" / "snapshots" / REVISION
    cache.mkdir(parents=True)
    (cache / "config.json").write_bytes(b"{}")
    words = ["fetch", "vlm", "--endpoint", hub.endpoint, "--lock", str(lock)]
    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--weights", str(tmp_path / "weights")],
        capture_output=True,
        text=True,
        check=False,
        env={"HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    assert all("/acme/vlm/resolve/" in request for request in hub.requests)
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert left == [cache / "config.json"], "and neither leaves nor takes anything elsewhere"
