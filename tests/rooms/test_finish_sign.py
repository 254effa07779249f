"""Content Credentials: signed last, read back, and everything that keeps them from being signed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from flows.errors import EnvironmentFault
from flows.finish import Lineage
from flows.finish.certs import trial_chain
from flows.finish.credentials import Origin, Reference, Story
from flows.finish.encode import Tags, encoded
from flows.finish.seal import UnexpectedManifestError, sealed, with_store
from flows.finish.sign import check_signer, master, reserve_bytes, signed, signed_take
from flows.finish.signer import signer
from flows.finish.tag import exif, xmp
from flows.finish.tags_read import read_tags
from flows.finish.verify import Verdict, verify
from flows.nouns.rendition import AI_COMPOSITE, AI_GENERATED, Words

c2pa = pytest.importorskip(
    "c2pa", reason="c2pa-python is not installed (pip install '.[c2pa]'): nothing can be signed"
)

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
TRIAL = trial_chain(NOW)
OURS = signer(TRIAL.chain, TRIAL.key)
FORMATS = ("jpeg", "png", "webp", "avif", "tiff")
CREATION = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
TAGS = Tags(
    xmp(
        Words(title="Größe", description="Mug", alt="Blue mug"),
        Lineage(document_id="ab" * 32, software="Shotlist 0.1.0", system="Seedream"),
        AI_GENERATED,
        "cd" * 16,
    ),
    exif(
        Words(title="", description="Mug", alt="", creator="Acme"),
        Lineage(document_id="", software=""),
    ),
)
SHOTLIST = {"name": "Shotlist", "version": "0.1.0"}
SEEDREAM = {"name": "Seedream", "version": "seedream-4"}


def noise(size, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    return Image.fromarray(values)


def saved(picture, form="PNG"):
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def file_of(form, size=64):
    return encoded(noise(size, 1), form, TAGS, quality=70)


def origin(**more):
    options = {
        "take": saved(noise(80)),
        "source_type": AI_GENERATED,
        "software": "Shotlist 0.1.0",
        "system": "Seedream",
        "system_version": "seedream-4",
    } | more
    return Origin(**options)


def story(its_origin=None, title="Mug", who=OURS, **more):
    return Story(master=master(its_origin or origin(), who), title=title, **more)


def by_a_host(data, source_type, mime="image/png", *, thumbnail=False):
    """A picture that comes signed by somebody else."""
    actions = [{"action": "c2pa.created", "digitalSourceType": source_type}]
    says = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]}
    context = c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": thumbnail}}})
    out = io.BytesIO()
    theirs = c2pa.Signer.from_callback(OURS.sign, c2pa.C2paSigningAlg.ES256, OURS.chain)
    c2pa.Builder(json.dumps(says), context).sign(theirs, mime, io.BytesIO(data), out)
    return out.getvalue()


def manifests(data, form):
    """The manifests of a file, the newest first and each parent behind it."""
    with c2pa.Reader(f"image/{form}", io.BytesIO(data)) as reader:
        report = json.loads(reader.json())
    found = []
    label = report["active_manifest"]
    while label is not None:
        found.append(report["manifests"][label])
        parents = (
            one for one in found[-1].get("ingredients", []) if one["relationship"] == "parentOf"
        )
        label = next((one.get("active_manifest") for one in parents), None)
    return found


def told(manifest):
    """Actions as name, agent's name, source type and the ingredients that each uses."""
    (actions,) = (one["data"] for one in manifest["assertions"])
    assert actions["allActionsIncluded"] is True
    ingredients = manifest.get("ingredients", [])
    titles = {one["label"]: (one["title"], one["relationship"]) for one in ingredients}
    return [
        (
            one["action"],
            one.get("softwareAgent", {}).get("name"),
            one.get("digitalSourceType"),
            [
                titles[used["url"].rpartition("/")[2]]
                for used in one.get("parameters", {}).get("ingredients", [])
            ],
        )
        for one in actions["actions"]
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_a_signed_file_is_trusted_by_who_knows_the_root_and_valid_for_others(form):
    data = signed(file_of(form), form, story=story(steps=("cropped",)), signer=OURS)
    assert verify(data, form, TRIAL.root) == Verdict("trusted", "", (AI_GENERATED,))
    assert verify(data, form) == Verdict("valid", "signingCredential.untrusted", (AI_GENERATED,))
    stranger = trial_chain(NOW).root
    assert verify(data, form, stranger).state == "valid"


@pytest.mark.parametrize("form", FORMATS)
def test_one_flipped_byte_is_invalid(form):
    plain = file_of(form, 128)
    data = signed(plain, form, story=story(steps=("cropped",)), signer=OURS)
    packet = data.index(b"Blue mug")
    claim = data.index(b"c2pa.claim.v2") + 60
    pixels = data.index(plain[len(plain) // 2 :][:40])
    for at in (packet, claim, pixels):
        changed = bytearray(data)
        changed[at] ^= 1
        assert verify(bytes(changed), form, TRIAL.root).state == "invalid", at


@pytest.mark.parametrize("form", FORMATS)
def test_signing_changes_neither_pixels_nor_profile_nor_tags(form):
    plain = file_of(form)
    data = signed(plain, form, story=story(), signer=OURS)
    before, after = (Image.open(io.BytesIO(one)) for one in (plain, data))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert before.info["icc_profile"] == after.info["icc_profile"]
    assert read_tags(data) == read_tags(plain)
    assert read_tags(data)["Iptc4xmpExt:DigitalSourceType"] == AI_GENERATED


def test_an_unsigned_file_is_called_so():
    assert verify(file_of("png"), "png") == Verdict("unsigned", "it holds no credentials")
    assert verify(saved(noise(9), "BMP"), "bmp").state == "unsigned"


def test_the_take_was_created_from_references_and_the_file_was_cut_from_it():
    references = (
        Reference(role="product", data=saved(noise(20, 5), "JPEG")),
        Reference(role="style", data=saved(noise(20, 6), "WEBP")),
        Reference(role="style", data=saved(noise(20, 6), "WEBP")),
    )
    made = story(
        origin(references=references, created="2026-11-21T10:00:00Z"),
        steps=("cropped", "resized", "extended", "text"),
        placed=(saved(noise(9, 7)),),
    )
    cut, take = manifests(signed(file_of("jpeg"), "jpeg", story=made, signer=OURS), "jpeg")
    assert told(take) == [
        (
            "c2pa.created",
            "Seedream",
            AI_GENERATED,
            [("Product reference", "inputTo"), ("Style reference", "inputTo")],
        )
    ]
    assert take["assertions"][0]["data"]["actions"][0]["when"] == "2026-11-21T10:00:00Z"
    assert told(cut) == [
        ("c2pa.opened", None, None, [("Generated picture", "parentOf")]),
        ("c2pa.cropped", "Shotlist", AI_GENERATED, []),
        ("c2pa.resized.proportional", "Shotlist", None, []),
        ("c2pa.edited", "Shotlist", AI_GENERATED, []),
        ("c2pa.addedText", "Shotlist", CREATION, []),
        ("c2pa.placed", "Shotlist", None, [("Placed picture", "componentOf")]),
        ("c2pa.converted", "Shotlist", None, []),
        ("c2pa.edited.metadata", "Shotlist", None, []),
    ]
    assert (cut["title"], take["title"]) == ("Mug", "Generated picture")
    # the library ties the manifest to the instance id that the file's own tags have
    assert cut["instance_id"] == f"xmp.iid:{'cd' * 16}"
    for one in (cut, take):
        (generator,) = one["claim_generator_info"]
        assert generator.pop("org.contentauth.c2pa_rs")
        assert generator == SHOTLIST | {"specVersion": "2.4.0"}
        assert "thumbnail" not in one


def test_a_file_of_the_takes_own_format_was_transcoded_and_not_converted():
    (cut, _) = manifests(signed(file_of("png"), "png", story=story(), signer=OURS), "png")
    assert [name for name, *_ in told(cut)] == [
        "c2pa.opened", "c2pa.transcoded", "c2pa.edited.metadata",
    ]  # fmt: skip


def test_a_canvas_is_the_photo_that_was_opened_and_edited():
    references = (
        Reference(role="logo", data=saved(noise(20, 5))),
        Reference(role="canvas", data=saved(noise(20, 6), "JPEG")),
    )
    made = story(origin(references=references, source_type=AI_COMPOSITE), steps=("cropped",))
    data = signed(file_of("webp"), "webp", story=made, signer=OURS)
    cut, take = manifests(data, "webp")
    assert told(take) == [
        ("c2pa.opened", None, None, [("Edited picture", "parentOf")]),
        ("c2pa.edited", "Seedream", AI_COMPOSITE, [("Logo reference", "inputTo")]),
    ]
    assert told(cut)[1] == ("c2pa.cropped", "Shotlist", AI_COMPOSITE, [])
    assert verify(data, "webp", TRIAL.root).source_types == (AI_COMPOSITE,)


def test_a_reference_that_was_signed_keeps_its_account():
    photo = by_a_host(saved(noise(40, 3)), CAPTURE)
    references = (Reference(role="canvas", data=photo),)
    made = story(origin(references=references, source_type=AI_COMPOSITE))
    data = signed(file_of("jpeg"), "jpeg", story=made, signer=OURS)
    _, take, camera = manifests(data, "jpeg")
    assert told(take)[0][0] == "c2pa.opened"
    assert camera["assertions"][0]["data"]["actions"][0]["digitalSourceType"] == CAPTURE
    assert verify(data, "jpeg", TRIAL.root).state == "trusted"


@pytest.mark.parametrize("form", FORMATS)
def test_an_account_that_fills_many_segments_is_carried_along(form):
    photo = by_a_host(saved(noise(500, 3), "JPEG"), CAPTURE, "image/jpeg", thumbnail=True)
    references = (Reference(role="product", data=photo),)
    made = story(origin(references=references))
    data = signed(file_of(form), form, story=made, signer=OURS)
    assert len(data) - len(file_of(form)) > 3 * 65_536
    assert verify(data, form, TRIAL.root).state == "trusted"
    assert data == signed(file_of(form), form, story=made, signer=OURS)


def test_a_take_that_its_host_has_signed_as_generated_is_left_as_it_is():
    take = by_a_host(saved(noise(40)), AI_GENERATED)
    assert signed_take(origin(take=take), OURS) == take
    made = master(origin(take=take), OURS)
    data = signed(file_of("jpeg"), "jpeg", story=Story(master=made, title="x"), signer=OURS)
    _, theirs = manifests(data, "jpeg")
    assert theirs["assertions"][0]["data"]["actions"][0]["digitalSourceType"] == AI_GENERATED
    assert verify(data, "jpeg", TRIAL.root).state == "trusted"


def test_a_host_that_is_silent_about_its_model_is_kept_and_the_model_added():
    made = signed_take(origin(take=by_a_host(saved(noise(40)), CAPTURE)), OURS)
    ours, theirs = manifests(made, "png")
    assert told(ours) == [
        ("c2pa.opened", None, None, [("Edited picture", "parentOf")]),
        ("c2pa.edited", "Seedream", AI_GENERATED, []),
    ]
    assert theirs["assertions"][0]["data"]["actions"][0]["digitalSourceType"] == CAPTURE


def test_a_take_whose_account_is_broken_gets_a_new_one():
    take = bytearray(by_a_host(saved(noise(40)), CAPTURE))
    take[take.index(b"IDAT") + 40] ^= 1
    assert verify(bytes(take), "png").state == "invalid"
    made = signed_take(origin(take=bytes(take)), OURS)
    assert verify(made, "png", TRIAL.root) == Verdict("trusted", "", (AI_GENERATED,))
    assert len(manifests(made, "png")) == 1


def test_a_reference_whose_account_is_past_reading_is_only_named():
    photo = bytearray(by_a_host(saved(noise(40, 3)), CAPTURE))
    start = photo.index(b"caBX")
    end = start + 4 + int.from_bytes(photo[start - 4 : start], "big")
    for at in (start + 8, start + 40, start + 90, photo.index(b"c2pa.claim.v2") + 30):
        damaged = photo.copy()
        damaged[at : at + 8] = b"\xff" * 8
        damaged[end : end + 4] = zlib.crc32(damaged[start:end]).to_bytes(4, "big")
        references = (Reference(role="product", data=bytes(damaged)),)
        data = signed_take(origin(references=references), OURS)
        assert told(manifests(data, "png")[0])[0][3] == [("Product reference", "inputTo")]
        assert verify(data, "png", TRIAL.root).state == "trusted"
        # and so is a take
        made = story(origin(take=bytes(damaged)))
        data = signed(file_of("jpeg"), "jpeg", story=made, signer=OURS)
        assert verify(data, "jpeg", TRIAL.root) == Verdict("trusted", "", (AI_GENERATED,))


@pytest.mark.parametrize("form", ["BMP", "GIF"])
def test_a_take_that_can_hold_no_account_is_accounted_for_in_its_files(form):
    references = (Reference(role="product", data=saved(noise(20, 5), form)),)
    made = master(origin(take=saved(noise(40), form), references=references), OURS)
    assert made.account is None
    data = signed(file_of("jpeg"), "jpeg", story=Story(master=made, title="x"), signer=OURS)
    (only,) = manifests(data, "jpeg")
    created = ("c2pa.created", "Seedream", AI_GENERATED, [("Product reference", "inputTo")])
    assert told(only)[0] == created
    assert verify(data, "jpeg", TRIAL.root).state == "trusted"


# The same bytes again


def test_the_same_file_is_signed_into_the_same_bytes_in_any_thread():
    made = story(steps=("cropped", "resized"), placed=(saved(noise(9, 7)),))

    def digests(_):
        files = (signed(file_of(form), form, story=made, signer=OURS) for form in FORMATS)
        return [hashlib.sha256(data).hexdigest() for data in files]

    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(digests, range(6)))
    assert seen == [digests(0)] * 6


def test_another_process_signs_the_same_bytes(tmp_path):
    (tmp_path / "chain.pem").write_text(TRIAL.chain)
    (tmp_path / "key.pem").write_text(TRIAL.key)
    (tmp_path / "take.png").write_bytes(origin().take)
    (tmp_path / "file.jpeg").write_bytes(file_of("jpeg"))
    script = (
        "import hashlib; from pathlib import Path\n"
        "from flows.finish.credentials import Origin, Story\n"
        "from flows.finish.sign import master, signed\n"
        "from flows.finish.signer import signer\n"
        "from flows.nouns.rendition import AI_GENERATED\n"
        "ours = signer('chain.pem', 'key.pem')\n"
        "origin = Origin(take=Path('take.png').read_bytes(), source_type=AI_GENERATED,\n"
        "    software='Shotlist 0.1.0', system='Seedream', system_version='seedream-4')\n"
        "story = Story(master=master(origin, ours), title='Mug', steps=('cropped',))\n"
        "data = signed(Path('file.jpeg').read_bytes(), 'jpeg', story=story, signer=ours)\n"
        "print(hashlib.sha256(data).hexdigest())\n"
    )
    here = signed(file_of("jpeg"), "jpeg", story=story(steps=("cropped",)), signer=OURS)
    for hash_seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)}
        there = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert there == hashlib.sha256(here).hexdigest()


