"""Faults by file: which requests go wrong, how, and how often.

The file is YAML or JSON: a list of rules, or `{seed: 7, faults: [...]}`. A rule:

    - {host: eachlabs, at: create, kind: accept_then_drop, first: 2}
    - {host: "*", at: poll, kind: status, status: 503, share: 0.1}

How often, at most one of: `first: n` (the first n), `nth: n` (the n-th alone), `every: n` (each
n-th), `share: 0..1` (dice that follow from the seed); none: always. Each host is counted alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from flows.errors import BadInput, Fault, did_you_mean
from flows.sandbox.times import At

_ANSWERED = ("create", "poll", "result", "link", "upload", "list")
KINDS: dict[str, tuple[str, ...]] = {
    "accept_then_drop": ("create", "upload"),  # done and billed, but the connection is cut
    "drop": _ANSWERED,  # the connection is cut before anything happens
    "status": _ANSWERED,  # answered with `status` (5xx or 429), nothing happens
    "slow": _ANSWERED,  # done, and answered `s` sandbox seconds later
    "html": _ANSWERED,  # an HTML page: 502, or 200 in place of an image
    "malformed": ("create", "poll", "result", "list"),  # done, and answered in broken JSON
    "moderation": ("create",),  # the host's own words for refused content
    "failure": ("create",),  # the task fails for a reason on the host's side
    "partial": ("create",),  # fewer images than asked, where a call can make several
    "empty": ("create",),  # success without an image, unbilled
    "unknown_state": ("poll",),  # a word that no page knows
    "truncated": ("link",),  # half of the bytes, then the connection is cut
    "short": ("link",),  # half of the bytes as if they were all
    "wrong_bytes": ("link",),  # not an image, told to be one
    "expired": ("link",),  # as if the link's life were over
    "duplicate": ("webhook",),  # delivered twice
    "late": ("webhook",),  # delivered `s` sandbox seconds later
    "lost": ("webhook",),  # never delivered
}
_OFTEN = ("first", "nth", "every", "share")
_MORE = {"status": ("status", "retry_after"), "slow": ("s",), "late": ("s",), "html": ("status",)}
LATE_S = 30.0
SLOW_S = 120.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file. `s` and `retry_after` in sandbox seconds."""

    host: str
    at: str
    kind: str
    first: int | None = None
    nth: int | None = None
    every: int | None = None
    share: float | None = None
    status: int | None = None
    retry_after: float | None = None
    s: float | None = None

    def strikes(self, count: int, dice: float) -> bool:
        """Whether the `count`-th matching request (from 1) goes wrong."""
        if self.first is not None:
            return count <= self.first
        if self.nth is not None:
            return count == self.nth
        if self.every is not None:
            return count % self.every == 0
        if self.share is not None:
            return dice < self.share
        return True


