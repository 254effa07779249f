from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import BadInput
from flows.nouns.campaign import ReferenceWish
from flows.nouns.shot import RowBrief
from tests.rooms.plan_factory import faults, ids, planned, product, reading


def row(key: str = "MUG-01", number: int = 2, **wishes: object) -> RowBrief:
    return RowBrief(product=product(key), place=f"campaigns/mugs.csv, row {number}", **wishes)


def test_every_product_meets_every_variant_locale_and_output():
    plan = planned(
        reading(
            [product("A"), product("B")],
            variants=[{"id": "calm"}, {"id": "bold"}],
            locales=["en", "de"],
            aspect_ratios=["1:1", "4:5"],
        )
    )
    assert ids(plan) == [
        f"{key}/{variant}/{locale}/{name}"
        for key in ("A", "B")
        for variant in ("calm", "bold")
        for locale in ("en", "de")
        for name in ("1x1", "4x5")
    ]


def test_absent_axes_leave_no_trace():
    plan = planned(
        reading(
            aspect_ratios=["4:5"],
            prompt_text="[{{ variant }}{{ locale }}] {{ product.title }}",
        )
    )
    (shot,) = plan.shots
    assert (shot.shot_id, shot.variant, shot.locale) == ("MUG-01/4x5", "", "")
    assert shot.paths == ("MUG-01/4x5.jpg",)
    assert shot.prompt == "[] Mug MUG-01"


def test_without_any_output_one_square_is_made_with_a_note():
    plan = planned(reading())
    assert ids(plan) == ["MUG-01/1x1"]
    assert plan.notes == ("no aspect_ratios, channels or sizes are written: 1:1 is made",)


def test_variables_of_a_variant_win_over_the_locale_and_those_over_the_campaign():
    plan = planned(
        reading(
            prompt_text="{{ one }} {{ two }} {{ three }}",
            vars={"one": "campaign", "two": "campaign", "three": "campaign"},
            locales={"de": {"vars": {"two": "locale", "three": "locale"}}},
            variants=[{"id": "a", "vars": {"three": "variant"}}],
            aspect_ratios=["1:1"],
        )
    )
    assert [shot.prompt for shot in plan.shots] == ["campaign locale variant"]


def test_a_row_is_a_brief_with_its_own_wishes_over_the_defaults():
    plan = planned(
        reading(
            rows=[
                row(
                    variant="a",
                    locale="de",
                    prompt_text="{{ mood }} {{ season }}",
                    vars={"mood": "loud"},
                    aspect_ratios=("16:9",),
                    takes=2,
                    seed=7,
                    alt="Eine Tasse",
                    tags=("eins", "zwei"),
                    references=(ReferenceWish.model_validate({"from": "own.jpg"}),),
                ),
                row("MUG-02", 3),
            ],
            vars={"mood": "calm", "season": "spring"},
            variants=[{"id": "a", "vars": {"mood": "bold"}}],
            tags=["all"],
            aspect_ratios=["1:1"],
            references=[{"from": "style.jpg", "role": "style"}],
        )
    )
    own, default = plan.shots
    assert own.shot_id == "MUG-01/a/de/16x9"
    assert own.prompt == "loud spring"
    assert [(one.take, one.seed) for one in own.recipes] == [(1, 7), (2, 8)]
    assert (own.alt, own.tags) == ("Eine Tasse", ("eins", "zwei"))
    assert [(one.source, one.role) for one in own.references] == [("own.jpg", "product")]
    assert default.shot_id == "MUG-02/1x1"
    assert default.prompt == "Mug MUG-02 on a table"
    assert (default.alt, default.tags) == ("Mug MUG-02", ("all",))
    assert [(one.source, one.role) for one in default.references] == [("style.jpg", "style")]


def test_two_rows_of_one_shot_are_a_fault_that_names_both():
    with pytest.raises(BadInput) as caught:
        planned(reading(rows=[row(), row(number=9)]))
    assert faults(caught.value) == [
        (
            "campaigns/mugs.csv, row 9: MUG-01/1x1 is asked for twice, first at campaigns/mugs.csv,"
            " row 2; product, variant, locale and output together are unique: change one of them or"
            " take one away"
        )
    ]


def test_a_variable_may_not_hide_a_name_of_ours():
    with pytest.raises(BadInput) as caught:
        planned(reading(vars={"product": "x"}, places={"vars.product": "mugs.yaml:4:3"}))
    assert faults(caught.value) == [
        (
            "mugs.yaml:4:3: variable 'product' would hide the product that templates know;"
            " give it another name"
        )
    ]


def test_an_experiment_makes_variants_whose_ids_are_their_levels():
    plan = planned(
        reading(
            experiment={"factors": {"mood": ["Very calm", "bold"], "sale": [True, False]}},
            prompt_text="{{ mood }} {{ sale }}",
            aspect_ratios=["1:1"],
        )
    )
    assert [(shot.variant, shot.prompt) for shot in plan.shots] == [
        ("very-calm-true", "Very calm True"),
        ("very-calm-false", "Very calm False"),
        ("bold-true", "bold True"),
        ("bold-false", "bold False"),
    ]


