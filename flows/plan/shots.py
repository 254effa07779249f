"""Shots: a reading and the ledger to the shot list. Free: no network, no clock, no dice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.campaign import Variant
from flows.nouns.outline import Outline
from flows.nouns.output import Channel
from flows.nouns.recipe import Recipe
from flows.nouns.reference import ReferenceReader
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Estimate, Reading, Shot, ShotList
from flows.nouns.take import Realm
from flows.plan import design, distinct
from flows.plan.cells import Wanted, wanted
from flows.plan.compare import Book, Standing, is_missing, retired, standings
from flows.plan.drafts import Draft, Drafting
from flows.plan.estimate import HostFacts, estimate
from flows.plan.expand import briefs, variants_of
from flows.plan.faults import Faults
from flows.plan.hosts import able
from flows.plan.legible import check_overlays
from flows.plan.outputs import Outputs
from flows.plan.overlays import Overlays, check_filters
from flows.plan.paths import Paths
from flows.plan.pictures import Pictures
from flows.plan.prompts import Templates
from flows.plan.reasons import Lookup, Reasons
from flows.plan.sample import sampled
from flows.plan.softening import note, softer_recipes, with_softer
from flows.plan.texts import Texts


def shot_list(
    reading: Reading,
    *,
    templates: Templates | Path,
    references: ReferenceReader,
    book: Book,
    realm: Realm,
    hosts: Sequence[HostFacts],
    channels: Mapping[str, Channel] | None = None,
    only: Sequence[str] = (),
    former: Manifest | None = None,
) -> ShotList:
    """Everything that the campaign wants, held against the ledger, with reasons and an estimate.

    `templates` is the folder of the templates, `hosts` the ones that a run would use, first choice
    first; `channels` are the presets (those that were read unless given). `only` are patterns of
    shot ids: the list stays whole, and the estimate counts what matches. `former` is the manifest
    that lies at the destination: what is in it tells why a shot is another one now.

    Raises:
        BadInput: with all faults of the spec, the templates, the references and the paths.

    """
    campaign = reading.campaign
    faults = Faults(reading)
    notes: dict[str, None] = dict.fromkeys(reading.notes)
    matrix = _matrix(reading, _presets(reading, channels), faults, notes)
    texts = Texts(Templates(templates) if isinstance(templates, Path) else templates, faults)
    paths = Paths(campaign.publish, texts, faults)
    may_skip = campaign.products is not None and campaign.products.on_bad_row == "skip"
    pictures = Pictures(texts, references, faults, skip_rows=may_skip)
    turned_down = book.turned_down(campaign.campaign, realm)
    overlays = Overlays(campaign, texts, faults)
    check_filters(overlays, (one.brief for one in matrix), faults)
    drafting = Drafting(
        campaign,
        realm,
        texts=texts,
        pictures=pictures,
        paths=paths,
        overlays=overlays,
        faults=faults,
        turned_down=turned_down,
    )
    drafts = drafting.of(matrix)
    softer = softer_recipes(campaign.moderation, matrix, drafts, texts, faults)
    distinct.check(drafts, paths.names, paths.place, faults)
    told_of_overlays = check_overlays(campaign, overlays, drafts, reading.brand, faults)
    able_hosts, adapting = able(reading, drafts, hosts, faults)
    _check_budget(reading, able_hosts, faults)
    faults.raise_any()
    notes.update(dict.fromkeys(adapting))
    notes.update(dict.fromkeys(pictures.notes()))
    notes.update(dict.fromkeys(told_of_overlays))
    if told := note(campaign.moderation):
        notes[told] = None

    skipped = (*reading.skipped, *drafting.skipped)
    earlier = book.shots(campaign.campaign, realm)
    gone = retired(
        earlier,
        {draft.shot_id for draft in drafts},
        {product.key for product in reading.products} | {one.product.key for one in drafts},
        {row.product for row in skipped},
        reading.left_out,
    )
    chosen = _chosen([draft.shot_id for draft in drafts], only)
    shots, needed = _held_against(
        reading,
        drafts,
        chosen,
        book,
        earlier,
        able_hosts,
        realm,
        turned_down.keys(),
        softer,
        Lookup(former, realm, earlier),
    )
    return ShotList(
        campaign=campaign.campaign,
        realm=realm,
        shots=shots,
        retired=gone,
        skipped=skipped,
        notes=tuple(notes),
        estimate=needed,
        hosts=tuple(host.name for host in able_hosts),
        chosen=chosen,
        softer=softer,
    )


def variants(reading: Reading | Outline) -> tuple[Variant, ...]:
    """The variants that are written, or that an experiment generates, with weights; those that only
    rows of a CSV name are not among them.

    Raises:
        BadInput: with all faults of the variants.

    """
    faults = Faults(reading)
    found = variants_of(reading.campaign, faults)
    faults.raise_any()
    return tuple(one for one in found if one is not None)


def _presets(reading: Reading, channels: Mapping[str, Channel] | None) -> Mapping[str, Channel]:
    if channels is not None:
        return channels
    if reading.channels is not None:
        return reading.channels
    if not reading.campaign.channels and not any(row.channels for row in reading.rows or ()):
        return {}  # reading the presets takes longer than a small plan
    from flows import presets

    return presets.channels()


def _matrix(
    reading: Reading,
    channels: Mapping[str, Channel],
    faults: Faults,
    notes: dict[str, None],
) -> list[Wanted]:
    outputs = Outputs(reading.campaign, channels, faults)
    matrix = wanted(reading, briefs(reading, outputs, faults), faults, notes)
    notes.update(outputs.notes)
    if reading.campaign.experiment is not None:
        made = variants_of(reading.campaign, Faults(reading))
        notes.update(dict.fromkeys(design.notes(reading.campaign.experiment, made)))
    sample = reading.campaign.sample
    if sample is not None:
        whole = sum(len(one.masters) for one in matrix)
        matrix = sampled(matrix, sample)
        left = sum(len(one.masters) for one in matrix)
        notes[f"sample: {left:,} of {whole:,} shots"] = None
    if not matrix and not faults:
        notes["nothing is wanted: no product is left, or `exclude` takes everything"] = None
    return matrix


def _check_budget(reading: Reading, hosts: Sequence[HostFacts], faults: Faults) -> None:
    if reading.campaign.budget is None:
        return
    for host in hosts:
        if host.usd_per_image is None:
            faults.add(
                Fault(
                    faults.place("budget"),
                    f"a budget cannot be held at {host.name}: "
                    + (host.price_reason or "its price is not known"),
                    remedy="say its price in SHOTLIST_ACCOUNTS (usd_per_image),"
                    " or use other providers",
                )
            )


def _chosen(ids: Sequence[str], only: Sequence[str]) -> frozenset[str] | None:
    """The shots that patterns mean, or None for all."""
    if not only:
        return None
    faults = []
    found: set[str] = set()
    for pattern in only:
        matches = [one for one in ids if fnmatchcase(one, pattern)]
        if not matches and ids:
            remedy = did_you_mean(pattern, ids[:2000]) or f"shot ids look like {ids[0]}"
            faults.append(Fault("--only", f"no shot matches '{pattern}'", remedy=remedy))
        found.update(matches)
    if faults:
        raise BadInput("the choice of shots cannot be used", faults)
    return frozenset(found)


def _held_against(
    reading: Reading,
    drafts: Sequence[Draft],
    chosen: frozenset[str] | None,
    book: Book,
    earlier: Mapping[str, tuple[str, ...]],
    hosts: Sequence[HostFacts],
    realm: Realm,
    turned_down: Collection[str],
    softer: Mapping[str, Recipe],
    lookup: Lookup,
) -> tuple[list[Shot], Estimate]:
    campaign = reading.campaign
    recipes = dict.fromkeys(recipe.sha256 for draft in drafts for recipe in draft.recipes)
    takes = book.takes(realm, recipes.keys() | {one.sha256 for one in softer.values()})
    if softer:
        drafts = with_softer(drafts, softer, takes)
        recipes = dict.fromkeys(recipe.sha256 for draft in drafts for recipe in draft.recipes)
    wishes = [(one.shot_id, tuple(recipe.sha256 for recipe in one.recipes)) for one in drafts]
    reasons = Reasons(campaign=campaign, drafts=drafts, lookup=lookup)
    standing = standings(wishes, takes, earlier, reasons, campaign.on_unknown, turned_down)
    shots = [_shot(draft, held) for draft, held in zip(drafts, standing, strict=True)]
    if chosen is not None:
        recipes = dict.fromkeys(
            recipe for shot_id, of_it in wishes if shot_id in chosen for recipe in of_it
        )
    missing = sum(is_missing(takes.get(recipe), campaign.on_unknown) for recipe in recipes)
    return shots, estimate(missing, hosts, campaign.providers.policy)


def _shot(draft: Draft, standing: Standing) -> Shot:
    state, why = standing
    return Shot(
        shot_id=draft.shot_id,
        product=draft.product,
        variant=draft.variant,
        locale=draft.locale,
        name=draft.master.namer.name,
        aspect_ratio=draft.master.namer.aspect_ratio,
        prompt=draft.prompt,
        references=draft.pictured.references,
        outputs=draft.master.outputs,
        paths=draft.paths,
        recipes=draft.recipes,
        alt=draft.alt,
        tags=draft.tags,
        title=draft.title,
        state=state,
        why=why,
        overlays=draft.overlays,
        focus=draft.focus,
    )
