"""PSD: layers, and beside them the finished picture for programs that show only that.

The finished picture of a file with transparency is laid on white, as Photoshop does and every
reader expects: where it is half-transparent its colours come back rounded. The layers are exact.
"""

import io
from collections.abc import Iterable, Iterator

from PIL import Image
from psd_tools.constants import ChannelID, ColorMode, Compression, Resource
from psd_tools.psd import PSD
from psd_tools.psd.header import FileHeader
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource, ImageResources, VersionInfo
from psd_tools.psd.layer_and_mask import (
    ChannelData,
    ChannelDataList,
    ChannelImageData,
    ChannelInfo,
    GlobalLayerMaskInfo,
    LayerAndMaskInformation,
    LayerInfo,
    LayerRecord,
    LayerRecords,
    MaskData,
)

from pipelines.codec.embedded import Embedded, Layer

_DEPTH = 8
_WRITER = "Smart Resize"


def encode_psd(picture: Image.Image, profile: bytes, embedded: Embedded) -> bytes:
    """Write an RGB or RGBA ``picture`` that was made of ``embedded.layers``, at most 30,000 px."""
    header = FileHeader(
        channels=len(picture.getbands()),
        height=picture.height,
        width=picture.width,
        depth=_DEPTH,
        color_mode=ColorMode.RGB,
    )
    finished = ImageData(compression=Compression.RLE)
    finished.set_data([band.tobytes() for band in _lay_on_white(picture)], header)
    document = PSD(
        header=header,
        image_resources=_make_resources(profile, embedded),
        layer_and_mask_information=_make_layers(embedded.layers, transparent=header.channels > 3),  # noqa: PLR2004
        image_data=finished,
    )
    file = io.BytesIO()
    document.write(file)
    return file.getvalue()


def _lay_on_white(picture: Image.Image) -> tuple[Image.Image, ...]:
    if picture.mode == "RGB":
        return picture.split()
    below = Image.new("RGB", picture.size, "white")
    alpha = picture.getchannel("A")
    below.paste(picture.convert("RGB"), mask=alpha)
    return (*below.split(), alpha)


def _make_resources(profile: bytes, embedded: Embedded) -> ImageResources:
    version = VersionInfo(has_composite=True, writer=_WRITER, reader=_WRITER)
    said = {
        Resource.ICC_PROFILE: profile,
        Resource.VERSION_INFO: version.tobytes(),
        Resource.EXIF_DATA_1: embedded.exif,
        Resource.XMP_METADATA: embedded.xmp,
    }
    resources = ImageResources()
    for key, data in said.items():
        if data:
            resources[key] = ImageResource(key=key, data=data)
    return resources


def _make_layers(layers: Iterable[Layer], *, transparent: bool) -> LayerAndMaskInformation:
    records, contents = LayerRecords(), ChannelImageData()
    for layer in layers:
        channels, planes = [], ChannelDataList()
        for name, plane in _list_planes(layer):
            data = ChannelData(Compression.RLE)
            data.set_data(plane.tobytes(), *plane.size, _DEPTH)
            channels.append(ChannelInfo(name, len(data.data) + 2))
            planes.append(data)
        records.append(_make_record(layer, channels))
        contents.append(planes)
    count = -len(records) if transparent else len(records)  # negative: there is merged alpha
    info = LayerInfo(layer_count=count, layer_records=records, channel_image_data=contents)
    return LayerAndMaskInformation(info, GlobalLayerMaskInfo())


def _list_planes(layer: Layer) -> Iterator[tuple[ChannelID, Image.Image]]:
    picture = layer.picture
    opaque = Image.new("L", picture.size, 255)
    yield ChannelID.TRANSPARENCY_MASK, picture.getchannel("A") if picture.mode == "RGBA" else opaque
    for number, band in enumerate(picture.convert("RGB").split()):
        yield ChannelID(number), band
    if layer.mask:
        yield ChannelID.USER_LAYER_MASK, layer.mask


def _make_record(layer: Layer, channels: list[ChannelInfo]) -> LayerRecord:
    left, top = layer.place
    right, bottom = left + layer.picture.width, top + layer.picture.height
    mask = MaskData(top, left, bottom, right) if layer.mask else None
    return LayerRecord(
        top, left, bottom, right, channel_info=channels, mask_data=mask, name=layer.name
    )
