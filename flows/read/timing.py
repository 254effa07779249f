"""Schedules: whether five cron fields and a time zone are sound (crontab(5), IANA time zones)."""

from __future__ import annotations

import re

from flows.errors import did_you_mean

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/([0-9]{1,3}))?", re.ASCII)


def bad_cron(text: str) -> tuple[str, str, str] | None:
    """What is wrong with a cron expression: found, allowed, remedy; None where it is sound."""
    fields = text.split()
    example = "for example `0 6 * * 1`: Mondays at six"
    if len(fields) != 5:
        wanted = "minute, hour, day of the month, month, day of the week"
        return (f"'{text}' has {len(fields)} fields where cron has 5", wanted, example)
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        if not all(_is_sound(part, low, high, words) for part in field.split(",")):
            allowed = f"{low}-{high}, *, lists, ranges and steps"
            return (f"'{field}' is no {name} of a cron expression", allowed, example)
    return None


def _is_sound(part: str, low: int, high: int, words: list[str]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    first, last, step = match.groups()
    if step is not None and int(step) < 1:
        return False
    if first == "*":
        return last is None
    numbers = [_number(one, words, low) for one in (first, last) if one is not None]
    return all(low <= one <= high for one in numbers) and numbers == sorted(numbers)


def _number(text: str, words: list[str], low: int) -> int:
    """A number or the name of a month or day; -1 where it is neither."""
    if text.lower() in words:
        return words.index(text.lower()) + low
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else -1


def bad_timezone(name: str) -> tuple[str, str, str] | None:
    """What is wrong with the name of a time zone; None where there is one of that name."""
    from zoneinfo import available_timezones

    zones = available_timezones()
    if name in zones or name == "UTC":
        return None
    near = did_you_mean(name, zones)
    return (f"there is no time zone '{name}'", "a name such as Europe/Berlin or UTC", near)
