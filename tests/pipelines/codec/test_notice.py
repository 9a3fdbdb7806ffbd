"""A file's word on whose it is comes in any way of writing it, and hostile ones do no harm."""

import io
import struct
import time
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from pipelines.codec.decode import decode
from pipelines.codec.iptc import read_iptc
from pipelines.codec.notice import MOST_BYTES, MOST_CREATORS, MOST_TEXT, Notice
from pipelines.codec.xmp import Property, Statement, read_xmp, write_xmp
from tests.drawings import draw_meadow, to_png

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

FULL = Notice(
    creators=("Zoë Ångström", "Bo & <Co>"),
    copyright="© 2026 Zoë",
    credit="Agency",
    terms="Ask first",
    licence="https://licence.example/a?b=1&c=2",
    licensor="https://buy.example/",
    source_type=TRAINED,
)


def save(form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    draw_meadow(40, 30).save(file, form, **options)
    return file.getvalue()


def describe(notice: Notice) -> bytes:
    return write_xmp(
        [
            Statement(Property.CREATOR, notice.creators),
            Statement(Property.RIGHTS, (notice.copyright,)),
            Statement(Property.CREDIT, (notice.credit,)),
            Statement(Property.TERMS, (notice.terms,)),
            Statement(Property.LICENCE, (notice.licence,)),
            Statement(Property.LICENSOR, (notice.licensor,)),
            Statement(Property.SOURCE_TYPE, (notice.source_type,)),
        ]
    )


def make_exif(artist: bytes = b"", rights: bytes = b"") -> Image.Exif:
    exif = Image.Exif()
    for tag, text in ((315, artist), (33432, rights)):
        if text:
            exif[tag] = text
    return exif


def make_dataset(record: int, number: int, value: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


def add_iptc(jpeg: bytes, block: bytes) -> bytes:
    """As Photoshop writes it: in a resource of the application segment 13."""
    resource = (
        b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block + b"\0" * (len(block) % 2)
    )
    content = b"Photoshop 3.0\0" + resource
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def wrap(inside: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        ' xmlns:cc="http://creativecommons.org/ns#"'
        ' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"{inside}</rdf:RDF></x:xmpmeta>"
    ).encode()


def read(inside: str) -> Notice:
    return decode(save("JPEG", xmp=wrap(inside))).notice


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF", "TIFF"])
def test_xmp_is_read_from_every_format(form: str) -> None:
    options: dict[str, Any] = {"xmp": describe(FULL)}
    if form == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[700] = options.pop("xmp")
        tags.tagtype[700] = 1
        options["tiffinfo"] = tags
    assert decode(save(form, **options)).notice == FULL


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_exif_is_read_from_every_format(form: str) -> None:
    exif = make_exif("Zoë; Bo".encode(), "© Zoë".encode())
    assert decode(save(form, exif=exif)).notice == Notice(("Zoë", "Bo"), "© Zoë")


def test_exif_in_latin_1_is_read_too() -> None:
    exif = make_exif("Zoë".encode("latin-1"), b"Zo\0editor")
    assert decode(save("JPEG", exif=exif)).notice == Notice(("Zoë",), "Zo editor")


@pytest.mark.parametrize(
    ("name", "charset"), [("Zoë".encode(), True), ("Zoë".encode("latin-1"), False)]
)
def test_iptc_is_read_in_utf_8_and_in_latin_1(name: bytes, charset: bool) -> None:
    block = make_dataset(1, 90, b"\x1b%G") if charset else b""
    block += make_dataset(2, 80, name) + make_dataset(2, 80, b"Bo")
    block += make_dataset(2, 110, b"Agency") + make_dataset(2, 116, b"(c) us")
    block += make_dataset(2, 90, b"Berlin")  # a place, which is nobody's business
    notice = decode(add_iptc(save("JPEG"), block)).notice
    assert notice == Notice(("Zoë", "Bo"), "(c) us", "Agency")


def test_xmp_goes_before_iptc_and_that_before_exif() -> None:
    exif = make_exif(b"by exif", b"of exif")
    xmp = describe(Notice(credit="in xmp"))
    block = make_dataset(2, 110, b"in iptc") + make_dataset(2, 116, b"of iptc")
    notice = decode(add_iptc(save("JPEG", exif=exif, xmp=xmp), block)).notice
    assert notice == Notice(("by exif",), "of iptc", "in xmp")


def test_a_picture_that_says_nothing_has_an_empty_notice() -> None:
    assert decode(to_png(draw_meadow(20, 20))).notice == Notice()


def test_properties_may_be_attributes() -> None:
    notice = read(
        f'<rdf:Description photoshop:Credit="A" Iptc4xmpExt:DigitalSourceType="{TRAINED}"/>'
    )
    assert notice == Notice(credit="A", source_type=TRAINED)


def test_the_default_language_is_taken() -> None:
    items = '<rdf:li xml:lang="de">meins</rdf:li><rdf:li xml:lang="x-default">mine</rdf:li>'
    inside = f"<rdf:Description><dc:rights><rdf:Alt>{items}</rdf:Alt></dc:rights></rdf:Description>"
    assert read(inside).copyright == "mine"


def test_a_creative_commons_licence_counts_where_there_is_no_other() -> None:
    inside = '<rdf:Description><cc:license rdf:resource="https://cc.example/by"/></rdf:Description>'
    assert read(inside).licence == "https://cc.example/by"


def test_what_is_said_of_an_ingredient_is_not_said_of_the_file() -> None:
    inner = '<rdf:Description photoshop:Credit="somebody else"/>'
    inside = f"<rdf:Description><xmpMM:DerivedFrom>{inner}</xmpMM:DerivedFrom></rdf:Description>"
    assert read(inside) == Notice()


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("trainedAlgorithmicMedia", TRAINED),
        ("digsrctype:trainedAlgorithmicMedia", TRAINED),
        (TRAINED.replace("http", "https"), TRAINED),
        ("https://evil.example/trainedAlgorithmicMedia", ""),
        ("a photograph, honestly", ""),
    ],
)
def test_source_types_are_those_of_iptc(said: str, read_as: str) -> None:
    inside = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{said}"/>'
    assert read(inside).source_type == read_as


