"""Outline: what a campaign file says itself, its catalogue, templates and pictures unopened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from flows.nouns.campaign import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """As far as a campaign file goes without anything that it points at.

    `named` are the variants that rows of a CSV name; `places` is as in a Reading.
    """

    campaign: Campaign
    spec_path: str
    places: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    named: tuple[str, ...] = ()
