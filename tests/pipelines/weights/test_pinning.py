"""The online half of the lock: what the hub says is checked, and what was known stays."""

import pytest

from pipelines.errors import LockInvalid, WeightsError, WeightsMismatch
from pipelines.weights.hub import Hub
from pipelines.weights.lock import LockedFile, LockedModel
from pipelines.weights.pinning import Wish, pin
from tests.pipelines.weights.small_hub import (
    REVISION,
    SmallHub,
    git_blob,
    make_files,
    serve,
    sha256,
)

FILES = make_files()
WISH = Wish("inpaint", "acme/inpaint", "main")
UNKNOWN = LockedModel(
    "inpaint", "acme/inpaint", REVISION, "mit", tuple(LockedFile(path) for path in sorted(FILES))
)


def small_hub(**extra: bytes) -> SmallHub:
    names = {name.replace("__", "."): data for name, data in extra.items()}
    return SmallHub({"acme/inpaint": make_files() | names}, licence="openrail++")


def test_a_branch_becomes_a_commit_and_every_file_gets_its_sha256() -> None:
    with serve(small_hub()) as hub:
        model = pin(WISH, Hub(hub.endpoint))
        small = [path for path in FILES if len(FILES[path]) < 10_000]
        fetched = {request.rsplit("/", 1)[-1] for request in hub.requests if "GET /acme" in request}
    assert model.revision == REVISION
    assert model.licence == "openrail++"
    assert [pin.path for pin in model.pins()] == sorted(FILES)
    for file in model.pins():
        assert (file.size, file.sha256) == (len(FILES[file.path]), sha256(FILES[file.path]))
    assert fetched == {path.rsplit("/", 1)[-1] for path in small}, "large files are not fetched"
    assert {file.path: file.git_blob for file in model.files if file.git_blob} == {
        path: git_blob(FILES[path]) for path in small
    }


def test_what_a_lock_did_not_know_is_completed() -> None:
    with serve(small_hub()) as hub:
        model = pin(Wish.of(UNKNOWN), Hub(hub.endpoint), UNKNOWN)
    assert not model.unpinned
    assert [file.path for file in model.files] == sorted(FILES)


def test_only_the_files_asked_for_are_locked_and_the_licence_with_them() -> None:
    with serve(small_hub(LICENSE__md=b"be kind", extra__json=b"{}")) as hub:
        model = pin(Wish("inpaint", "acme/inpaint", "main", ("unet/*",)), Hub(hub.endpoint))
    assert [file.path for file in model.files] == ["LICENSE.md", "unet/model.safetensors"]


def test_what_may_run_code_is_left_out_and_refused_when_asked_for() -> None:
    with serve(small_hub(model__bin=b"pickle")) as hub:
        assert len(pin(WISH, Hub(hub.endpoint)).files) == len(FILES)
        with pytest.raises(LockInvalid, match=r"model.bin must not be locked"):
            pin(Wish("inpaint", "acme/inpaint", "main", ("*.bin",)), Hub(hub.endpoint))


def test_a_small_file_that_is_not_the_one_in_the_hubs_list_is_refused() -> None:
    with serve(small_hub()) as hub:
        hub.files["acme/inpaint"]["config.json"] = b'{"seed": 1}'
        with pytest.raises(WeightsMismatch, match=r"config.json arrived as another file"):
            pin(WISH, Hub(hub.endpoint))


@pytest.mark.parametrize(
    "known",
    [
        LockedFile("config.json", sha256="0" * 64),
        LockedFile("config.json", git_blob="0" * 40),
        LockedFile("unet/model.safetensors", size=1),
        LockedFile("unet/model.safetensors", sha256="0" * 64),
    ],
    ids=lambda file: f"{file.path} {file.size} {file.sha256} {file.git_blob}",
)
def test_what_the_lock_knows_is_never_changed_at_the_same_revision(known: LockedFile) -> None:
    before = LockedModel("inpaint", "acme/inpaint", REVISION, "mit", (known,))
    with serve(small_hub()) as hub:
        with pytest.raises(WeightsMismatch, match="one and the same revision"):
            pin(Wish.of(before), Hub(hub.endpoint), before)
        older = LockedModel("inpaint", "acme/inpaint", "f" * 40, "mit", (known,))
        assert pin(WISH, Hub(hub.endpoint), older).revision == REVISION


def test_a_file_that_is_not_there_any_more_is_said_by_name() -> None:
    with serve(small_hub()) as hub, pytest.raises(WeightsError, match=r"has no file gone.json"):
        pin(Wish("inpaint", "acme/inpaint", "main", ("gone.json",)), Hub(hub.endpoint))


def test_a_repository_that_is_not_there_is_our_error() -> None:
    with serve(small_hub()) as hub, pytest.raises(WeightsError, match="could not be had"):
        pin(Wish("inpaint", "acme/other", "main"), Hub(hub.endpoint))


def test_a_hub_that_says_no_licence_leaves_the_known_one() -> None:
    silent = small_hub()
    silent.licence = None
    with serve(silent) as hub:
        assert pin(Wish.of(UNKNOWN), Hub(hub.endpoint), UNKNOWN).licence == "mit"
        assert pin(WISH, Hub(hub.endpoint)).licence == "unknown"
