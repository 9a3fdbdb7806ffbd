"""Verifying is offline, sees every difference, and reads no more than it must."""

import os
from pathlib import Path

import pytest

from pipelines.errors import WeightsError, WeightsMismatch, WeightsMissing
from pipelines.weights import list_missing, locate
from pipelines.weights.fetch import list_wanted
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.store import Store
from pipelines.weights.verify import LEFT_BY_BROWSERS, Depth, State, verify
from tests.pipelines.weights.small_hub import REVISION, fill, lock_model, make_files

FILES = make_files()
MODEL = lock_model(FILES)
LOCK = WeightsLock((MODEL,))
WEIGHTS = "unet/model.safetensors"


def problems(store: Store, depth: Depth = Depth.NEW) -> dict[str, State]:
    return {found.path: found.state for found in verify(MODEL, store, depth).problems}


def flip_a_bit_and_keep_the_time(path: Path) -> None:
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_files_as_the_lock_names_them_are_verified(store: Store) -> None:
    fill(store, MODEL, FILES)
    report = verify(MODEL, store)
    assert report.is_good
    assert report.summary == "verified"


def test_an_empty_folder_has_everything_missing_and_gets_nothing_written(store: Store) -> None:
    assert problems(store) == dict.fromkeys(FILES, State.MISSING)
    assert verify(MODEL, store).summary == "missing"
    assert not store.folder.exists()


def test_every_kind_of_difference_has_its_name(store: Store) -> None:
    folder = fill(store, MODEL, FILES)
    (folder / "config.json").unlink()
    (folder / "tokenizer/vocab.txt").write_bytes(b"a\nb\nc\n")
    flip_a_bit_and_keep_the_time(folder / WEIGHTS)
    (folder / "unet/added.json").write_bytes(b"{}")
    (folder / "link").symlink_to("/etc")
    assert problems(store) == {
        "config.json": State.MISSING,
        "tokenizer/vocab.txt": State.SIZE,
        WEIGHTS: State.CONTENT,
        "unet/added.json": State.EXTRA,
        "link": State.EXTRA,
    }
    assert verify(MODEL, store).summary == "damaged"


def test_a_verified_file_is_believed_until_its_size_or_time_changes(store: Store) -> None:
    path = fill(store, MODEL, FILES) / WEIGHTS
    verify(MODEL, store)
    flip_a_bit_and_keep_the_time(path)
    assert problems(store) == {}
    os.utime(path, ns=(1, 1))
    assert problems(store) == {WEIGHTS: State.CONTENT}


def test_a_deep_look_believes_nothing(store: Store) -> None:
    path = fill(store, MODEL, FILES) / WEIGHTS
    verify(MODEL, store)
    flip_a_bit_and_keep_the_time(path)
    assert problems(store, Depth.ALL) == {WEIGHTS: State.CONTENT}
    assert problems(store) == {WEIGHTS: State.CONTENT}, "and what was noted before is forgotten"


def test_a_note_for_another_lock_is_not_believed(store: Store) -> None:
    fill(store, MODEL, FILES)
    verify(MODEL, store)
    other = dict(FILES, **{"config.json": b'{"seed": 9}'})
    report = verify(lock_model(other), store)
    assert [(found.path, found.state) for found in report.problems] == [
        ("config.json", State.CONTENT)
    ]


def test_a_glance_reads_nothing(store: Store) -> None:
    fill(store, MODEL, FILES)
    assert problems(store, Depth.NOTHING) == dict.fromkeys(FILES, State.UNREAD)
    assert verify(MODEL, store, Depth.NOTHING).summary == "not verified"
    verify(MODEL, store)
    assert verify(MODEL, store, Depth.NOTHING).summary == "verified"


@pytest.mark.parametrize("note", ["", "[]", "{", '{"config.json": 1}', '{"config.json": [1, 2]}'])
def test_a_damaged_note_only_means_reading_again(store: Store, note: str) -> None:
    fill(store, MODEL, FILES)
    store.record_of(MODEL).write_text(note)
    assert verify(MODEL, store).is_good


def test_the_meter_hears_of_every_byte_once(store: Store) -> None:
    fill(store, MODEL, FILES)
    read: list[int] = []
    verify(MODEL, store, meter=lambda _, count: read.append(count))
    believed: list[int] = []
    verify(MODEL, store, meter=lambda _, count: believed.append(count))
    assert sum(read) == sum(believed) == MODEL.size


