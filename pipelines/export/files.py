"""From a finished picture to the bytes that are handed out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from pipelines.codec.embedded import Embedded, Layer
from pipelines.codec.encode import Encoded, Format, encode, flatten
from pipelines.errors import InvalidOption, SourceUnsignable, UnreachableBudget
from pipelines.export.extras import ExtraFile, draw_extras
from pipelines.export.material import Material
from pipelines.export.provenance import Provenance, name_source_type, write_metadata
from pipelines.export.signing import SIGNABLE, Signer, SourceDamaged, Unsigned
from pipelines.export.wishes import Alpha, Export

__all__ = ["Exported", "ExtraFile", "Material", "check_signing", "export"]


@dataclass(frozen=True, slots=True)
class Exported:
    """The output's file, what it says of its making, and the files beside it."""

    file: Encoded
    provenance: Provenance
    extras: tuple[ExtraFile, ...] = ()


def check_signing(wishes: Export, *, can_sign: bool) -> None:
    """Raise InvalidOption where a signature is asked for that cannot be had."""
    if wishes.c2pa and wishes.format not in SIGNABLE:
        msg = f"C2PA has no place for a signature in {wishes.format}"
        raise InvalidOption(msg)
    if wishes.c2pa and not can_sign:
        raise InvalidOption("C2PA needs a certificate, and this machine has none")


def export(material: Material, wishes: Export, signer: Signer | None = None) -> Exported:
    """Write the output as ``wishes`` has it, and all extras but the record.

    Raises:
        InvalidOption, UnreachableBudget: what the format cannot hold, or who cannot sign.
        SourceUnsignable: the source is none that can be signed for, and that was asked for.
    """
    check_signing(wishes, can_sign=signer is not None)
    output = material.composed.output
    notes: tuple[str, ...] = ()
    if output.mode == "RGBA" and wishes.alpha is Alpha.FLATTEN:
        output = flatten(output, wishes.colour)
        notes = (f"transparency laid on {wishes.background or 'white'}",)
    layers = tuple(_list_layers(material, wishes)) if wishes.format is Format.PSD else ()
    said = write_metadata(material, wishes)._replace(layers=layers)
    embedded = said.within(wishes.format.max_block)
    if embedded != said:
        notes += (
            f"metadata left out: {wishes.format} holds at most {wishes.format.max_block} bytes",
        )
    file, embedded = _write(output, wishes, embedded)
    file, signed = _sign(file, material, wishes, signer)
    provenance = Provenance(bool(embedded.xmp), signed, name_source_type(material))
    file = replace(file, notes=notes + file.notes)
    return Exported(file, provenance, tuple(draw_extras(material, wishes)))


def _write(output: Image.Image, wishes: Export, embedded: Embedded) -> tuple[Encoded, Embedded]:
    """The file, and what is embedded in it: where nothing else helps, metadata is left out."""
    limit = wishes.max_bytes
    write = partial(
        encode,
        output,
        wishes.format,
        quality=wishes.quality,
        max_bytes=limit,
        background=wishes.background or "white",
    )
    try:
        file = write(embedded=embedded)
    except UnreachableBudget:
        bare = Embedded(layers=embedded.layers)
        if bare == embedded:
            raise
        file = write(embedded=bare)
        note = f"metadata left out, copyright and all, to fit {limit} bytes"
        return replace(file, notes=(*file.notes, note)), bare
    return file, embedded


def _sign(
    file: Encoded, material: Material, wishes: Export, signer: Signer | None
) -> tuple[Encoded, bool]:
    """The file, signed where that is wished and possible, else with a note.

    Raises:
        InvalidOption, SourceUnsignable, UnreachableBudget: it is not possible, and nothing less
            will do. A signature without what the source brings would hide where it comes from.
    """
    if signer is None or wishes.c2pa is False or wishes.format not in SIGNABLE:
        return file, False
    try:
        data = signer(file.data, file.format, material)
    except Unsigned as error:
        if wishes.c2pa:
            kind = SourceUnsignable if isinstance(error, SourceDamaged) else InvalidOption
            raise kind(f"the file cannot be signed: {error}") from error
        return replace(file, notes=(*file.notes, f"not signed: {error}")), False
    if wishes.max_bytes is not None and len(data) > wishes.max_bytes:
        fault = f"with its signature the file has {len(data)} bytes"
        if wishes.c2pa:
            msg = f"{fault}; at most {wishes.max_bytes} were asked for"
            raise UnreachableBudget(msg)
        return replace(file, notes=(*file.notes, f"not signed: {fault}")), False
    return replace(file, data=data), True


def _list_layers(material: Material, wishes: Export) -> Iterator[Layer]:
    """The generated layer below, the source above it with the seam as its mask.

    Where the output has transparency each layer has its own, and the lower one a mask as well.
    """
    composed, transparent = material.composed, material.composed.output.mode == "RGBA"

    def settle(picture: Image.Image) -> Image.Image:
        return flatten(picture, wishes.colour) if transparent and wishes.flattens else picture

    generated, mask = composed.generated, None
    if generated and transparent:
        generated.putalpha(composed.output.getchannel("A"))
        mask = None if wishes.flattens else composed.mask.point(lambda level: 255 * bool(level))
    if generated:
        yield Layer("Generated", settle(generated), mask=mask)
    yield Layer("Source", settle(material.kept), material.plan.place[:2], composed.share)
