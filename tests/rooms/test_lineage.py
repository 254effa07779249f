"""The digest that decides whether a file is made again: its form is a contract."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from flows.jobs import lineage
from flows.nouns.campaign import Finish
from flows.nouns.output import Output
from flows.nouns.rendition import AI_GENERATED, Words
from flows.nouns.take import Realm, Take, TakeState
from tests.rooms.plan_factory import campaign, planned, product, reading

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
OUTPUT = Output(
    name="feed-4x5", aspect_ratio="4:5", shape=Fraction(4, 5), formats=("jpeg", "png"), width=1440
)
TAKE = Take(
    recipe="a" * 64,
    realm=Realm.LIVE,
    state=TakeState.DONE,
    provider="fal",
    model="seedream-4",
    sha256="b" * 64,
)
LOOK = ["auto", None]
WORDS = Words(title="Mug", description="Grüße", alt='a "mug"', keywords=("spring", "ü"))


def as_json_writes(take, output, form, path, said, asked, source):
    """Digest of the form as `json.dumps` writes it."""
    whole = {
        "rendering": lineage.RENDERING,
        "take": take.sha256,
        "path": path,
        "format": form,
        "size": [output.width, output.height, str(output.shape)],
        "quality": output.quality,
        "max_bytes": output.max_bytes,
        "finish": asked.finish.model_dump(mode="json"),
        "with": LOOK,
        "words": {one.name: getattr(said, one.name) for one in fields(Words)},
        "source_type": source,
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@given(
    path=TEXT,
    form=st.sampled_from(["jpeg", "avif"]),
    title=TEXT,
    keywords=st.lists(TEXT, max_size=3),
    creator=st.none() | TEXT,
    size=st.none() | st.integers(1, 9000),
    most=st.none() | st.integers(1, 10**7),
    focus=st.sampled_from(["auto", [0.5, 0.25]]),
    source=st.sampled_from([None, AI_GENERATED]),
)
def test_the_form_that_is_put_together_by_hand_is_what_json_writes(
    path, form, title, keywords, creator, size, most, focus, source
):
    asked = campaign(finish=Finish(focus=focus))
    said = replace(WORDS, title=title, keywords=tuple(keywords), creator=creator)
    output = replace(OUTPUT, height=size, max_bytes=most)
    found = lineage.made_from(
        TAKE, output, form, path, said, campaign=asked, source=source, look=json.dumps(LOOK)
    )
    assert found == as_json_writes(TAKE, output, form, path, said, asked, source)


def test_digests_of_many_files_are_those_of_each_alone():
    asked = reading(
        [product(), product("CUP-02", title="Cup")],
        aspect_ratios=["1:1", "4:5"],
        channels=["feed-4x5"],
        variants=[{"id": "a"}, {"id": "b"}],
        alt="{{ product.title }} {{ variant }} {{ name }}",
        tags=["{{ product.key }}"],
        rights={"creator": "Acme"},
    )
    digests = lineage.Digests(asked.campaign)
    together, alone = [], []
    for realm in (Realm.LIVE, Realm.PROOF):
        for shot in planned(asked, realm=realm).shots:
            said = lineage.words(shot, asked.campaign, realm)
            for output in shot.outputs:
                words = digests.words_of(shot, realm)
                together.append(
                    digests.of(TAKE, output, "png", shot.paths[0], words, None, json.dumps(LOOK))
                )
                alone.append(
                    as_json_writes(TAKE, output, "png", shot.paths[0], said, asked.campaign, None)
                )
    assert together == alone
    assert len(set(together)) == 24


def test_every_setting_that_changes_a_file_changes_its_digest():
    def digest(take=TAKE, output=OUTPUT, form="png", path="a.png", said=WORDS, look="[]", **spec):
        return lineage.made_from(
            take, output, form, path, said, campaign=campaign(**spec), source=None, look=look
        )

    changed = [
        digest(),
        digest(take=replace(TAKE, sha256="c" * 64)),
        digest(output=replace(OUTPUT, width=1441)),
        digest(output=replace(OUTPUT, quality=81)),
        digest(form="jpeg"),
        digest(path="b.png"),
        digest(said=replace(WORDS, locale="de")),
        digest(finish={"fit": "pad"}),
        digest(look="[1]"),
    ]
    assert len(set(changed)) == len(changed)
