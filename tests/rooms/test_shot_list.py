from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import BadInput
from flows.nouns.recipe import Recipe, stable_seed
from flows.nouns.shot import SkippedRow
from flows.nouns.take import Realm
from flows.plan import HostFacts, document, shot_list
from tests.rooms.plan_factory import (
    NO_FILES,
    PROOF,
    Ledger,
    Reader,
    digest,
    faults,
    ids,
    planned,
    product,
    reading,
)

FAL = HostFacts(name="fal", model="seedream-4", usd_per_image=Decimal("0.03"), latency_s=20)


def test_a_shot_says_everything_that_making_and_publishing_it_needs():
    plan = planned(
        reading(
            prompt_text="{{ product.title }}, {{ mood }}, for {{ name }} at {{ aspect_ratio }}",
            vars={"mood": "calm"},
            variants=[{"id": "a"}],
            aspect_ratios=["4:5"],
            channels=["feed-4x5"],
            references=[
                {"from": "{{ product.image }}"},
                {"from": "brand/style.jpg", "role": "style"},
            ],
            alt="{{ product.title }} in {{ variant }}",
            tags=["spring", "{{ product.category }}", "spring", ""],
            finish={"formats": ["webp", "jpeg"], "quality": 70},
            model={"resolution": "2K", "guidance": 2.5},
        ),
        realm=Realm.LIVE,
        hosts=[FAL],
    )
    (shot,) = plan.shots
    assert shot.shot_id == "MUG-01/a/4x5"
    assert (shot.name, shot.aspect_ratio) == ("4x5", "4:5")
    assert shot.prompt == "Mug MUG-01, calm, for 4x5 at 4:5"
    assert [(one.source, one.role) for one in shot.references] == [
        ("photos/MUG-01.jpg", "product"),
        ("brand/style.jpg", "style"),
    ]
    assert [(one.name, one.formats, one.quality, one.width) for one in shot.outputs] == [
        ("4x5", ("webp", "jpeg"), 70, None),
        ("feed-4x5", ("jpeg",), 70, 1440),
    ]
    assert shot.paths == (
        "MUG-01/a/4x5.webp",
        "MUG-01/a/4x5.jpg",
        "MUG-01/a/feed-4x5.jpg",
    )
    assert (shot.alt, shot.tags, shot.title) == (
        "Mug MUG-01 in a",
        ("spring", "mugs"),
        "Mug MUG-01",
    )
    assert shot.recipes == (
        Recipe(
            model="seedream-4",
            prompt=shot.prompt,
            references=(
                ("product", digest("photos/MUG-01.jpg")),
                ("style", digest("brand/style.jpg")),
            ),
            ratio="4:5",
            tier="2K",
            seed=stable_seed("MUG-01", "4:5", 1),
            parameters={"guidance": 2.5},
        ),
    )


def test_a_proof_is_a_model_of_its_own_whose_recipe_holds_what_it_shows():
    plan = planned(
        reading(variants=[{"id": "a"}], aspect_ratios=["8:10"], brand={"palette": ["#0F4C81"]})
    )
    (recipe,) = plan.shots[0].recipes
    assert (recipe.model, recipe.ratio) == ("proof", "4:5")
    assert recipe.parameters == {"label": ["MUG-01", "a", "8:10"], "palette": ["#0F4C81"]}


def test_channels_take_the_formats_that_both_know_else_the_preset_s_first():
    plan = planned(reading(channels=["feed-4x5", "landscape"], finish={"formats": ["jpeg"]}))
    assert [(one.name, one.formats, one.max_bytes) for s in plan.shots for one in s.outputs] == [
        ("feed-4x5", ("jpeg",), None),
        ("landscape", ("png",), 5_120_000),
    ]


def test_ratios_channels_and_sizes_add_up_and_own_sizes_bring_their_own_formats():
    plan = planned(
        reading(
            aspect_ratios=["1:1"],
            channels=["feed-4x5"],
            sizes=[
                {
                    "name": "hero",
                    "size": "2400x1000",
                    "formats": ["avif", "jpeg"],
                    "max_bytes": "300 kB",
                }
            ],
        )
    )
    assert ids(plan) == ["MUG-01/1x1", "MUG-01/feed-4x5", "MUG-01/hero"]
    hero = plan.shots[2]
    assert (hero.aspect_ratio, hero.outputs[0].max_bytes) == ("12:5", 300_000)
    assert hero.paths == ("MUG-01/hero.avif", "MUG-01/hero.jpg")


