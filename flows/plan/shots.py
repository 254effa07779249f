"""Shots: a reading and the ledger to the shot list. Free: no network, no clock, no dice."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.errors import Fault
from flows.nouns.output import Channel
from flows.nouns.reference import ReferenceReader
from flows.nouns.shot import Estimate, Reading, Shot, ShotList
from flows.nouns.take import Realm
from flows.plan import distinct
from flows.plan.cells import Wanted, wanted
from flows.plan.compare import Book, Standing, is_missing, retired, standings
from flows.plan.drafts import Draft, Drafting
from flows.plan.estimate import HostFacts, estimate
from flows.plan.expand import briefs
from flows.plan.faults import Faults
from flows.plan.outputs import Outputs
from flows.plan.paths import Paths
from flows.plan.pictures import Pictures
from flows.plan.prompts import Templates
from flows.plan.sample import sampled
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
) -> ShotList:
    """Everything that the campaign wants, held against the ledger, with reasons and an estimate.

    `templates` is the folder of the templates, `hosts` the ones that a run would use, first choice
    first; `channels` are the presets (those of this project unless given). `only` are patterns of
    shot ids: the list then holds what matches and retires nothing.

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
    drafting = Drafting(campaign, realm, texts=texts, pictures=pictures, paths=paths, faults=faults)
    drafts = drafting.of(matrix)
    distinct.check(drafts, paths.names, paths.place, faults)
    _check_budget(reading, hosts, faults)
    chosen = _only(drafts, only, faults)
    faults.raise_any()
    notes.update(dict.fromkeys(pictures.notes()))

    skipped = (*reading.skipped, *drafting.skipped)
    earlier = book.shots(campaign.campaign, realm)
    gone = retired(
        {} if only else earlier,
        {draft.shot_id for draft in drafts},
        {product.key for product in reading.products} | {one.product.key for one in drafts},
        {row.product for row in skipped},
    )
    shots, needed = _held_against(reading, chosen, book, earlier, realm, hosts)
    return ShotList(
        campaign=campaign.campaign,
        realm=realm,
        shots=shots,
        retired=gone,
        skipped=skipped,
        notes=tuple(notes),
        estimate=needed,
    )


def _presets(reading: Reading, channels: Mapping[str, Channel] | None) -> Mapping[str, Channel]:
    if channels is not None:
        return channels
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


def _only(drafts: list[Draft], only: Sequence[str], faults: Faults) -> list[Draft]:
    if not only:
        return drafts
    patterns = [(glob, re.compile(fnmatch.translate(glob))) for glob in only]
    for glob, pattern in patterns:
        if not faults and not any(pattern.match(draft.shot_id) for draft in drafts):
            example = f"such as {drafts[0].shot_id}" if drafts else ""
            faults.add(Fault("--only", f"'{glob}' matches no shot", f"shot ids {example}".strip()))
    return [
        draft for draft in drafts if any(pattern.match(draft.shot_id) for _, pattern in patterns)
    ]


def _held_against(
    reading: Reading,
    drafts: Sequence[Draft],
    book: Book,
    earlier: Mapping[str, tuple[str, ...]],
    realm: Realm,
    hosts: Sequence[HostFacts],
) -> tuple[list[Shot], Estimate]:
    campaign = reading.campaign
    recipes = dict.fromkeys(recipe.sha256 for draft in drafts for recipe in draft.recipes)
    takes = book.takes(realm, recipes.keys())
    wishes = [(one.shot_id, tuple(recipe.sha256 for recipe in one.recipes)) for one in drafts]
    standing = standings(wishes, takes, earlier, campaign.on_unknown)
    shots = [_shot(draft, held) for draft, held in zip(drafts, standing, strict=True)]
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
    )
