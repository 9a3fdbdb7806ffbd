"""A bundle comes through whole or not at all."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import LicenceNotAccepted, WeightsError, WeightsMismatch, WeightsMissing
from pipelines.weights import locate
from pipelines.weights.bundle import export_bundle, import_bundle, read_contents
from pipelines.weights.lock import WeightsLock
from pipelines.weights.lock_file import format_lock, write_lock
from pipelines.weights.store import SPARE, Store, name_of
from tests.pipelines.weights.small_hub import fill, lock_all, lock_model, make_files

ROLES = {"a": make_files(1), "b": make_files(2)}
LOCK = lock_all(**ROLES)
WEIGHTS = f"{name_of(LOCK.models[0])}/unet/model.safetensors"
Entries = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    origin, path = Store(tmp_path / "origin"), tmp_path / "weights.tar"
    for model in LOCK.models:
        fill(origin, model, ROLES[model.role])
    export_bundle(LOCK.models, origin, path)
    return path


def read_entries(path: Path) -> Entries:
    with tarfile.open(path) as tar:
        return [(info, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar]


def write_entries(path: Path, entries: Entries, form: int = tarfile.USTAR_FORMAT) -> None:
    with tarfile.open(path, "w", format=form) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))


def make_entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> Entries:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, "/etc/passwd" if not data else ""
    return [(info, data)]


def assert_nothing_came(store: Store) -> None:
    assert sorted(path.name for path in store.folder.glob("*")) in ([], [".lock"])


def test_a_bundle_brings_its_models_and_they_are_verified(bundle: Path, store: Store) -> None:
    heard: list[int] = []
    models = import_bundle(bundle, LOCK, store, lambda _, count: heard.append(count))
    assert models == LOCK.models
    assert sum(heard) == sum(model.size for model in models)
    for role, files in ROLES.items():
        folder = locate(LOCK, store, role)
        assert {path: (folder / path).read_bytes() for path in files} == files
    assert store.notice_of(models[0]).is_file()


def test_a_bundle_is_a_plain_tar_with_the_lock_first_and_the_licences(bundle: Path) -> None:
    entries = {info.name: data for info, data in read_entries(bundle)}
    assert next(iter(entries)) == "weights.lock"
    assert entries["weights.lock"].decode() == format_lock(LOCK)
    assert b"acme/a at" in entries["licences/apache-2.0.txt"]
    assert b"TERMS AND CONDITIONS" in entries["licences/apache-2.0.txt"]
    assert len(entries) == 2 + sum(map(len, ROLES.values()))


def test_the_same_models_make_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    export_bundle(LOCK.models, Store(tmp_path / "origin"), again)
    assert again.read_bytes() == bundle.read_bytes()


def test_some_models_of_a_lock_make_a_bundle_too(bundle: Path, store: Store) -> None:
    one = bundle.with_name("one.tar")
    export_bundle(LOCK.select(["b"]), Store(bundle.parent / "origin"), one)
    assert [model.role for model in read_contents(one, LOCK)] == ["b"]
    assert [model.role for model in import_bundle(one, LOCK, store)] == ["b"]


def test_an_import_needs_neither_network_nor_the_hubs_library(
    bundle: Path, store: Store, tmp_path: Path
) -> None:
    write_lock(LOCK, tmp_path / "weights.lock")
    program = f"""
import sys
sys.modules["huggingface_hub"] = None
def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"the network was asked for: {{event}} {{arguments}}")
sys.addaudithook(refuse)
from server.cli.weights import app
sys.argv = ["weights", "bundle", "import", {str(bundle)!r},
    "--weights", {str(store.folder)!r}, "--lock", {str(tmp_path / "weights.lock")!r}]
app()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 models" in done.stderr
    assert locate(LOCK, store, "a") == store.folder_of(LOCK.models[0])


def test_a_flipped_bit_anywhere_in_a_model_stops_the_whole_import(
    bundle: Path, store: Store
) -> None:
    entries = read_entries(bundle)
    info, data = entries[-1]
    entries[-1] = info, data[:-1] + bytes([data[-1] ^ 1])
    write_entries(bundle, entries)
    with pytest.raises(WeightsMismatch, match="not the file that the lock names"):
        import_bundle(bundle, LOCK, store)
    assert_nothing_came(store)


def test_a_bundle_cut_anywhere_is_refused(bundle: Path, store: Store) -> None:
    data = bundle.read_bytes()
    for length in (0, 100, 512, 700, 3_000, len(data) // 2, len(data) - 2_000, len(data) - 1_024):
        bundle.write_bytes(data[:length])
        with pytest.raises(WeightsMismatch, match=r"ends early|begins with"):
            import_bundle(bundle, LOCK, store)
        assert_nothing_came(store)


def test_something_else_than_a_bundle_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(WeightsMismatch, match="damaged, or it is not a tar"):
        import_bundle(path, LOCK, store)
    path.write_bytes(bytes(10_240))
    with pytest.raises(WeightsMismatch, match="begins with"):
        import_bundle(path, LOCK, store)
    with pytest.raises(WeightsError, match="cannot be read"):
        import_bundle(tmp_path / "none.tar", LOCK, store)


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (make_entry("../outside.json", b"{}"), "which its lock does not name"),
        (make_entry("/outside.json", b"{}"), "which its lock does not name"),
        (make_entry("licences/../../outside.json", b"{}"), "does not name"),
        (make_entry("licences/../../outside.json", b"{}" * 3_000_000), "does not name"),
        (make_entry("licences/mit.txt", b"not of this bundle"), "does not name"),
        (make_entry("licences/apache-2.0.txt", b"a second one"), "does not name once"),
        (make_entry("weights.lock", b"version = 1"), "does not name once"),
        (make_entry(f"{name_of(LOCK.models[0])}/added.json", b"{}"), "does not name"),
        (make_entry("link", kind=tarfile.SYMTYPE), "not a plain file"),
        (make_entry("link", kind=tarfile.LNKTYPE), "not a plain file"),
        (make_entry("device", kind=tarfile.CHRTYPE), "not a plain file"),
        (make_entry("pipe", kind=tarfile.FIFOTYPE), "not a plain file"),
        (make_entry("folder", kind=tarfile.DIRTYPE), "not a plain file"),
        (make_entry("sparse", kind=tarfile.GNUTYPE_SPARSE), "not a plain file"),
        (make_entry("long", kind=tarfile.GNUTYPE_LONGNAME), "not a plain file"),
        (make_entry("extended", kind=tarfile.XHDTYPE), "not a plain file"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[0][0].name),
)
def test_a_bundle_with_anything_beside_its_files_is_refused(
    bundle: Path, store: Store, extra: Entries, reason: str
) -> None:
    entries = read_entries(bundle)
    for place in (1, len(entries)):
        write_entries(bundle, entries[:place] + extra + entries[place:])
        with pytest.raises(WeightsMismatch, match=reason):
            import_bundle(bundle, LOCK, store)
        assert_nothing_came(store)
        assert not list(bundle.parent.rglob("outside.json"))