def test_levels_that_look_alike_get_ids_of_their_own_in_any_order():
    def found(levels: list[str]) -> dict[str, str]:
        plan = planned(reading(experiment={"factors": {"mood": levels}}, prompt_text="{{ mood }}"))
        return {shot.prompt: shot.variant for shot in plan.shots}

    one, other = found(["low", "Low!", "静か"]), found(["静か", "Low!", "low"])
    assert one == other
    assert len(set(one.values())) == 3


def test_the_other_designs_take_fewer_variants():
    factors = {"mood": ["calm", "bold", "odd"], "light": ["low", "high"]}
    one = planned(reading(experiment={"factors": factors, "design": "one-factor"}))
    assert [shot.variant for shot in one.shots] == ["calm-low", "bold-low", "odd-low", "calm-high"]
    wish = {"factors": factors, "design": "sampled", "n": 4, "seed": 3}
    sampled = [shot.variant for shot in planned(reading(experiment=wish)).shots]
    assert len(set(sampled)) == 4
    assert sampled == [shot.variant for shot in planned(reading(experiment=wish)).shots]


def test_faults_of_an_experiment_are_told_together():
    with pytest.raises(BadInput) as caught:
        planned(reading(experiment={"factors": {"mood": ["a", "a"], "light": []}}))
    assert faults(caught.value) == [
        "campaigns/mugs.yaml, experiment.factors.mood: factor 'mood' has a level twice",
        "campaigns/mugs.yaml, experiment.factors.light: factor 'light' has no levels",
    ]


def test_exclude_takes_cells_out_and_include_puts_single_ones_back():
    plan = planned(
        reading(
            [product("A"), product("B")],
            variants=[{"id": "a"}, {"id": "b"}],
            aspect_ratios=["1:1", "9:16"],
            exclude=[{"variant": "b", "aspect_ratio": "9:16"}, {"product": "B", "name": "1x1"}],
            include=[{"product": "A", "variant": "b", "name": "9x16"}],
        )
    )
    assert ids(plan) == ["A/a/1x1", "A/a/9x16", "A/b/1x1", "A/b/9x16", "B/a/9x16"]


def test_a_cell_s_ratio_means_the_channels_of_that_shape_too():
    plan = planned(
        reading(
            aspect_ratios=["1:1"],
            channels=["landscape", "feed-4x5"],
            exclude=[{"aspect_ratio": "1.91:1"}, {"aspect_ratio": "4:5"}],
        )
    )
    assert ids(plan) == ["MUG-01/1x1"]


def test_unknown_words_in_cells_are_faults_with_the_nearest_word():
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                variants=[{"id": "calm"}],
                aspect_ratios=["4:5"],
                exclude=[{"variant": "clam"}, {"aspect_ratio": "4:6"}, {"product": "MUG-1"}, {}],
                include=[{"locale": "de"}, {"name": "4x6"}],
            )
        )
    assert faults(caught.value) == [
        (
            "campaigns/mugs.yaml, exclude.0.variant: there is no variant 'clam' (allowed: calm);"
            " did you mean 'calm'?"
        ),
        (
            "campaigns/mugs.yaml, exclude.1.aspect_ratio: there is no aspect ratio '4:6'"
            " (allowed: 4:5); did you mean '4:5'?"
        ),
        (
            "campaigns/mugs.yaml, exclude.2.product: there is no product 'MUG-1' (allowed: MUG-01);"
            " did you mean 'MUG-01'?"
        ),
        (
            "campaigns/mugs.yaml, exclude.3: this cell of `exclude` names no axis"
            " (allowed: product, variant, locale, aspect_ratio, name)"
        ),
        (
            "campaigns/mugs.yaml, include.0.locale: there is no locale 'de', and this"
            " campaign has no locales at all"
        ),
        (
            "campaigns/mugs.yaml, include.1.name: there is no output '4x6' (allowed: 4x5);"
            " did you mean '4x5'?"
        ),
    ]


def test_an_excluded_product_may_be_filtered_away_by_where():
    plan = planned(
        reading(
            [product("A")],
            products_of={"from": "data/products.csv", "where": "stock > 0"},
            exclude=[{"product": "B"}],
            aspect_ratios=["1:1"],
        )
    )
    assert ids(plan) == ["A/1x1"]
    assert plan.notes == (
        "campaigns/mugs.yaml, exclude.0.product: there is no product 'B'; the cell matches nothing",
    )


axes = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=0, max_size=3, unique=True)
keys = st.lists(st.sampled_from(["K1", "K2", "K3"]), min_size=1, max_size=3, unique=True)
ratios = st.lists(
    st.sampled_from(["1:1", "4:5", "9:16", "16:9"]), min_size=1, max_size=4, unique=True
)


