"""The tags of a file read back, for the check before it is published and for whoever wonders.

Only what is written is read: XMP by the prefixes of `flows.finish.tag`, and its EXIF twins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from flows.errors import BadInput, Fault
from flows.finish.open import MOST_PIXELS
from flows.finish.tag import NAMESPACES
from flows.pictures import UnreadableError, opening

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

TagValue = str | tuple[str, ...]

_PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XMP_TAG = 700
_EXIF_NAMES = {
    0x010E: "exif:ImageDescription",
    0x0131: "exif:Software",
    0x013B: "exif:Artist",
    0x8298: "exif:Copyright",
}


def read_tags(data: bytes) -> Mapping[str, TagValue]:
    """Property to value, as `dc:title` to its text; EXIF as `exif:Artist`. Empty: no tags at all.

    Of a text in several languages the default one; a list is a tuple; a field of a structure is
    named by its path, `xmpMM:DerivedFrom/stRef:documentID`.

    Raises:
        BadInput: the bytes are no picture, or its XMP is not XML.

    """
    try:
        with opening(data, most_pixels=MOST_PIXELS) as picture:
            said = dict(_exif(picture))
            packet = _packet(picture)
    except UnreadableError as error:
        raise BadInput("the tags cannot be read", [Fault("picture", str(error))]) from error
    return said | read_packet(packet) if packet else said


def read_packet(packet: bytes) -> dict[str, TagValue]:
    """The properties of an XMP packet, as `read_tags` gives them.

    Raises:
        BadInput: it is not XML, or uses what no packet needs (a document type, entities).

    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    # a packet may be followed by room to grow, and in some files by a NUL
    text = packet.decode("utf-8", "replace").strip("\0 \n\r\t\ufeff")
    try:
        root: ET.Element = fromstring(text, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError) as error:
        fault = Fault("XMP", "it is not XML that is safe to read")
        raise BadInput("the tags cannot be read", [fault]) from error
    said: dict[str, TagValue] = {}
    for about in root.iter(_tag("rdf:Description")):
        for name, text_of_attribute in about.attrib.items():
            if name != _tag("rdf:about"):
                said[_prefixed(name)] = text_of_attribute
        for one in about:
            said.update(_values(_prefixed(one.tag), one))
    return said


def _values(name: str, one: ET.Element) -> Iterator[tuple[str, TagValue]]:
    items = one.findall(f"*/{_tag('rdf:li')}")
    if one.get(_tag("rdf:parseType")) == "Resource":
        for part in one:
            yield from _values(f"{name}/{_prefixed(part.tag)}", part)
    elif items and _LANG in items[0].attrib:
        default = next((li for li in items if li.get(_LANG) == "x-default"), items[0])
        yield name, default.text or ""
    elif items and items[0].get(_tag("rdf:parseType")) == "Resource":
        for part in items[0]:
            yield from _values(f"{name}/{_prefixed(part.tag)}", part)
    elif items:
        yield name, tuple(item.text or "" for item in items)
    else:
        yield name, one.text or ""


def _packet(picture: ImageFile) -> bytes:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    if not packet and picture.format == "TIFF":
        packet = getattr(picture, "tag_v2", {}).get(_XMP_TAG, b"")
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def _exif(picture: ImageFile) -> Iterator[tuple[str, str]]:
    exif = picture.getexif()
    for number, name in _EXIF_NAMES.items():
        value = exif.get(number)
        if isinstance(value, str):
            value = value.encode("latin-1", "replace")  # Pillow takes EXIF's bytes for Latin-1
        if isinstance(value, bytes) and (text := value.decode("utf-8", "replace").rstrip("\0")):
            yield name, text


def _tag(prefixed: str) -> str:
    prefix, _, name = prefixed.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _prefixed(tag: str) -> str:
    uri, _, name = tag.removeprefix("{").rpartition("}")
    return f"{_PREFIXES[uri]}:{name}" if uri in _PREFIXES else tag
