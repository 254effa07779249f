"""What is said about a picture, as an XMP packet and EXIF fields.

Properties and types: IPTC Photo Metadata 2025.1
(https://www.iptc.org/std/photometadata/specification/IPTC-PhotoMetadata) and XMP part 1,
https://developer.adobe.com/xmp/docs/. Nothing is taken over from the take itself, so a position, a
serial number or an author that a host wrote into it does not come through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

from flows.nouns.rendition import Words

LARGEST_PACKET = 60_000
"""Bytes: with its header the packet still fits into one JPEG segment (65,533 bytes)."""

NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}
"""What is written; `flows.finish.tags_read` gives its names back by the same prefixes."""
for _prefix, _uri in NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)

_ADDRESSES = frozenset({"license_url", "licensor_url"})
_TEXTS = (
    "title", "description", "alt", "creator", "copyright", "credit", "usage_terms", "prompt",
    *sorted(_ADDRESSES),
)  # fmt: skip
_GENERATED_FOR_CERTAIN = "1"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
# XML 1.0, production 2 (https://www.w3.org/TR/xml/#charsets): all others cannot be written at all
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_EXIF_DESCRIPTION, _EXIF_SOFTWARE, _EXIF_ARTIST, _EXIF_COPYRIGHT = 0x010E, 0x0131, 0x013B, 0x8298


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a take comes from. All of it is given, so that the same take gives the same tags."""

    document_id: str
    """The same for all files of one take; its sha256 does well. The picture's GUID as well."""
    software: str
    """Name and version, such as `Shotlist 0.1.0`."""
    system: str | None = None
    """The AI system; None where no model was at work, as in a proof."""
    system_version: str | None = None
    created: str = ""
    """ISO 8601 with a zone, or empty where it is not known."""


def clean(text: str) -> str:
    """Without the characters that XML cannot hold (controls, lone surrogates) and outer blanks."""
    return _NOT_XML.sub("", text).strip()


def xmp(words: Words, lineage: Lineage, source_type: str | None, instance_id: str) -> bytes:
    """The packet. A property without a value is left out."""
    root = ET.Element(_name("x:xmpmeta"))
    rdf = ET.SubElement(root, _name("rdf:RDF"))
    about = ET.SubElement(rdf, _name("rdf:Description"), {_name("rdf:about"): ""})
    for name, text in (
        ("dc:title", words.title),
        ("dc:description", words.description),
        ("dc:rights", words.copyright),
        ("xmpRights:UsageTerms", words.usage_terms),
        ("Iptc4xmpCore:AltTextAccessibility", words.alt),
    ):
        _languages(about, name, text, words.locale)
    _list(about, "dc:subject", "rdf:Bag", words.keywords)
    _list(about, "dc:creator", "rdf:Seq", [words.creator or ""])
    for name, text in (
        ("photoshop:Credit", words.credit),
        ("xmpRights:WebStatement", words.license_url),
        ("Iptc4xmpExt:DigitalSourceType", source_type),
        ("Iptc4xmpExt:AISystemUsed", lineage.system),
        ("Iptc4xmpExt:AISystemVersionUsed", lineage.system_version),
        ("Iptc4xmpExt:AIPromptInformation", words.prompt if source_type else None),
        ("Iptc4xmpExt:DigImageGUID", lineage.document_id),
        ("TC260:AIGC", _aigc(words, lineage) if source_type else None),
        ("xmp:CreatorTool", lineage.software),
        ("xmp:CreateDate", lineage.created),
        ("xmpMM:DocumentID", f"xmp.did:{lineage.document_id}"),
        ("xmpMM:InstanceID", f"xmp.iid:{instance_id}"),
    ):
        if said := clean(text or ""):
            ET.SubElement(about, _name(name)).text = said
    _structure(
        ET.SubElement(about, _name("xmpMM:DerivedFrom")),
        {
            "stRef:documentID": f"xmp.did:{lineage.document_id}",
            "stRef:instanceID": f"xmp.iid:{lineage.document_id}",
        },
    )
    if licensor := clean(words.licensor_url or ""):
        licensors = ET.SubElement(ET.SubElement(about, _name("plus:Licensor")), _name("rdf:Seq"))
        _structure(ET.SubElement(licensors, _name("rdf:li")), {"plus:LicensorURL": licensor})
    # the byte order mark in `begin` says that the packet is UTF-8
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    body = ET.tostring(root, encoding="unicode")
    return f'{begin}{body}\n<?xpacket end="w"?>'.encode()


