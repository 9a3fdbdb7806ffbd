"""From whatever a file stores to eight bits of sRGB, and the profile that says so.

Rules, in this order:

- Values above 8 bits are grey here (16-bit colour reaches Pillow already halved): integers are
  divided by 257 and rounded when any of them exceeds 255, else taken as 8-bit values; floats up
  to 1.0 are taken as 0 to 1, larger ones like integers. What still lies outside is clipped, and
  a single grey that is declared transparent stays opaque.
- Alpha is set aside before any colour conversion and is never changed; the colours under it are
  kept as stored, premultiplied ones divided back.
- An ICC profile is applied with the perceptual intent. One that would move no colour by more
  than one level is sRGB under another name: the pixels stay as they are. One that is broken, or
  made for other channels than the picture has, is ignored with a note.
- CMYK without a profile, palettes, YCbCr and bilevel pictures become RGB by Pillow's arithmetic.

Only ICC counts: gAMA, cHRM, cICP and nclx are not read, and HDR is not tone-mapped.
"""

import io

import numpy as np
from PIL import Image, ImageCms

_BYTE = 255
_PROFILE_ERRORS = (ImageCms.PyCMSError, ValueError, OSError)


def convert_to_srgb(
    picture: Image.Image, profile: bytes | None
) -> tuple[Image.Image, tuple[str, ...]]:
    """Return ``picture`` as RGB, or RGBA where it has transparency, and notes in words."""
    notes = []
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _reduce(picture)
    alpha = None
    if picture.has_transparency_data:
        grey = picture.mode in ("L", "LA", "La")
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        picture = picture.getchannel("R") if grey else picture.convert("RGB")
    if picture.mode == "CMYK":
        notes.append("converted from CMYK")
    if profile:
        picture, note = _apply(profile, picture)
        notes.extend(note)
    picture = picture.convert("RGB")
    picture.info = {}
    if alpha is not None:
        picture.putalpha(alpha)
    return picture, tuple(notes)


def make_srgb_profile() -> bytes:
    """The ICC profile embedded in outputs: the same bytes on every call and every day."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes.fromhex("07ea00010001000000000000")  # created: 2026-01-01
    profile[84:100] = bytes(16)  # the id is a digest that would include the date
    return bytes(profile)


def _reduce(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floats to 8 bits; Pillow's own conversion would saturate."""
    values = np.nan_to_num(np.asarray(picture, np.float64))
    top = values.max()
    if picture.mode == "F" and top <= 1:
        values *= _BYTE
    elif top > _BYTE:
        values /= 257
    return Image.fromarray(np.rint(np.clip(values, 0, _BYTE)).astype(np.uint8))


def _apply(profile: bytes, picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    if picture.mode not in ("RGB", "CMYK", "L"):
        picture = picture.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), picture.mode, "RGB"
        )
        if picture.mode != "CMYK" and _is_identity(transform):
            return picture, ()
        name = ImageCms.getProfileDescription(source)
        converted = ImageCms.applyTransform(picture, transform)
    except _PROFILE_ERRORS:
        return picture, ("broken colour profile ignored",)
    assert converted is not None
    name = "".join(filter(str.isprintable, name.strip()))[:60] or "without a name"
    return converted, (f"colour profile {name} converted to sRGB",)


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour of a lattice of 17 levels per channel moves by more than one level."""
    levels = np.linspace(0, _BYTE, 17).round().astype(np.uint8)
    if transform.input_mode == "L":
        grey = np.arange(256, dtype=np.uint8)[None]  # (1, 256)
        before = np.repeat(grey[..., None], 3, axis=2)  # (1, 256, 3)
        lattice = Image.fromarray(grey)
    else:
        before = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(17, 289, 3)
        lattice = Image.fromarray(before)
    after = ImageCms.applyTransform(lattice, transform)
    return bool(np.abs(np.asarray(after, np.int16) - before).max() <= 1)