class Faults:
    """The rules, and how often each has matched."""

    def __init__(self, rules: Sequence[Rule] = (), seed: int = 0) -> None:
        self.rules = tuple(rules)
        self._seed = seed
        self._matched: Counter[tuple[int, str]] = Counter()

    def strike(self, host: str, at: str) -> dict[str, Rule]:
        """The rules that hit this request of this host, by kind. Counts the request."""
        hit: dict[str, Rule] = {}
        for place, rule in enumerate(self.rules):
            if rule.host not in {"*", host} or rule.at != at:
                continue
            self._matched[place, host] += 1
            count = self._matched[place, host]
            digest = hashlib.sha256(f"{self._seed}/{place}/{host}/{count}".encode()).digest()
            if rule.strikes(count, int.from_bytes(digest[:6], "big") / 2**48):
                hit.setdefault(rule.kind, rule)
        return hit

    @classmethod
    def read(cls, path: Path, hosts: Sequence[str]) -> Faults:
        """Read a faults file; `hosts` are the names that a rule may use.

        Raises:
            BadInput: the file is not there, is not YAML or JSON, or a rule cannot be.

        """
        import yaml

        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            found = Fault(str(path), error.strerror or "cannot be read")
            raise BadInput("the faults file cannot be used", [found]) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            found = Fault(place, "is neither YAML nor JSON")
            raise BadInput("the faults file cannot be used", [found]) from error
        return cls.of(document, hosts, str(path))

    @classmethod
    def of(cls, document: object, hosts: Sequence[str], place: str = "faults") -> Faults:
        """The rules of a document already read; `place` is told in errors.

        Raises:
            BadInput: with every fault of every rule.

        """
        seed: object = 0
        rules = document
        faults: list[Fault] = []
        if isinstance(document, dict):
            seed, rules = document.get("seed", 0), document.get("faults", [])
            unknown = [str(name) for name in document if name not in {"seed", "faults"}]
            faults += [Fault(place, f"unknown key '{name}'", "seed, faults") for name in unknown]
        if not isinstance(seed, int) or isinstance(seed, bool):
            faults.append(Fault(f"{place}, seed", f"{seed!r}", "a whole number"))
            seed = 0
        if rules is None:
            rules = []
        if not isinstance(rules, list):
            raise BadInput(
                "the faults file cannot be used",
                [*faults, Fault(place, f"a {type(rules).__name__}", "a list of rules")],
            )
        found = [_rule(rule, hosts, f"{place}, rule {n}") for n, rule in enumerate(rules, 1)]
        faults += [fault for _, wrong in found for fault in wrong]
        if faults:
            raise BadInput("the faults file cannot be used", faults)
        return cls([rule for rule, _ in found if rule is not None], seed)


def _rule(raw: object, hosts: Sequence[str], place: str) -> tuple[Rule | None, list[Fault]]:
    if not isinstance(raw, dict):
        return None, [Fault(place, f"a {type(raw).__name__}", "host, at, kind, how often")]
    faults = [
        Fault(place, f"no '{name}'", remedy="every rule names host, at and kind")
        for name in ("host", "at", "kind")
        if name not in raw
    ]
    faults += _word(raw, "host", (*hosts, "*"), place)
    faults += _word(raw, "at", get_args(At), place)
    faults += _word(raw, "kind", tuple(KINDS), place)
    if faults:
        return None, faults
    kind = str(raw["kind"])
    if raw["at"] not in KINDS[kind]:
        allowed = ", ".join(KINDS[kind])
        faults.append(Fault(f"{place}, at", f"{kind} cannot happen at '{raw['at']}'", allowed))
    known = ("host", "at", "kind", *_OFTEN, *_MORE.get(kind, ()))
    faults += [
        Fault(place, f"unknown key '{name}'", ", ".join(known), did_you_mean(str(name), known))
        for name in raw
        if name not in known
    ]
    often = [name for name in _OFTEN if name in raw]
    if len(often) > 1:
        faults.append(Fault(place, f"{' and '.join(often)} together", "one of them"))
    for name in ("first", "nth", "every"):
        faults += _number(raw, name, place, low=1, whole=True)
    faults += _number(raw, "share", place, low=0, high=1)
    faults += _number(
        raw, "status", place, low=200 if kind == "html" else 400, high=599, whole=True
    )
    faults += _number(raw, "retry_after", place, low=0)
    faults += _number(raw, "s", place, low=0)
    if faults:
        return None, faults
    return Rule(**{str(name): raw[name] for name in raw}), []


def _word(raw: dict[Any, Any], name: str, allowed: Sequence[str], place: str) -> list[Fault]:
    if name not in raw or raw[name] in allowed:
        return []
    found = f"'{raw[name]}'"
    return [
        Fault(f"{place}, {name}", found, ", ".join(allowed), did_you_mean(str(raw[name]), allowed))
    ]


def _number(
    raw: dict[Any, Any],
    name: str,
    place: str,
    *,
    low: float,
    high: float | None = None,
    whole: bool = False,
) -> list[Fault]:
    if name not in raw:
        return []
    value = raw[name]
    kinds: tuple[type, ...] = (int,) if whole else (int, float)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    if fits and value >= low and (high is None or value <= high):
        return []
    span = f"{low} to {high}" if high is not None else f"{low} or more"
    return [Fault(f"{place}, {name}", f"{value!r}", f"{'whole, ' if whole else ''}{span}")]
