"""Money: every try that was sent counts, in its realm, campaign, run and time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from flows.ledger import Ledger
from flows.nouns.take import Realm, Take, TakeState

PRICE = Decimal("0.03")


def take(recipe: str = "a", provider: str = "fal", realm: Realm = Realm.LIVE) -> Take:
    return Take(
        recipe=recipe * 64,
        realm=realm,
        state=TakeState.INTENDED,
        provider=provider,
        model="seedream-4",
    )


def send(book: Ledger, one: Take, run: str = "r1", price: Decimal | None = PRICE) -> None:
    assert book.intend(one, run=run, price_usd=price)
    book.step(one, TakeState.SENT, run=run)


def test_an_intent_costs_nothing_and_what_is_sent_counts_its_price(book: Ledger) -> None:
    assert book.intend(take(), run="r1", price_usd=PRICE)
    assert book.spent(Realm.LIVE) == 0
    book.step(take(), TakeState.SENT, run="r1")
    assert book.spent(Realm.LIVE) == PRICE


@pytest.mark.parametrize(
    ("path", "billed", "usd"),
    [
        (["unknown"], None, "0.03"),
        (["unknown", "lost"], None, "0.03"),
        (["unknown", "refused"], False, "0"),
        (["unknown", "failed"], None, "0.03"),
        (["lost"], True, "0.03"),
        (["accepted"], None, "0.03"),
        (["accepted", "failed"], None, "0.03"),
        (["accepted", "failed"], False, "0"),
        (["accepted", "failed"], True, "0.03"),
        (["accepted", "cancelled"], None, "0"),
        (["accepted", "cancelled"], True, "0.03"),
        (["accepted", "succeeded"], None, "0.03"),
        (["accepted", "succeeded", "lost"], True, "0.03"),
        (["refused"], False, "0"),
    ],
)
def test_what_may_have_been_billed_counts(
    book: Ledger, path: list[str], billed: bool | None, usd: str
) -> None:
    send(book, take())
    for state in path:
        book.step(take(), TakeState(state), run="r1", billed=billed)
    assert book.spent(Realm.LIVE) == Decimal(usd)


def test_the_hosts_own_cost_goes_before_the_price(book: Ledger) -> None:
    send(book, take())
    book.step(
        take(),
        TakeState.DONE,
        run="r1",
        sha256="b" * 64,
        cost_usd=Decimal("0.041"),
        cost_from="answer",
        billed=True,
    )
    assert book.spent(Realm.LIVE) == Decimal("0.041")
    assert book.tally() == [("live", "fal", "done", 1, Decimal("0.041"))]


def test_what_an_earlier_try_cost_is_not_lost_when_another_host_makes_the_take(
    book: Ledger,
) -> None:
    send(book, take())
    book.step(take(), TakeState.FAILED, run="r1", billed=True, cost_usd=PRICE, cost_from="price")
    send(book, take(provider="freepik"), price=Decimal("0.05"))
    assert book.spent(Realm.LIVE) == Decimal("0.08")
    book.step(
        take(),
        TakeState.DONE,
        run="r1",
        sha256="b" * 64,
        cost_usd=Decimal("0.05"),
        cost_from="price",
        billed=True,
    )
    assert book.spent(Realm.LIVE) == Decimal("0.08")
    assert book.tally() == [
        ("live", "fal", "failed", 0, PRICE),
        ("live", "freepik", "done", 1, Decimal("0.05")),
    ]


def test_an_unknown_try_that_is_bought_again_counts_twice(book: Ledger) -> None:
    send(book, take())
    book.step(take(), TakeState.UNKNOWN, run="r1")
    assert book.intend(take(), run="r2", price_usd=PRICE, rebuys=True)
    assert book.spent(Realm.LIVE) == PRICE
    book.step(take(), TakeState.SENT, run="r2")
    assert book.spent(Realm.LIVE) == 2 * PRICE


def test_an_intent_that_is_given_up_does_not_touch_what_was_paid_before(book: Ledger) -> None:
    send(book, take())
    book.step(take(), TakeState.FAILED, run="r1", billed=True)
    assert book.intend(take(), run="r2", price_usd=PRICE)
    book.step(take(), TakeState.CANCELLED, run="r2", billed=False)
    assert book.spent(Realm.LIVE) == PRICE


def test_a_step_to_sent_that_is_refused_leaves_no_purchase(book: Ledger) -> None:
    send(book, take())
    given = book.write([lambda pen: pen.step(take(), TakeState.SENT, run="r1")])
    assert [type(one).__name__ for one in given] == ["IllegalStepError"]
    assert book.spent(Realm.LIVE) == PRICE


def test_money_is_counted_by_realm_campaign_run_and_time(book: Ledger) -> None:
    for run, campaign in (("r1", "mugs"), ("r2", "mugs"), ("r3", "cups")):
        book.begin_run(run, campaign=campaign, realm=Realm.LIVE, spec_sha256="s", destination="d")
    send(book, take("a"), "r1", Decimal("0.01"))
    send(book, take("b"), "r2", Decimal("0.02"))
    send(book, take("c"), "r3", Decimal("0.04"))
    send(book, take("d", realm=Realm.SANDBOX), "r3", Decimal("0.08"))
    assert book.spent(Realm.LIVE) == Decimal("0.07")
    assert book.spent(Realm.SANDBOX) == Decimal("0.08")
    assert book.spent(Realm.LIVE, campaign="mugs") == Decimal("0.03")
    assert book.spent(Realm.LIVE, campaign="plates") == 0
    assert book.spent(Realm.LIVE, run="r3") == Decimal("0.04")
    assert book.spent(Realm.LIVE, campaign="mugs", run="r3") == 0
    assert book.spent(Realm.LIVE, since="2001-01-01T00:00:00.000Z") == Decimal("0.07")
    assert book.spent(Realm.LIVE, since="2999-01-01T00:00:00.000Z") == 0


def test_a_price_that_is_not_known_counts_nothing(book: Ledger) -> None:
    send(book, take(), price=None)
    assert book.spent(Realm.LIVE) == 0


def test_cents_add_up_exactly(book: Ledger) -> None:
    takes = [
        Take(
            recipe=f"{number:064x}",
            realm=Realm.LIVE,
            state=TakeState.INTENDED,
            provider="fal",
            model="seedream-4",
        )
        for number in range(100)
    ]
    book.write([lambda pen, one=one: pen.intend(one, run="r1", price_usd=PRICE) for one in takes])
    book.write([lambda pen, one=one: pen.step(one, TakeState.SENT, run="r1") for one in takes])
    assert book.spent(Realm.LIVE) == Decimal("3.00")


def test_a_proof_is_no_purchase(book: Ledger) -> None:
    send(book, take(realm=Realm.PROOF), price=Decimal(0))
    book.step(take(realm=Realm.PROOF), TakeState.DONE, run="r1", sha256="b" * 64)
    assert book.spent(Realm.PROOF) == 0
    assert book.tally() == [("proof", "fal", "done", 1, Decimal(0))]
