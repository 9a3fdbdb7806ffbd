"""The files beside an output say what was painted, what was kept and how it was made."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageChops

from pipelines.export.extras import write_record
from pipelines.export.files import ExtraFile, Material, export
from pipelines.export.wishes import Export, Extra
from pipelines.geometry import Size
from pipelines.proof import map_difference
from tests.drawings import draw_meadow
from tests.pipelines.export.house import draw_cut_out, finish

PICTURES = frozenset({Extra.MASK, Extra.GENERATED, Extra.DIFFERENCE})


def draw(material: Material) -> dict[Extra, Image.Image]:
    made = export(material, Export(extras=PICTURES)).extras
    return {each.kind: open_png(each) for each in made}


def open_png(extra: ExtraFile) -> Image.Image:
    assert (extra.extension, extra.media_type) == (".png", "image/png")
    picture = Image.open(io.BytesIO(extra.data), formats=["PNG"])
    picture.load()
    return picture


def lay_out_source(material: Material) -> Image.Image:
    above = Image.new("RGB", material.plan.target)
    above.paste(material.kept.convert("RGB"), material.plan.place[:2])
    return above


def test_the_generated_picture_over_the_source_is_the_output_byte_for_byte() -> None:
    material = finish()
    drawn = draw(material)
    generated = drawn[Extra.GENERATED]
    again = lay_out_source(material)
    again.paste(generated.convert("RGB"), mask=generated.getchannel("A"))
    assert again.tobytes() == material.composed.output.tobytes()
    assert generated.getchannel("A").tobytes() == drawn[Extra.MASK].tobytes()


def test_the_source_over_the_generated_picture_with_the_mask_is_the_output_too() -> None:
    material = finish()
    drawn = draw(material)
    below = drawn[Extra.GENERATED].convert("RGB")
    again = Image.composite(lay_out_source(material), below, ImageChops.invert(drawn[Extra.MASK]))
    assert again.tobytes() == material.composed.output.tobytes()


def test_the_mask_is_white_where_painted_black_where_kept_and_grey_between() -> None:
    mask = draw(finish())[Extra.MASK]
    assert mask.mode == "L"
    row = np.asarray(mask)[30].astype(int)
    assert np.all(row[:30] == 255)
    assert np.all((row[31:38] > 0) & (row[31:38] < 255))
    assert np.all(row[38:112] == 0)


def test_the_difference_is_black_outside_the_seam() -> None:
    material = finish()
    levels = np.asarray(draw(material)[Extra.DIFFERENCE])
    expected = map_difference(material.composed.output, material.kept, material.plan)
    assert np.array_equal(levels, np.asarray(expected))
    assert levels[:, 38:112].max() == 0
    assert levels.max() > 0


def test_where_nothing_was_painted_all_was_kept() -> None:
    drawn = draw(finish(target=Size(90, 60)))
    assert drawn[Extra.MASK].getextrema() == (0, 0)
    assert drawn[Extra.GENERATED].getextrema() == ((0, 0),) * 4
    assert drawn[Extra.DIFFERENCE].getextrema() == (0, 0)


def test_of_a_cut_out_the_generated_picture_is_as_transparent_as_the_output() -> None:
    material = finish(draw_cut_out())
    alpha = np.asarray(draw(material)[Extra.GENERATED].getchannel("A"))
    output = np.asarray(material.composed.output.getchannel("A"))
    assert np.array_equal(alpha[:, :30], output[:, :30])
    assert np.all(alpha[:, 38:112] == 0)


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_only_what_is_wished_for_is_made(kind: Extra) -> None:
    made = export(finish(), Export(extras=frozenset({kind, Extra.RECORD})))
    assert [each.kind for each in made.extras] == [kind]  # the record is not known here
    assert export(finish(), Export()).extras == ()


def test_extras_have_the_outputs_size_and_no_alpha_wish_changes_them() -> None:
    material = finish(draw_meadow(50, 40))
    for picture in draw(material).values():
        assert picture.size == (110, 40)
    flat = export(material, replace(Export(extras=PICTURES), background="#ff0000"))
    assert flat.extras == export(material, Export(extras=PICTURES)).extras


def test_the_record_is_json_that_people_can_read() -> None:
    file = write_record({"prompt": "café", "seed": 7})
    assert json.loads(file.data) == {"prompt": "café", "seed": 7}
    assert "café" in file.data.decode()
    assert (file.kind, file.extension, file.media_type) == (
        Extra.RECORD,
        ".json",
        "application/json",
    )
