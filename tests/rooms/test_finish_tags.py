"""Tags that are said on demand, read back by us and by exiftool, signed or not."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction

import pytest
from PIL import Image
from pydantic import ValidationError

from flows.errors import BadInput
from flows.finish import Lineage, Look, renditions
from flows.finish.tag import LARGEST_PACKET, fitted, xmp
from flows.finish.tags_read import read_packet, read_tags
from flows.nouns.campaign import AigcLabel, Campaign, Finish, Tagging
from flows.nouns.output import Output
from flows.nouns.rendition import AI_COMPOSITE, AI_GENERATED, Words

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
    title="Becher „Größe XL“",
    description="Ein <blauer> Becher 🧁",
    alt="Blauer Becher",
    keywords=("spring", "日本語"),
    creator="Acme GmbH",
    copyright="© 2026 Acme GmbH",
    credit="Acme",
    license_url="https://acme.example/licence",
    usage_terms="Nur für die Frühjahrskampagne",
    licensor_url="https://acme.example/buy?a=1&b=2",
    prompt="a blue mug, 'soft' light",
    aigc_producer="Acme „Co“",
    locale="de",
)
LABEL = {
    "Label": "1",
    "ContentProducer": "Acme „Co“",
    "ProduceID": "ab" * 32,
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "",
    "ReservedCode2": "",
}


def files(words=WORDS, lineage=LINEAGE, source_type=AI_GENERATED):
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "#406080").save(out, "PNG")
    return renditions(
        out.getvalue(),
        [ONE],
        look=Look(finish=Finish()),
        words=words,
        source_type=source_type,
        lineage=lineage,
    )


def test_every_format_is_read_back_with_all_that_was_said():
    for file in files():
        said = dict(read_tags(file.data))
        assert said.pop("xmpMM:InstanceID").startswith("xmp.iid:")
        assert json.loads(said.pop("TC260:AIGC")) == LABEL
        assert said == {
            "dc:title": WORDS.title,
            "dc:description": WORDS.description,
            "dc:rights": WORDS.copyright,
            "dc:subject": WORDS.keywords,
            "dc:creator": ("Acme GmbH",),
            "Iptc4xmpCore:AltTextAccessibility": WORDS.alt,
            "Iptc4xmpExt:AIPromptInformation": WORDS.prompt,
            "Iptc4xmpExt:AISystemUsed": "Seedream",
            "Iptc4xmpExt:AISystemVersionUsed": "seedream-4",
            "Iptc4xmpExt:DigImageGUID": "ab" * 32,
            "Iptc4xmpExt:DigitalSourceType": AI_GENERATED,
            "photoshop:Credit": "Acme",
            "plus:Licensor/plus:LicensorURL": WORDS.licensor_url,
            "xmp:CreateDate": "2026-11-21T10:00:00Z",
            "xmp:CreatorTool": "Shotlist 0.1.0",
            "xmpMM:DerivedFrom/stRef:documentID": f"xmp.did:{'ab' * 32}",
            "xmpMM:DerivedFrom/stRef:instanceID": f"xmp.iid:{'ab' * 32}",
            "xmpMM:DocumentID": f"xmp.did:{'ab' * 32}",
            "xmpRights:UsageTerms": WORDS.usage_terms,
            "xmpRights:WebStatement": WORDS.license_url,
            "exif:Artist": "Acme GmbH",
            "exif:Copyright": WORDS.copyright,
            "exif:ImageDescription": WORDS.description,
            "exif:Software": "Shotlist 0.1.0",
        }, file.format


EXIFTOOL = {
    "XMP-dc:Title": WORDS.title,
    "XMP-dc:Title-de": WORDS.title,
    "XMP-dc:Description": WORDS.description,
    "XMP-dc:Description-de": WORDS.description,
    "XMP-dc:Rights": WORDS.copyright,
    "XMP-dc:Rights-de": WORDS.copyright,
    "XMP-dc:Subject": list(WORDS.keywords),
    "XMP-dc:Creator": ["Acme GmbH"],
    "XMP-iptcCore:AltTextAccessibility": WORDS.alt,
    "XMP-iptcCore:AltTextAccessibility-de": WORDS.alt,
    "XMP-iptcExt:AIPromptInformation": WORDS.prompt,
    "XMP-iptcExt:AISystemUsed": "Seedream",
    "XMP-iptcExt:AISystemVersionUsed": "seedream-4",
    "XMP-iptcExt:DigitalImageGUID": "ab" * 32,
    "XMP-iptcExt:DigitalSourceType": AI_GENERATED,
    "XMP-photoshop:Credit": "Acme",
    "XMP-plus:Licensor": [{"LicensorURL": WORDS.licensor_url}],
    "XMP-xmp:CreateDate": "2026:11:21 10:00:00Z",
    "XMP-xmp:CreatorTool": "Shotlist 0.1.0",
    "XMP-xmpMM:DerivedFrom": {
        "DocumentID": f"xmp.did:{'ab' * 32}",
        "InstanceID": f"xmp.iid:{'ab' * 32}",
    },
    "XMP-xmpMM:DocumentID": f"xmp.did:{'ab' * 32}",
    "XMP-xmpRights:UsageTerms": WORDS.usage_terms,
    "XMP-xmpRights:UsageTerms-de": WORDS.usage_terms,
    "XMP-xmpRights:WebStatement": WORDS.license_url,
    "IFD0:Artist": "Acme GmbH",
    "IFD0:Copyright": WORDS.copyright,
    "IFD0:ImageDescription": WORDS.description,
    "IFD0:Software": "Shotlist 0.1.0",
    "ICC_Profile:ProfileDescription": "sRGB IEC61966-2.1",
}


def by_exiftool(folder, made):
    """exiftool's document of each file."""
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        pytest.skip("exiftool is not installed: nobody but ourselves reads the tags here")
    for form, data in made.items():
        (folder / f"x.{form}").write_bytes(data)
    command = [exiftool, "-json", "-G1", "-struct", "-charset", "utf8"]
    names = [f"x.{form}" for form in made]
    done = subprocess.run([*command, *names], cwd=folder, capture_output=True, check=True)
    return dict(zip(made, json.loads(done.stdout), strict=True))


