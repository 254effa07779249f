"""In: nothing. Out: the channel presets by id, as `channels.yaml` beside this file holds them.

`channels()` is the whole face.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from flows.nouns.output import Channel


@cache
def channels() -> Mapping[str, Channel]:
    """Every preset by id in the file's order, retired ones too; read once a process."""
    import yaml

    # the C loader is ten times as fast and as safe; the wheels of every platform bring it
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files(__name__).joinpath("channels.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.load(text, Loader=loader)  # noqa: S506
    return MappingProxyType({name: _channel(name, **row) for name, row in rows.items()})


def _channel(name: str, *, formats: list[Any], safe_zone: Any = None, **row: Any) -> Channel:
    """YAML's lists as the tuples of a frozen noun; a key that Channel does not know raises."""
    zone = None if safe_zone is None else tuple(safe_zone)
    return Channel(id=name, formats=tuple(formats), safe_zone=zone, **row)