def test_texts_are_one_line_of_bounded_length_without_control_characters() -> None:
    nasty = "a\x01b\r\n\tc\u202edoc\u200b " + "x" * 5_000
    (creator,) = decode(save("JPEG", exif=make_exif(nasty.encode()))).notice.creators
    assert creator.startswith("a b c doc xxx")
    assert len(creator) <= MOST_TEXT
    assert creator.isprintable()


def test_addresses_are_of_the_web() -> None:
    xmp = describe(Notice(licence="javascript:alert(1)", licensor="see my page"))
    assert decode(save("JPEG", xmp=xmp)).notice == Notice()


def test_there_are_only_so_many_creators() -> None:
    many = tuple(f"person {number}" for number in range(500))
    assert decode(save("WEBP", xmp=describe(Notice(many)))).notice.creators == many[:MOST_CREATORS]


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "packet",
    [
        b"\xff\xfe<\0",
        b"<not xml",
        BOMB.encode() + wrap('<rdf:Description photoshop:Credit="&i;"/>'),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + wrap(""),
        wrap("<dc:a>" * 20_000 + "</dc:a>" * 20_000),
        wrap('<rdf:Description photoshop:Credit="A"/>' + " " * MOST_BYTES),
        b"\0" * 1_000,
        b"",
    ],
    ids=["utf-16", "cut", "bomb", "external", "deep", "large", "zeros", "empty"],
)
def test_a_hostile_packet_says_nothing_and_costs_nothing(packet: bytes) -> None:
    before = time.process_time()
    assert decode(save("WEBP", xmp=packet)).notice == Notice()
    assert time.process_time() - before < 2


@pytest.mark.parametrize("packet", [BOMB.encode(), b"<!DOCTYPE x><a/>", b"<a>", b"<a>&b;</a>"])
def test_what_is_no_plain_xml_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"XML|document type"):
        read_xmp(packet)


def test_a_broken_block_does_not_hide_a_sound_one() -> None:
    data = save("JPEG", exif=make_exif(b"Zo"), xmp=b"<broken")
    assert decode(data).notice == Notice(("Zo",))


def test_tags_of_millions_of_numbers_are_left_alone() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33432] = "A" * 4_000_000
    data = save("TIFF", tiffinfo=tags)
    as_text = struct.pack("<HHI", 33432, 2, 4_000_001)
    assert data.count(as_text) == 1
    as_numbers = data.replace(as_text, struct.pack("<HHI", 33432, 4, 1_000_000))
    assert decode(data).notice.copyright.startswith("AAAA")
    assert decode(as_numbers).notice == Notice()


def test_iptc_in_a_tiff_is_read_as_bytes() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33723] = make_dataset(2, 116, b"(c) us")
    tags.tagtype[33723] = 7
    assert decode(save("TIFF", tiffinfo=tags)).notice.copyright == "(c) us"


@pytest.mark.parametrize(
    "block",
    [b"", b"\x1c", b"\x1c\x02\x74\xff\xff", b"no iptc", make_dataset(2, 116, b"a")[:-1] + b"\x1c"],
)
def test_iptc_is_read_as_far_as_it_is_sound(block: bytes) -> None:
    sound = make_dataset(2, 110, b"A")
    assert read_iptc(sound + block)["credit"] == ["A"]


def test_nothing_said_is_no_packet() -> None:
    assert write_xmp([Statement(Property.CREDIT, ("",)), Statement(Property.CREATOR, ())]) == b""
