"""What goes into a file besides its picture and the colour profile."""

from typing import NamedTuple, Self

from PIL import Image


class Layer(NamedTuple):
    """A picture of its own inside a layered file, RGB or RGBA, its corner at ``place``.

    ``mask``, mode L and of the picture's size, is where the layer shows: 255 wholly, 0 nowhere.
    """

    name: str
    picture: Image.Image
    place: tuple[int, int] = (0, 0)
    mask: Image.Image | None = None


class Embedded(NamedTuple):
    """Each is left out where it is empty; only PSD has ``layers``, from the lowest up.

    ``exif`` is a TIFF structure without any prefix, ``xmp`` a whole packet.
    """

    exif: bytes = b""
    xmp: bytes = b""
    layers: tuple[Layer, ...] = ()

    def within(self, most: int) -> Self:
        """Without EXIF or XMP of more than so many bytes."""
        exif, xmp = (block if len(block) <= most else b"" for block in (self.exif, self.xmp))
        return self._replace(exif=exif, xmp=xmp)