def test_a_file_that_the_lock_does_not_know_is_never_good(store: Store) -> None:
    model = LockedModel("vlm", "acme/vlm", REVISION, "mit", (LockedFile("config.json", 2),))
    assert verify(model, store).summary == "not pinned"
    fill(store, model, {"config.json": b"{}"})
    assert [found.state for found in verify(model, store).findings] == [State.UNPINNED]


def test_a_role_leads_to_the_verified_folder_of_its_model(store: Store) -> None:
    folder = fill(store, MODEL, FILES)
    assert locate(LOCK, store, "inpaint") == folder
    assert (folder / WEIGHTS).is_file()


def test_a_role_whose_files_are_missing_says_which_command_gets_them(store: Store) -> None:
    with pytest.raises(WeightsMissing, match="smart-resize weights fetch inpaint"):
        locate(LOCK, store, "inpaint")
    folder = fill(store, MODEL, FILES)
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"config.json is missing; .* fetch inpaint") as begun:
        locate(LOCK, store, "inpaint")
    assert not isinstance(begun.value, WeightsMissing), "who may do without must hear of it"
    with pytest.raises(WeightsMissing, match="no model for painter"):
        locate(LOCK, store, "painter")


def test_a_role_with_a_wrong_file_is_refused_even_when_another_is_missing(store: Store) -> None:
    folder = fill(store, MODEL, dict(FILES, **{"config.json": b'{"seed": 7}'}))
    (folder / WEIGHTS).unlink()
    with pytest.raises(WeightsMismatch, match="and 1 more"):
        locate(LOCK, store, "inpaint")


def test_a_role_whose_files_are_others_is_refused(store: Store) -> None:
    fill(store, MODEL, dict(FILES, **{"config.json": b'{"seed": 7}'}))
    with pytest.raises(
        WeightsMismatch, match=r"config.json is .*smart-resize weights verify inpai"
    ):
        locate(LOCK, store, "inpaint")


@pytest.mark.parametrize(
    "path", ["unet/added.json", "added.safetensors", "code.py", "model.bin", "._model.safetensors"]
)
def test_a_role_with_a_file_too_many_says_what_to_delete(store: Store, path: str) -> None:
    folder = fill(store, MODEL, FILES | {path: b"{}"})
    with pytest.raises(WeightsMismatch, match=f"{path} is not in the lock; delete {folder}/{path}"):
        locate(LOCK, store, "inpaint")


@pytest.mark.parametrize("path", LEFT_BY_BROWSERS)
def test_what_file_browsers_leave_behind_is_nobodys_concern(store: Store, path: str) -> None:
    folder = fill(store, MODEL, FILES | {path: b"?", f"unet/{path}": b"?"})
    assert locate(LOCK, store, "inpaint") == folder
    (folder / path).unlink()
    (folder / path).symlink_to(folder / "config.json")
    with pytest.raises(WeightsMismatch, match="not in the lock"):
        locate(LOCK, store, "inpaint")


def test_a_folder_in_the_place_of_a_file_is_named(store: Store) -> None:
    folder = fill(store, MODEL, FILES)
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    assert problems(store) == {"config.json": State.FOLDER}
    assert verify(MODEL, store).summary == "damaged"
    with pytest.raises(WeightsMismatch, match=f"delete {folder}/config.json"):
        locate(LOCK, store, "inpaint")
    with pytest.raises(WeightsError, match=f"{folder}/config.json is a folder where a file"):
        list_wanted([MODEL], store)


def test_a_file_in_the_place_of_a_folder_is_named(store: Store) -> None:
    folder = fill(store, MODEL, {"unet": b"?"})
    with pytest.raises(WeightsError, match=f"{folder}/unet is a file where a folder"):
        list_wanted([MODEL], store)


def test_a_model_that_is_not_whole_is_told_at_a_glance(store: Store) -> None:
    assert list_missing(LOCK, store, ["inpaint"]) == [MODEL]
    path = fill(store, MODEL, FILES) / WEIGHTS
    assert list_missing(LOCK, store, ["inpaint"]) == []
    path.unlink()
    assert list_missing(LOCK, store, ["inpaint"]) == [MODEL]
    with pytest.raises(WeightsMissing, match="no model for painter"):
        list_missing(LOCK, store, ["painter"])


def test_a_store_that_cannot_be_written_is_verified_all_the_same(store: Store) -> None:
    fill(store, MODEL, FILES)
    store.record_of(MODEL).mkdir()  # in the way of the note, for root too
    assert locate(LOCK, store, "inpaint") == store.folder_of(MODEL)
