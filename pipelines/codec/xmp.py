"""XMP: what a file says of itself, as RDF in XML.

Of what is read only the properties named here count. A document type is refused before anything
is parsed, so no entity is ever expanded. What is written is the same bytes on every day.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from html import escape
from typing import NamedTuple
from xml.etree import ElementTree as ET

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Property(StrEnum):
    """What is read and written, by its usual prefix."""

    CREATOR = "dc:creator"
    RIGHTS = "dc:rights"
    CREDIT = "photoshop:Credit"
    TERMS = "xmpRights:UsageTerms"
    LICENCE = "xmpRights:WebStatement"
    CC_LICENCE = "cc:license"
    LICENSOR = "plus:LicensorURL"
    SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
    TOOL = "xmp:CreatorTool"

    @property
    def qualified(self) -> str:
        """With its namespace, as ElementTree writes it."""
        prefix, _, name = self.partition(":")
        return f"{{{_NAMESPACES[prefix]}}}{name}"


_ORDERED = {Property.CREATOR}
_IN_LANGUAGES = {Property.RIGHTS, Property.TERMS}


def read_xmp(packet: bytes) -> dict[Property, tuple[str, ...]]:
    """The properties in ``packet``; of a text in several languages the default one.

    Raises:
        ValueError: not XML, or with a document type.
    """
    text = packet.decode("utf-8-sig").strip("\0 \r\n\t")
    if not text:
        return {}
    if "<!DOCTYPE" in text:
        raise ValueError("XMP has no document type")
    try:
        root = ET.fromstring(text)  # noqa: S314  as text it is UTF-8, and there are no entities
    except ET.ParseError as error:
        raise ValueError("not XML") from error
    said: dict[Property, tuple[str, ...]] = {}
    for node in _list_descriptions(root):
        for name in Property:
            values = tuple(filter(None, _find(node, name.qualified)))
            if values:
                said.setdefault(name, values)
    return said


def _list_descriptions(root: ET.Element) -> Iterator[ET.Element]:
    """Those of the file itself; deeper ones are about others, as ingredients are."""
    for rdf in root.iter(f"{{{_RDF}}}RDF"):
        yield from rdf.findall(f"{{{_RDF}}}Description")


def _find(node: ET.Element, name: str) -> Iterator[str]:
    """An attribute, or the values of an element."""
    if name in node.attrib:
        yield node.attrib[name]
    for element in node.findall(f".//{name}" if name == Property.LICENSOR.qualified else name):
        items = element.findall(f"*/{{{_RDF}}}li")
        items.sort(key=lambda item: item.get(_LANGUAGE, "x-default") != "x-default")
        for item in items or [element]:
            yield item.get(f"{{{_RDF}}}resource") or item.text or ""


class Statement(NamedTuple):
    """One property and its values."""

    name: Property
    values: Sequence[str]


def write_xmp(statements: Sequence[Statement]) -> bytes:
    """A whole packet that says so; empty where nothing is said."""
    said = [statement for statement in statements if any(statement.values)]
    if not said:
        return b""
    prefixes = sorted({statement.name.partition(":")[0] for statement in said})
    spaces = " ".join(f'xmlns:{prefix}="{_NAMESPACES[prefix]}"' for prefix in prefixes)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" {spaces}>'
        f"{''.join(map(_write, said))}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _write(statement: Statement) -> str:
    name, values = statement
    if name is Property.LICENSOR:
        item = f"<{name}>{escape(values[0])}</{name}>"
        inside = f'<rdf:Seq><rdf:li rdf:parseType="Resource">{item}</rdf:li></rdf:Seq>'
        return f"<plus:Licensor>{inside}</plus:Licensor>"
    if name in _ORDERED:
        items = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
        return f"<{name}><rdf:Seq>{items}</rdf:Seq></{name}>"
    if name in _IN_LANGUAGES:
        item = f'<rdf:li xml:lang="x-default">{escape(values[0])}</rdf:li>'
        return f"<{name}><rdf:Alt>{item}</rdf:Alt></{name}>"
    return f"<{name}>{escape(values[0])}</{name}>"