@settings(max_examples=60)
@given(keys, axes, axes, ratios, st.data())
def test_the_count_is_the_product_of_the_axes_minus_the_excluded_and_ids_ignore_order(
    products, variants, locales, outputs, data
):
    cells = data.draw(
        st.lists(
            st.fixed_dictionaries(
                {"product": st.sampled_from(products)},
                optional={
                    "aspect_ratio": st.sampled_from(outputs),
                    **({"variant": st.sampled_from(variants)} if variants else {}),
                    **({"locale": st.sampled_from(locales)} if locales else {}),
                },
            ),
            max_size=4,
        )
    )

    def of(turn: int) -> list[str]:
        return ids(
            planned(
                reading(
                    [product(key) for key in products[::turn]],
                    variants=[{"id": one} for one in variants[::turn]],
                    locales=locales[::turn],
                    aspect_ratios=outputs[::turn],
                    exclude=cells[::turn],
                )
            )
        )

    whole = [
        (key, variant, locale, ratio)
        for key in products
        for variant in variants or [""]
        for locale in locales or [""]
        for ratio in outputs
    ]
    left = [
        (key, variant, locale, ratio)
        for key, variant, locale, ratio in whole
        if not any(
            cell.get("product", key) == key
            and cell.get("variant", variant) == variant
            and cell.get("locale", locale) == locale
            and cell.get("aspect_ratio", ratio) == ratio
            for cell in cells
        )
    ]
    found = of(1)
    assert len(found) == len(left) == len(set(found))
    assert found == [
        "/".join(part for part in (*rest, ratio.replace(":", "x")) if part) for *rest, ratio in left
    ]
    assert sorted(of(-1)) == sorted(found)


@settings(max_examples=40)
@given(
    st.integers(1, 40),
    st.integers(0, 3),
    st.sampled_from(["product", "variant", "locale", "shot"]),
)
def test_a_sample_is_the_same_each_time_of_the_wanted_size_and_ignores_order(n, seed, by):
    def of(turn: int) -> list[str]:
        return ids(
            planned(
                reading(
                    [product(f"K{number}") for number in range(4)][::turn],
                    variants=[{"id": one} for one in "ab"[::turn]],
                    locales=["de", "en"][::turn],
                    aspect_ratios=["1:1", "4:5"][::turn],
                    sample={"n": n, "seed": seed, "by": by},
                )
            )
        )

    found = of(1)
    axis = {"product": (4, 8), "variant": (2, 16), "locale": (2, 16), "shot": (32, 1)}[by]
    assert len(found) == min(n, axis[0]) * axis[1]
    assert found == of(1)
    assert sorted(found) == sorted(of(-1))


@pytest.mark.parametrize("n", [4, 10, 20, 40])
def test_a_sample_of_shots_keeps_every_axis_balanced(n):
    plan = planned(
        reading(
            [product(f"K{number:02}") for number in range(20)],
            variants=[{"id": "a"}, {"id": "b"}],
            aspect_ratios=["1:1", "4:5", "9:16", "16:9", "3:2"],
            sample={"n": n, "seed": 1},
        )
    )
    assert f"sample: {n} of 200 shots" in plan.notes
    for axis, values in (("variant", 2), ("name", 5)):
        counts = [
            sum(getattr(shot, axis) == value for shot in plan.shots)
            for value in sorted({getattr(shot, axis) for shot in plan.shots})
        ]
        assert sum(counts) == n
        assert max(counts) - (min(counts) if len(counts) == values else 0) <= 1
    products = [shot.product.key for shot in plan.shots]
    assert max(map(products.count, products)) == -(-n // 20)


def test_products_translations_speak_in_their_locale():
    spoken = product()
    translated = type(spoken)(
        key=spoken.key,
        title=spoken.title,
        fields=spoken.fields,
        row=spoken.row,
        translations=MappingProxyType({"de": {"title": "Tasse"}}),
    )
    plan = planned(reading([translated], locales=["en", "de"]))
    assert [(shot.locale, shot.title, shot.alt, shot.prompt) for shot in plan.shots] == [
        ("en", "Mug MUG-01", "Mug MUG-01", "Mug MUG-01 on a table"),
        ("de", "Tasse", "Tasse", "Tasse on a table"),
    ]


def test_a_row_s_faults_name_the_row_and_the_column():
    with pytest.raises(BadInput) as caught:
        planned(reading(rows=[row(aspect_ratios=("4/5",), channels=("feed-4x6",), seed="often")]))
    assert faults(caught.value) == [
        (
            "campaigns/mugs.csv, row 2, column aspect_ratios: '4/5' is not an aspect ratio"
            " (allowed: width:height such as 4:5 or 1.91:1)"
        ),
        (
            "campaigns/mugs.csv, row 2, column channels: unknown channel 'feed-4x6';"
            " did you mean 'feed-4x5'?"
        ),
        (
            "campaigns/mugs.csv, row 2, column seed: 'often'"
            " (allowed: stable, none or 0 to 2147483647)"
        ),
    ]
