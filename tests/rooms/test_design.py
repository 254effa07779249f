"""Experiments: which variants a design takes, what they weigh, and whether they tell factors apart."""

# ruff: noqa: E501  (a fault stands here on one line, as it is printed)
from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import plan, read
from flows.errors import BadInput
from flows.nouns.campaign import Variant
from tests.rooms.plan_factory import faults, planned, reading

MOODS = {"mood": ["calm", "bold"], "angle": ["front", "above", "close"]}


def variants(**experiment: object) -> tuple[Variant, ...]:
    return plan.variants(reading(experiment=experiment))


def refused(**experiment: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        variants(**experiment)
    return faults(caught.value)


def effects(factors: dict[str, list[str]], made: tuple[Variant, ...]) -> int:
    """How many effects of a model of main effects the design tells apart."""
    rows = [
        [1.0]
        + [
            float(one.vars[name] == level)
            for name, levels in factors.items()
            for level in levels[1:]
        ]
        for one in made
    ]
    return int(np.linalg.matrix_rank(np.array(rows)))


def test_a_variant_weighs_the_product_of_its_levels():
    made = variants(factors=MOODS, weights={"mood": {"calm": 2}, "angle": {"close": 0.5}})
    assert [(one.id, one.weight) for one in made] == [
        ("calm-front", 2),
        ("calm-above", 2),
        ("calm-close", 1),
        ("bold-front", 1),
        ("bold-above", 1),
        ("bold-close", 0.5),
    ]


def test_levels_that_are_no_text_are_weighed_as_the_file_spells_them(tmp_path: Path):
    spec = tmp_path / "sale.yaml"
    spec.write_text(
        'campaign: sale\nproducts: {items: [{sku: A, title: A}]}\nprompt_text: x\naspect_ratios: ["1:1"]\n'
        "experiment:\n  factors: {sale: [true, false], off: [10, 20]}\n"
        "  weights: {sale: {true: 3}, off: {20: 2}}\n",
        "utf-8",
    )
    made = plan.variants(read.campaign(spec))
    assert [(one.id, one.weight) for one in made] == [
        ("true-10", 3),
        ("true-20", 6),
        ("false-10", 1),
        ("false-20", 2),
    ]


def test_weights_of_what_is_not_there_are_faults_with_the_nearest_word(tmp_path: Path):
    assert refused(factors=MOODS, weights={"mod": {"calm": 2}, "mood": {"clam": 2}}) == [
        "campaigns/mugs.yaml, experiment.weights.mod: there is no factor 'mod' (allowed: mood, angle); did you mean 'mood'?",
        "campaigns/mugs.yaml, experiment.weights.mood.clam: factor 'mood' has no level 'clam' (allowed: calm, bold); did you mean 'calm'?",
    ]
    spec = tmp_path / "sale.yaml"
    spec.write_text(
        'campaign: sale\nproducts: {items: [{sku: A, title: A}]}\nprompt_text: x\naspect_ratios: ["1:1"]\n'
        "experiment:\n  factors: {mood: [calm, bold]}\n  weights: {mood: {calm: 0}}\n",
        "utf-8",
    )
    with pytest.raises(BadInput) as caught:
        read.campaign(spec)
    (fault,) = caught.value.faults
    assert fault.place.endswith("sale.yaml:7:26")


@pytest.mark.parametrize(("design", "count"), [("full", 6), ("one-factor", 4)])
def test_a_number_of_variants_is_refused_where_the_design_fixes_it(design: str, count: int):
    assert refused(factors=MOODS, design=design, n=3) == [
        f"campaigns/mugs.yaml, experiment.n: `n` is for sampled designs, and this one is {design}: it has {count} variants; write `design: sampled`, or remove `n`"
    ]


def test_a_sampled_design_says_how_many_variants_it_needs():
    assert refused(factors=MOODS, design="sampled") == [
        "campaigns/mugs.yaml, experiment: a sampled design does not say how many variants it takes; write `n: 4` or more"
    ]
    assert refused(factors=MOODS, design="sampled", n=3) == [
        "campaigns/mugs.yaml, experiment.n: 3 variants cannot tell these factors apart (allowed: 4 or more: one, and one for each further level of a factor); raise `n`, or take levels away"
    ]


def test_a_sample_in_which_factors_move_together_is_drawn_again(monkeypatch: pytest.MonkeyPatch):
    from flows.plan import design

    factors = {"a": ["1", "2"], "b": ["1", "2"]}
    mingled = [("1", "1"), ("2", "2"), ("1", "1")]
    drawn: list[int] = []

    def sampled(_levels: object, _wanted: int, seed: int) -> list[tuple[str, str]]:
        drawn.append(seed)
        return mingled if seed < 9 else [("1", "1"), ("2", "2"), ("1", "2")]

    monkeypatch.setattr(design, "_sampled", sampled)
    made = variants(factors=factors, design="sampled", n=3, seed=7)
    assert [one.id for one in made] == ["1-1", "2-2", "1-2"]
    assert drawn == [7, 8, 9]

    monkeypatch.setattr(design, "_sampled", lambda *_: mingled)
    assert refused(factors=factors, design="sampled", n=3) == [
        "campaigns/mugs.yaml, experiment.n: no sample of 3 variants was found that tells the factors apart; raise `n`, or write `design: full`"
    ]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    more=st.integers(0, 6),
    seed=st.integers(0, 50),
)
def test_every_sampled_design_tells_its_factors_apart(sizes: list[int], more: int, seed: int):
    factors = {f"f{at}": [f"l{n}" for n in range(size)] for at, size in enumerate(sizes)}
    needed = 1 + sum(size - 1 for size in sizes)
    made = variants(factors=factors, design="sampled", n=needed + more, seed=seed)
    assert len({one.id for one in made}) == min(needed + more, math.prod(sizes))
    assert effects(factors, made) == needed
    assert made == variants(factors=factors, design="sampled", n=needed + more, seed=seed)


def test_variants_that_look_alike_as_ids_are_told():
    alike = planned(
        reading(
            experiment={"factors": {"mood": ["low", "Low!", "静か"]}},
            prompt_text="{{ mood }}",
            aspect_ratios=["1:1"],
        )
    )
    ids = {shot.prompt: shot.variant for shot in alike.shots}
    assert len(set(ids.values())) == 3
    assert alike.notes == (
        f"the levels of variants {ids['low']}, {ids['Low!']} look alike as ids, so each got a mark; spell them less alike, and their ids can be read and stay",
    )
    assert planned(reading(experiment={"factors": MOODS}, aspect_ratios=["1:1"])).notes == ()


def test_ids_stay_when_levels_are_reordered_or_added():
    def of(moods: list[str], angles: list[str]) -> dict[tuple[object, ...], str]:
        made = variants(factors={"mood": moods, "angle": angles})
        return {tuple(one.vars.values()): one.id for one in made}

    before = of(["calm", "bold"], ["front"])
    for moods in itertools.permutations(["calm", "bold", "odd"]):
        after = of(list(moods), ["above", "front"])
        assert before.items() <= after.items()


def test_written_variants_are_told_as_they_are_written():
    asked = reading(variants=[{"id": "a", "weight": 3}, {"id": "b"}])
    assert [(one.id, one.weight) for one in plan.variants(asked)] == [("a", 3), ("b", 1)]
    assert plan.variants(reading()) == ()
    with pytest.raises(BadInput, match="cannot be planned"):
        plan.variants(reading(variants=[{"id": "a"}, {"id": "a"}]))