def test_a_link_in_the_place_of_a_file_is_refused(bundle: Path, store: Store) -> None:
    entries = [entry for entry in read_entries(bundle) if entry[0].name != WEIGHTS]
    write_entries(bundle, entries + make_entry(WEIGHTS, kind=tarfile.SYMTYPE))
    with pytest.raises(WeightsMismatch, match="not a plain file"):
        import_bundle(bundle, LOCK, store)
    assert_nothing_came(store)


def repeat(entries: Entries) -> Entries:
    return entries + entries[-1:]


def shorten(entries: Entries) -> Entries:
    info, data = entries[-1]
    info.size -= 1
    return [*entries[:-1], (info, data[:-1])]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (repeat, "does not name once"),
        (shorten, "bytes in the bundle"),
        (lambda entries: entries[:-1], "lacks acme--b"),
        (lambda entries: entries[1:], "begins with its weights.lock"),
    ],
    ids=["repeated", "shortened", "missing", "no lock"],
)
def test_a_bundle_with_other_files_than_its_lock_names_is_refused(
    bundle: Path, store: Store, change: Callable[[Entries], Entries], reason: str
) -> None:
    write_entries(bundle, change(read_entries(bundle)))
    with pytest.raises(WeightsMismatch, match=reason):
        import_bundle(bundle, LOCK, store)
    assert_nothing_came(store)


def test_a_bundle_that_agrees_only_with_itself_is_refused(bundle: Path, store: Store) -> None:
    others = lock_all(a=make_files(1), b=make_files(3))
    for mine in (others, WeightsLock(LOCK.models[:1])):
        with pytest.raises(WeightsMismatch, match="not what the lock of this installation names"):
            import_bundle(bundle, mine, store)
        assert_nothing_came(store)


def test_a_licence_with_conditions_is_accepted_before_an_import(bundle: Path, store: Store) -> None:
    model = lock_model(ROLES["a"], "a", "openrail++")
    export_bundle([model], Store(bundle.parent / "origin"), bundle)
    text = read_entries(bundle)[1][1].decode()
    assert "restrictions on use" in text
    assert "Attachment A Use Restrictions" in text
    assert "CONDITIONS OF USAGE, DISTRIBUTION AND REDISTRIBUTION" in text
    with pytest.raises(LicenceNotAccepted, match="--accept-licence"):
        import_bundle(bundle, WeightsLock((model,)), store)
    assert not store.folder.exists()


def test_a_disk_that_is_too_small_is_noticed_first(bundle: Path, store: Store) -> None:
    size = sum(model.size for model in LOCK.models)
    with pytest.raises(WeightsError, match="are needed"):
        import_bundle(bundle, LOCK, store, free=size + SPARE - 1)
    assert_nothing_came(store)
    out = bundle.with_name("out.tar")
    with pytest.raises(WeightsError, match="are needed"):
        export_bundle(LOCK.models, Store(bundle.parent / "origin"), out, free=size)
    assert not out.exists()


def test_an_export_of_missing_or_wrong_files_leaves_no_bundle(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out.tar"
    with pytest.raises(WeightsMissing, match="smart-resize weights fetch a"):
        export_bundle(LOCK.models, store, out)
    for model in LOCK.models:
        fill(store, model, ROLES[model.role])
    folder = store.folder_of(LOCK.models[1])
    for content in (b'{"seed": 7}', b'{"seed": 2}x', b"{}"):
        (folder / "config.json").write_bytes(content)
        with pytest.raises(WeightsMismatch, match=r"config.json is not the file"):
            export_bundle(LOCK.models, store, out)
    with pytest.raises(WeightsError, match="could not be written"):
        export_bundle(LOCK.models, store, tmp_path / "no" / "out.tar")
    assert not list(tmp_path.glob("*.tar*"))


def test_a_wrong_file_in_the_store_is_replaced_by_the_bundles(bundle: Path, store: Store) -> None:
    folder = fill(store, LOCK.models[0], dict(ROLES["a"], **{"config.json": b"{}"}))
    import_bundle(bundle, LOCK, store)
    assert (folder / "config.json").read_bytes() == ROLES["a"]["config.json"]


def test_a_folder_in_the_place_of_a_file_is_named_before_an_import(
    bundle: Path, store: Store
) -> None:
    (store.folder / WEIGHTS).mkdir(parents=True)
    with pytest.raises(WeightsError, match=f"{store.folder / WEIGHTS} is a folder where a file"):
        import_bundle(bundle, LOCK, store)