def test_a_retired_channel_and_an_unknown_one_are_faults():
    with pytest.raises(BadInput) as retired:
        planned(reading(channels=["old"]))
    assert faults(retired.value) == [
        "campaigns/mugs.yaml, channels.0: channel 'old' is retired: left in 2025; remove it"
    ]
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                channels=["feed-4x6"],
                sizes=[{"name": "4x5", "size": "40x50"}],
                aspect_ratios=["4:5"],
            )
        )
    assert faults(caught.value) == [
        "campaigns/mugs.yaml, channels.0: unknown channel 'feed-4x6'; did you mean 'feed-4x5'?",
        "campaigns/mugs.yaml, sizes.0: two outputs are called '4x5'; keep one",
    ]


@pytest.mark.parametrize(
    ("seed", "seeds"),
    [
        ("stable", [stable_seed("MUG-01", "1:1", 1), stable_seed("MUG-01", "1:1", 2)]),
        (41, [41, 42]),
        ("none", [None, None]),
    ],
)
def test_takes_are_recipes_of_their_own_with_seeds_as_wished(seed, seeds):
    plan = planned(reading(aspect_ratios=["1:1"], takes=2, seed=seed))
    (shot,) = plan.shots
    assert [(one.take, one.seed) for one in shot.recipes] == [(1, seeds[0]), (2, seeds[1])]


def test_paths_have_a_name_for_each_take_where_all_are_published():
    spec = {"aspect_ratios": ["1:1"], "takes": 2, "finish": {"formats": ["jpeg", "png"]}}
    plan = planned(reading(publish={"takes": "all"}, **spec))
    assert plan.shots[0].paths == (
        "MUG-01/1x1-1.jpg",
        "MUG-01/1x1-2.jpg",
        "MUG-01/1x1-1.png",
        "MUG-01/1x1-2.png",
    )
    own = planned(
        reading(publish={"takes": "all", "path": "{{ take }}/{{ product.key }}.{{ ext }}"}, **spec)
    )
    assert own.shots[0].paths == ("1/MUG-01.jpg", "2/MUG-01.jpg", "1/MUG-01.png", "2/MUG-01.png")


def test_a_path_knows_the_planned_size_and_loses_empty_segments():
    path = "{{ locale }}/ {{ product.title | upper }} /{{ width }}x{{ height }}.{{ ext }}"
    plan = planned(reading(aspect_ratios=["4:5"], channels=["landscape"], publish={"path": path}))
    assert [shot.paths for shot in plan.shots] == [
        ("MUG MUG-01/1824x2280.jpg",),
        ("MUG MUG-01/1200x628.png",),
    ]


def test_a_path_says_the_same_whether_its_variables_are_written_bare_or_not():
    def paths(path: str) -> list[tuple[str, ...]]:
        plan = planned(
            reading(
                [product("A"), product("B")],
                variants=[{"id": "x"}, {"id": "y"}],
                locales=["de", "en"],
                aspect_ratios=["1:1", "4:5"],
                finish={"formats": ["jpeg", "png"]},
                publish={"path": path},
            )
        )
        return [shot.paths for shot in plan.shots]

    bare = paths("{{ locale }}/{{ variant }}/{{ product.key }}-{{name}}.{{ ext }}")
    other = paths(
        "{{ locale }}/{{ variant ~ '' }}/{{ product.key }}-{{ name ~ '' }}.{{ ext ~ '' }}"
    )
    assert bare == other
    assert bare[0] == ("de/x/A-1x1.jpg", "de/x/A-1x1.png")


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("{{ product.key }}/{{ name }}.{{ ext }}", "{{ variant }}"),
        ("{{ product.key }}/{{ variant }}.{{ ext }}", "{{ name }}"),
        ("{{ product.key }}/{{ variant }}/{{ name }}.img", "{{ ext }}"),
        ("{{ variant }}/{{ name }}.{{ ext }}", "{{ product.key }}"),
        ("{{ product.category }}/{{ variant }}/{{ name }}.{{ ext }}", "{{ product.key }}"),
    ],
)
def test_two_renditions_of_one_path_are_a_fault_that_names_the_missing_variable(path, remedy):
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                [product("A"), product("B")],
                variants=[{"id": "x"}, {"id": "y"}],
                aspect_ratios=["1:1", "4:5"],
                finish={"formats": ["jpeg", "png"]},
                publish={"path": path},
            )
        )
    (fault,) = caught.value.faults
    assert fault.place == "campaigns/mugs.yaml, publish.path"
    assert "would be written twice" in fault.found
    assert fault.remedy == f"add {remedy} to publish.path"


