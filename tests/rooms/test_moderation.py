"""Refused prompts: tried again, softened, handed to another host or reported; and found again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import jobs, sandbox
from flows.errors import BadInput
from flows.jobs.retakes import retake
from flows.ledger import Ledger, TakeStore, open_ledger
from flows.nouns.campaign import Moderation
from flows.nouns.take import Realm, TakeState
from flows.nouns.workspace import Workspace
from flows.plan import shot_list
from flows.plan.prompts import Templates
from flows.providers.base import Accepted, Job, Order, RefusalKind, Refused, Reply
from flows.shoot import Outcome, Wanted, shoot
from tests.rooms import plan_factory as planned
from tests.rooms.test_shoot import INLINE, LINKED, Scripted, picture, said, some

NO = said(RefusalKind.MODERATION, "not this")
PAID_NO = said(RefusalKind.MODERATION, "not this", billed=True)
ONCE = Moderation(retries=0)
AGAIN = Moderation(retries=1)
SOFTEN = Moderation(retries=1, soften="softer.j2")
ELSEWHERE = Moderation(retries=0, then="other-host")


class ByPrompt(Scripted):
    """A host whose answers go by the prompt; the last one stays. It keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Sequence[Reply]], **given: Any) -> None:
        super().__init__(INLINE, **given)
        self.by_prompt = {prompt: list(replies) for prompt, replies in answers.items()}
        self.prompts: list[str] = []

    def submitted(self, response: object, order: Order) -> Reply:
        self.prompts.append(order.recipe.prompt)
        replies = self.by_prompt[order.recipe.prompt]
        return replies.pop(0) if len(replies) > 1 else replies[0]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> TakeStore:
    return TakeStore(str(tmp_path / "takes"))


def softened(wanted: Wanted, prompt: str = "a soft mug") -> Wanted:
    return replace(wanted, softer=replace(wanted.recipe, prompt=prompt))


def shot(
    wanted: Sequence[Wanted],
    *hosts: Scripted,
    book: Ledger,
    store: TakeStore,
    moderation: Moderation | None,
    **given: Any,
) -> list[Outcome]:
    return list(
        shoot(
            wanted,
            hosts=hosts,
            book=book,
            store=store,
            run="r1",
            moderation=moderation,
            **given,
        )
    )


def states(book: Ledger, *wanted: Wanted) -> list[tuple[str, str] | None]:
    """State and provider of each take and, after it, of its softer one."""
    recipes = [one.recipe for one in wanted] + [one.softer for one in wanted if one.softer]
    takes = [book.take(Realm.SANDBOX, recipe.sha256) for recipe in recipes if recipe]
    return [take and (take.state.value, take.provider) for take in takes]


@pytest.mark.parametrize(
    ("moderation", "tries"), [(None, 1), (ONCE, 1), (AGAIN, 2), (Moderation(retries=3), 4)]
)
def test_a_refused_prompt_is_tried_again_as_often_as_the_campaign_says(
    book: Ledger, store: TakeStore, moderation: Moderation | None, tries: int
) -> None:
    (one,) = some(1)
    host = ByPrompt({"mug 0": [NO]})
    (outcome,) = shot([one], host, book=book, store=store, moderation=moderation)
    assert host.prompts == ["mug 0"] * tries
    assert (outcome.take.state, outcome.take.reason) == (
        TakeState.REFUSED,
        "moderation: not this",
    )
    assert (outcome.take.billed, outcome.stopped, outcome.bought) == (False, "", False)


