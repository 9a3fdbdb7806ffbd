"""A zip gives its pictures and nothing else, whatever it says about itself."""

import io
import stat
import struct
import time
import zipfile

import pytest
from hypothesis import given, settings, strategies as st

from pipelines.errors import ImageTooLarge
from server.errors import ArchiveInvalid
from server.images.archive import ArchiveLimits, is_archive, open_archive
from tests.server.images.zips import PNG, encode_as, make_zip, overlap, write_central

SMALL = ArchiveLimits(members=5, member_bytes=100_000, total_bytes=250_000)
BOMB = PNG + bytes(3_000_000)


def labels(data: bytes, member: str = "", limits: ArchiveLimits = SMALL) -> list[str]:
    return [label for label, _ in open_archive(data, limits, member)]


def test_the_pictures_come_by_name_with_their_bytes() -> None:
    files = {"b.png": PNG + b"b", "a/z.png": PNG + b"z", "a.png": PNG + b"a"}
    found = list(open_archive(make_zip(files), SMALL))
    assert found == [("a.png", PNG + b"a"), ("a/z.png", PNG + b"z"), ("b.png", PNG + b"b")]


def test_a_stored_zip_opens_too() -> None:
    assert labels(make_zip({"a.png": PNG}, zipfile.ZIP_STORED)) == ["a.png"]


def test_what_is_no_picture_is_left_out() -> None:
    files = {
        "a.png": PNG,
        "folder/": b"",
        "__MACOSX/._a.png": PNG,
        ".DS_Store": b"\0\0\0\1Bud1",
        ".hidden/b.png": PNG,
        "notes.png": b"only a name makes no picture",
        "film.mp4": b"\0\0\0\x20ftypisom" + bytes(50),
        "empty.png": b"",
        "page.html": b"<html>",
    }
    assert labels(make_zip(files)) == ["a.png"]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_every_format_is_known_by_its_first_bytes(name: str) -> None:
    data = encode_as(name)
    assert list(open_archive(make_zip({"whatever": data}), SMALL)) == [("whatever", data)]


def test_a_damaged_picture_is_not_left_out_but_handed_on() -> None:
    """Its decoder will say what is wrong with it; a picture that vanishes says nothing."""
    avif = encode_as("AVIF")[:100]
    assert labels(make_zip({"a.avif": avif, "b.png": PNG[:40]})) == ["a.avif", "b.png"]


def test_names_that_climb_are_labels_and_nothing_more() -> None:
    files = {"../../etc/a.png": PNG, "/root/b.png": PNG, "..\\..\\c.png": PNG}
    assert labels(make_zip(files)) == ["c.png", "etc/a.png", "root/b.png"]


def test_a_symbolic_link_is_left_out() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, PNG)
        archive.writestr("a.png", PNG)
    assert labels(buffer.getvalue()) == ["a.png"]


def test_a_member_is_found_by_its_name_or_its_base_name() -> None:
    data = make_zip({"one/a.png": PNG + b"1", "two/a.png": PNG + b"2", "b.png": PNG})
    assert labels(data, "two/a.png") == ["two/a.png"]
    assert labels(data, "a.png") == ["one/a.png"]
    assert labels(data, "b.png") == ["b.png"]
    with pytest.raises(ArchiveInvalid, match=r"no file called c\.png"):
        labels(data, "c.png")
    with pytest.raises(ArchiveInvalid, match="no pictures"):
        labels(make_zip({"a.txt": b"text"}), "a.txt")


