from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal


def publish(
    spec: str,
    /,
    *,
    to: str | None = None,
    provider: Annotated[list[str] | None, Parameter(negative="")] = None,
    defaults: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Publish again from the ledger, here or elsewhere. Buys and draws nothing.

    Args:
        spec: a campaign file, YAML or CSV.
        to: another destination than the campaign's.
        provider: a host whose realm is meant, such as proof; may be given several times.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        json: print the summary as one JSON document.
    """
    from functools import partial

    from flows.cli import asking
    from flows.jobs.job import Request
    from flows.jobs.publishing import publish as published
    from flows.jobs.publishing import told

    terminal.say(f"reading {spec}")
    request = Request(spec=spec, providers=tuple(provider or ()), to=to, defaults=defaults)
    done = published(request, partial(asking.about_leaving, is_shown=not json))
    summary = done.summary
    if done.without_take:
        terminal.note(told(done.without_take))
    if json:
        terminal.document({**summary.document(), "without_take": list(done.without_take)})
        return summary.exit_code
    for failure in summary.failures:
        terminal.error(f"{failure['shot_id']}: {failure['stage']}: {failure['reason']}")
    for row in summary.remarks:
        terminal.note(row)
    terminal.result(
        f"published {summary.published:,} of {terminal.counted(summary.shots, 'shot')} "
        f"({terminal.counted(summary.files, 'file')}), "
        f"{terminal.counted(summary.made_files, 'file')} made anew; bought 0"
    )
    terminal.result(f"manifest: {summary.manifest}")
    terminal.result(f"gallery:  {summary.gallery}")
    return summary.exit_code
