"""What an output says of whose it is and how it was made, as another program reads it."""

import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from pipelines.codec.decode import Source, decode
from pipelines.codec.encode import Format
from pipelines.codec.notice import Notice
from pipelines.errors import UnreachableBudget
from pipelines.export.files import Material, export
from pipelines.export.provenance import (
    ALTERED,
    COMPOSED_WITH_MODEL,
    EDITED_BY_MODEL,
    MADE_BY_MODEL,
)
from pipelines.export.wishes import Export, Metadata
from pipelines.fill import Fill
from pipelines.geometry import Size
from tests.drawings import draw_meadow
from tests.house.tools import need
from tests.pipelines.codec.test_notice import FULL, describe
from tests.pipelines.export.house import WEIGHTS, finish

PRIVATE = ("Berlin", "Spyglass 3000", "2024:05:06", "my diary")
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"

RIGHTS = {
    "IFD0:Artist": "Zoë Ångström; Bo & <Co>",
    "IFD0:Copyright": "© 2026 Zoë",
    "XMP-dc:Creator": ["Zoë Ångström", "Bo & <Co>"],
    "XMP-dc:Rights": "© 2026 Zoë",
    "XMP-photoshop:Credit": "Agency",
    "XMP-xmpRights:UsageTerms": "Ask first",
    "XMP-xmpRights:WebStatement": "https://licence.example/a?b=1&c=2",
    "XMP-plus:LicensorURL": "https://buy.example/",
}


def take_photo(notice: Notice = FULL) -> Source:
    """A camera's file: rights, and what is nobody's business."""
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = PRIVATE[1]
    exif[ExifTags.Base.DateTime] = f"{PRIVATE[2]} 07:08:09"
    exif[ExifTags.Base.ImageDescription] = PRIVATE[3]
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = PRIVATE[0]
    space = "http://ns.adobe.com/photoshop/1.0/"
    private = f'<ps:City xmlns:ps="{space}">{PRIVATE[0]}</ps:City>'.encode()
    packet = describe(notice).replace(b"</rdf:Description>", private + b"</rdf:Description>")
    file = io.BytesIO()
    draw_meadow(90, 60).save(file, "JPEG", exif=exif, xmp=packet, comment=PRIVATE[3])
    return decode(file.getvalue())


def read(data: bytes, folder: Path) -> dict[str, Any]:
    """All that exiftool finds, by group and name; it has to be content with the file."""
    place = folder / "output"
    place.write_bytes(data)
    command = [need("exiftool"), "-json", "-G1", "-struct", "-a", "-warning", "-all", str(place)]
    done = subprocess.run(command, capture_output=True, check=True)
    (found,) = json.loads(done.stdout)
    assert not [name for name in found if name.endswith(("Warning", "Error"))], found
    licensors = found.pop("XMP-plus:Licensor", [{}])
    return {**found, **{f"XMP-plus:{name}": text for name, text in licensors[0].items()}}


def make(wishes: Export, notice: Notice = FULL, **options: Any) -> bytes:
    return export(finish(source=take_photo(notice), **options), wishes).file.data


@pytest.mark.parametrize("form", Format)
def test_rights_are_carried_and_nothing_else_is(form: Format, tmp_path: Path) -> None:
    data = make(Export(form), models=WEIGHTS)
    found = read(data, tmp_path)
    assert {name: found[name] for name in RIGHTS} == RIGHTS
    assert found["XMP-iptcExt:DigitalSourceType"] == MADE_BY_MODEL
    for secret in PRIVATE:
        assert secret.encode() not in data
        assert secret not in str(found)
    assert not [name for name in found if "GPS" in name or "Thumbnail" in name]


@pytest.mark.parametrize("form", Format)
def test_metadata_none_carries_nothing(form: Format, tmp_path: Path) -> None:
    data = make(Export(form, metadata=Metadata.NONE), models=WEIGHTS)
    found = read(data, tmp_path)
    assert not found.keys() & RIGHTS.keys()
    for text in ("Zoë", "Agency", *PRIVATE):
        assert text.encode() not in data
    assert found["XMP-iptcExt:DigitalSourceType"] == MADE_BY_MODEL  # that is about the output


@pytest.mark.parametrize("form", Format)
def test_without_xmp_there_is_exif_alone(form: Format, tmp_path: Path) -> None:
    found = read(make(Export(form, xmp=False)), tmp_path)
    assert not [name for name in found if name.startswith("XMP")]
    assert found["IFD0:Artist"] == RIGHTS["IFD0:Artist"]


@pytest.mark.parametrize("form", Format)
def test_nothing_at_all_is_written_where_nothing_is_wished(form: Format) -> None:
    data = make(Export(form, xmp=False, metadata=Metadata.NONE))
    assert b"Exif\0\0" not in data
    assert b"eXIf" not in data
    assert b"adobe:ns:meta" not in data


