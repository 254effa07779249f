"""What a person decides and is told, on ledgers as runs leave them: settle, retake, status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.cli import run_command
from flows.errors import BadInput
from flows.jobs.overview import NOTHING, overview
from flows.jobs.retakes import retake
from flows.ledger import Ledger, open_ledger
from flows.nouns.take import Realm, Take, TakeState
from flows.nouns.workspace import Workspace
from flows.settings import ADDRESS_VARIABLES, KEY_VARIABLES, Settings

PRICE = Decimal("0.03")
SHOT, OTHER = "MUG-01/1x1", "MUG-01/4x5"

Said = Callable[..., tuple[int, str, str]]
"""A command line to its exit code, results and what else it said."""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace with nothing set."""
    ours = ("SHOTLIST_LEDGER_URL", "SHOTLIST_TAKES_URL", "SHOTLIST_CALLBACK_URL")
    for name in (*ours, "SHOTLIST_ACCOUNTS", *KEY_VARIABLES.values(), *ADDRESS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


@pytest.fixture
def ledger(workspace: Workspace) -> Iterator[Ledger]:
    """The workspace's ledger, begun."""
    with open_ledger(Settings.load(workspace).ledger_url) as opened:
        yield opened


@pytest.fixture
def said(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Said:
    def call(*words: str) -> tuple[int, str, str]:
        code = run_command(list(words))
        captured = capsys.readouterr()
        assert "SECRET" not in captured.out + captured.err
        return code, captured.out, captured.err

    return call


def recipe(letter: str) -> str:
    return letter * 64


def begin(book: Ledger, run: str, campaign: str = "mugs", realm: Realm = Realm.LIVE) -> None:
    book.begin_run(run, campaign=campaign, realm=realm, spec_sha256="0" * 64, destination="out")


def bring_to(
    book: Ledger,
    state: TakeState,
    letter: str = "a",
    *,
    realm: Realm = Realm.LIVE,
    run: str = "r1",
    billed: bool | None = None,
    price: Decimal | None = PRICE,
    host: str = "fal",
) -> None:
    """A take of this state, priced at three cents."""
    take = Take(
        recipe=recipe(letter),
        realm=realm,
        state=TakeState.INTENDED,
        provider=host,
        account=host,
        model="seedream-4",
    )
    assert book.intend(take, run=run, price_usd=price)
    if state is TakeState.INTENDED:
        return
    book.step(take, TakeState.SENT, run=run)
    if state is TakeState.DONE:
        book.step(take, state, run=run, sha256=recipe(letter), cost_usd=price, billed=True)
    elif state is not TakeState.SENT:
        book.step(take, state, run=run, reason="no answer: ReadTimeout", billed=billed)


def plan(
    book: Ledger, shots: dict[str, str], campaign: str = "mugs", realm: Realm = Realm.LIVE
) -> None:
    """Shot id to the letters of its recipes, as a run sets out to make them."""
    wanted = {shot_id: [recipe(one) for one in letters] for shot_id, letters in shots.items()}
    book.plan_shots(campaign, realm, wanted, ())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("aaaaaaaa",), "--lost, --found: neither was said (allowed: one of them"),
        (("aaaaaaaa", "--lost", "--found", "https://a.example/1.png"), "both were said"),
        (("aaaaaaaa", "--found", "a.example/1.png"), "'a.example/1.png' is no address"),
        (("aaaaaaaa", "--found", "ftp://a.example/1"), "(allowed: http://… or https://…"),
        (("aaaaaaaa", "--found", "https://a.example/ 1.png"), "without blanks"),
        (("aaaaaaaa", "--found", "https://me:SECRET@a.example/1.png"), "holds a password"),
        (("aaaaaaaa", "--lost", "--realm", "sandbox"), "no purchase is open in this ledger"),
        (("aaa", "--lost"), "no open purchase is called 'aaa'"),
        (("0000ffff", "--lost"), "(allowed: aaaaaaaaaaaa (MUG-01/1x1) at fal, live)"),
        (("MUG-01/1x2", "--lost"), "; did you mean 'MUG-01/1x1'?"),
        (("bbbb", "--lost"), "bbbbbbbbbbbb (live) is done: there is nothing to settle"),
        ((OTHER, "--lost"), "bbbbbbbbbbbb (live) is done: there is nothing to settle"),
    ],
)
def test_a_decision_that_cannot_be_is_told_and_nothing_changes(
    ledger: Ledger, said: Said, words: tuple[str, ...], told: str
) -> None:
    bring_to(ledger, TakeState.UNKNOWN, "a")
    bring_to(ledger, TakeState.DONE, "b")
    plan(ledger, {SHOT: "a", OTHER: "b"})
    code, out, err = said("settle", *words)
    assert (code, out, told in err) == (2, "", True), err
    take = ledger.take(Realm.LIVE, recipe("a"))
    assert take is not None
    assert take.state is TakeState.UNKNOWN


