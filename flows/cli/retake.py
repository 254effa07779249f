from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli import terminal

MOST_SHOWN = 20


def retake(
    shots: Annotated[list[str], Parameter(negative="", name="SHOT")],
    /,
    *,
    why: str = "",
    campaign: str | None = None,
    realm: Literal["live", "sandbox", "proof"] | None = None,
) -> int:
    """Turn pictures down: the next run makes a new take of each; the old one stays in the ledger.

    Args:
        shots: shot ids, or globs over them such as 'MUG-*'.
        why: what is wrong with them, for the ledger.
        campaign: the id of the campaign, where several have such shots.
        realm: default: bought pictures before proofs, those of the latest run before others.
    """
    from flows.jobs import retakes
    from flows.nouns.take import Realm
    from flows.nouns.workspace import Workspace

    done = retakes.retake(
        Workspace(Path.cwd()),
        shots,
        why=why,
        campaign=campaign,
        realm=None if realm is None else Realm(realm),
    )
    where = f"of {done.campaign} ({done.realm})"
    for shot in done.shots[:MOST_SHOWN]:
        numbers = ", ".join(map(str, shot.numbers))
        terminal.result(f"turned down: {shot.shot_id} {where}, take {numbers}")
    if len(done.shots) > MOST_SHOWN:
        left = len(done.shots) - MOST_SHOWN
        terminal.result(f"… and {terminal.counted(left, 'shot')} more")
    for line in done.left:
        terminal.note(f"{line} (nothing was changed)")
    for other in done.other_realms:
        terminal.note(f"such shots are in {other}, too, and stay; --realm {other} means those")
    cost = "their cost is not known" if done.usd is None else f"about {terminal.money(done.usd)}"
    terminal.result(
        f"{terminal.counted(len(done.shots), 'shot')}; run again: "
        f"{terminal.counted(done.takes, 'new take')}, {cost}"
    )
    return 0
