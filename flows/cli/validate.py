from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import BadInput


def validate(
    specs: Annotated[list[str], Parameter(negative="", name="SPEC")],
    /,
    *,
    defaults: str | None = None,
) -> int:
    """Say everything that is wrong with campaigns, their catalogues, templates and references.

    Args:
        specs: campaign files, YAML or CSV.
        defaults: a YAML that gives a CSV of briefs what it does not say.
    """
    from flows import jobs

    failed = []
    for spec in specs:
        try:
            shots = jobs.check(jobs.Request(spec=spec, defaults=defaults))
        except BadInput as error:
            failed.append(error)
            terminal.error(str(error))
            continue
        for said in shots.notes:
            terminal.note(said)
        for row in shots.skipped:
            terminal.note(f"{row.place}: skipped: {row.reason}")
        products = len({shot.product.key for shot in shots.shots})
        terminal.result(
            f"{spec}: good: {terminal.counted(products, 'product')}, "
            f"{terminal.counted(len(shots.shots), 'shot')}"
        )
    return BadInput.exit_code if failed else 0
