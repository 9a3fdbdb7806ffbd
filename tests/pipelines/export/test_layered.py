"""TIFF and PSD hold the output exactly, and a PSD the layers that it was made of."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from pipelines.codec.decode import decode
from pipelines.codec.encode import Format
from pipelines.compose import Composed
from pipelines.export.files import Material, export
from pipelines.export.wishes import Alpha, Export
from pipelines.geometry import Size
from tests.pipelines.export.house import draw_cut_out, finish

LAYERED = Export(Format.PSD)


def open_layers(data: bytes) -> tuple[PSDImage, dict[str, Image.Image], Image.Image | None]:
    """The file, its layers as they stand in the picture, and the upper one's mask."""
    file = PSDImage.open(io.BytesIO(data))
    layers, mask = {}, None
    for layer in file:
        whole = Image.new("RGBA", file.size)
        picture = layer.topil()
        assert picture
        whole.paste(picture, layer.offset)
        layers[layer.name] = whole
        if layer.name == "Source" and layer.mask:
            mask = Image.new("L", file.size)
            shown = layer.mask.topil()
            assert shown
            mask.paste(shown, (layer.mask.left, layer.mask.top))
    return file, layers, mask


@pytest.mark.parametrize("form", [Format.TIFF, Format.PSD])
def test_the_flattened_picture_is_the_output_for_every_reader(form: Format) -> None:
    material = finish()
    data = export(material, Export(form)).file.data
    with Image.open(io.BytesIO(data), formats=[form.name]) as read:
        assert read.convert("RGB").tobytes() == material.composed.output.tobytes()
    if form is Format.PSD:
        shown = PSDImage.open(io.BytesIO(data)).topil()
        assert shown
        assert shown.tobytes() == material.composed.output.tobytes()


def test_the_source_over_the_generated_layer_with_its_mask_is_the_output() -> None:
    material = finish()
    file, layers, mask = open_layers(export(material, LAYERED).file.data)
    assert list(layers) == ["Generated", "Source"]
    assert file.size == material.plan.target
    assert mask
    again = Image.composite(layers["Source"], layers["Generated"], mask).convert("RGB")
    assert again.tobytes() == material.composed.output.tobytes()


def test_without_anything_painted_there_is_only_the_source() -> None:
    material = finish(target=Size(90, 60))
    _, layers, mask = open_layers(export(material, LAYERED).file.data)
    assert list(layers) == ["Source"]
    assert mask is None
    assert layers["Source"].convert("RGB").tobytes() == material.composed.output.tobytes()


def test_the_layers_of_a_cut_out_keep_their_transparency() -> None:
    material = finish(draw_cut_out())
    file, layers, _ = open_layers(export(material, LAYERED).file.data)
    output = material.composed.output
    place = material.plan.place
    assert layers["Source"].crop(place).tobytes() == material.kept.tobytes()
    generated = layers["Generated"].getchannel("A")
    assert generated.tobytes() == output.getchannel("A").tobytes()
    shown = file.topil()
    assert shown
    assert shown.mode == "RGBA"
    assert shown.getchannel("A").tobytes() == output.getchannel("A").tobytes()
    exact, read = np.asarray(output).astype(int), np.asarray(shown).astype(int)
    solid = exact[..., 3] > 200
    assert np.abs(exact - read)[solid].max() <= 2


@pytest.mark.parametrize("form", Format)
def test_flattening_lays_transparency_on_the_background(form: Format) -> None:
    material = finish(clear(finish(draw_cut_out())))
    wishes = Export(form, alpha=Alpha.FLATTEN, background="#0a64f0", quality=100)
    made = export(material, wishes).file
    with Image.open(io.BytesIO(made.data), formats=[form.name]) as read:
        assert read.mode == "RGB"
        seen = np.asarray(read).astype(int)
    assert np.abs(seen - (10, 100, 240)).max() <= 3
    assert made.notes[0] == "transparency laid on #0a64f0"


def clear(material: Material) -> Image.Image:
    """A picture of which nothing is to be seen."""
    picture = material.kept.copy()
    picture.putalpha(0)
    return picture


def test_a_flattened_psd_has_flat_layers() -> None:
    wishes = replace(LAYERED, alpha=Alpha.FLATTEN)
    material = finish(draw_cut_out())
    file, layers, mask = open_layers(export(material, wishes).file.data)
    assert mask
    again = Image.composite(layers["Source"], layers["Generated"], mask).convert("RGB")
    shown = file.topil()
    assert shown
    assert np.abs(np.asarray(again).astype(int) - np.asarray(shown)).max() <= 1


@pytest.mark.parametrize("form", [Format.PNG, Format.WEBP, Format.AVIF, Format.TIFF])
def test_transparency_is_kept_unless_asked_otherwise(form: Format) -> None:
    material = finish(draw_cut_out())
    made = export(material, Export(form, background="#ff0000")).file
    assert decode(made.data).picture.mode == "RGBA"
    assert made.notes == ()


def test_jpeg_has_no_transparency_to_keep() -> None:
    made = export(finish(draw_cut_out()), Export(Format.JPEG, background="#00ff00")).file
    assert made.notes == ("transparency laid on #00ff00: JPEG has none",)
    assert export(finish(), Export(Format.JPEG)).file.notes == ()


def test_an_output_is_not_changed_by_its_export() -> None:
    material = finish(draw_cut_out())
    before = [each.tobytes() for each in list_pictures(material.composed)]
    export(material, LAYERED)
    export(material, Export(alpha=Alpha.FLATTEN))
    assert [each.tobytes() for each in list_pictures(material.composed)] == before


def list_pictures(composed: Composed) -> list[Image.Image]:
    assert composed.below
    assert composed.share
    return [composed.output, composed.below, composed.share]