def all_said(tags):
    assert [name for name in tags if "Warning" in name or "Error" in name] == []
    found = {name: tags.get(name) for name in EXIFTOOL}
    known = {name for name in tags if name.startswith("XMP-")}
    unknown = known - set(EXIFTOOL) - {"XMP-x:XMPToolkit", "XMP-xmpMM:InstanceID"}
    # not in exiftool's tables, it makes up how the name is written
    (label,) = (name for name in unknown if name.lower() == "xmp-tc260:aigc")
    assert json.loads(tags[label]) == LABEL
    assert unknown == {label}
    return found


def test_exiftool_reads_all_of_it_in_every_format(tmp_path):
    read = by_exiftool(tmp_path, {file.format: file.data for file in files()})
    assert {form: all_said(tags) for form, tags in read.items()} == dict.fromkeys(FORMATS, EXIFTOOL)


def test_exiftool_reads_the_same_of_signed_files(tmp_path):
    pytest.importorskip("c2pa", reason="c2pa-python is not installed: nothing can be signed")
    import datetime as dt

    from flows.finish.certs import trial_chain
    from flows.finish.credentials import Origin, Story
    from flows.finish.sign import master, signed
    from flows.finish.signer import signer

    chain = trial_chain(dt.datetime.now(dt.UTC))
    ours = signer(chain.chain, chain.key)
    made = files()
    origin = Origin(
        take=made[1].data,
        source_type=AI_GENERATED,
        software="Shotlist 0.1.0",
        system="Seedream",
        system_version="seedream-4",
    )
    story = Story(master=master(origin, ours), title="Mug")
    data = {one.format: signed(one.data, one.format, story=story, signer=ours) for one in made}
    read = by_exiftool(tmp_path, data)
    # exiftool 12.57 takes a PNG's EXIF for a part of the manifest before it, and passes it over
    confused = "IFD0 pointer references previous JUMBFBox directory"
    for form, tags in read.items():
        expected = dict(EXIFTOOL)
        if form == "png" and tags.get("ExifTool:Warning") == confused:
            del tags["ExifTool:Warning"]
            expected |= {name: None for name in EXIFTOOL if name.startswith("IFD0:")}
        assert all_said(tags) == expected, form


def test_a_proof_says_nothing_of_models_prompts_or_labels():
    proof = Lineage(document_id="cd" * 32, software="Shotlist 0.1.0")
    for file in files(lineage=proof, source_type=None):
        said = read_tags(file.data)
        assert [name for name in said if "AI" in name or "SourceType" in name] == []
        assert b"a blue mug" not in file.data
        assert b"AIGC" not in file.data


def test_a_composite_is_called_one():
    for file in files(source_type=AI_COMPOSITE):
        assert read_tags(file.data)["Iptc4xmpExt:DigitalSourceType"] == AI_COMPOSITE


def test_prompt_and_label_are_left_out_unless_asked_for():
    for file in files(words=replace(WORDS, prompt=None, aigc_producer=None)):
        said = read_tags(file.data)
        assert {"Iptc4xmpExt:AIPromptInformation", "TC260:AIGC"} & set(said) == set()


def test_a_prompt_that_is_too_long_is_shortened_with_a_note():
    words, notes = fitted(replace(WORDS, prompt="mug " * 40_000), LINEAGE, AI_GENERATED)
    assert words.prompt.endswith("mug…")
    assert len(xmp(words, LINEAGE, AI_GENERATED, "0" * 32)) <= LARGEST_PACKET
    assert notes[0] == "prompt shortened in the tags: no room in the file"


def test_a_picture_without_tags_has_none():
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    assert read_tags(out.getvalue()) == {}


@pytest.mark.parametrize(
    "packet",
    [
        b"<x",
        b"",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><x/>',
    ],
)
def test_a_packet_that_is_not_safe_xml_is_refused(packet):
    with pytest.raises(BadInput, match="not XML that is safe"):
        read_packet(packet)


def test_bytes_that_are_no_picture_have_no_tags_to_read():
    with pytest.raises(BadInput, match="it is not a picture"):
        read_tags(b"<svg/>")


def test_properties_of_others_are_read_by_their_own_names():
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:o="urn:other" '
        b'xmp:CreatorTool="Other 1" o:thing="4"><dc:title><rdf:Alt>'
        b'<rdf:li xml:lang="de">Becher</rdf:li></rdf:Alt></dc:title></rdf:Description>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    assert read_packet(packet) == {
        "xmp:CreatorTool": "Other 1",
        "{urn:other}thing": "4",
        "dc:title": "Becher",
    }


def test_a_campaign_publishes_no_prompt_and_no_label_by_default():
    campaign = Campaign.model_validate({"campaign": "mugs"})
    assert campaign.tagging == Tagging(prompt=False, tc260=None, credentials="auto")
    asked = {"prompt": True, "tc260": {"producer": "Acme"}, "credentials": "required"}
    assert Campaign.model_validate({"campaign": "mugs", "tagging": asked}).tagging == Tagging(
        prompt=True, tc260=AigcLabel(producer="Acme"), credentials="required"
    )
    with pytest.raises(ValidationError, match="'auto', 'required' or 'off'"):
        Tagging.model_validate({"credentials": "maybe"})
