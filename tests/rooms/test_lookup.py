"""Creates whose answer never came: looked up at every host that can be asked, never guessed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from flows import providers
from flows.nouns.take import Realm
from flows.providers.base import (
    Done,
    Finding,
    Found,
    Job,
    NotThere,
    Order,
    Provider,
    RefusalKind,
    Refused,
    Sent,
    Trace,
    Unclear,
)
from flows.providers.base.echo import Candidate, Echo, chosen
from flows.providers.base.lookup import MARGIN, Quest
from flows.sandbox import started
from flows.sandbox.server import Running
from tests.rooms.test_conformance import HOSTS, KEY, opened, order

SPEED = 400.0
_values: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["prompt", "usd", "cost", "url"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_rows = some.dictionaries(
    some.sampled_from(
        [
            *("id", "request_id", "inference_id", "model", "endpoint_id", "status", "input"),
            *("json_input", "json_output", "status_code", "created_at", "sent_at", "output"),
            *("client_request_id", "trace_id", "cost", "execution_cost"),
        ]
    ),
    _values | some.sampled_from(["a", "succeeded", "completed", "2026-03-01T12:00:01Z", "c" * 32]),
    max_size=6,
)
_pages = some.dictionaries(
    some.sampled_from(
        [
            *("executions", "items", "results", "data", "status", "input", "output"),
            *("has_more", "next", "next_cursor", "next_page_url", "pagination"),
        ]
    ),
    some.lists(_rows, max_size=3) | _values,
    max_size=4,
)
ANSWERS = some.builds(
    lambda status, body, kind: httpx.Response(status, content=body, headers={"content-type": kind}),
    some.sampled_from([200, 200, 200, 201, 204, 404, 429, 500]),
    some.binary(max_size=30) | _pages.map(lambda page: json.dumps(page).encode()),
    some.sampled_from(["application/json", "text/html", "text/plain; charset=utf-16"]),
)
LISTING = {"eachlabs", "fal", "replicate"}
LOGGING = {"aimlapi", "lumenfall"}
ASKED = sorted(LISTING | LOGGING)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def nothing(_: str) -> bool:
    return False


def nobody() -> Sequence[Sent]:
    return ()


def talk(finding: Finding | None, http: httpx.Client) -> Found | NotThere | Unclear:
    assert finding is not None
    try:
        request = next(finding)
        while True:
            request = finding.send(http.send(request))
    except StopIteration as ended:
        found: Found | NotThere | Unclear = ended.value
        return found


class Shop:
    """A host of the sandbox, and what a run would keep of its creates."""

    def __init__(self, running: Running, name: str) -> None:
        variables = running.environment
        self.desk = running.world.desks[name]
        host = providers.host(name)
        self.host: Provider = opened(
            name,
            realm=Realm.SANDBOX,
            addresses={one: variables[one] for one in host.addresses},
            key=variables[str(host.key_variable)],
            latency_s=self.desk.host.latency_s / running.world.clock.speed,
        )
        self.http = httpx.Client(timeout=20)
        self.open: dict[str, Trace] = {}
        self.ids: set[str] = set()

    def send(self, number: int, *, prompt: str = "", edit: bool = False) -> Order:
        """Send a create; what gets no answer stays open."""
        one = order(self.host, edit=edit)
        text = prompt or f"A mug, number {number}"
        one = replace(one, recipe=replace(one.recipe, prompt=text), mark=f"{number:032x}")
        at = datetime.now(UTC)
        self.open[one.mark] = Trace(
            signature=self.host.signature(one), mark=one.mark, sent_at=at, now=at
        )
        try:
            reply = self.host.submitted(self.http.send(self.host.submit(one)), one)
        except httpx.HTTPError:
            return one
        if isinstance(reply, Refused):
            assert reply.kind is RefusalKind.AGAIN, reply
            time.sleep(0.05)
            return self.send(number, prompt=prompt, edit=edit)
        self.answered(one.mark, reply)
        return one

    def settled(self, mark: str) -> Found | NotThere:
        """What became of it, when the host has had its time and nothing is under way there."""
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            is_idle = all(job.is_over for job in self.desk.jobs.of(self.host.account.key))
            within_s = self.host.listed_within * self.host.account.latency_s
            found = self.look(mark, later_s=max(2.0, within_s) if is_idle else 0.0)
            if not isinstance(found, Unclear):
                return found
            time.sleep(0.05)
        raise AssertionError(found)

    def answered(self, mark: str, reply: Any) -> None:
        name = reply.id if isinstance(reply, Done) else reply.job.id
        self.ids.add(name or "")
        del self.open[mark]

    def look(self, mark: str, *, later_s: float = 0.0) -> Found | NotThere | Unclear:
        now = datetime.now(UTC) + timedelta(seconds=later_s)
        trace = replace(self.open[mark], now=now)
        finding = self.host.find(trace, self.ids.__contains__, lambda: list(self.open.values()))
        found = talk(finding, self.http)
        if isinstance(found, Found):
            self.ids.add(found.job.id)
            del self.open[mark]
        return found

    def look_until_clear(self, mark: str) -> Found | NotThere | Unclear:
        ends = time.monotonic() + 10
        while True:
            found = self.look(mark)
            if not isinstance(found, Unclear) or found.again_s is None or time.monotonic() > ends:
                return found
            time.sleep(0.05)

    def made(self) -> dict[str, str]:
        """Prompt of each of the host's own tasks."""
        return {job.id: job.order.prompt for job in self.desk.jobs.of(self.host.account.key)}


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    name, faults, form = request.param
    rules = [{"host": name, "at": "create", **fault} for fault in faults]
    with started(speed=SPEED, faults=rules, form=form) as running:
        one = Shop(running, name)
        with one.http:
            yield one