def test_a_reference_of_a_row_is_told_from_one_of_the_spec():
    reader = Reader()
    planned(
        reading(references=[{"from": "{{ product.image }}"}, {"from": "s.jpg", "role": "style"}]),
        reader=reader,
    )
    assert reader.looked == [
        ("photos/MUG-01.jpg", "product", True),
        ("s.jpg", "style", False),
    ]


def test_each_image_is_looked_at_once():
    reader = Reader()
    planned(
        reading(
            [product("A"), product("B")],
            variants=[{"id": "x"}, {"id": "y"}],
            references=[{"from": "{{ product.image }}"}, {"from": "s.jpg", "role": "style"}],
            aspect_ratios=["1:1", "4:5"],
        ),
        reader=reader,
    )
    assert len(reader.looked) == 3


def test_a_wish_for_all_images_gives_all_and_one_for_the_image_gives_the_first():
    def sources(wish: str) -> list[str]:
        asked = reading([product(image="a.jpg|b.jpg")], references=[{"from": wish}])
        return [one.source for one in planned(asked).shots[0].references]

    assert sources("{{ product.image }}") == ["a.jpg"]
    assert sources("{{ product.images | join('|') }}") == ["a.jpg", "b.jpg"]


def test_a_reference_that_is_not_required_is_left_out_with_a_note():
    plan = planned(
        reading(
            [product("A"), product("B", image=""), product("C", image="")],
            references=[{"from": "{{ product.image }}", "required": False}],
        )
    )
    assert [len(shot.references) for shot in plan.shots] == [1, 0, 0]
    assert plan.notes[-1] == (
        "reference {{ product.image }} (product) is left out for product B and 1 more:"
        " image is empty"
    )


def test_an_empty_required_reference_is_one_fault_for_all_its_products():
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                [product("A"), *(product(f"B{number}", image="") for number in range(42))],
                references=[{"from": "{{ product.image }}"}],
                variants=[{"id": "x"}, {"id": "y"}],
                places={"references.0.from": "campaigns/mugs.yaml:7:5"},
            )
        )
    assert faults(caught.value) == [
        (
            "campaigns/mugs.yaml:7:5: product B0: image is empty … and the same for 41 other"
            " products; fill it, or write `required: false`"
        )
    ]


def test_a_product_with_a_bad_reference_is_skipped_where_bad_rows_are():
    plan = planned(
        reading(
            [product("A"), product("B")],
            products_of={"from": "data/products.csv", "on_bad_row": "skip"},
            references=[{"from": "{{ product.image }}"}],
            aspect_ratios=["1:1", "4:5"],
        ),
        reader=Reader(missing={"photos/A.jpg"}),
    )
    assert ids(plan) == ["B/1x1", "B/4x5"]
    assert plan.skipped == (
        SkippedRow(
            place="data/products.csv, row 2", product="A", reason="photos/A.jpg is not there"
        ),
    )


def test_a_bad_reference_of_the_spec_is_a_fault_even_where_bad_rows_are_skipped():
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                [product("A"), product("B")],
                products_of={"from": "data/products.csv", "on_bad_row": "skip"},
                references=[{"from": "s.jpg", "role": "style"}],
            ),
            reader=Reader(missing={"s.jpg"}),
        )
    assert faults(caught.value) == ["campaigns/mugs.yaml, references.0.from: s.jpg is not there"]


def test_faults_of_templates_references_and_channels_are_told_together(tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "bad.j2").write_text("{{ product.title }} {{ moood }}", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                [product("A"), product("B")],
                prompt="bad.j2",
                vars={"mood": "calm"},
                channels=["nowhere"],
                references=[{"from": "{{ product.image }}"}],
                alt="{{ product.titel }}",
                publish={"path": "{{ product.key"},
                aspect_ratios=["1:1"],
            ),
            templates=templates,
            reader=Reader(missing={"photos/A.jpg", "photos/B.jpg"}),
        )
    told = faults(caught.value)
    begins = [
        "campaigns/mugs.yaml, channels.0: unknown channel 'nowhere'",
        "campaigns/mugs.yaml, publish.path: ",
        "campaigns/mugs.yaml, references.0.from: product A: photos/A.jpg is not there",
        "campaigns/mugs.yaml, alt: product A: ",
        "templates/bad.j2:1: product A: ",
        "campaigns/mugs.yaml, references.0.from: product B: photos/B.jpg is not there",
    ]
    assert [fault[: len(begin)] for fault, begin in zip(told, begins, strict=True)] == begins
    assert "did you mean 'mood'?" in told[4]
    assert "… and the same for 1 other product" in told[4]