def test_a_prompt_that_passes_the_second_time_is_bought_as_it_was_written(
    book: Ledger, store: TakeStore
) -> None:
    one = softened(some(1)[0])
    host = ByPrompt({"mug 0": [NO, INLINE]})
    (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert host.prompts == ["mug 0", "mug 0"]
    assert (outcome.take.recipe, outcome.softened_from) == (one.recipe.sha256, "")
    assert states(book, one) == [("done", "scripted"), None]


def test_the_softened_prompt_is_bought_under_its_own_recipe(book: Ledger, store: TakeStore) -> None:
    one = softened(some(1)[0])
    host = ByPrompt({"mug 0": [NO], "a soft mug": [INLINE]})
    (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert host.prompts == ["mug 0", "mug 0", "a soft mug"]
    assert one.softer is not None
    assert (outcome.take.recipe, outcome.wanted) == (one.softer.sha256, one.recipe.sha256)
    assert (outcome.bought, outcome.take.state) == (True, TakeState.DONE)
    assert states(book, one) == [("refused", "scripted"), ("done", "scripted")]


def test_a_refusal_after_the_job_was_taken_is_softened_too(book: Ledger, store: TakeStore) -> None:
    one = softened(some(1)[0])
    host = ByPrompt({"mug 0": [Accepted(job=Job(id="t"))], "a soft mug": [INLINE]}, asked=[NO])
    (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert host.prompts == ["mug 0", "mug 0", "a soft mug"]
    assert states(book, one) == [("failed", "scripted"), ("done", "scripted")]
    assert outcome.wanted == one.recipe.sha256


def test_where_all_is_refused_both_reasons_are_told(book: Ledger, store: TakeStore) -> None:
    one = softened(some(1)[0])
    host = ByPrompt({"mug 0": [NO], "a soft mug": [said(RefusalKind.MODERATION, "nor this")]})
    (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert host.prompts == ["mug 0", "mug 0", "a soft mug"]
    assert (outcome.take.recipe, outcome.take.reason) == (
        one.recipe.sha256,
        "moderation: not this; softened: moderation: nor this",
    )


def test_what_failed_otherwise_when_softened_is_told_of_what_was_wanted(
    book: Ledger, store: TakeStore
) -> None:
    one = softened(some(1)[0])
    host = ByPrompt({"mug 0": [NO], "a soft mug": [said(RefusalKind.INPUT, "too long")]})
    (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert (outcome.wanted, outcome.take.reason) == (
        one.recipe.sha256,
        "softened: input: too long",
    )


def test_another_host_begins_with_the_prompt_as_it_was_written(
    book: Ledger, store: TakeStore
) -> None:
    one = softened(some(1)[0])
    strict = ByPrompt({"mug 0": [NO], "a soft mug": [NO]}, name="strict")
    mild = ByPrompt({"mug 0": [INLINE]}, name="mild")
    wish = SOFTEN.model_copy(update={"then": "other-host"})
    (outcome,) = shot([one], strict, mild, book=book, store=store, moderation=wish)
    assert strict.prompts == ["mug 0", "mug 0", "a soft mug"]
    assert mild.prompts == ["mug 0"]
    assert (outcome.take.provider, outcome.take.state) == ("mild", TakeState.DONE)
    assert states(book, one) == [("done", "mild"), ("refused", "strict")]


@pytest.mark.parametrize("policy", ["failover", "cheapest", "fastest"])
def test_refused_everywhere_is_told_once_and_each_host_is_asked_once(
    book: Ledger, store: TakeStore, policy: str
) -> None:
    wanted = some(6)
    answers = {one.recipe.prompt: [NO] for one in wanted}
    hosts = [ByPrompt(answers, name="one"), ByPrompt(answers, name="two")]
    outcomes = shot(wanted, *hosts, book=book, store=store, moderation=ELSEWHERE, policy=policy)
    assert [sorted(host.prompts) for host in hosts] == [sorted(answers)] * 2
    assert sorted(one.wanted for one in outcomes) == sorted(one.recipe.sha256 for one in wanted)
    assert {one.take.reason for one in outcomes} == {"moderation: not this"}


def test_without_the_wish_no_other_host_is_asked(book: Ledger, store: TakeStore) -> None:
    one = some(1)[0]
    strict, mild = ByPrompt({"mug 0": [NO]}, name="strict"), ByPrompt({}, name="mild")
    (outcome,) = shot([one], strict, mild, book=book, store=store, moderation=AGAIN)
    assert (outcome.take.state, mild.prompts) == (TakeState.REFUSED, [])


@pytest.mark.parametrize("billed", [True, None])
def test_what_may_have_been_paid_for_goes_to_no_other_host(
    book: Ledger, store: TakeStore, billed: bool | None
) -> None:
    one = some(1)[0]
    job = Accepted(job=Job(id="t"))
    refusal = said(RefusalKind.MODERATION, "not this", billed=billed)
    strict = ByPrompt({"mug 0": [job]}, name="strict", asked=[refusal])
    mild = ByPrompt({}, name="mild")
    (outcome,) = shot([one], strict, mild, book=book, store=store, moderation=ELSEWHERE)
    assert (outcome.take.state, outcome.take.billed) == (TakeState.FAILED, billed)
    assert (strict.prompts, mild.prompts) == (["mug 0"], [])


def test_a_billed_refusal_counts_against_the_budget(book: Ledger, store: TakeStore) -> None:
    one = some(1)[0]
    host = ByPrompt({"mug 0": [Accepted(job=Job(id="t"))]}, asked=[PAID_NO])
    wish = Moderation(retries=5)
    (outcome,) = shot([one], host, book=book, store=store, moderation=wish, cap_usd=Decimal("0.10"))
    assert len(host.prompts) == 3
    assert outcome.stopped == "budget"
    assert book.spent(Realm.SANDBOX, run="r1") == Decimal("0.09")


def test_takes_that_are_softened_alike_are_bought_once(book: Ledger, store: TakeStore) -> None:
    wanted = [softened(one) for one in some(4)]
    answers: dict[str, list[Reply]] = {one.recipe.prompt: [NO] for one in wanted}
    host = ByPrompt(answers | {"a soft mug": [INLINE]})
    same = [replace(one, softer=wanted[0].softer) for one in wanted]
    outcomes = shot(same, host, book=book, store=store, moderation=SOFTEN)
    assert host.prompts.count("a soft mug") == 1
    assert [one.take.state for one in outcomes] == [TakeState.DONE] * 4
    assert len({one.take.recipe for one in outcomes}) == 1
    assert sorted(one.bought for one in outcomes) == [False, False, False, True]
    assert sorted(one.wanted for one in outcomes) == sorted(one.recipe.sha256 for one in wanted)


def test_a_refusal_that_the_next_run_hears_is_softened_by_it(
    book: Ledger, store: TakeStore
) -> None:
    one = softened(some(1)[0])
    stopped = said(RefusalKind.ACCOUNT, "locked")
    host = ByPrompt({"mug 0": [Accepted(job=Job(id="t"))]}, asked=[stopped])
    (first,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
    assert first.take.state is TakeState.ACCEPTED
    later = ByPrompt({"mug 0": [NO], "a soft mug": [Accepted(job=Job(id="u"))]}, asked=[NO, LINKED])
    later.links["/made.png"] = [picture()]
    (second,) = shot([one], later, book=book, store=store, moderation=SOFTEN)
    assert later.prompts == ["mug 0", "a soft mug"]
    assert (second.take.state, second.wanted) == (TakeState.DONE, one.recipe.sha256)


def test_a_softened_purchase_that_may_be_paid_is_not_bought_again(
    book: Ledger, store: TakeStore
) -> None:
    one = softened(some(1)[0])
    lost = Refused(kind=RefusalKind.UNKNOWN, words="HTTP 502", billed=None)
    answers = {"mug 0": [NO], "a soft mug": [lost]}
    for _ in range(2):
        host = ByPrompt(answers)
        (outcome,) = shot([one], host, book=book, store=store, moderation=SOFTEN)
        assert outcome.take.state is TakeState.UNKNOWN
        answers = {"mug 0": [NO], "a soft mug": [INLINE]}
    assert host.prompts == ["mug 0", "mug 0"]


# -- the plan

TEXT = "{{ product.title }} in {{ variant }}, {{ aspect_ratio }}"


def plan(
    tmp_path: Path, softer: str | None, ledger: planned.Ledger | None = None, **spec: Any
) -> Any:
    if softer is not None:
        (tmp_path / "softer.j2").write_text(softer)
    spec = {
        "prompt_text": TEXT,
        "variants": [{"id": "a"}, {"id": "b"}],
        "aspect_ratios": ["1:1", "4:5"],
        "moderation": {"soften": "softer.j2"},
    } | spec
    return shot_list(
        planned.reading(**spec),
        templates=Templates(tmp_path),
        references=planned.Reader(),
        book=ledger or planned.Ledger(),
        realm=Realm.LIVE,
        hosts=[planned.PROOF],
    )


def test_the_softened_prompt_knows_the_shots_own_and_all_that_it_knows(tmp_path: Path) -> None:
    made = plan(
        tmp_path, "Gently: {{ prompt }} / {{ product.key }} {{ variant }} {{ aspect_ratio }}"
    )
    told = {
        made.softer[shot.recipes[0].sha256].prompt: shot.recipes[0].prompt for shot in made.shots
    }
    assert told == {
        f"Gently: Mug MUG-01 in {variant}, {ratio} / MUG-01 {variant} {ratio}": (
            f"Mug MUG-01 in {variant}, {ratio}"
        )
        for variant in ("a", "b")
        for ratio in ("1:1", "4:5")
    }
    (told_so,) = [note for note in made.notes if "moderation" in note]
    assert told_so == (
        "moderation: a prompt that a host refuses is tried again, then is softened by softer.j2, "
        "then is reported; a refusal that the host bills counts as spent"
    )


@pytest.mark.parametrize(
    ("softer", "spec", "fault"),
    [
        (None, {}, "moderation.soften: no template 'softer.j2' in templates/"),
        ("{{ nothing }}", {}, "nothing"),
        ("{% if false %}x{% endif %}", {}, "renders to nothing"),
        ("{{ prompt }}!", {"vars": {"prompt": "x"}}, "a variable is called so, too"),
    ],
)
def test_a_template_that_cannot_soften_is_a_fault_of_the_plan(
    tmp_path: Path, softer: str | None, spec: dict[str, Any], fault: str
) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    with pytest.raises(BadInput) as raised:
        plan(folder, softer, **spec)
    (told,) = raised.value.faults
    assert fault in str(told)


def test_a_template_that_leaves_the_prompt_as_it_is_softens_nothing(tmp_path: Path) -> None:
    assert plan(tmp_path, "{{ prompt }}").softer == {}


D, F, U = TakeState.DONE, TakeState.REFUSED, TakeState.UNKNOWN


@pytest.mark.parametrize(
    ("own", "softer", "counts", "state"),
    [
        (None, None, "own", "new"),
        (F, None, "own", "failed"),
        (F, F, "own", "failed"),
        (F, D, "softer", "kept"),
        (F, U, "softer", "parked"),
        (F, TakeState.ACCEPTED, "softer", "new"),
        (F, TakeState.LOST, "softer", "failed"),
        (F, TakeState.INTENDED, "own", "failed"),
        (D, D, "own", "kept"),
        (U, D, "own", "parked"),
    ],
)
def test_the_softened_recipe_counts_where_something_was_bought_of_it(
    tmp_path: Path, own: TakeState | None, softer: TakeState | None, counts: str, state: str
) -> None:
    spec: dict[str, Any] = {"variants": [], "aspect_ratios": ["1:1"]}
    (shot_before,) = (before := plan(tmp_path, "soft: {{ prompt }}", **spec)).shots
    (recipe,) = shot_before.recipes
    other = before.softer[recipe.sha256]
    known = {recipe.sha256: own, other.sha256: softer}
    ledger = planned.Ledger({key: value for key, value in known.items() if value is not None})
    (after,) = plan(tmp_path, None, ledger, **spec).shots
    expected = recipe if counts == "own" else other
    assert (after.recipes, after.prompt, after.state.value) == (
        (expected,),
        expected.prompt,
        state,
    )


# -- the whole way, without the flow

SPEC = """\
campaign: mugs
products: {items: [{sku: MUG, title: Mug}, {sku: CUP, title: Cup}]}
prompt_text: "{{ product.title }} on a table"
aspect_ratios: ["1:1"]
alt: "{{ product.title }}"
moderation: {retries: 1, soften: softer.j2}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("campaigns", "templates"):
        (tmp_path / name).mkdir()
    (tmp_path / "campaigns/mugs.yaml").write_text(SPEC)
    (tmp_path / "templates/softer.j2").write_text("Softly: {{ prompt }}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, running: sandbox.Running) -> jobs.Summary:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    job = jobs.prepare(jobs.Request(spec="campaigns/mugs.yaml", providers=("eachlabs",)))
    if job.is_done:
        return jobs.nothing_to_do(job)
    with jobs.begun(job) as bench:
        desk = jobs.desk(bench.run)
        made = [
            jobs.make(taken, bench, tell=desk.tell, is_stopped=desk.is_stopped)
            for taken in jobs.taken(job, bench, desk.tell)
        ]
        return jobs.close(job, bench, made)


def test_a_softened_take_is_published_as_what_it_is_found_again_and_can_be_turned_down(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the first four creates are of both shots, twice each
    rule = {"host": "eachlabs", "at": "create", "kind": "moderation", "first": 4}
    with sandbox.started(speed=60, faults=[rule]) as running:
        first, second = run(monkeypatch, running), run(monkeypatch, running)
        assert (first.exit_code, first.published, first.bought, first.failures) == (0, 2, 2, [])
        assert (second.exit_code, second.bought, second.kept) == (0, 0, 2)
        manifest = json.loads((workspace / "outputs/mugs/manifest.json").read_text())
        told = {row["shot_id"]: (row["prompt"], row["stale"]) for row in manifest["renditions"]}
        assert told == {
            "MUG/1x1": ("Softly: Mug on a table", False),
            "CUP/1x1": ("Softly: Cup on a table", False),
        }
        assert {row["recipe"] for row in manifest["renditions"]} == {
            row["recipe"] for row in manifest["takes"]
        }
        down = retake(Workspace(workspace), ["MUG/1x1"], why="too plain")
        assert [one.shot_id for one in down.shots] == ["MUG/1x1"]
        third = run(monkeypatch, running)
        assert (third.exit_code, third.bought, third.kept) == (0, 1, 1)
        manifest = json.loads((workspace / "outputs/mugs/manifest.json").read_text())
        told = {row["shot_id"]: (row["prompt"], row["stale"]) for row in manifest["renditions"]}
        assert told["MUG/1x1"] == ("Mug on a table", False)


def test_what_hosts_charge_is_held_against_the_price_table(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sandbox.started(speed=60) as running:
        accounts = Path(running.environment["SHOTLIST_ACCOUNTS"])
        written = yaml.safe_load(accounts.read_text())
        written["eachlabs"]["usd_per_image"] = 0.02
        own = workspace / "accounts.yaml"
        own.write_text(yaml.safe_dump(written))
        running.environment["SHOTLIST_ACCOUNTS"] = str(own)
        summary = run(monkeypatch, running)
    (drift,) = summary.document()["drift"]
    assert drift == {"provider": "eachlabs", "takes": 2, "usd_table": 0.02, "usd_answered": 0.03}
    assert summary.remarks[0] == (
        "eachlabs charges $0.0300 an image on average (2 takes of this run), its price table says "
        "$0.0200: set usd_per_image in SHOTLIST_ACCOUNTS"
    )