def shops(names: Sequence[str], *faults: dict[str, Any], form: str = "alternate") -> Any:
    cases = [(name, faults, form) for name in names]
    return pytest.mark.parametrize("shop", cases, indirect=True, ids=list(names))


LOST = {"kind": "accept_then_drop", "nth": 2}


# ---------------------------------------------------------------- which host can be asked


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_is_asked_where_it_has_a_list_of_inputs_or_a_log(name: str) -> None:
    host = opened(name)
    one = order(host, edit=False)
    trace = Trace(signature=host.signature(one), mark=one.mark, sent_at=AT, now=AT)
    assert (host.find(trace, nothing) is not None) is (name in ASKED)
    assert bool(host.signature(one)) is (name in LISTING)


@pytest.mark.parametrize("name", sorted(LISTING))
def test_a_signature_tells_apart_all_that_the_host_tells_apart(name: str) -> None:
    host = opened(name)
    one = order(host, edit=True)
    twin = replace(one, mark="d" * 32, callback="https://hooks.example/x")
    other_prompt = replace(one, recipe=replace(one.recipe, prompt="A cup"))
    other_size = replace(one, size=host.capabilities.shapes.nearest(2048, 2048))
    others = [
        other_prompt,
        other_size,
        order(host, edit=False),
        replace(one, addresses=("https://cdn.example/c.jpg", one.addresses[1])),
        replace(one, addresses=one.addresses[::-1]),
    ]
    if host.capabilities.seeds is not None:
        others.append(replace(one, recipe=replace(one.recipe, seed=8)))
    signatures = [host.signature(each) for each in (one, *others)]
    assert host.signature(twin) == signatures[0]
    assert {len(each) for each in signatures} == {64}
    # two inline pictures may be the same bytes in this order, then turning them changes nothing
    same = one.addresses[0] == one.addresses[1]
    assert len(set(signatures)) == len(signatures) - same


@pytest.mark.parametrize("name", ASKED)
def test_a_host_whose_list_has_no_address_in_a_trial_is_not_asked_elsewhere(name: str) -> None:
    first = next(iter(providers.host(name).addresses))
    host = opened(name, realm=Realm.SANDBOX, addresses={first: "http://127.0.0.1:9"})
    trace = Trace(signature="", mark="c" * 32, sent_at=AT, now=AT)
    finding = host.find(trace, nothing)
    assert finding is None or next(finding).url.host == "127.0.0.1"


# ---------------------------------------------------------------- against the sandbox