def test_manifests_that_differ_have_labels_that_differ():
    plain = file_of("jpeg")
    labels = set()
    for made in (
        story(),
        story(title="Cup"),
        story(steps=("cropped",)),
        story(origin(references=(Reference(role="style", data=saved(noise(9))),))),
    ):
        found = manifests(signed(plain, "jpeg", story=made, signer=OURS), "jpeg")
        labels |= {one["label"] for one in found}
    # three of them share the account of their take
    assert len(labels) == 4 + 2


# Room for it


def never_asked(claim):
    raise AssertionError(claim)


@pytest.mark.parametrize("form", FORMATS)
def test_the_room_that_is_kept_is_enough_and_little_more(form):
    made = story(steps=("cropped", "resized", "text"), placed=(saved(noise(9, 7)),))
    room = reserve_bytes(form, story=made, signer=replace(OURS, sign=never_asked))
    for size in (20, 600):
        plain = file_of(form, size)
        grown = len(signed(plain, form, story=made, signer=OURS)) - len(plain)
        assert grown <= room <= grown + 1200, size


# The seal refuses what it does not know


def test_a_store_of_another_layout_is_refused_and_nothing_guessed():
    data = by_a_host(file_of("webp"), AI_GENERATED, "image/webp")
    start = data.index(b"jumb") - 4
    store = data[start : start + int.from_bytes(data[start : start + 4], "big")]
    assert len(sealed(store, OURS.sign)) == len(store)
    for old, new in (
        (b"c2pa.claim.v2", b"c2pa.claim.v9"),
        (b"c2sh", b"c2sx"),
        (b"\xd2\x84", b"\xd2\x85"),
        (b"jumd", b"jumx"),
    ):
        with pytest.raises(UnexpectedManifestError):
            sealed(store.replace(old, new), OURS.sign)
    with pytest.raises(UnexpectedManifestError):
        sealed(store, lambda claim: OURS.sign(claim) + b"more")
    with pytest.raises(UnexpectedManifestError):
        with_store(data.replace(b"c2sh", b"c2sx"), "webp", store, store)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for asked in (lambda: verify(file_of("png"), "png"), lambda: check_signer(OURS)):
        with pytest.raises(EnvironmentFault, match=r"pip install 'shotlist\[c2pa\]'"):
            asked()
