"""Recipe: everything wished that decides what a take shows, and its hash. A written contract.

In it: the model, the rendered prompt, the roles and contents of the references as they came, the
shape and tier, the seed, the take's number and the model parameters that the campaign wrote. Not
in it: the host and what an adapter makes of the wish (the same model elsewhere is the same recipe,
so a fail-over buys nothing twice), file names, outputs, tags (they change nothing in the take).
`proof` is a model of its own; what its drawing shows besides (label, palette) is in `parameters`.

The hash is sha256 over canonical JSON (UTF-8, keys sorted, no spaces). Changing this form changes
every hash and would buy every picture again: a test holds known ones.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from types import MappingProxyType

FORM = 1

TIERS = {"1K": 1024, "2K": 2048, "4K": 4096}
"""Tier to the side of the square of that area, in pixels."""

_SMALL_TERM = 32

ParameterValue = str | int | float | bool | None | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One take that is wanted. `tier` is 1K, 2K or 4K; `ratio` is reduced, such as `4:5`."""

    model: str
    prompt: str
    references: tuple[tuple[str, str], ...] = ()
    """Role and sha256 of each, in the order in which the host gets them."""
    ratio: str
    tier: str
    seed: int | None
    take: int = 1
    parameters: Mapping[str, ParameterValue] = field(default_factory=lambda: MappingProxyType({}))

    sha256: str = field(init=False, repr=False, compare=False)
    """Identity: hex digest of the canonical form."""

    def __post_init__(self) -> None:
        # written out by hand, keys sorted: a fifth of the time that json.dumps takes, and a plan
        # makes a hundred thousand of them; a test holds it against json.dumps
        text = (
            f'{{"form":{FORM},"model":{_quoted(self.model)},'
            f'"parameters":{_parameters(self.parameters)},"prompt":{_quoted(self.prompt)},'
            f'"ratio":{_quoted(self.ratio)},"references":{_references(self.references)},'
            f'"seed":{"null" if self.seed is None else self.seed},"take":{self.take},'
            f'"tier":{_quoted(self.tier)}}}'
        )
        object.__setattr__(self, "sha256", hashlib.sha256(text.encode()).hexdigest())


_quoted = json.encoder.encode_basestring

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def _parameters(parameters: Mapping[str, ParameterValue]) -> str:
    parts = [f"{_quoted(name)}:{_parameter(parameters[name])}" for name in sorted(parameters)]
    return f"{{{','.join(parts)}}}"


def _parameter(value: ParameterValue) -> str:
    if type(value) is list:
        return f"[{','.join(map(_quoted, value))}]"
    return _quoted(value) if type(value) is str else _encode(value)


def _references(references: tuple[tuple[str, str], ...]) -> str:
    parts = [f"[{_quoted(role)},{_quoted(sha256)}]" for role, sha256 in references]
    return f"[{','.join(parts)}]"


def take_numbers(count: int, turned_down: Collection[int]) -> Sequence[int]:
    """The numbers of a shot's takes: the first so many that no person turned down."""
    if not turned_down:
        return range(1, count + 1)
    left = (number for number in itertools.count(1) if number not in turned_down)
    return list(itertools.islice(left, count))


@lru_cache(maxsize=4096)
def stable_seed(product: str, aspect_ratio: str, take: int) -> int:
    """The same product, ratio and take always get the same seed, 1 to 2**31 - 1, and nothing else
    moves it: variants of one product differ by what they say, not by chance.
    """
    digest = hashlib.sha256(f"{product}\n{aspect_ratio}\n{take}".encode()).digest()
    return int.from_bytes(digest[:4]) % (2**31 - 1) + 1


def master_size(shape: Fraction, tier: str) -> tuple[int, int]:
    """Width and height that a master of this shape is planned with, both even.

    The area is at most the tier's square. A ratio of small terms is kept exactly (4:5 at 2K is
    1824 x 2280); any other is met to the nearest pair of even pixels below.
    """
    side = TIERS[tier]
    width, height = shape.numerator, shape.denominator
    if max(width, height) <= _SMALL_TERM:
        times = isqrt(side * side // (width * height)) // 2 * 2
        return width * times, height * times
    even_width = isqrt(side * side * width // height) // 2 * 2
    even_height = round(even_width * height / width / 2) * 2
    if even_width * even_height > side * side:
        even_height -= 2
    return max(2, even_width), max(2, even_height)