def exif(words: Words, lineage: Lineage) -> dict[int, bytes]:
    """The EXIF twins of the tags, in UTF-8 as the Metadata Working Group advises."""
    fields = {
        _EXIF_DESCRIPTION: words.description,
        _EXIF_SOFTWARE: lineage.software,
        _EXIF_ARTIST: words.creator,
        _EXIF_COPYRIGHT: words.copyright,
    }
    said = {number: clean(text or "") for number, text in fields.items()}
    return {number: text.encode() for number, text in said.items() if text}


def fitted(
    words: Words, lineage: Lineage, source_type: str | None
) -> tuple[Words, tuple[str, ...]]:
    """Words whose packet is small enough, and what was left out of them.

    Keywords go first, the last of them before the first; then the longest text is halved.
    """
    asked = words
    while words.keywords and _is_too_large(words, lineage, source_type):
        words = replace(words, keywords=words.keywords[: len(words.keywords) // 2])
    shortened = {}
    while _is_too_large(words, lineage, source_type):
        longest = max(_TEXTS, key=lambda name: len(getattr(words, name) or ""))
        text = getattr(words, longest)
        # half an address leads nowhere
        shorter = None if longest in _ADDRESSES else f"{text[: len(text) // 2].rstrip('… ')}…"
        words = _with_text(words, longest, shorter)
        shortened[longest] = "left out" if shorter is None else "shortened"
    notes = [f"{name} {how} in the tags: no room in the file" for name, how in shortened.items()]
    if left_out := len(asked.keywords) - len(words.keywords):
        notes.append(f"{left_out} of {len(asked.keywords)} keywords left out: no room in the file")
    return words, tuple(notes)


def _with_text(words: Words, name: str, text: str | None) -> Words:
    changes: dict[str, Any] = {name: text}
    return replace(words, **changes)


def _is_too_large(words: Words, lineage: Lineage, source_type: str | None) -> bool:
    return len(xmp(words, lineage, source_type, "0" * 32)) > LARGEST_PACKET


def _name(prefixed: str) -> str:
    prefix, _, name = prefixed.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _languages(parent: ET.Element, name: str, text: str | None, locale: str) -> None:
    said = clean(text or "")
    if not said:
        return
    options = ET.SubElement(ET.SubElement(parent, _name(name)), _name("rdf:Alt"))
    language = locale.replace("_", "-")
    for tag in ("x-default", language if _LANGUAGE.fullmatch(language) else ""):
        if tag:
            ET.SubElement(options, _name("rdf:li"), {_LANG: tag}).text = said


def _structure(parent: ET.Element, fields: Mapping[str, str]) -> None:
    parent.set(_name("rdf:parseType"), "Resource")
    for name, text in fields.items():
        ET.SubElement(parent, _name(name)).text = text


def _aigc(words: Words, lineage: Lineage) -> str | None:
    """China's label of generated pictures: what a producer fills in; platforms fill in the rest.

    Guide TC260-PG-20259A, https://www.tc260.org.cn/tc260/sjzn/list_2.shtml
    """
    producer = clean(words.aigc_producer or "")
    if not producer:
        return None
    label = {
        "Label": _GENERATED_FOR_CERTAIN,
        "ContentProducer": producer,
        "ProduceID": lineage.document_id,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(label, ensure_ascii=False, separators=(",", ":"))


def _list(parent: ET.Element, name: str, kind: str, texts: Iterable[str]) -> None:
    said = [text for text in map(clean, texts) if text]
    if not said:
        return
    items = ET.SubElement(ET.SubElement(parent, _name(name)), _name(kind))
    for text in dict.fromkeys(said):  # each once, in the order given
        ET.SubElement(items, _name("rdf:li")).text = text