def test_a_name_of_several_purchases_is_told_with_all_of_them(ledger: Ledger, said: Said) -> None:
    bring_to(ledger, TakeState.UNKNOWN, "a")
    bring_to(ledger, TakeState.SENT, "b")
    plan(ledger, {SHOT: "ab"})
    code, _, err = said("settle", SHOT, "--lost")
    assert (code, err.splitlines()[1]) == (
        2,
        (
            "  - ID: 'MUG-01/1x1' means 2 open purchases (allowed: aaaaaaaaaaaa (MUG-01/1x1) at "
            "fal, live; bbbbbbbbbbbb (MUG-01/1x1) at fal, live); name one by the beginning of its "
            "recipe, as it stands before the bracket"
        ),
    )
    assert said("settle", "bbbb", "--lost")[0] == 0


def test_the_same_recipe_in_two_realms_is_told_apart_by_the_realm(
    ledger: Ledger, said: Said
) -> None:
    bring_to(ledger, TakeState.UNKNOWN, "a")
    bring_to(ledger, TakeState.UNKNOWN, "a", realm=Realm.SANDBOX)
    code, _, err = said("settle", recipe("a"), "--lost")
    assert (code, "; say which by --realm" in err) == (2, True), err
    code, out, _ = said("settle", recipe("a"), "--lost", "--realm", "sandbox")
    assert (code, out.splitlines()[0]) == (0, "settled as lost: aaaaaaaaaaaa at fal, sandbox")
    states = {realm: ledger.take(realm, recipe("a")) for realm in (Realm.LIVE, Realm.SANDBOX)}
    assert {realm: take and take.state for realm, take in states.items()} == {
        Realm.LIVE: TakeState.UNKNOWN,
        Realm.SANDBOX: TakeState.LOST,
    }


def test_a_purchase_of_unknown_price_is_not_said_to_count(ledger: Ledger, said: Said) -> None:
    bring_to(ledger, TakeState.UNKNOWN, price=None)
    _, out, _ = said("settle", "AAAA", "--found", "https://a.example/1.png?sign=SECRET")
    assert out.splitlines() == [
        "settled as found: aaaaaaaaaaaa at fal, live",
        "its price is not known: nothing is counted",
        "run again: it is fetched from https://a.example/1.png, nothing is bought",
    ]


def test_what_a_live_run_is_buying_is_left_to_it(ledger: Ledger, said: Said) -> None:
    bring_to(ledger, TakeState.SENT)
    ledger.begin_dispatch("r1/fal", run="r1", account="f", host="fal")
    code, _, err = said("settle", "aaaa", "--lost")
    assert (code, "is being bought by a run that is alive" in err) == (2, True), err


@pytest.mark.parametrize(
    ("states", "numbers"),
    [
        ({"a": TakeState.DONE, "b": TakeState.DONE}, (1,)),
        ({"a": TakeState.LOST, "b": TakeState.DONE}, (2,)),
        ({"a": TakeState.REFUSED, "b": TakeState.DONE}, (2,)),
        ({"a": TakeState.LOST, "b": TakeState.LOST}, (1, 2)),
        ({"a": TakeState.UNKNOWN, "b": TakeState.LOST}, (2,)),
        ({"b": TakeState.FAILED}, (2,)),
    ],
)
def test_the_published_take_is_turned_down_or_all_that_were_paid_for(
    ledger: Ledger, workspace: Workspace, states: dict[str, TakeState], numbers: tuple[int, ...]
) -> None:
    for letter, state in states.items():
        bring_to(ledger, state, letter)
    plan(ledger, {SHOT: "ab"})
    done = retake(workspace, [SHOT])
    assert [(shot.shot_id, shot.numbers) for shot in done.shots] == [(SHOT, numbers)]
    assert (done.takes, done.usd) == (len(numbers), PRICE * len(numbers))
    assert ledger.turned_down("mugs", Realm.LIVE) == {SHOT: frozenset(numbers)}