@shops(sorted(LISTING), LOST)
def test_a_create_that_was_taken_is_found_and_brought(shop: Shop) -> None:
    shop.send(1)
    lost = shop.send(2)
    shop.send(3)
    assert list(shop.open) == [lost.mark]
    found = shop.look_until_clear(lost.mark)
    assert isinstance(found, Found)
    assert shop.made()[found.job.id] == "A mug, number 2"
    ends = time.monotonic() + 10
    reply = found.reply
    while not isinstance(reply, Done) and time.monotonic() < ends:
        reply = shop.host.asked(shop.http.send(shop.host.ask(found.job)), found.job)
        if not isinstance(reply, Done):
            request = shop.host.collect(found.job) if shop.host.name == "fal" else None
            if request is not None:
                reply = shop.host.collected(shop.http.send(request), found.job)
        time.sleep(0.02)
    assert isinstance(reply, Done)


@shops(sorted(LISTING), LOST)
def test_an_edit_that_was_taken_is_found(shop: Shop) -> None:
    shop.send(1, edit=True)
    lost = shop.send(2, edit=True)
    found = shop.look_until_clear(lost.mark)
    assert isinstance(found, Found)
    assert shop.made()[found.job.id] == "A mug, number 2"


@shops(sorted(LOGGING), LOST)
def test_a_lost_picture_is_told_by_the_log_as_bought_and_gone(shop: Shop) -> None:
    shop.send(1)
    lost = shop.send(2)
    found = shop.look_until_clear(lost.mark)
    assert isinstance(found, Found)
    assert isinstance(found.reply, Refused)
    assert (found.reply.kind, found.reply.billed) == (RefusalKind.GONE, True)
    assert (found.billed, found.cost_usd) == (True, Decimal(str(shop.desk.host.usd)))


@shops(ASKED, {"kind": "drop", "nth": 2})
def test_a_create_that_never_arrived_was_not_bought(shop: Shop) -> None:
    shop.send(1)
    lost = shop.send(2)
    within_s = shop.host.listed_within * shop.host.account.latency_s
    first = shop.look(lost.mark)
    assert isinstance(first, Unclear)
    assert (first.words, first.again_s is not None) == ("not listed yet", True)
    assert shop.look(lost.mark, later_s=max(2.0, within_s)) == NotThere()
    assert list(shop.made().values()) == ["A mug, number 1"]


@shops(sorted(LISTING), LOST, {"kind": "failure", "nth": 2})
def test_a_create_that_was_taken_and_failed_is_found_as_failed(shop: Shop) -> None:
    shop.send(1)
    lost = shop.send(2)
    ends = time.monotonic() + 10
    while not all(job.is_over for job in shop.desk.jobs.of(shop.host.account.key)):
        assert time.monotonic() < ends
        time.sleep(0.02)
    found = shop.look_until_clear(lost.mark)
    assert isinstance(found, Found)
    assert isinstance(found.reply, Refused)
    assert found.reply.kind is RefusalKind.FAILED
    assert (found.reply.billed, found.billed) == (False, False)


@shops(sorted(LOGGING), {"kind": "slow", "s": 400}, {"kind": "moderation"})
def test_a_refusal_that_came_too_late_is_in_the_log(shop: Shop) -> None:
    shop.http.timeout = httpx.Timeout(0.5)  # the answer takes a second
    lost = shop.send(1)
    found = shop.look_until_clear(lost.mark)
    assert isinstance(found, Found)
    assert isinstance(found.reply, Refused)
    kinds = {"aimlapi": RefusalKind.FAILED, "lumenfall": RefusalKind.MODERATION}
    assert found.reply.kind is kinds[shop.host.name]
    assert (found.billed, found.cost_usd) == (False, Decimal("0.0"))


@shops(sorted(LISTING), {"kind": "accept_then_drop", "every": 3})
def test_each_of_many_lost_creates_is_found_once_and_as_itself(shop: Shop) -> None:
    wanted = {}
    for number in range(1, 10):
        one = shop.send(number)
        if one.mark in shop.open:
            found = shop.look_until_clear(one.mark)
            assert isinstance(found, Found), found
            wanted[found.job.id] = one.recipe.prompt
    made = shop.made()
    assert len(wanted) == 3
    assert {name: made[name] for name in wanted} == wanted
    assert shop.ids == set(made)


