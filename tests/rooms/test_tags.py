"""What is written beside the pixels, read back by Pillow and by exiftool."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flows.finish import Lineage, Look, renditions
from flows.finish.tag import LARGEST_PACKET, clean, fitted, xmp
from flows.nouns.campaign import Finish
from flows.nouns.output import Output
from flows.nouns.rendition import AI_GENERATED, Words

FORMATS = ("jpeg", "png", "webp", "avif", "tiff")
ONE = Output(
    name="1x1", aspect_ratio="1:1", shape=Fraction(1), formats=FORMATS, width=32, height=32
)
LINEAGE = Lineage(
    document_id="ab" * 32,
    software="Shotlist 0.1.0",
    system="Seedream",
    system_version="seedream-4",
    created="2026-11-21T10:00:00Z",
)
WORDS = Words(
    title="Becher „Größe XL“ & Löffel",
    description="Ein <blauer> Becher 🧁",
    alt="Blauer Becher auf dem Tisch",
    keywords=("spring", "日本語", "mugs, cups"),
    creator="Acme GmbH",
    copyright="© 2026 Acme GmbH",
    credit="Acme",
    license_url="https://acme.example/licence?a=1&b=2",
    locale="de_DE",
)

MASTER = {"documentID": f"xmp.did:{'ab' * 32}", "instanceID": f"xmp.iid:{'ab' * 32}"}


def take_of(size=(64, 64), form="PNG", **options):
    out = io.BytesIO()
    Image.new("RGB", size, "#406080").save(out, form, **options)
    return out.getvalue()


def files(words=WORDS, lineage=LINEAGE, source_type=AI_GENERATED, take=None, outputs=(ONE,)):
    return renditions(
        take or take_of(),
        outputs,
        look=Look(finish=Finish()),
        words=words,
        source_type=source_type,
        lineage=lineage,
    )


@pytest.fixture(scope="session")
def judged(tmp_path_factory):
    """A function that has exiftool read files and gives its document of each."""
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        pytest.skip("exiftool is not installed: nobody but Pillow reads the tags here")

    def read(made):
        folder = tmp_path_factory.mktemp("judged")
        names = []
        for number, file in enumerate(made):
            names.append(f"{number}.{file.format}")
            (folder / names[-1]).write_bytes(file.data)
        command = [exiftool, "-json", "-G1", "-struct", "-charset", "utf8", *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
        return json.loads(done.stdout)

    return read


def in_packet(data):
    """Property to value (text, list, or language to text) as the XMP of a file has it."""
    namespaces = dict(ns for _, ns in ET.iterparse(io.BytesIO(data), ["start-ns"]))
    (about,) = ET.fromstring(data).iter(f"{{{namespaces['rdf']}}}Description")
    found = {}
    for one in about:
        items = list(one.iter(f"{{{namespaces['rdf']}}}li"))
        lang = "{http://www.w3.org/XML/1998/namespace}lang"
        value = one.text
        if items:
            value = [item.text for item in items]
        if items and lang in items[0].attrib:
            value = {item.attrib[lang]: item.text for item in items}
        if one.get(f"{{{namespaces['rdf']}}}parseType") == "Resource":
            value = {part.tag.rpartition("}")[2]: part.text for part in one}
        uri, _, name = one.tag[1:].partition("}")
        prefix = next(prefix for prefix, known in namespaces.items() if known == uri)
        found[f"{prefix}:{name}"] = value
    return found


def packet_of(file):
    picture = Image.open(io.BytesIO(file.data))
    picture.load()
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    return packet.encode() if isinstance(packet, str) else packet


def both(text):
    return {"x-default": text, "de-DE": text}


def test_every_format_carries_every_property():
    made = files()
    packets = [in_packet(packet_of(file)) for file in made]
    instances = [packet.pop("xmpMM:InstanceID") for packet in packets]
    assert packets == [
        {
            "dc:title": both(WORDS.title),
            "dc:description": both(WORDS.description),
            "dc:rights": both(WORDS.copyright),
            "Iptc4xmpCore:AltTextAccessibility": both(WORDS.alt),
            "dc:subject": list(WORDS.keywords),
            "dc:creator": ["Acme GmbH"],
            "photoshop:Credit": "Acme",
            "xmpRights:WebStatement": "https://acme.example/licence?a=1&b=2",
            "Iptc4xmpExt:DigitalSourceType": AI_GENERATED,
            "Iptc4xmpExt:AISystemUsed": "Seedream",
            "Iptc4xmpExt:AISystemVersionUsed": "seedream-4",
            "xmp:CreatorTool": "Shotlist 0.1.0",
            "xmp:CreateDate": "2026-11-21T10:00:00Z",
            "xmpMM:DocumentID": f"xmp.did:{'ab' * 32}",
            "xmpMM:DerivedFrom": MASTER,
            "Iptc4xmpExt:DigImageGUID": "ab" * 32,
        }
    ] * len(FORMATS)
    assert len(set(instances)) == len(FORMATS)


def test_exiftool_reads_every_field_in_every_format(judged):
    for tags, form in zip(judged(files()), FORMATS, strict=True):
        xmp_tags = {name: value for name, value in tags.items() if name.startswith("XMP")}
        assert xmp_tags.pop("XMP-xmpMM:InstanceID").startswith("xmp.iid:")
        xmp_tags.pop("XMP-x:XMPToolkit", None)
        assert xmp_tags == {
            "XMP-dc:Title": WORDS.title,
            "XMP-dc:Title-de-DE": WORDS.title,
            "XMP-dc:Description": WORDS.description,
            "XMP-dc:Description-de-DE": WORDS.description,
            "XMP-dc:Rights": WORDS.copyright,
            "XMP-dc:Rights-de-DE": WORDS.copyright,
            "XMP-dc:Subject": list(WORDS.keywords),
            "XMP-dc:Creator": ["Acme GmbH"],
            "XMP-iptcCore:AltTextAccessibility": WORDS.alt,
            "XMP-iptcCore:AltTextAccessibility-de-DE": WORDS.alt,
            "XMP-iptcExt:DigitalSourceType": AI_GENERATED,
            "XMP-iptcExt:AISystemUsed": "Seedream",
            "XMP-iptcExt:AISystemVersionUsed": "seedream-4",
            "XMP-photoshop:Credit": "Acme",
            "XMP-xmpRights:WebStatement": WORDS.license_url,
            "XMP-xmp:CreatorTool": "Shotlist 0.1.0",
            "XMP-xmp:CreateDate": "2026:11:21 10:00:00Z",
            "XMP-xmpMM:DocumentID": f"xmp.did:{'ab' * 32}",
            "XMP-xmpMM:DerivedFrom": {
                "DocumentID": MASTER["documentID"],
                "InstanceID": MASTER["instanceID"],
            },
            "XMP-iptcExt:DigitalImageGUID": "ab" * 32,
        }, form
        assert {name: tags.get(f"IFD0:{name}") for name in (
            "ImageDescription", "Artist", "Copyright", "Software",
        )} == {
            "ImageDescription": WORDS.description,
            "Artist": "Acme GmbH",
            "Copyright": "© 2026 Acme GmbH",
            "Software": "Shotlist 0.1.0",
        }, form  # fmt: skip
        assert tags["ICC_Profile:ProfileDescription"] == "sRGB IEC61966-2.1", form
        assert [name for name in tags if "Warning" in name or "Error" in name] == [], form


def test_a_proof_names_no_source_type_and_no_system():
    proof = Lineage(document_id="cd" * 32, software="Shotlist 0.1.0")
    for file in files(lineage=proof, source_type=None):
        names = {name for name in in_packet(packet_of(file)) if "Iptc4xmpExt" in name}
        assert names == {"Iptc4xmpExt:DigImageGUID"}
        assert b"AISystem" not in file.data
        assert b"digitalsourcetype" not in file.data


def test_what_is_not_known_is_left_out():
    bare = Words(title="Mug", description="", alt="  ")
    packet = in_packet(xmp(bare, replace(LINEAGE, created=""), None, "0"))
    assert set(packet) == {
        "dc:title", "Iptc4xmpExt:AISystemUsed", "Iptc4xmpExt:AISystemVersionUsed",
        "Iptc4xmpExt:DigImageGUID", "xmp:CreatorTool", "xmpMM:DocumentID", "xmpMM:InstanceID",
        "xmpMM:DerivedFrom",
    }  # fmt: skip
    assert packet["dc:title"] == {"x-default": "Mug"}


def test_one_take_is_one_document_and_each_file_an_instance_of_it():
    outputs = [replace(ONE, name=name, formats=("jpeg",)) for name in ("a", "b")]
    packets = [in_packet(packet_of(file)) for file in files(outputs=outputs)]
    assert len({packet["xmpMM:DocumentID"] for packet in packets}) == 1
    assert len({packet["xmpMM:InstanceID"] for packet in packets}) == 2
    again = [in_packet(packet_of(file)) for file in files(outputs=outputs)]
    assert again == packets
    other = in_packet(packet_of(files(words=replace(WORDS, alt="Tasse"))[0]))
    assert other["xmpMM:InstanceID"] != in_packet(packet_of(files()[0]))["xmpMM:InstanceID"]


def test_a_locale_that_is_no_language_is_only_the_default():
    packet = in_packet(xmp(replace(WORDS, locale="<de> DE"), LINEAGE, None, "0"))
    assert packet["dc:title"] == {"x-default": WORDS.title}


def test_a_keyword_is_written_once():
    packet = in_packet(xmp(replace(WORDS, keywords=("b", "a", " b ", "")), LINEAGE, None, "0"))
    assert packet["dc:subject"] == ["b", "a"]


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_makes_a_packet_that_parses(title, keyword):
    words = Words(title=title, description=title, alt=title, keywords=(keyword,))
    packet = in_packet(xmp(words, LINEAGE, None, "0"))
    # a reader of XML turns every kind of line end into one
    shown = clean(title).replace("\r\n", "\n").replace("\r", "\n")
    assert packet.get("dc:title") == ({"x-default": shown} if shown else None)


def test_characters_that_xml_cannot_hold_are_removed():
    assert clean(" a\x00b\x0bc\ud800d\ufffee\U0001f9c1\tf ") == "abcde\U0001f9c1\tf"


def test_a_nul_or_a_surrogate_in_a_title_breaks_no_format():
    words = replace(WORDS, title="a\x00b", description="c\x00\ud800d", creator="e\x00f")
    for file in files(words=words):
        assert in_packet(packet_of(file))["dc:description"]["x-default"] == "cd"
        exif = Image.open(io.BytesIO(file.data)).getexif()
        assert (exif[0x010E], exif[0x013B]) == ("cd", "ef")


def test_too_many_keywords_are_cut_with_a_note():
    words = replace(WORDS, keywords=tuple(f"keyword number {n:05}" for n in range(5000)))
    for file in files(words=words):
        packet = packet_of(file)
        assert len(packet) <= LARGEST_PACKET
        kept = len(in_packet(packet)["dc:subject"])
        assert 100 < kept < 5000
        assert file.notes == (f"{5000 - kept} of 5000 keywords left out: no room in the file",)


@pytest.mark.parametrize("text", ["wort " * 50_000, "日" * 40_000, "<&>" * 30_000])
def test_a_text_that_is_too_long_is_shortened_with_a_note(text):
    words, notes = fitted(replace(WORDS, description=text), LINEAGE, AI_GENERATED)
    assert words == replace(WORDS, keywords=(), description=words.description)
    assert words.description.endswith("…")
    assert text.startswith(words.description[:-1])
    assert len(xmp(words, LINEAGE, AI_GENERATED, "0" * 32)) <= LARGEST_PACKET
    assert notes == (
        "description shortened in the tags: no room in the file",
        "3 of 3 keywords left out: no room in the file",
    )
    assert len(files(words=replace(WORDS, description=text))) == len(FORMATS)


def test_an_endless_address_is_left_out_with_a_note():
    words = replace(WORDS, keywords=(), license_url="https://a.example/" + "a" * 70_000)
    assert fitted(words, LINEAGE, None) == (
        replace(words, license_url=None),
        ("license_url left out in the tags: no room in the file",),
    )


def test_nothing_of_the_takes_own_tags_comes_through(judged):
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    exif[0x013B] = "Somebody else"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.9)
    take = take_of(form="JPEG", exif=exif.tobytes(), comment=b"secret", xmp=b"<x>Somebody else</x>")
    assert b"Maker of cameras" in take
    made = files(take=take, words=replace(WORDS, creator=None))
    for file in made:
        for trace in (b"Maker of cameras", b"Somebody else", b"secret"):
            assert trace not in file.data
    for tags in judged(made):
        assert [name for name in tags if "GPS" in name or name.endswith((":Make", ":Artist"))] == []


def test_position_and_author_of_a_real_photo_are_gone(test_data, judged):
    photo = test_data / "odd-inputs" / "images" / "exif-gps-and-author.jpg"
    with Image.open(photo) as picture:
        before = picture.getexif()
        author = before[0x013B]
        assert before.get_ifd(0x8825)
    made = files(take=photo.read_bytes(), words=replace(WORDS, creator=None))
    for file, tags in zip(made, judged(made), strict=True):
        after = Image.open(io.BytesIO(file.data)).getexif()
        assert (0x013B in after, dict(after.get_ifd(0x8825))) == (False, {})
        assert author.encode() not in file.data
        assert [name for name in tags if "GPS" in name] == []
