"""What Prefect's page shows of a run: its plan, how far it is, how it ended.

A run is Completed when every wanted shot is published, and Failed otherwise, whether shots failed,
are parked, or the budget stopped it: Prefect's automations go by the state's name, and each of
these wants a person. Which of them it was stands in the state's message, with the exit code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.schemas.objects import State
from prefect.logging import get_logger
from prefect.states import Completed, Failed

from flows.errors import ShotlistError
from flows.jobs import Job, Made, Summary

TABLE_ROWS = 200
"""Rows of the plan that the artifact shows; the whole plan is `shotlist plan --json`."""
REASONS = 50
MOST_NAMED = 10
MOST_LETTERS = 500


class NotAllPublished(ShotlistError):
    """A run that ended, of which shots failed, are parked or were not tried."""

    def __init__(self, said: str, summary: Summary) -> None:
        super().__init__(said)
        self.summary = summary
        self.exit_code = summary.exit_code

    def __reduce__(self) -> tuple[type[NotAllPublished], tuple[str, Summary]]:
        return type(self), (str(self), self.summary)


def show_plan(job: Job) -> None:
    """Show what the run sets out to make."""
    create_table_artifact(
        key="shot-list",
        table=[
            {
                "shot": work.shot.shot_id,
                "state": work.shot.state.value,
                "why": work.shot.why,
                "prompt": work.shot.prompt[:200],
            }
            for work in job.work[:TABLE_ROWS]
        ],
        description=f"{len(job.shot_list.shots)} shots, {len(job.work)} to make; {job.realm}",
    )


def progress(products: int) -> Callable[[Made], Made]:
    """A bar on the page that moves with each product that is passed through."""
    artifact = cast(
        "UUID",
        create_progress_artifact(0.0, key="products", description=f"{products} products"),
    )
    done = 0

    def watch(made: Made) -> Made:
        nonlocal done
        done += 1
        # a hundred updates tell a person as much as a thousand and cost the server less
        if done == products or done % max(1, products // 100) == 0:
            update_progress_artifact(artifact, 100.0 * done / products)
        return made

    return watch


def ended(summary: Summary) -> State[Summary]:
    """Show how the run ended, and the state that says so."""
    for key, link in (("gallery", summary.gallery), ("manifest", summary.manifest)):
        create_link_artifact(key=key, link=_address(link), link_text=key)
    told = said(summary)
    create_markdown_artifact(
        key="result",
        markdown="\n".join(_page(summary)),
        description=f"{summary.campaign}: {told}",
    )
    if summary.exit_code == 0:
        return Completed(message=told, data=summary)
    error = NotAllPublished(f"{told} (exit code {summary.exit_code})", summary)
    return _failed(str(error), error)


def refused(spec: str, error: ShotlistError) -> State[Any]:
    """Show why the run could not be made, in the words that the command has for it."""
    told = f"{error} (exit code {error.exit_code})"
    create_markdown_artifact(
        key="result",
        markdown=f"# {PurePath(spec).name}: not made\n\n```text\n{error}\n```\n",
        description=told[:MOST_LETTERS],
    )
    return _failed(told, error)


def _failed(said: str, error: ShotlistError) -> State[Any]:
    # whoever runs a flow for Prefect raises what a failed state holds and logs it
    for name in ("prefect.flow_runs", "prefect.engine"):
        get_logger(name).addFilter(_IN_WORDS)
    return Failed(message=said, data=error)


class _InWords(logging.Filter):
    """What a person can mend is logged in one line, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ShotlistError):
            record.exc_info = record.exc_text = None
            record.msg, record.args = "%s", (" ".join(str(error).split()),)
        return True


_IN_WORDS = _InWords()


def said(summary: Summary) -> str:
    """How a run ended, in a line."""
    parts = [f"published {summary.published:,} of {summary.shots:,} shots"]
    parked = sum(one["stage"] == "parked" for one in summary.failures)
    failed = len(summary.failures) - parked
    parts += [
        f"{count:,} {word}" for count, word in ((failed, "failed"), (parked, "parked")) if count
    ]
    if "budget" in summary.stops:
        parts.append("stopped at the budget")
    if "account" in summary.stops:
        parts.append("no account could make the rest")
    if summary.realm == "proof":
        parts.append(f"drew {summary.bought:,}")
    else:
        parts.append(f"bought {summary.bought:,}, spent ${summary.spent_usd:,.2f}")
    return "; ".join(parts)


def _page(summary: Summary) -> list[str]:
    verb = "drawn" if summary.realm == "proof" else "bought"
    lines = [
        f"# {summary.campaign}: {summary.published:,} of {summary.shots:,} shots published",
        "",
        said(summary) + ".",
        "",
        "| | |",
        "|---|---:|",
        f"| shots wanted | {summary.shots:,} |",
        f"| shots published | {summary.published:,} |",
        f"| files | {summary.files:,}, {summary.made_files:,} of them made now |",
        f"| takes {verb} | {summary.bought:,} |",
        f"| shots from takes that were there | {summary.kept:,} |",
        f"| shots retired | {summary.retired:,} |",
        f"| spent | ${summary.spent_usd:,.2f} |",
        f"| realm | {summary.realm} |",
        f"| exit code | {summary.exit_code} |",
        "",
        f"[gallery]({_address(summary.gallery)}) · [manifest]({_address(summary.manifest)})",
        "",
    ]
    alike: dict[tuple[str, str], list[str]] = {}
    for one in summary.failures:
        alike.setdefault((one["stage"], one["reason"]), []).append(one["shot_id"])
    if alike:
        lines += ["## Not published", "", "| stage | shots | why |", "|---|---|---|"]
    for (stage, reason), shots in list(alike.items())[:REASONS]:
        more = len(shots) - MOST_NAMED
        named = ", ".join(shots[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        lines.append(f"| {stage} | {_cell(named)} | {_cell(reason)} |")
    if len(alike) > REASONS:
        lines.append(f"| | | and {len(alike) - REASONS:,} more reasons: the manifest has all |")
    if summary.remarks:
        lines += ["", "## Worth knowing", "", *(f"- {_cell(one)}" for one in summary.remarks)]
    return lines


def _address(place: str) -> str:
    """Where a link of markdown leads: no blank or bracket of a path may end it."""
    scheme, there, rest = place.partition("://")
    if not there:
        return Path(place).absolute().as_uri()
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{quote(path)}"


def _cell(text: str) -> str:
    """Text of others in a table of markdown: one line, no markup, no column of its own."""
    line = " ".join(text.split())[:MOST_LETTERS]
    for sign in "\\`*_[]<>|":
        line = line.replace(sign, f"\\{sign}")
    return line