def test_a_cell_that_no_template_can_use_is_told_once_at_its_place_in_the_catalogue():
    spec = {
        "aspect_ratios": ["1:1"],
        "alt": "for {{ product.price|currency('EUR') }}",
        "overlays": [{"text": "{{ product.price|float|int }}"}],
    }
    with pytest.raises(BadInput) as caught:
        planned(reading([product("A", price="9"), product("B", price="abc")], **spec))
    (told,) = faults(caught.value)
    assert told == (
        "data/products.csv, row 2, column 'price': product B: 'abc' is not an amount (used at "
        "campaigns/mugs.yaml, alt and campaigns/mugs.yaml, overlays.0.text); an amount is a "
        "number, such as 24.90 or 24,90"
    )


def test_a_value_that_stands_in_no_cell_is_told_at_the_template():
    spec = {"aspect_ratios": ["1:1"], "alt": "{{ greeting|float }}", "vars": {"greeting": "hello"}}
    with pytest.raises(BadInput) as caught:
        planned(reading([product("A")], **spec))
    (told,) = faults(caught.value)
    assert told.startswith("campaigns/mugs.yaml, alt: product A: 'hello' is not a number")


def test_a_prompt_that_says_nothing_and_none_at_all_are_faults():
    with pytest.raises(BadInput) as caught:
        planned(reading(prompt_text="{{ product.note }}", products=[product(note="")]))
    assert faults(caught.value) == [
        "campaigns/mugs.yaml, prompt_text: product MUG-01: the prompt renders to nothing"
    ]
    with pytest.raises(BadInput) as caught:
        planned(reading(prompt_text=None))
    assert faults(caught.value) == [
        (
            "campaigns/mugs.yaml, prompt: there is no prompt;"
            " write `prompt: <file in templates/>` or `prompt_text: …`"
        )
    ]


def test_a_master_that_is_too_small_is_noted_once():
    plan = planned(
        reading(
            [product("A"), product("B")],
            sizes=[{"name": "hero", "size": "2400x1000"}],
            model={"resolution": "1K"},
        )
    )
    assert plan.notes == (
        (
            "hero (2400x1000) will be upscaled: a 1K master gives it 1584x660;"
            " a larger model.resolution, or none, would help"
        ),
    )
    assert [shot.recipes[0].tier for shot in plan.shots] == ["1K", "1K"]


def test_leaving_out_one_output_of_a_master_changes_neither_id_nor_recipe():
    spec = {"aspect_ratios": ["4:5"], "channels": ["feed-4x5"]}
    (whole,) = planned(reading(**spec)).shots
    (part,) = planned(reading(exclude=[{"name": "feed-4x5"}], **spec)).shots
    assert (part.shot_id, part.recipes) == (whole.shot_id, whole.recipes)
    assert [one.name for one in part.outputs] == ["4x5"]
    (rest,) = planned(reading(exclude=[{"name": "4x5"}], **spec)).shots
    assert rest.shot_id == "MUG-01/feed-4x5"
    assert rest.recipes == whole.recipes


def test_an_empty_plan_says_so():
    plan = planned(reading([], aspect_ratios=["1:1"]))
    assert plan.notes == ("nothing is wanted: no product is left, or `exclude` takes everything",)


@settings(max_examples=30)
@given(st.permutations(["vars", "aspect_ratios", "model", "references", "brand", "locales"]))
def test_recipes_do_not_depend_on_the_order_of_the_keys_of_a_spec(order):
    spec = {
        "vars": {"a": "1", "b": "2"},
        "aspect_ratios": ["1:1", "4:5"],
        "model": {"guidance": 2.5, "safety": True},
        "references": [{"from": "{{ product.image }}"}],
        "brand": {"palette": ["#0F4C81"]},
        "locales": ["de", "en"],
    }
    turned = {key: spec[key] for key in order}
    turned["model"] = {"safety": True, "guidance": 2.5}
    one = planned(reading(**spec), realm=Realm.LIVE, hosts=[FAL])
    other = planned(reading(**turned), realm=Realm.LIVE, hosts=[FAL])
    assert one == other