@shops(sorted(LISTING), {"kind": "accept_then_drop", "every": 3}, {"kind": "drop", "every": 4})
def test_whatever_is_cut_everything_is_bought_once_in_the_end(shop: Shop) -> None:
    fates = []
    for number in range(1, 13):
        while (one := shop.send(number)).mark in shop.open:
            fate = shop.settled(one.mark)
            fates.append(type(fate).__name__)
            if isinstance(fate, Found):
                assert shop.made()[fate.job.id] == one.recipe.prompt
                break
            del shop.open[one.mark]
    assert set(fates) == {"Found", "NotThere"}
    made = sorted(shop.made().values())
    assert made == sorted(f"A mug, number {number}" for number in range(1, 13))
    assert shop.ids == set(shop.made())


@shops(["fal", "replicate"], {"kind": "accept_then_drop", "first": 4})
def test_creates_lost_together_are_each_found_as_themselves(shop: Shop) -> None:
    # the first two are wished alike: either picture is as good for either
    sent = [shop.send(1, prompt="A mug"), shop.send(2, prompt="A mug"), shop.send(3), shop.send(4)]
    jobs = {}
    for one in sent:
        found = shop.look_until_clear(one.mark)
        assert isinstance(found, Found), found
        jobs[one.mark] = found.job.id
    made = shop.made()
    assert len(set(jobs.values())) == 4
    assert [made[jobs[one.mark]] for one in sent] == [one.recipe.prompt for one in sent]


@shops(["eachlabs"], {"kind": "accept_then_drop", "first": 4})
def test_eachlabs_tasks_that_show_nothing_are_not_dealt_out_by_chance(shop: Shop) -> None:
    sent = [shop.send(number) for number in range(1, 5)]  # the odd ones hide their inputs
    made = shop.made()
    assert isinstance(shop.look(sent[0].mark), Unclear)
    for one in (sent[1], sent[3]):
        found = shop.look(one.mark)
        assert isinstance(found, Found)
        assert made[found.job.id] == one.recipe.prompt
    unclear = shop.look(sent[0].mark)
    assert isinstance(unclear, Unclear)
    assert unclear.words == "2 tasks without an owner do not show what they make"


@shops(["eachlabs"], LOST, form="seed")
def test_eachlabs_tasks_that_show_nothing_are_found_only_where_our_books_are_told(
    shop: Shop,
) -> None:
    shop.send(1)
    lost = shop.send(2)
    trace = replace(shop.open[lost.mark], now=datetime.now(UTC))
    found = talk(shop.host.find(trace, shop.ids.__contains__), shop.http)
    assert found == Unclear("1 tasks without an owner do not show what they make")
    found = talk(shop.host.find(trace, shop.ids.__contains__, nobody), shop.http)
    assert isinstance(found, Found)
    assert shop.made()[found.job.id] == "A mug, number 2"


@shops(["eachlabs"], LOST)
def test_a_task_whose_answer_comes_while_it_is_asked_for_is_not_taken(shop: Shop) -> None:
    shop.send(1)
    lost = shop.send(2)
    asked: list[str] = []

    def known(name: str) -> bool:
        asked.append(name)
        return name in shop.ids or asked.count(name) > 1

    trace = replace(shop.open[lost.mark], now=datetime.now(UTC))
    found = talk(shop.host.find(trace, known, nobody), shop.http)
    assert isinstance(found, Unclear)
    assert found.words == "not listed yet"


# ---------------------------------------------------------------- lists that prove nothing


BAD = [
    (500, b"<html>", True),
    (429, b"{}", True),
    (401, b'{"error": "no"}', False),
    (404, b"{}", False),
    (200, b"<html>", True),
    (200, b"{", True),
    (200, b"[]", True),
    (200, b"{}", True),
    # an error that looks like a list
    (500, b'{"executions": [], "items": [], "results": [], "data": []}', True),
]