HOSTILE = {
    "empty": make_zip({}),
    "no pictures": make_zip({"a.txt": b"text", "__MACOSX/a.png": PNG}),
    "cut at once": b"PK\x03\x04",
    "zeros": b"PK\x03\x04" + bytes(1000),
    "only an end": b"PK\x05\x06" + b"\xff" * 18,
    "cut at the end": make_zip({"a.png": PNG})[:-30],
    "cut at the front": make_zip({"a.png": PNG})[30:],
    "nested": make_zip({"a.png": PNG, "z.zip": make_zip({"b.png": PNG})}),
    "bzip2": make_zip({"a.png": PNG}, zipfile.ZIP_BZIP2),
    "lzma": make_zip({"a.png": PNG}, zipfile.ZIP_LZMA),
    "encrypted": write_central(make_zip({"a.png": PNG}), 8, "<H", 0x1),
    "strongly encrypted": write_central(make_zip({"a.png": PNG}), 8, "<H", 0x41),
    "checksum": write_central(make_zip({"a.png": PNG}), 16, "<L", 0xDEADBEEF),
    "size too small": write_central(make_zip({"a.png": PNG}), 24, "<L", len(PNG) - 1),
    "size too large": write_central(make_zip({"a.png": PNG}), 24, "<L", len(PNG) + 1),
    "stored size too small": write_central(make_zip({"a.png": PNG}), 20, "<L", 10),
    "stored size too large": write_central(make_zip({"a.png": PNG}), 20, "<L", 10**6),
    "begins elsewhere": write_central(make_zip({"a.png": PNG}), 42, "<L", 10**6),
    "overlapping": overlap("a.png", PNG, 2),
    "overlapping often": overlap("a.png", PNG, 40),
    "too many": make_zip({f"{number}.png": PNG for number in range(6)}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_zip_that_cannot_be_trusted_is_refused(name: str) -> None:
    with pytest.raises(ArchiveInvalid):
        labels(HOSTILE[name])


def test_a_bomb_that_begins_as_a_picture_is_not_unpacked() -> None:
    data = make_zip({"a.png": BOMB})
    assert len(data) < 10_000
    with pytest.raises(ImageTooLarge, match=r"a\.png"):
        labels(data)


def test_a_bomb_that_says_it_is_small_is_found_out() -> None:
    with pytest.raises(ArchiveInvalid):
        labels(write_central(make_zip({"a.png": BOMB}), 24, "<L", 5000))


def test_the_limit_for_all_counts_what_was_really_unpacked() -> None:
    picture = PNG + bytes(99_000 - len(PNG))
    found = open_archive(make_zip({f"{n}.png": picture for n in range(3)}), SMALL)
    assert len(next(found).data) + len(next(found).data) == 198_000
    with pytest.raises(ImageTooLarge):
        next(found)


def test_large_files_that_are_no_pictures_cost_nothing() -> None:
    start = time.monotonic()
    assert labels(make_zip({"a.png": PNG, "design.psd": bytes(30_000_000)})) == ["a.png"]
    assert time.monotonic() - start < 2


def test_ten_thousand_entries_are_refused_before_they_are_listed() -> None:
    entry = struct.pack("<4s42x", b"PK\x01\x02") * 10_000
    with pytest.raises(ArchiveInvalid, match="far more than 5 entries"):
        open_archive(b"PK\x03\x04" + entry, SMALL)


def test_a_zip_is_known_by_its_first_bytes() -> None:
    assert is_archive(make_zip({"a.png": PNG}))
    assert is_archive(make_zip({}))
    assert not is_archive(PNG)
    assert not is_archive(PNG + make_zip({"a.png": PNG}))
    assert not is_archive(b"")


@settings(max_examples=150)
@given(st.data())
def test_a_mutated_zip_gives_pictures_or_a_typed_error(draw: st.DataObject) -> None:
    data = bytearray(make_zip({"a.png": PNG, "b/c.png": PNG, "d.txt": b"text"}))
    for _ in range(draw.draw(st.integers(1, 6))):
        place = draw.draw(st.integers(0, len(data) - 1))
        data[place] = draw.draw(st.integers(0, 255))
    try:
        found = list(open_archive(bytes(data), SMALL))
    except (ArchiveInvalid, ImageTooLarge):
        return
    assert all(len(member.data) <= SMALL.member_bytes for member in found)