def test_the_tool_is_named_with_its_version(tmp_path: Path) -> None:
    found = read(make(Export()), tmp_path)
    assert found["XMP-xmp:CreatorTool"].startswith("Smart Resize 0.")


MADE_OF = [
    # painted by, filled with, what the source says of itself, what the output says
    (WEIGHTS, Fill.GENERATE, "", EDITED_BY_MODEL),
    (WEIGHTS, Fill.GENERATE, CAPTURED, EDITED_BY_MODEL),
    (WEIGHTS, Fill.GENERATE, COMPOSED_WITH_MODEL, EDITED_BY_MODEL),
    (WEIGHTS, Fill.GENERATE, MADE_BY_MODEL, MADE_BY_MODEL),
    (WEIGHTS, Fill.SOLID, "", ALTERED),
    (WEIGHTS, Fill.EDGE, CAPTURED, ALTERED),
    (WEIGHTS, Fill.SOLID, MADE_BY_MODEL, MADE_BY_MODEL),
    ((), Fill.GENERATE, "", ALTERED),
    ((), Fill.GENERATE, CAPTURED, ALTERED),
    ((), Fill.GENERATE, EDITED_BY_MODEL, EDITED_BY_MODEL),
    ((), Fill.EDGE, COMPOSED_WITH_MODEL, COMPOSED_WITH_MODEL),
    (WEIGHTS, None, CAPTURED, CAPTURED),
    (WEIGHTS, None, MADE_BY_MODEL, MADE_BY_MODEL),
    (WEIGHTS, None, "", None),
]


@pytest.mark.parametrize(("models", "fill", "said", "expected"), MADE_OF)
def test_the_source_type_says_what_is_true(
    models: tuple[str, ...], fill: Fill | None, said: str, expected: str | None
) -> None:
    source = take_photo(Notice(source_type=said))
    assert source.notice.source_type == said
    target = Size(90, 60) if fill is None else None
    made = export(finish(source=source, target=target, fill=fill, models=models), Export())
    assert made.provenance.to_json() == {
        "xmp": True,
        "c2pa": False,
        "digital_source_type": expected,
    }
    assert decode(made.file.data).notice.source_type == (expected or "")


def test_what_is_true_is_in_the_record_even_where_the_file_does_not_say_it() -> None:
    made = export(finish(models=WEIGHTS), Export(xmp=False))
    assert (made.provenance.xmp, made.provenance.digital_source_type) == (False, EDITED_BY_MODEL)


@pytest.mark.parametrize("form", Format)
def test_the_same_output_gives_the_same_bytes(form: Format) -> None:
    assert make(Export(form)) == make(Export(form))


def crowd() -> Material:
    """Rights that take several kilobytes."""
    notice = replace(FULL, terms="Ask first. " * 150)
    return finish(source=take_photo(notice))


@pytest.mark.parametrize("form", [Format.JPEG, Format.WEBP, Format.AVIF])
def test_metadata_counts_and_quality_gives_way_before_it(form: Format, tmp_path: Path) -> None:
    material = crowd()
    whole = len(export(material, Export(form)).file.data)
    made = export(material, Export(form, max_bytes=whole - 100))
    assert len(made.file.data) <= whole - 100
    assert made.file.quality
    assert made.file.quality < (form.default_quality or 0)
    assert read(made.file.data, tmp_path)["XMP-xmpRights:UsageTerms"].startswith("Ask first.")
    assert made.provenance.xmp


@pytest.mark.parametrize("form", [Format.JPEG, Format.WEBP, Format.AVIF, Format.PNG])
def test_metadata_gives_way_last_and_the_file_says_so(form: Format) -> None:
    material = crowd()
    bare = Export(form, quality=30, xmp=False, metadata=Metadata.NONE)
    limit = len(export(material, bare).file.data) + 200
    made = export(material, Export(form, max_bytes=limit))
    assert len(made.file.data) <= limit
    assert b"Ask first" not in made.file.data
    assert f"metadata left out, copyright and all, to fit {limit} bytes" in made.file.notes
    assert not made.provenance.xmp


@pytest.mark.parametrize(("form", "fits"), [(Format.JPEG, False), (Format.WEBP, True)])
def test_metadata_that_a_format_has_no_room_for_is_left_out(form: Format, fits: bool) -> None:
    notice = Notice(creators=tuple(chr(0x4E00 + each) * 2000 for each in range(20)))
    source = replace(take_photo(Notice()), notice=notice)
    made = export(finish(source=source), Export(form))
    assert decode(made.file.data).notice.creators == (notice.creators if fits else ())
    assert made.provenance.xmp is fits
    assert any(note.startswith("metadata left out") for note in made.file.notes) is not fits


def test_a_budget_that_nothing_fits_is_still_refused() -> None:
    with pytest.raises(UnreachableBudget):
        export(crowd(), Export(max_bytes=500))