@pytest.mark.parametrize(
    ("state", "billed", "told"),
    [
        (TakeState.UNKNOWN, None, "settle that first: `shotlist settle aaaaaaaaaaaa`"),
        (TakeState.SENT, None, "its purchase is not known"),
        (TakeState.ACCEPTED, None, "has no picture yet: it is on its way"),
        (TakeState.FAILED, False, "has no picture: the next run makes one"),
        (TakeState.REFUSED, False, "has no picture: the next run makes one"),
        (TakeState.INTENDED, None, "has no picture: the next run makes one"),
    ],
)
def test_what_has_no_picture_is_not_turned_down(
    ledger: Ledger, said: Said, state: TakeState, billed: bool | None, told: str
) -> None:
    bring_to(ledger, state, billed=billed)
    plan(ledger, {SHOT: "a"})
    code, _, err = said("retake", SHOT)
    assert (code, told in err) == (2, True), err
    assert ledger.turned_down("mugs", Realm.LIVE) == {}


def test_a_take_is_turned_down_once_until_another_was_planned(
    ledger: Ledger, workspace: Workspace
) -> None:
    bring_to(ledger, TakeState.DONE, "a")
    bring_to(ledger, TakeState.DONE, "b")
    plan(ledger, {SHOT: "ab"})
    retake(workspace, [SHOT])
    with pytest.raises(BadInput, match="is turned down already; run again"):
        retake(workspace, [SHOT])
    bring_to(ledger, TakeState.DONE, "c")
    wait_for_the_next_millisecond(ledger)
    plan(ledger, {SHOT: "bc"})
    (again,) = retake(workspace, [SHOT]).shots
    assert again.numbers == (2,), "its takes are now 2 and 3"


def wait_for_the_next_millisecond(book: Ledger) -> None:
    """The ledger's moments are told in milliseconds, and a plan follows a decision later."""
    from flows.ledger.ledger import now

    (said,) = book.survey.turned_down_at("mugs", Realm.LIVE).values()
    while now() <= max(said.values()):
        pass


def test_globs_leave_out_what_has_no_picture_and_say_so(ledger: Ledger, said: Said) -> None:
    bring_to(ledger, TakeState.DONE, "a")
    bring_to(ledger, TakeState.UNKNOWN, "b")
    plan(ledger, {SHOT: "a", OTHER: "b", "TEA-02/1x1": "c"})
    code, out, err = said("retake", "MUG-*", "--why", " the handle is gone ")
    assert (code, out.splitlines()) == (
        0,
        [
            "turned down: MUG-01/1x1 of mugs (live), take 1",
            "1 shot; run again: 1 new take, about $0.03",
        ],
    )
    assert "note: MUG-01/4x5: has no picture, and its purchase is not known" in err
    with ledger._engine.connect() as connection:
        why = connection.exec_driver_sql("select shot_id, why from turned_down").all()
    assert [tuple(row) for row in why] == [(SHOT, "the handle is gone")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("MUG-01/1x2",), "no run has planned a shot 'MUG-01/1x2'; did you mean 'MUG-01/1x1'?"),
        (("TEA-*",), "no run has planned a shot 'TEA-*'; ids look like MUG-01/1x1"),
        ((SHOT, "--campaign", "mogs"), "(allowed: cups, mugs); did you mean 'mugs'?"),
        ((SHOT,), "--campaign: several campaigns have such shots (allowed: cups, mugs); name one"),
        ((SHOT, "--realm", "proof"), "no run has planned a shot 'MUG-01/1x1'"),
    ],
)
def test_a_shot_that_is_not_one_is_told(
    ledger: Ledger, said: Said, words: tuple[str, ...], told: str
) -> None:
    bring_to(ledger, TakeState.DONE)
    plan(ledger, {SHOT: "a"})
    plan(ledger, {SHOT: "a"}, campaign="cups")
    code, _, err = said("retake", *words)
    assert (code, told in err) == (2, True), err
    code, out, _ = said("retake", SHOT, "--campaign", "cups")
    assert (code, out.splitlines()[0]) == (0, "turned down: MUG-01/1x1 of cups (live), take 1")


