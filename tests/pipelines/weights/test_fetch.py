"""What a fetch brings is what the lock names, whatever the hub and the line do."""

import fcntl
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from pipelines.errors import LicenceNotAccepted, WeightsError, WeightsMismatch
from pipelines.weights import locate
from pipelines.weights.digest import Meter, ignore_bytes
from pipelines.weights.fetch import fetch, list_wanted
from pipelines.weights.hub import Hub
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.store import SPARE, Store, check_space
from pipelines.weights.verify import Depth, verify
from tests.pipelines.weights.small_hub import (
    REVISION,
    SmallHub,
    fill,
    lock_all,
    lock_model,
    make_files,
    serve,
)

WEIGHTS = "unet/model.safetensors"
FILES = make_files()
MODEL = lock_model(FILES)


def list_files(store: Store) -> dict[str, bytes]:
    """What has a final name."""
    folder = store.folder_of(MODEL)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def bring(
    models: Sequence[LockedModel],
    store: Store,
    hub: SmallHub,
    *,
    fetched: Meter = ignore_bytes,
    verified: Meter = ignore_bytes,
    free: int | None = None,
) -> None:
    """Fetch whatever is wanted of ``models``."""
    wanted = list_wanted(models, store)
    fetch(wanted, store, Hub(hub.endpoint), fetched=fetched, verified=verified, free=free)


def small_hub() -> SmallHub:
    return SmallHub({"acme/inpaint": make_files()})


def test_a_fetch_brings_every_file_and_leaves_nothing_else(store: Store) -> None:
    fetched: list[int] = []
    verified: list[int] = []
    with serve(small_hub()) as hub:
        bring(
            [MODEL],
            store,
            hub,
            fetched=lambda _, count: fetched.append(count),
            verified=lambda _, count: verified.append(count),
        )
    assert list_files(store) == FILES
    assert sum(fetched) == sum(verified) == MODEL.size
    assert verify(MODEL, store, Depth.NOTHING).is_good, "without reading it again"
    assert locate(WeightsLock((MODEL,)), store, "inpaint") == store.folder_of(MODEL)
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "acme--inpaint"]
    assert "Apache License" in store.notice_of(MODEL).read_text("utf-8")


def test_several_models_with_files_of_the_same_name_do_not_mix(store: Store) -> None:
    files = {"a": make_files(1), "b": make_files(2)}
    lock = lock_all(**files)
    with serve(SmallHub({f"acme/{role}": files[role] for role in files})) as hub:
        bring(lock.models, store, hub)
    for role, content in files.items():
        folder = locate(lock, store, role)
        assert (folder / "config.json").read_bytes() == content["config.json"]


def test_a_second_fetch_asks_for_nothing(store: Store) -> None:
    with serve(small_hub()) as hub:
        bring([MODEL], store, hub)
        hub.requests.clear()
        assert list_wanted([MODEL], store) == []
        bring([MODEL], store, hub)
        assert hub.requests == []


def test_only_what_is_missing_or_wrong_is_asked_for(store: Store) -> None:
    fill(store, MODEL, dict(FILES, **{"config.json": b'{"seed": 9}'}))
    with serve(small_hub()) as hub:
        bring([MODEL], store, hub)
        assert all(request.endswith("/config.json") for request in hub.requests)
    assert list_files(store) == FILES


def test_a_cut_line_is_taken_up_where_it_broke(store: Store) -> None:
    """The library hands on 10 MiB at a time; what arrived of the next piece is asked for again."""
    files = {WEIGHTS: Random(1).randbytes(12 * 2**20)}
    heard: list[int] = []
    with serve(SmallHub({"acme/inpaint": files})) as hub:
        hub.cut_after[WEIGHTS] = 11 * 2**20
        model = lock_model(files)
        bring([model], store, hub, fetched=lambda _, count: heard.append(count))
    assert list_files(store) == files
    assert sum(heard) == model.size
    again = f"GET /acme/inpaint/resolve/{REVISION}/{WEIGHTS} bytes={10 * 2**20}-"
    assert hub.requests[-1] == again