@pytest.mark.parametrize(("status", "body", "again"), BAD)
@pytest.mark.parametrize("name", ASKED)
def test_a_list_that_failed_is_never_proof(
    name: str, status: int, body: bytes, again: bool
) -> None:
    host = opened(name)
    one = order(host, edit=False)
    later = AT + timedelta(days=1)
    trace = Trace(signature=host.signature(one), mark=one.mark, sent_at=AT, now=later)

    with httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    ) as http:
        found = talk(host.find(trace, nothing, nobody), http)
    assert isinstance(found, Unclear)
    assert found.words == f"the list could not be read (HTTP {status})"
    assert (found.again_s is not None) is again


ROWS = {
    "eachlabs": "executions",
    "fal": "items",
    "replicate": "results",
    "aimlapi": "data",
    "lumenfall": "data",
}


@pytest.mark.parametrize("name", ASKED)
def test_an_empty_list_is_proof_only_when_the_host_has_had_its_time(name: str) -> None:
    host = opened(name)
    one = order(host, edit=False)
    sent = Trace(signature=host.signature(one), mark=one.mark, sent_at=AT, now=AT)
    body = {ROWS[name]: []}
    within = timedelta(seconds=host.listed_within * host.account.latency_s)
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    with httpx.Client(transport=answers) as http:
        early = replace(sent, now=AT + within - timedelta(seconds=1))
        assert talk(host.find(early, nothing), http) == Unclear("not listed yet", 1.0)
        assert talk(host.find(replace(sent, now=AT + within), nothing), http) == NotThere()


@pytest.mark.parametrize("name", ASKED)
def test_a_list_with_what_cannot_be_read_is_never_proof(name: str) -> None:
    host = opened(name)
    trace = Trace(signature="", mark="c" * 32, sent_at=AT, now=AT + timedelta(days=1))
    for row in (None, "x", {}, {"id": None}):
        body = {ROWS[name]: [row]}
        answers = httpx.MockTransport(lambda _, body=body: httpx.Response(200, json=body))
        with httpx.Client(transport=answers) as http:
            found = talk(host.find(trace, nothing, nobody), http)
        assert found == Unclear("the list holds what cannot be read")


@pytest.mark.parametrize("name", ASKED)
def test_a_host_whose_clock_is_another_is_never_proof(name: str) -> None:
    host = opened(name)
    trace = Trace(signature="", mark="c" * 32, sent_at=AT, now=AT + timedelta(hours=1))
    said = {"date": "Sun, 01 Mar 2026 12:30:00 GMT"}
    answers = httpx.MockTransport(
        lambda _: httpx.Response(200, json={ROWS[name]: []}, headers=said)
    )
    with httpx.Client(transport=answers) as http:
        found = talk(host.find(trace, nothing, nobody), http)
    assert isinstance(found, Unclear)
    assert found.words == "the clocks of host and machine differ by 1800 s"


