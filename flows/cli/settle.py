from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import BadInput, Fault


def settle(
    name: Annotated[str, Parameter(name="ID")],
    /,
    *,
    lost: Annotated[bool, Parameter(negative="")] = False,
    found: str | None = None,
    realm: Literal["live", "sandbox"] | None = None,
) -> int:
    """Decide a purchase of which no answer is known: it is lost, or its picture is there.

    Args:
        name: the beginning of its recipe, its host's id of the task, or the id of its shot.
        lost: it brought no picture; it counts as spent.
        found: the address of its picture; the next run fetches it.
        realm: where it counts, should the name mean one in each.
    """
    from flows.jobs import decisions
    from flows.nouns.address import shown
    from flows.nouns.take import Realm
    from flows.nouns.workspace import Workspace

    if lost == (found is not None):
        said = "both were said" if lost else "neither was said"
        fault = Fault("--lost, --found", said, "one of them: --lost, or --found URL")
        raise BadInput("nothing was settled", [fault])
    one, take = decisions.settle(
        Workspace(Path.cwd()),
        name,
        found=found,
        realm=None if realm is None else Realm(realm),
    )
    terminal.result(f"settled as {'lost' if found is None else 'found'}: {one.told}")
    price = take.price_usd
    counted = "its price is not known: nothing is counted"
    if price is not None:
        counted = f"{terminal.money(price)} (its price) count as spent"
    terminal.result(counted)
    if found is None:
        again = dict.fromkeys(shot_id for _, shot_id in one.shots)
        names = " ".join(f"'{shot_id}'" for shot_id in again) or "SHOT"
        terminal.result(f"to have another bought: shotlist retake {names}, then run again")
    else:
        terminal.result(f"run again: it is fetched from {shown(found)}, nothing is bought")
    return 0
