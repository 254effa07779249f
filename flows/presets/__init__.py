"""In: the folder of a workspace, or nothing. Out: the channel presets by id, those that
`channels.yaml` beside this file holds and those of a file of that name in the workspace.

`channels()` is the whole face.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flows.nouns.output import Channel
from flows.presets.own import OWN_FILE, own_channels

__all__ = ["OWN_FILE", "channels"]


def channels(workspace: Path | None = None) -> Mapping[str, Channel]:
    """Every preset by id, retired ones too: the shipped ones in their file's order, then those of
    the workspace. One of the workspace that replaces a shipped one stands in its place.

    The shipped ones are read once a process, the workspace's with each call.

    Raises:
        BadInput: every fault of the workspace's file.
        EnvironmentFault: that file is there and cannot be read.

    """
    shipped = _shipped()
    if workspace is None or not (own := own_channels(workspace / OWN_FILE, shipped)):
        return shipped
    return MappingProxyType({**shipped, **own})


@cache
def _shipped() -> Mapping[str, Channel]:
    import yaml

    # the C loader is ten times as fast and as safe; the wheels of every platform bring it
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files(__name__).joinpath("channels.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.load(text, Loader=loader)  # noqa: S506
    return MappingProxyType({name: _channel(name, **row) for name, row in rows.items()})


def _channel(
    name: str,
    *,
    formats: list[Any],
    safe_zone: Any = None,
    keep_out: Any = (),
    **row: Any,
) -> Channel:
    """YAML's lists as the tuples of a frozen noun; a key that Channel does not know raises."""
    zone = None if safe_zone is None else tuple(safe_zone)
    boxes = tuple(tuple(box) for box in keep_out)
    return Channel(id=name, formats=tuple(formats), safe_zone=zone, keep_out=boxes, **row)