def test_a_list_without_an_end_is_given_up() -> None:
    host = opened("replicate")
    trace = Trace(signature="", mark="c" * 32, sent_at=AT, now=AT + timedelta(days=1))
    asked: list[str] = []

    def endless(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        following = f"https://api.replicate.com/v1/predictions?cursor={len(asked)}"
        return httpx.Response(200, json={"results": [], "next": following})

    with httpx.Client(transport=httpx.MockTransport(endless)) as http:
        assert talk(host.find(trace, nothing), http) == Unclear("more than 20 pages are listed")
    assert len(set(asked)) == 20


def test_a_fal_list_that_is_cut_is_never_proof() -> None:
    host = opened("fal")
    trace = Trace(signature="", mark="c" * 32, sent_at=AT, now=AT + timedelta(days=1))
    body = {"items": [], "has_more": True, "next_cursor": None}
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    with httpx.Client(transport=answers) as http:
        found = talk(host.find(trace, nothing), http)
    assert found == Unclear("the list goes on and does not say where")


@pytest.mark.parametrize("name", ASKED)
@given(answers=some.lists(ANSWERS, min_size=1, max_size=4), days=some.integers(0, 1))
def test_no_answer_breaks_a_lookup_and_only_a_list_is_proof(
    name: str, answers: list[httpx.Response], days: int
) -> None:
    host = opened(name)
    one = order(host, edit=False)
    trace = Trace(
        signature=host.signature(one), mark=one.mark, sent_at=AT, now=AT + timedelta(days=days)
    )
    turn = cycle(answers)

    def any_answer(_: httpx.Request) -> httpx.Response:
        now = next(turn)
        kind = {"content-type": now.headers["content-type"]}
        return httpx.Response(now.status_code, content=now.content, headers=kind)

    with httpx.Client(transport=httpx.MockTransport(any_answer)) as http:
        found = talk(host.find(trace, nothing, nobody), http)
    assert isinstance(found, Found | Unclear) or (found == NotThere() and days)
    assert KEY not in repr(found)


# ---------------------------------------------------------------- which of several


ECHO = Echo(rows="rows", id="id", model="model", inputs="input", defaults={"seed": None})
MODEL = "m"


def signature(prompt: str | None, seed: int = 1, model: str = MODEL) -> str:
    return ECHO.signature(model, None if prompt is None else {"prompt": prompt, "seed": seed})


def task(name: str, prompt: str | None, *, after_s: float = 1.0, **given: Any) -> Candidate:
    return Candidate(
        job=Job(id=name),
        model=MODEL,
        signature=signature(prompt, **given),
        created_at=AT + timedelta(seconds=after_s),
    )


def sent(mark: str, prompt: str, *, after_s: float = 0.0, **given: Any) -> Sent:
    at = AT + timedelta(seconds=after_s)
    return Sent(signature=signature(prompt, **given), mark=mark, sent_at=at)


def choice(
    *tasks: Candidate,
    rivals: Sequence[Sent] | None = (),
    prompt: str = "cup",
    skew_s: float | None = 0,
) -> str:
    mine = sent("me", prompt)
    now = AT + timedelta(days=1)
    trace = Trace(signature=mine.signature, mark="me", sent_at=AT, now=now)
    quest = Quest(
        trace=trace, known=nothing, rivals=None, timeout_s=60, latency_s=20, is_complete_s=120
    )
    found = chosen(quest, tasks, rivals, skew_s)
    return found.job.id if isinstance(found, Candidate) else type(found).__name__


def test_inputs_decide_whatever_else_is_there() -> None:
    assert choice(task("a", "cup"), task("b", "jug"), task("c", None)) == "a"
    assert choice(task("a", "cup"), rivals=None) == "a"
    assert choice(task("b", "jug"), rivals=None) == "NotThere"


def test_more_tasks_of_these_inputs_than_creates_are_unclear() -> None:
    two = (task("a", "cup"), task("b", "cup", after_s=9))
    assert choice(*two) == "Unclear"
    assert choice(*two, rivals=[sent("other", "cup", after_s=8)]) == "a"
    assert choice(*two, rivals=[sent("other", "cup", after_s=-8)]) == "b"
    assert choice(two[0], rivals=[sent("other", "cup", after_s=-8)]) == "Unclear"
    assert choice(rivals=[sent("other", "cup", after_s=-8)]) == "NotThere"


def test_the_same_prompt_with_other_inputs_is_unclear_but_for_a_create_of_ours() -> None:
    assert choice(task("a", "cup", seed=2)) == "Unclear"
    assert choice(task("a", "cup", seed=2), rivals=[sent("other", "cup", seed=2)]) == "NotThere"


def test_a_task_that_shows_nothing_is_ours_only_where_nobody_else_can_be_meant() -> None:
    mute = task("a", None)
    assert choice(mute) == "a"
    assert choice(mute, rivals=None) == "Unclear"
    assert choice(mute, task("b", None)) == "Unclear"
    assert choice(mute, rivals=[sent("other", "jug")]) == "Unclear"
    # the other create is known by its inputs, or is of another model
    assert choice(mute, task("b", "jug"), rivals=[sent("other", "jug")]) == "a"
    assert choice(mute, rivals=[sent("other", "jug", model="n")]) == "a"
    # a create whose inputs are not on record may be anything
    unrecorded = Sent(signature="", mark="old", sent_at=AT)
    assert choice(mute, rivals=[unrecorded]) == "Unclear"


def test_creates_that_cannot_be_told_apart_stand_in_each_others_way() -> None:
    assert choice(task("a", None), rivals=[sent("", "jug")]) == "Unclear"
    # two creates of equal inputs and one task that shows them: the other may hide
    jugs = [sent("one", "jug"), sent("two", "jug")]
    assert choice(task("a", None), task("b", "jug"), rivals=jugs) == "Unclear"


def test_a_stranger_on_the_account_ends_all_elimination() -> None:
    assert choice(task("a", None), task("b", "a stranger's wish")) == "Unclear"


def test_times_keep_apart_what_shows_nothing() -> None:
    later = sent("other", "jug", after_s=200)
    assert choice(task("a", None), task("b", None, after_s=201), rivals=[later]) == "a"
    assert choice(task("b", None, after_s=201), rivals=[later]) == "NotThere"
    # by a clock that is not known they are the same time
    both = (task("a", None), task("b", None, after_s=201))
    assert choice(*both, rivals=[later], skew_s=None) == "Unclear"
    # made before it was sent, and of nobody: somebody else is at work
    assert choice(task("a", None, after_s=-30)) == "Unclear"
    assert choice(task("a", None, after_s=-30), skew_s=-31.0) == "a"


def test_tasks_of_another_model_are_not_looked_at() -> None:
    other = replace(task("a", None), signature=signature(None, model="n"))
    assert choice(other) == "NotThere"


def test_a_create_without_a_mark_is_not_told_from_the_others() -> None:
    one = sent("", "cup")
    trace = Trace(signature=one.signature, mark="", sent_at=AT, now=AT + timedelta(days=1))
    quest = Quest(
        trace=trace, known=nothing, rivals=None, timeout_s=60, latency_s=20, is_complete_s=120
    )
    assert isinstance(chosen(quest, [task("a", None)], [sent("", "jug")], 0), Unclear)


def test_what_was_sent_without_a_record_is_unclear_beside_any_task() -> None:
    trace = Trace(signature="", mark="me", sent_at=AT, now=AT + timedelta(days=1))
    quest = Quest(
        trace=trace, known=nothing, rivals=None, timeout_s=60, latency_s=20, is_complete_s=120
    )
    assert isinstance(chosen(quest, [task("a", "cup")], (), 0), Unclear)
    assert chosen(quest, [], (), 0) == NotThere()


def test_a_signature_heeds_neither_spaces_nor_the_order_of_fields_nor_what_is_said_by_default() -> (
    None
):
    echo = replace(ECHO, defaults={"size": {"width": 1, "height": 2}, "n": 1})
    plain = echo.signature("m", {"prompt": "a cup", "size": {"width": 1, "height": 2}})
    assert plain == echo.signature(
        "m", {"n": 1.0, "size": {"height": 2.0, "width": 1}, "prompt": " a  cup\n", "extra": "x"}
    )
    assert plain == echo.signature("m", {"prompt": "a cup", "n": None})
    assert plain != echo.signature("m", {"prompt": "a cup", "n": 2})
    assert [echo.signature("m", one) for one in (None, {}, [], {"prompt": 1})] == [plain[:8]] * 4
    assert len(echo.signature("m", {"prompt": "\ud800"})) == 64


def test_tasks_outside_the_time_are_not_looked_at() -> None:
    host = opened("replicate")
    one = order(host, edit=False)
    trace = Trace(
        signature=host.signature(one), mark=one.mark, sent_at=AT, now=AT + timedelta(days=1)
    )
    wished = {"prompt": one.recipe.prompt, "size": "custom", "width": 1, "height": 1}
    row = {"id": "x", "model": "bytedance/seedream-4", "status": "starting", "input": wished}
    for seconds, expected in ((-301, NotThere), (-299, Unclear), (359, Unclear), (361, NotThere)):
        row["created_at"] = (AT + timedelta(seconds=seconds)).isoformat()
        answers = httpx.MockTransport(lambda _: httpx.Response(200, json={"results": [row]}))
        with httpx.Client(transport=answers) as http:
            assert isinstance(talk(host.find(trace, nothing), http), expected), seconds
    assert timedelta(seconds=300) == MARGIN