def test_a_cut_line_that_stays_cut_leaves_only_whole_files(store: Store) -> None:
    with serve(small_hub()) as hub:
        hub.cut_after[WEIGHTS], hub.gone_after_cut = 100_000, True
        with pytest.raises(WeightsError, match=f"acme/inpaint: {WEIGHTS} could not be had"):
            bring([MODEL], store, hub)
        assert list_files(store).keys() == FILES.keys() - {WEIGHTS}
        assert not (store.folder / ".incoming").exists()
        hub.requests.clear()
        hub.gone.clear()
        bring([MODEL], store, hub)
        assert all(request.endswith(WEIGHTS) for request in hub.requests)
    assert list_files(store) == FILES


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_flipped_bit_is_noticed_and_the_file_thrown_away(store: Store, path: str) -> None:
    with serve(small_hub()) as hub:
        data = bytearray(FILES[path])
        data[-1] ^= 1
        hub.files["acme/inpaint"][path] = bytes(data)
        with pytest.raises(WeightsMismatch, match=f"{path} arrived with .*thrown away"):
            bring([MODEL], store, hub)
    assert path not in list_files(store)
    assert not (store.folder / ".incoming").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "arrived with 0 bytes"),
        (b"{}", "arrived with 2 bytes"),
        (b"x" * 5_000_000, "more than the 11 bytes"),
    ],
    ids=["none", "less", "flood"],
)
def test_a_wrong_size_is_noticed(store: Store, content: bytes, reason: str) -> None:
    with serve(small_hub()) as hub:
        hub.files["acme/inpaint"]["config.json"] = content
        with pytest.raises(WeightsMismatch, match=f"config.json.* {reason}"):
            bring([MODEL], store, hub)
    assert list_files(store) == {}


def test_a_file_that_the_hub_does_not_have_is_our_error(store: Store) -> None:
    with serve(small_hub()) as hub:
        del hub.files["acme/inpaint"]["config.json"]
        with pytest.raises(WeightsError, match=r"config.json could not be had"):
            bring([MODEL], store, hub)
    assert list_files(store) == {}


def test_a_disk_that_is_too_small_is_noticed_before_anything_is_asked(store: Store) -> None:
    with serve(small_hub()) as hub:
        with pytest.raises(WeightsError, match=r"GB free; .* GB are needed"):
            bring([MODEL], store, hub, free=MODEL.size + SPARE - 1)
        assert hub.requests == []
        bring([MODEL], store, hub, free=MODEL.size + SPARE)


def test_space_is_measured_on_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    check_space(tmp_path / "not" / "yet", 1)
    with pytest.raises(WeightsError, match="are needed"):
        check_space(tmp_path / "not" / "yet", 10**18)


def test_a_licence_with_conditions_is_accepted_before_anything_is_asked(store: Store) -> None:
    model = lock_model(FILES, licence="openrail++")
    with serve(small_hub()) as hub:
        with pytest.raises(LicenceNotAccepted, match=r"--accept-licence openrail\+\+"):
            bring([model], store, hub)
        assert hub.requests == []
    assert not store.folder.exists()


def test_a_model_that_is_not_all_known_is_not_fetched(store: Store) -> None:
    model = LockedModel("vlm", "acme/vlm", REVISION, "mit", (LockedFile("config.json", 2),))
    with pytest.raises(WeightsError, match="weights lock vlm"):
        list_wanted([model], store)


def test_two_fetches_into_one_folder_do_not_get_in_each_others_way(store: Store) -> None:
    store.folder.mkdir()
    with (store.folder / ".lock").open("w") as other, serve(small_hub()) as hub:
        fcntl.flock(other.fileno(), fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="another command"):
            bring([MODEL], store, hub)


def test_what_a_killed_fetch_left_behind_is_cleared_away(store: Store) -> None:
    left = store.folder / ".incoming" / "half.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with serve(small_hub()) as hub:
        bring([MODEL], store, hub)
    assert not left.parent.exists()


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        serve(small_hub()) as hub,
        pytest.raises(WeightsError, match="file is a file where a folder"),
    ):
        bring([MODEL], Store(tmp_path / "file"), hub)
