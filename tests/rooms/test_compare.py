from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from flows.errors import BadInput
from flows.nouns.shot import Estimate, RetiredShot, ShotList, ShotState
from flows.nouns.take import Realm, TakeState
from flows.plan import HostFacts
from flows.plan.estimate import estimate
from tests.rooms.plan_factory import Ledger, Reader, faults, ids, planned, product, reading


def mugs(**spec: object) -> ShotList:
    return planned(reading(aspect_ratios=["1:1"], **spec))


def held(book: Ledger, **spec: object) -> list[tuple[ShotState, str]]:
    plan = planned(reading(aspect_ratios=["1:1"], **spec), book=book)
    return [(shot.state, shot.why) for shot in plan.shots]


def test_a_shot_that_was_never_made_is_new():
    assert held(Ledger()) == [(ShotState.NEW, "never made")]


def test_a_shot_is_kept_when_all_its_takes_are_there():
    assert held(Ledger.after(mugs().shots)) == [(ShotState.KEPT, "its take is in the ledger")]
    three = Ledger.after(mugs(takes=3).shots)
    assert held(three, takes=3) == [(ShotState.KEPT, "all 3 takes are in the ledger")]


def test_a_shot_with_another_prompt_is_changed():
    assert held(Ledger.after(mugs().shots), prompt_text="another") == [
        (ShotState.CHANGED, "its recipe changed: prompt, references, shape, seed or model")
    ]


def test_more_takes_than_before_are_a_change_that_keeps_the_first():
    plan = planned(reading(aspect_ratios=["1:1"], takes=3), book=Ledger.after(mugs().shots))
    assert [(shot.state, shot.why) for shot in plan.shots] == [
        (ShotState.CHANGED, "3 takes are wanted, before it was 1")
    ]
    assert plan.estimate.generations == 2


@pytest.mark.parametrize("state", [TakeState.UNKNOWN, TakeState.SENT])
def test_a_shot_whose_purchase_is_unknown_is_parked_and_not_bought_again(state):
    book = Ledger.after(mugs().shots, state)
    plan = planned(reading(aspect_ratios=["1:1"]), book=book)
    assert [(shot.state, shot.why) for shot in plan.shots] == [
        (
            ShotState.PARKED,
            (
                "sent to fal and no answer was seen: it may have been bought;"
                " `shotlist settle` decides"
            ),
        )
    ]
    assert plan.estimate.generations == 0


def test_an_unknown_purchase_is_counted_again_where_the_campaign_rebuys():
    book = Ledger.after(mugs().shots, TakeState.UNKNOWN)
    plan = planned(reading(aspect_ratios=["1:1"], on_unknown="rebuy"), book=book)
    assert plan.shots[0].state is ShotState.PARKED
    assert plan.estimate.generations == 1


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (TakeState.REFUSED, "fal refused it: too red"),
        (
            TakeState.FAILED,
            "it failed at fal; it may have been paid for: `shotlist retake` wants another",
        ),
        (
            TakeState.LOST,
            (
                "fal made it, but its bytes were lost; it may have been paid for: `shotlist retake`"
                " wants another"
            ),
        ),
    ],
)
def test_a_shot_that_failed_last_time_says_why(state, why):
    assert held(Ledger.after(mugs().shots, state)) == [(ShotState.FAILED, why)]


@pytest.mark.parametrize(
    ("state", "on_unknown", "generations"),
    [
        (TakeState.REFUSED, "park", 1),
        (TakeState.FAILED, "park", 0),
        (TakeState.LOST, "park", 0),
        (TakeState.UNKNOWN, "park", 0),
        (TakeState.FAILED, "rebuy", 1),
        (TakeState.LOST, "rebuy", 1),
        (TakeState.UNKNOWN, "rebuy", 1),
        (TakeState.SENT, "rebuy", 0),
    ],
)
def test_what_may_have_been_paid_for_is_bought_again_only_where_the_campaign_says_so(
    state, on_unknown, generations
):
    book = Ledger.after(mugs().shots, state)
    plan = planned(reading(aspect_ratios=["1:1"], on_unknown=on_unknown), book=book)
    assert plan.estimate.generations == generations


def test_a_picture_that_a_person_turned_down_is_taken_anew_with_the_next_number():
    asked = reading(aspect_ratios=["1:1"], takes=2)
    first = planned(asked)
    (shot,) = first.shots
    book = Ledger.after(first.shots)
    book.turned = {shot.shot_id: frozenset({1})}
    plan = planned(asked, book=book)
    assert [recipe.take for recipe in plan.shots[0].recipes] == [2, 3]
    assert plan.shots[0].recipes[0] == shot.recipes[1]
    assert (plan.shots[0].state, plan.shots[0].why) == (
        ShotState.CHANGED,
        "a person turned its picture down",
    )
    assert plan.estimate.generations == 1


def test_one_failed_take_of_several_is_told():
    shots = mugs(takes=2).shots
    book = Ledger.after(shots)
    book.states[shots[0].recipes[1].sha256] = TakeState.REFUSED
    assert held(book, takes=2) == [(ShotState.FAILED, "1 of 2 takes: fal refused it: too red")]


def test_a_take_that_is_on_its_way_is_fetched_and_not_bought_again():
    plan = planned(
        reading(aspect_ratios=["1:1"]), book=Ledger.after(mugs().shots, TakeState.ACCEPTED)
    )
    assert [(shot.state, shot.why) for shot in plan.shots] == [
        (ShotState.NEW, "bought at fal before: a run fetches it")
    ]
    assert plan.estimate.generations == 0