def test_the_document_is_the_plan_as_json():
    asked = reading(
        aspect_ratios=["4:5"],
        channels=["feed-4x5"],
        references=[{"from": "{{ product.image }}"}],
    )
    plan = planned(asked, book=Ledger(earlier={"OLD/1x1": ("x",)}))
    found = document(plan, {"MUG-01/4x5": ("images/mug-01/4x5.jpg", "images/mug-01/feed-4x5.jpg")})
    assert json.loads(json.dumps(found)) == {
        "campaign": "mugs",
        "realm": "proof",
        "shots": [
            {
                "shot_id": "MUG-01/4x5",
                "product": "MUG-01",
                "variant": "",
                "locale": "",
                "aspect_ratio": "4:5",
                "state": "new",
                "why": "its product is new",
                "prompt": "Mug MUG-01 on a table",
                "references": [
                    {
                        "role": "product",
                        "from": "photos/MUG-01.jpg",
                        "sha256": digest("photos/MUG-01.jpg"),
                    }
                ],
                "renditions": [
                    {
                        "name": "4x5",
                        "path": "images/mug-01/4x5.jpg",
                        "width": 1824,
                        "height": 2280,
                        "format": "jpeg",
                    },
                    {
                        "name": "feed-4x5",
                        "path": "images/mug-01/feed-4x5.jpg",
                        "width": 1440,
                        "height": 1800,
                        "format": "jpeg",
                    },
                ],
                "recipes": [plan.shots[0].recipes[0].sha256],
            },
            {
                "shot_id": "OLD/1x1",
                "product": "",
                "variant": "",
                "locale": "",
                "aspect_ratio": "",
                "state": "retired",
                "why": "its product left the catalogue",
                "prompt": "",
                "references": [],
                "renditions": [],
                "recipes": [],
            },
        ],
        "skipped_rows": [],
        "notes": [],
        "totals": {
            "shots": 1,
            "new": 1,
            "changed": 0,
            "kept": 0,
            "parked": 0,
            "failed": 0,
            "retired": 1,
            "generations": 1,
            "renditions": 2,
            "requests": 1,
            "cost_usd_low": 0.0,
            "cost_usd_high": 0.0,
            "eta_s": 0.5,
            "anew": 0,
        },
    }


def test_the_document_says_why_a_cost_is_not_known():
    plan = planned(reading(takes=2, publish={"takes": "all"}), realm=Realm.LIVE, hosts=[])
    totals = document(plan)["totals"]
    assert (totals["cost_usd_low"], totals["cost_reason"]) == (None, "no host is chosen")
    assert [one["take"] for one in document(plan)["shots"][0]["renditions"]] == [1, 2]


def test_channels_are_those_of_the_project_unless_others_are_given():
    plan = shot_list(
        reading(channels=["meta-feed-4x5"]),
        templates=NO_FILES,
        references=Reader(),
        book=Ledger(),
        realm=Realm.PROOF,
        hosts=[PROOF],
    )
    assert [(shot.shot_id, shot.aspect_ratio) for shot in plan.shots] == [
        ("MUG-01/meta-feed-4x5", "4:5")
    ]


def test_outputs_of_unlike_shape_share_a_master_where_the_campaign_allows_it():
    plan = planned(reading(aspect_ratios=["1:1", "9:8", "5:4", "9:16"], share_masters=0.12))
    assert [(shot.shot_id, [one.name for one in shot.outputs]) for shot in plan.shots] == [
        ("MUG-01/9x8", ["1x1", "9x8", "5x4"]),
        ("MUG-01/9x16", ["9x16"]),
    ]
    assert plan.shots[0].paths == ("MUG-01/1x1.jpg", "MUG-01/9x8.jpg", "MUG-01/5x4.jpg")
    assert plan.estimate.generations == 2


def test_two_plans_of_one_reading_are_equal():
    asked = reading(
        [product(f"K{number}") for number in range(5)],
        variants=[{"id": "a"}, {"id": "b"}],
        aspect_ratios=["1:1", "4:5"],
        sample={"n": 7, "seed": 3},
        references=[{"from": "{{ product.image }}"}],
    )
    assert planned(asked) == planned(asked)
