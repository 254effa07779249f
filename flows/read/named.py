"""Names that a campaign uses and others define: channels, locales, templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.output import Channel
from flows.nouns.workspace import Workspace
from flows.read.local import listed

LASTS_DAYS = 180
"""So long a preset that was held against its channel counts as known."""

# The parts of BCP 47 that people use: language, script, region, variants
# (rfc-editor.org/info/bcp47).
_LOCALE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
)
_LOCALE_WORDS = "a language tag such as de or pt-BR"


def known_channels(workspace: Workspace, faults: list[Fault]) -> Mapping[str, Channel]:
    """The presets of this project and of the workspace; what is wrong with the latter is told."""
    from flows.presets import channels

    try:
        return channels(workspace.root)
    except BadInput as error:
        faults += error.faults
        return channels()


def grown_old(names: Iterable[str], known: Mapping[str, Channel], today: date) -> list[str]:
    """A note for each preset that was read at its source too long ago."""
    notes = []
    for name in dict.fromkeys(names):
        channel = known.get(name)
        if channel is None or not channel.verified:
            continue
        days = (today - date.fromisoformat(channel.verified)).days
        if days > LASTS_DAYS:
            at = channel.source or channel.origin
            notes.append(
                f"channel {name} was held against its source {days} days ago, on "
                f"{channel.verified}: look at {at} before you rely on it"
            )
    return notes


def bad_channel(name: str, place: str, known: Mapping[str, Channel]) -> Iterator[Fault]:
    """Why this is no channel that can be asked for, if it is none."""
    if name not in known:
        there = [one for one, channel in known.items() if not channel.retired]
        allowed = f"{', '.join(there[:6])} and {len(there) - 6} more: see `shotlist channels`"
        yield Fault(place, f"there is no channel '{name}'", allowed, did_you_mean(name, there))
    elif known[name].retired:
        yield Fault(
            place, f"channel '{name}' is retired: {known[name].retired}", remedy="remove it"
        )


def bad_locale(name: str, place: str) -> Iterator[Fault]:
    """Why this is no language tag, if it is none."""
    if not _LOCALE.fullmatch(name):
        guess = name.replace("_", "-")
        near = f"did you mean '{guess}'?" if guess != name and _LOCALE.fullmatch(guess) else ""
        yield Fault(place, f"'{name}' is not a locale", _LOCALE_WORDS, near)


def bad_template(name: str, place: str, templates: Path) -> Iterator[Fault]:
    """Why this names no file in `templates/`, if it names none."""
    target = templates / name
    if "\n" in name or "{{" in name:
        remedy = "write `prompt_text: …` for a prompt of its own"
        yield Fault(place, "this is a text, not the name of a template", remedy=remedy)
    elif "\0" in name or not target.resolve().is_relative_to(templates.resolve()):
        yield Fault(place, f"'{name}' leaves the folder templates/", remedy="name a file inside it")
    elif not _is_file(target):
        there = listed(templates)
        yield Fault(
            place,
            f"there is no template '{name}' in templates/",
            ", ".join(there[:12]),
            did_you_mean(name, there) or ("" if there else "templates/ is empty or not there"),
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for a file system
        return False
