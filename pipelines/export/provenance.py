"""What a file says of its own making, in IPTC's words.

| what was added | what the source said of itself | what the output says |
|---|---|---|
| nothing | anything, or nothing | the same, or nothing |
| anything | made by a model (``trainedAlgorithmicMedia``) | the same |
| painted by a model | anything else, or nothing | ``compositeWithTrainedAlgorithmicMedia`` |
| filled without a model | composed with a model's work (either term for it) | the same |
| filled without a model | anything else, or nothing | ``algorithmicallyEnhanced`` |
"""

import importlib.metadata
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.codec.embedded import Embedded
from pipelines.codec.exif import write_exif
from pipelines.codec.notice import SOURCE_TYPES, Notice
from pipelines.codec.xmp import Property, Statement, write_xmp
from pipelines.export.material import Material
from pipelines.export.wishes import Export, Metadata
from pipelines.fill import Fill

TOOL = "Smart Resize"

MADE_BY_MODEL = f"{SOURCE_TYPES}trainedAlgorithmicMedia"
EDITED_BY_MODEL = f"{SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
COMPOSED_WITH_MODEL = f"{SOURCE_TYPES}compositeSynthetic"
ALTERED = f"{SOURCE_TYPES}algorithmicallyEnhanced"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is said of how the output was made, and where in its file.

    ``digital_source_type`` is the URI of IPTC's term, None where nothing is known of the source
    and nothing was added to it; it stands there whether or not it is in the file.
    """

    xmp: bool
    c2pa: bool
    digital_source_type: str | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def version() -> str:
    """Of this program."""
    return importlib.metadata.version("smart-resize")


def name_edit(material: Material) -> str | None:
    """IPTC's term for what was done to the source, as a URI; None where nothing was added."""
    if material.fill is None:
        return None
    painted = material.fill is Fill.GENERATE and material.models
    return EDITED_BY_MODEL if painted else ALTERED


def name_source_type(material: Material) -> str | None:
    """IPTC's term for how the output came to be, as a URI; None where nothing is to be said."""
    said, edit = material.source.notice.source_type, name_edit(material)
    if edit is None or said == MADE_BY_MODEL:
        return said or None
    return said if edit == ALTERED and said in (EDITED_BY_MODEL, COMPOSED_WITH_MODEL) else edit


def write_metadata(material: Material, wishes: Export) -> Embedded:
    """The EXIF and XMP of an output: whose it is, and how it was made, each where it is wished."""
    notice = material.source.notice if wishes.metadata is Metadata.COPYRIGHT else Notice()
    exif = write_exif(notice.creators, notice.copyright)
    if not wishes.xmp:
        return Embedded(exif)
    statements = (
        Statement(Property.TOOL, (f"{TOOL} {version()}",)),
        Statement(Property.SOURCE_TYPE, (name_source_type(material) or "",)),
        Statement(Property.CREATOR, notice.creators),
        Statement(Property.RIGHTS, (notice.copyright,)),
        Statement(Property.CREDIT, (notice.credit,)),
        Statement(Property.TERMS, (notice.terms,)),
        Statement(Property.LICENCE, (notice.licence,)),
        Statement(Property.LICENSOR, (notice.licensor,)),
    )
    return Embedded(exif, write_xmp(statements))
