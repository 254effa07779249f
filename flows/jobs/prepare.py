"""Read, plan, and hold the plan against what is there: everything before the first take."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from flows import plan, publish, read
from flows.errors import BadInput, Fault
from flows.jobs import hosts
from flows.jobs.accounts import accounts
from flows.jobs.handing import refuse
from flows.jobs.job import Job, Request
from flows.jobs.looks import Looks
from flows.jobs.remaining import left_to_do
from flows.ledger import Ledger, open_ledger
from flows.nouns.reference import Looked
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, ShotList
from flows.nouns.take import Realm, Take
from flows.nouns.workspace import Workspace
from flows.providers import Account, host
from flows.settings import Settings, hand_to_storages
from flows.storage import Place


class NoBook:
    """The ledger of a workspace that has not begun one: nothing is known, nothing is written."""

    def takes(self, _realm: Realm, _recipes: Collection[str]) -> Mapping[str, Take]:
        return {}

    def shots(self, _campaign: str, _realm: Realm) -> Mapping[str, tuple[str, ...]]:
        return {}

    def turned_down(self, _campaign: str, _realm: Realm) -> Mapping[str, frozenset[int]]:
        return {}


class AskedOnce:
    """A book that keeps what it said of takes: the files are held against what the plan saw, and a
    hundred thousand rows are read once.
    """

    def __init__(self, book: plan.Book) -> None:
        self._book = book
        self.found: Mapping[str, Take] = {}

    def takes(self, realm: Realm, recipes: Collection[str]) -> Mapping[str, Take]:
        self.found = self._book.takes(realm, recipes)
        return self.found

    def shots(self, campaign: str, realm: Realm) -> Mapping[str, tuple[str, ...]]:
        return self._book.shots(campaign, realm)

    def turned_down(self, campaign: str, realm: Realm) -> Mapping[str, frozenset[int]]:
        return self._book.turned_down(campaign, realm)


class KnownContents:
    """References that were looked at before, and those of now, to be kept once the plan stands."""

    def __init__(self, known: Mapping[str, tuple[str, Looked]]) -> None:
        self._known = known
        self.fresh: dict[str, tuple[str, Looked]] = {}

    def stamp(self, location: str) -> str:
        seen = self._known.get(location)
        return seen[0] if seen is not None else ""

    def recall(self, location: str, stamp: str) -> Looked | None:
        seen = self._known.get(location)
        return seen[1] if seen is not None and seen[0] == stamp else None

    def remember(self, location: str, stamp: str, record: Looked) -> None:
        self.fresh[location] = (stamp, record)


def check(request: Request) -> ShotList:
    """Everything that can be wrong with a spec, its catalogue, templates and references.

    Raises:
        BadInput: with all faults.

    """
    workspace, reading = _read(request)
    settings = Settings.load(workspace)
    named = hosts.named_by(reading) or [host("proof")]
    chosen = [one for each in named for one in accounts(each, settings)]
    shots = _plan(reading, workspace, settings, NoBook(), KnownContents({}), chosen, is_named=True)
    _refuse_empty(request, shots)
    refuse(reading, shots)
    publish.places(shots.shots)
    return shots


def prepare(request: Request) -> Job:
    """Plan a campaign and find out what is left to do. Spends nothing.

    Raises:
        BadInput: spec, catalogue, templates, references or options cannot be used.
        EnvironmentFault: no host can be used, or ledger or destination cannot be read.

    """
    with _uncollected():
        return _prepared(request)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles: a plan makes millions of objects that all stay, and looking
    through them again and again finds nothing. What was made is left out of later searches too,
    until the next plan.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.unfreeze()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _prepared(request: Request) -> Job:
    workspace, reading = _read(request)
    settings = Settings.load(workspace)
    campaign = reading.campaign
    place = Place(workspace.destination(request.to or campaign.publish.to, campaign.campaign))
    _refuse_own_folders(request, workspace, place)
    former = publish.former(place)
    chosen, notes = hosts.choose(
        named=request.providers,
        reading=reading,
        settings=settings,
        is_local=place.is_local,
        former=former,
        destination=place.shown,
    )
    if former is not None:
        publish.admit(
            former,
            campaign=campaign.campaign,
            realm=chosen[0].realm.value,
            where=place.full("manifest.json"),
        )
    book: Ledger | NoBook = (
        open_ledger(settings.ledger_url) if settings.ledger_is_there() else NoBook()
    )
    try:
        known = KnownContents(book.contents.known() if isinstance(book, Ledger) else {})
        known_takes = AskedOnce(book)
        is_named = bool(request.providers or campaign.providers.use)
        shots = _plan(
            reading,
            workspace,
            settings,
            known_takes,
            known,
            chosen,
            is_named=is_named,
            only=request.only,
            former=former,
        )
        _refuse_empty(request, shots)
        feed_notes = refuse(reading, shots)
        paths = publish.places(shots.shots)
        takes = known_takes.found
    finally:
        if isinstance(book, Ledger):
            book.close()
    staying = tuple(one for one in chosen if one.host in shots.hosts)
    _refuse_unpriced(request, staying)
    _remember(known, settings)
    lying = place.sizes() if former is not None else {}
    pages_are_there = lying.keys() >= publish.PAGES
    looks = Looks(campaign, shots.realm, brand=reading.brand, signing=settings.signing)
    kept, work = left_to_do(reading, shots, paths, takes, former, lying, shots.chosen, looks)
    return Job(
        request=request,
        workspace=workspace,
        settings=settings,
        reading=reading,
        realm=shots.realm,
        accounts=staying,
        shot_list=shots,
        paths=paths,
        place=place,
        former=former,
        kept=kept,
        work=work,
        pages_are_there=pages_are_there,
        notes=(*notes, *shots.notes, *feed_notes, *looks.notes),
        retired_ids=frozenset(shot.shot_id for shot in shots.retired),
    )


def _read(request: Request) -> tuple[Workspace, Reading]:
    spec = Path(request.spec)
    defaults = Path(request.defaults) if request.defaults else None
    workspace = Workspace.of(spec, Path.cwd())
    hand_to_storages(workspace)  # the catalogue may lie in one
    return workspace, read.campaign(spec, defaults=defaults)


def _plan(
    reading: Reading,
    workspace: Workspace,
    settings: Settings,
    book: plan.Book,
    known: KnownContents,
    chosen: Sequence[Account],
    *,
    is_named: bool,
    only: Sequence[str] = (),
    former: Manifest | None = None,
) -> ShotList:
    references = read.References(
        spec_folder=str(Path(reading.spec_path).resolve().parent),
        image_base=reading.image_base,
        known=known,
        cache=settings.references_cache,
    )
    with closing(references):
        references.look_ahead(reading)
        return plan.shot_list(
            reading,
            templates=workspace.templates,
            references=references,
            book=book,
            realm=chosen[0].realm,
            hosts=hosts.facts(chosen, is_named=is_named),
            only=only,
            former=former,
        )


def _refuse_empty(request: Request, shots: ShotList) -> None:
    """A campaign that asks for nothing is a slip: a run would empty its destination."""
    if not shots.shots:
        why = "; ".join(shots.notes[-3:])
        raise BadInput(
            f"{request.spec} asks for nothing",
            [
                Fault(
                    request.spec,
                    "no shot is left",
                    remedy=f"look at `where`, `limit`, `exclude` and the catalogue ({why})",
                )
            ],
        )


def _refuse_unpriced(request: Request, accounts: Sequence[Account]) -> None:
    """A cap cannot be held where nobody knows the price."""
    unpriced = sorted({one.host for one in accounts if one.usd_per_image is None})
    if request.max_cost is not None and unpriced:
        raise BadInput(
            "the cap cannot be held",
            [
                Fault(
                    "--max-cost",
                    f"the price of {', '.join(unpriced)} is not known",
                    remedy="say it in SHOTLIST_ACCOUNTS (usd_per_image), or name other hosts",
                )
            ],
        )


def _refuse_own_folders(request: Request, workspace: Workspace, place: Place) -> None:
    """What a run writes must not lie among what people write."""
    if not place.is_local:
        return
    target = Path(place.url).resolve()
    for folder in (workspace.root, workspace.root / "campaigns", workspace.templates):
        inside = folder != workspace.root and target.is_relative_to(folder)
        if target == folder or inside:
            raise BadInput(
                "the destination cannot be used",
                [
                    Fault(
                        "--to" if request.to else "publish.to",
                        f"{target} is where the campaign itself lies",
                        remedy="publish to outputs/<campaign> or another folder",
                    )
                ],
            )


def _remember(known: KnownContents, settings: Settings) -> None:
    """Keep what was seen of references, now that the plan stands: the next one is quicker."""
    if known.fresh:
        with open_ledger(settings.ledger_url) as book:
            book.contents.remember(known.fresh)
