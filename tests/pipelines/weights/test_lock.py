"""What a lock may say, and that it says the same after a trip through its file."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pipelines.errors import InvalidOption, LockInvalid, WeightsError
from pipelines.weights.lock import FORMATS, LockedFile, LockedModel, WeightsLock
from pipelines.weights.lock_file import (
    HEAD,
    find_lock,
    format_lock,
    parse_lock,
    read_lock,
    write_lock,
)
from tests.pipelines.weights.small_hub import REVISION, lock_all, lock_model, make_files

hexadecimal = st.binary(min_size=32, max_size=32).map(bytes.hex)
segments = st.text("aZ0_.+-", min_size=1, max_size=9).map("_".__add__)
paths = st.builds(
    lambda parts, suffix: "/".join(parts) + suffix,
    st.lists(segments, min_size=1, max_size=3),
    st.sampled_from(FORMATS),
)
files = st.builds(
    LockedFile,
    path=paths,
    size=st.none() | st.integers(0, 10**13),
    sha256=st.none() | hexadecimal,
    git_blob=st.none() | hexadecimal.map(lambda digits: digits[:40]),
)


@st.composite
def locks(draw: st.DrawFn) -> WeightsLock:
    models = []
    for number in range(draw(st.integers(0, 4))):
        chosen = draw(st.lists(files, min_size=1, max_size=5, unique_by=lambda file: file.path))
        model = LockedModel(
            role=f"role-{number}",
            repository=f"org{number}/Name.{draw(st.integers(0, 9))}",
            revision=draw(hexadecimal)[:40],
            licence=draw(st.sampled_from(["mit", "apache-2.0", "openrail++"])),
            files=tuple(chosen),
            optional=draw(st.booleans()),
        )
        models.append(model)
    return WeightsLock(tuple(models))


@given(locks())
def test_a_lock_is_the_same_after_it_was_written_and_read(lock: WeightsLock) -> None:
    assert parse_lock(format_lock(lock)) == lock


def test_the_lock_of_this_program_is_as_it_would_write_it() -> None:
    text = find_lock().read_text("utf-8")
    assert format_lock(parse_lock(text)) == text


def test_the_lock_of_this_program_has_a_model_for_every_role_and_knows_the_default_ones() -> None:
    lock = read_lock(find_lock())
    assert [model.role for model in lock.models] == [
        "inpaint",
        "vlm",
        "vlm-light",
        "few-step",
        "nsfw",
    ]
    for model in lock.select():
        assert model.pins()


@pytest.mark.parametrize(
    "path",
    [
        "model.bin",
        "model.pt",
        "model.ckpt",
        "model.pkl",
        "optimizer.pth",
        "LICENSE.pkl",
        "LICENSE.bin.md.pt",
        "code.py",
        "model.safetensors.exe",
    ],
)
def test_a_format_that_may_run_code_cannot_be_locked(path: str) -> None:
    with pytest.raises(LockInvalid, match=r"may run code|not a path"):
        LockedFile(path)


@pytest.mark.parametrize("path", ["LICENSE", "LICENSE.md", "text/NOTICE.txt", "LICENSE-SDXL.txt"])
def test_a_licence_text_can_be_locked(path: str) -> None:
    assert LockedFile(path).path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/a.json",
        "../a.json",
        "a/../b.json",
        "a//b.json",
        "a/./b.json",
        "a\\b.json",
        ".cache/a.json",
        "a\n.json",
        "a.json/",
        "ä.json",
        "a" * 101 + ".json",
    ],
)
def test_a_path_stays_within_its_model(path: str) -> None:
    with pytest.raises(LockInvalid, match="not a path"):
        LockedFile(path)


GOOD = f"""
[[model]]
role = "inpaint"
repository = "acme/inpaint"
revision = "{REVISION}"
licence = "mit"
files = [
    {{ path = "a.json", size = 1 }},
]
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version = 1", "version = 2", "version 2"),
        ("version = 1", "", "lacks version"),
        ("[[model]]", "[[modle]]", "modle"),
        ("[[model]]", "[model", "not TOML"),
        ('role = "inpaint"', "", "lacks role"),
        ('role = "inpaint"', "role = 1", "role of a model is a str"),
        ('role = "inpaint"', 'role = "In Paint"', "not a role"),
        ("acme/inpaint", "inpaint", "not a repository"),
        ("acme/inpaint", "../inpaint", "not a repository"),
        ("acme/inpaint", "acme/in--paint", "not a repository"),
        (REVISION, "main", "full commit"),
        (REVISION, REVISION.upper(), "full commit"),
        ('"mit"', '"M I T"', "licence"),
        ("size = 1", "size = -1", "not negative"),
        ("size = 1", "size = true", "size of a file of acme/inpaint is a int"),
        ("size = 1", 'sha256 = "1"', "64"),
        ("size = 1", 'git_blob = "1"', "40"),
        ("size = 1", 'md5 = "1"', "md5"),
        ("{ path", "1, { path", "is a table"),
        ("{ path", '{ path = "a.json" }, { path', "path of its own"),
        ("{ path", '{ path = "a.json/b.json" }, { path', "path of its own"),
        ('    { path = "a.json", size = 1 },', "", "needs files"),
    ],
)
def test_a_wrong_lock_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    text = HEAD + GOOD
    parse_lock(text)
    assert old in text
    with pytest.raises(LockInvalid, match=reason):
        parse_lock(text.replace(old, new))


def test_two_models_cannot_have_one_role_or_one_folder() -> None:
    model = lock_model(make_files())
    with pytest.raises(LockInvalid, match="role"):
        WeightsLock((model, model))
    with pytest.raises(LockInvalid, match="repository"):
        WeightsLock((model, LockedModel("other", *_rest(model))))


def _rest(model: LockedModel) -> tuple[str, str, str, tuple[LockedFile, ...]]:
    return model.repository, model.revision, model.licence, model.files


def test_a_model_with_a_file_that_is_not_known_says_how_to_ask_for_it() -> None:
    known, unknown = LockedFile("b.json", 1, "0" * 64), LockedFile("a.json", 1)
    model = LockedModel("vlm", "acme/vlm", REVISION, "mit", (unknown, known))
    assert model.unpinned == (unknown,)
    with pytest.raises(WeightsError, match="smart-resize weights lock vlm"):
        model.pins()


def test_roles_that_are_not_named_leave_optional_models_out() -> None:
    plain, extra = lock_model(make_files()), lock_model(make_files(1), "extra")
    extra = LockedModel(extra.role, *_rest(extra), optional=True)
    lock = WeightsLock((plain, extra))
    assert lock.select() == (plain,)
    assert lock.select(["extra"]) == (extra,)
    with pytest.raises(InvalidOption, match="inpaint, extra"):
        lock.select(["exrta"])


def test_a_model_takes_the_place_of_its_role() -> None:
    lock = lock_all(a=make_files(0), b=make_files(1))
    other = lock_model(make_files(2), "a")
    assert lock.put(other).models == (other, lock.models[1])
    third = lock_model(make_files(3), "c")
    assert lock.put(third).models == (*lock.models, third)


def test_a_lock_that_cannot_be_read_or_written_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_lock(tmp_path / "no.lock")
    (tmp_path / "binary.lock").write_bytes(b"\xff")
    with pytest.raises(LockInvalid, match="not text"):
        read_lock(tmp_path / "binary.lock")
    with pytest.raises(WeightsError, match="cannot be written"):
        write_lock(WeightsLock(()), tmp_path / "no" / "weights.lock")