def test_bought_pictures_are_meant_before_proofs_and_the_latest_before_others(
    ledger: Ledger, said: Said
) -> None:
    for number, realm in enumerate((Realm.SANDBOX, Realm.LIVE, Realm.PROOF)):
        begin(ledger, f"r{number}", realm=realm)
        bring_to(ledger, TakeState.DONE, realm=realm, price=Decimal(0))
        plan(ledger, {SHOT: "a"}, realm=realm)
    with ledger._writer.begin() as connection:
        connection.exec_driver_sql("update runs set started_at = id")
    _, out, err = said("retake", SHOT)
    assert out.splitlines()[0] == "turned down: MUG-01/1x1 of mugs (live), take 1"
    assert "such shots are in sandbox, too, and stay; --realm sandbox means those" in err
    _, out, _ = said("retake", SHOT, "--realm", "proof")
    assert out.splitlines() == [
        "turned down: MUG-01/1x1 of mugs (proof), take 1",
        "1 shot; run again: 1 new take, about $0.00",
    ]


@pytest.mark.parametrize("words", [("settle", "abcdef", "--lost"), ("retake", SHOT)])
def test_without_a_ledger_there_is_nothing_to_decide(
    workspace: Workspace, said: Said, words: tuple[str, ...]
) -> None:
    code, _, err = said(*words)
    assert (code, "there is no ledger: nothing was made here" in err) == (2, True)
    assert list(workspace.root.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "given", "code", "told"),
    [
        ((), {"FAL_KEY": "SECRET"}, 4, "SHOTLIST_CALLBACK_URL is not set"),
        ((), {"SHOTLIST_CALLBACK_URL": "https://a.example/x"}, 4, "no key of a host that calls"),
        ((), {"FAL_KEY": "SECRET", "SHOTLIST_CALLBACK_URL": "a"}, 4, "is not an http(s) address"),
        (("--port", "0"), {}, 2, "--port: 0 (allowed: 1 to 65535)"),
    ],
)
def test_a_receiver_that_cannot_be_is_told(
    workspace: Workspace,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    given: dict[str, str],
    code: int,
    told: str,
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    got, out, err = said("callbacks", *words)
    assert (got, out, told in err) == (code, "", True), err
    assert list(workspace.root.iterdir()) == []


def test_the_token_of_the_callbacks_is_made_once_a_ledger(book: Ledger, ledger_url: str) -> None:
    with open_ledger(ledger_url) as another:
        tokens = {book.callback_token(), another.callback_token(), book.callback_token()}
    (token,) = tokens
    assert len(token) == 32


def test_status_of_nothing_has_the_keys_of_any_status(
    book: Ledger, workspace: Workspace, said: Said
) -> None:
    document = overview(book).document()
    assert {key: value for key, value in document.items() if key != "ledger"} == {
        key: value for key, value in NOTHING.items() if key != "ledger"
    }
    code, out, _ = said("status", "--json")
    assert (code, json.loads(out)) == (0, dict(NOTHING))


def test_status_tells_money_latencies_refusals_and_who_is_at_work(book: Ledger) -> None:
    begin(book, "r1")
    begin(book, "r2")
    begin(book, "r3", campaign="cups", realm=Realm.SANDBOX)
    with book._writer.begin() as connection:
        connection.exec_driver_sql("update runs set started_at = id")
    bring_to(book, TakeState.DONE, "a", run="r1")
    bring_to(book, TakeState.UNKNOWN, "b", run="r2")
    bring_to(book, TakeState.REFUSED, "c", run="r2", billed=False)
    bring_to(book, TakeState.REFUSED, "d", run="r2", billed=False)
    bring_to(book, TakeState.DONE, "e", run="r3", realm=Realm.SANDBOX)
    with book._writer.begin() as connection:
        connection.exec_driver_sql("update purchases set at = '2020-01-01' where run = 'r1'")
    book.begin_dispatch("r2/fal", run="r2", account="fal:12ab", host="fal")
    for seconds in (10.0, 20.0):
        book.remember_latency("fal", mode="text", tier="2K", seconds=seconds, exact=True)
    plan(book, {SHOT: "ab"})

    told = json.loads(json.dumps(overview(book).document(), default=str))
    assert [row["state"] for row in told["takes"]] == ["done", "refused", "unknown", "done"]
    (one,) = told["unsettled"]
    assert (one["recipe"], one["shots"], one["at_work"], one["remedy"]) == (
        recipe("b"),
        [{"campaign": "mugs", "shot_id": SHOT}],
        True,
        "run r2 is at work on it",
    )
    assert (Decimal(one["price_usd"]), one["sent_at"][:2]) == (PRICE, "20")
    (worker,) = told["at_work"]
    assert (worker["run"], worker["host"], worker["account"]) == ("r2", "fal", "fal:12ab")
    assert [
        (row["campaign"], row["realm"], row["run"], *(Decimal(row[f"{of}_usd"]) for of in SPANS))
        for row in told["spending"]
    ] == [
        ("cups", "sandbox", "r3", PRICE, PRICE, PRICE),
        ("mugs", "live", "r2", PRICE, PRICE, 2 * PRICE),
    ]
    assert told["latencies"] == [
        {"host": "fal", "mode": "text", "tier": "2K", "mean_s": 15.0, "takes": 2}
    ]
    assert [(row["state"], row["reason"], row["takes"]) for row in told["refusals"]] == [
        ("refused", "no answer: ReadTimeout", 2),
        ("unknown", "no answer: ReadTimeout", 1),
    ]
    assert [run["id"] for run in told["runs"]] == ["r3", "r2", "r1"]


SPANS = ("run", "month", "total")


@pytest.mark.parametrize(
    ("state", "host", "remedy"),
    [
        (TakeState.UNKNOWN, "fal", "run again: fal is asked for it; or `shotlist settle aaaaaa"),
        (TakeState.SENT, "freepik", "look at your account at freepik, then `shotlist settle aaa"),
        (TakeState.ACCEPTED, "fal", "run again: it is asked for, and paid no second time"),
        (TakeState.SUCCEEDED, "fal", "run again: it is fetched, and paid no second time"),
    ],
)
def test_what_is_unsettled_is_told_with_what_to_do(
    ledger: Ledger, said: Said, state: TakeState, host: str, remedy: str
) -> None:
    bring_to(ledger, state, host=host)
    _, out, _ = said("status")
    assert f"{state}: aaaaaaaaaaaa at {host}, live, sent 20" in out
    assert f", price $0.03\n  {remedy}" in out


def test_status_leaves_no_trace_of_its_own(
    ledger: Ledger, workspace: Workspace, said: Said
) -> None:
    bring_to(ledger, TakeState.DONE)
    assert said("status")[0] == 0
    assert not (workspace.state / "ledger-pace.db").exists()


def test_status_of_a_spec_reads_its_id_alone(
    ledger: Ledger, workspace: Workspace, said: Said
) -> None:
    begin(ledger, "r1")
    begin(ledger, "r2", campaign="spring-cups")
    folder = workspace.root / "campaigns"
    folder.mkdir()
    (folder / "mugs.yaml").write_text("campaign: mugs\nproducts: {from: gone.csv}\n", "utf-8")
    (folder / "Spring Cups.csv").write_bytes(b"\xff not read")
    (folder / "bad.yaml").write_text("campaign: [1]\n", "utf-8")
    for name, runs in (("mugs.yaml", ["r1"]), ("Spring Cups.csv", ["r2"])):
        code, out, err = said("status", str(folder / name), "--json")
        assert (code, [run["id"] for run in json.loads(out)["runs"]]) == (0, runs), err
    for name, told in (("gone.yaml", "no such file"), ("bad.yaml", "bad.yaml:1:")):
        code, _, err = said("status", str(folder / name))
        assert (code, told in err) == (2, True), err