def test_an_intent_that_never_left_is_still_to_be_made():
    plan = planned(
        reading(aspect_ratios=["1:1"]), book=Ledger.after(mugs().shots, TakeState.INTENDED)
    )
    assert [(shot.state, shot.why) for shot in plan.shots] == [(ShotState.NEW, "never made")]
    assert plan.estimate.generations == 1


def test_two_shots_of_one_recipe_share_one_take():
    plan = planned(reading(aspect_ratios=["1:1"], locales=["en", "de"]))
    assert [(shot.shot_id, shot.why) for shot in plan.shots] == [
        ("MUG-01/en/1x1", "never made"),
        ("MUG-01/de/1x1", "never made; shares its take with MUG-01/en/1x1"),
    ]
    assert plan.shots[0].recipes == plan.shots[1].recipes
    assert plan.estimate.generations == 1


def test_what_is_wanted_no_more_is_retired_with_the_reason():
    before = planned(
        reading([product("A"), product("B"), product("C/1")], aspect_ratios=["1:1", "4:5"])
    )
    now = reading([product("A"), product("C/1")], aspect_ratios=["1:1"])
    plan = planned(now, book=Ledger.after(before.shots))
    gone, unasked = "its product left the catalogue", "the campaign asks for it no more"
    assert plan.retired == (
        RetiredShot(shot_id="A/4x5", why=unasked),
        RetiredShot(shot_id="B/1x1", why=gone),
        RetiredShot(shot_id="B/4x5", why=gone),
        RetiredShot(shot_id="C/1/4x5", why=unasked),
    )


def test_a_product_that_the_spec_does_not_choose_has_not_left_the_catalogue():
    before = planned(reading([product("A"), product("B"), product("C/1")], aspect_ratios=["1:1"]))
    now = reading([product("A")], aspect_ratios=["1:1"])
    now = replace(now, left_out={"B": "where", "C/1": "limit"})
    assert planned(now, book=Ledger.after(before.shots)).retired == (
        RetiredShot(shot_id="B/1x1", why="`where` leaves its product out"),
        RetiredShot(shot_id="C/1/1x1", why="`limit` leaves its product out"),
    )


def test_a_product_that_is_skipped_this_time_has_not_left():
    spec = {"aspect_ratios": ["1:1"], "references": [{"from": "{{ product.image }}"}]}
    before = planned(reading([product("A"), product("B")], **spec))
    plan = planned(
        reading(
            [product("A"), product("B")],
            products_of={"from": "data/products.csv", "on_bad_row": "skip"},
            **spec,
        ),
        book=Ledger.after(before.shots),
        reader=Reader(missing={"photos/B.jpg"}),
    )
    assert (ids(plan), plan.retired) == (["A/1x1"], ())


def test_a_chosen_part_of_the_plan_is_what_the_estimate_counts():
    asked = reading([product("A"), product("B")], aspect_ratios=["1:1", "4:5"])
    book = Ledger(earlier={"gone/1x1": ("x",)})
    plan = planned(asked, only=["B/*", "A/4x5"], book=book)
    assert ids(plan) == ["A/1x1", "A/4x5", "B/1x1", "B/4x5"]
    assert plan.chosen == {"A/4x5", "B/1x1", "B/4x5"}
    assert plan.estimate.generations == 3
    with pytest.raises(BadInput) as caught:
        planned(asked, only=["C/*"])
    assert faults(caught.value) == ["--only: no shot matches 'C/*'; shot ids look like A/1x1"]


FAL = HostFacts(
    name="fal",
    model="seedream-4",
    usd_per_image=Decimal("0.03"),
    requests_per_take=2.5,
    takes_per_minute=60,
    running=40,
    latency_s=20,
)
FREEPIK = HostFacts(
    name="freepik",
    model="seedream-4",
    usd_per_image=Decimal("0.05"),
    requests_per_take=3,
    running=10,
    latency_s=20,
)
UNPRICED = HostFacts(
    name="byteplus", model="seedream-4", usd_per_image=None, price_reason="it is not published"
)


def test_the_cost_is_a_band_over_the_hosts_and_time_is_that_of_the_first():
    # 150 requests a minute at 2.5 a take are one take a second; 40 slots of 20 s would be two
    assert estimate(101, [FAL, FREEPIK]) == Estimate(
        generations=101,
        requests=253,
        cost_usd_low=Decimal("3.03"),
        cost_usd_high=Decimal("5.05"),
        eta_s=120.0,
    )


def test_the_policy_picks_the_hosts_whose_time_counts():
    assert estimate(101, [FREEPIK, FAL], "cheapest").eta_s == 120.0
    assert estimate(101, [FREEPIK, FAL], "failover").eta_s == 220.0
    assert estimate(101, [FREEPIK, FAL], "fastest").eta_s == 86.7


def test_an_unknown_price_is_null_with_a_reason_and_never_zero():
    found = estimate(5, [FAL, UNPRICED])
    assert (found.cost_usd_low, found.cost_usd_high) == (None, None)
    assert found.unknown == "byteplus: it is not published"
    assert estimate(5, []).unknown == "no host is chosen"


def test_nothing_to_make_costs_nothing_at_any_host():
    assert estimate(0, [UNPRICED]) == Estimate(
        generations=0,
        requests=0,
        cost_usd_low=Decimal(0),
        cost_usd_high=Decimal(0),
        eta_s=0.0,
    )


def test_a_budget_with_an_unknown_price_is_a_fault():
    with pytest.raises(BadInput) as caught:
        planned(reading(budget={"max_usd": 5}), hosts=[UNPRICED], realm=Realm.LIVE)
    assert faults(caught.value) == [
        (
            "campaigns/mugs.yaml, budget: a budget cannot be held at byteplus: it is not published;"
            " say its price in SHOTLIST_ACCOUNTS (usd_per_image), or use other providers"
        )
    ]
