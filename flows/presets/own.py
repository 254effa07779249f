"""A workspace's own presets: `channels.yaml`, in the form of the shipped file, with its faults.

The nodes are read as they are spelled (`9:16` is a ratio, which YAML 1.1 takes for a number), and
each keeps its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import BadInput, EnvironmentFault, Fault, did_you_mean
from flows.nouns.campaign import ID_PATTERN, possible_size
from flows.nouns.output import Channel, ratio_text
from flows.presets.values import READERS, NotThisError, on_one_line

if TYPE_CHECKING:
    from yaml import MappingNode, Node

OWN_FILE = "channels.yaml"
_LARGEST_FILE = 1 << 20
_NEEDED = ("width", "height", "formats")


def own_channels(path: Path, shipped: Collection[str]) -> dict[str, Channel]:
    """The presets of a workspace's file, by id in its order; none where there is no such file.

    Raises:
        BadInput: every fault of the file with its line and column.
        EnvironmentFault: it is there and cannot be read.

    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise EnvironmentFault(f"{path}: cannot be read: {error.strerror or error}") from error
    reader = _Reader(path)
    found = reader.channels(data, shipped)
    if reader.faults:
        raise BadInput(f"{path} cannot be used", reader.faults)
    return found


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.faults: list[Fault] = []

    def channels(self, data: bytes, shipped: Collection[str]) -> dict[str, Channel]:
        root = self._root(data)
        if root is None:
            return {}
        made: dict[str, Channel] = {}
        first: dict[str, int] = {}
        for key, row in root.value:
            name = key.value if isinstance(key.value, str) else "a list or mapping"
            if not re.fullmatch(ID_PATTERN, name):
                allowed = "a-z, 0-9 and single dashes between them, for example our-shop-hero"
                self._tell(key, f"'{on_one_line(name)}' is no id of a preset", allowed)
            elif name in first:
                found = f"'{name}' stands here and on line {first[name]}"
                self._tell(key, found, remedy="keep one of the two")
            elif (channel := self._channel(key, name, row, shipped)) is not None:
                made[name] = channel
            first.setdefault(name, key.start_mark.line + 1)
        return made

    def _root(self, data: bytes) -> MappingNode | None:
        import yaml

        if len(data) > _LARGEST_FILE:
            self.faults.append(Fault(str(self._path), f"{len(data):,} bytes", "up to 1 MiB"))
            return None
        place = str(self._path)
        try:
            root = yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError:
            self.faults.append(Fault(place, "not UTF-8", remedy="save it as UTF-8"))
            return None
        except (yaml.YAMLError, RecursionError) as error:
            if mark := getattr(error, "problem_mark", None):
                place += f":{mark.line + 1}:{mark.column + 1}"
            said = getattr(error, "problem", None) or " ".join(str(error).split())
            self.faults.append(Fault(place, f"not YAML: {said}"))
            return None
        if root is not None and not isinstance(root, yaml.MappingNode):
            self._tell(root, "expected presets by their ids", remedy=_EXAMPLE)
            return None
        return root

    def _channel(self, key: Node, name: str, row: Node, shipped: Collection[str]) -> Channel | None:
        import yaml

        before = len(self.faults)
        if not isinstance(row, yaml.MappingNode):
            self._tell(row, f"{name}: expected keys and values", remedy=_EXAMPLE)
            return None
        values = self._values(name, row)
        lacking = [one for one in _NEEDED if one not in values]
        if lacking and len(self.faults) == before:
            self._tell(key, f"{name} says no {' and no '.join(lacking)}", remedy=_EXAMPLE)
        replaces = values.pop("replaces", False)
        if name in shipped and not replaces:
            remedy = "give yours another id, or write `replaces: true` in it"
            self._tell(key, f"'{name}' is a preset of shotlist", remedy=remedy)
        if replaces and name not in shipped:
            near = did_you_mean(name, shipped)
            self._tell(key, f"'{name}' replaces no preset of shotlist", remedy=near)
        if len(self.faults) > before:
            return None
        width, height = int(str(values["width"])), int(str(values["height"]))
        self.faults += _at(self._place(key), f"{name}: ", _sound(values, width, height))
        if len(self.faults) > before:
            return None
        values.setdefault("ratio", ratio_text(width, height))
        origin = f"{self._path.name}:{key.start_mark.line + 1}"
        return Channel(id=name, origin=origin, **values)  # type: ignore[arg-type]

    def _values(self, name: str, row: MappingNode) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, node in row.value:
            word = key.value if isinstance(key.value, str) else "a list or mapping"
            if word not in READERS:
                near = did_you_mean(word, READERS)
                self._tell(
                    key, f"unknown key '{on_one_line(word)}' under {name}", ", ".join(READERS), near
                )
            elif word in values:
                self._tell(key, f"{name}: '{word}' stands here twice", remedy="keep one")
            else:
                try:
                    values[word] = READERS[word](node)
                except NotThisError as wrong:
                    found, *allowed = wrong.args
                    self._tell(node, f"{name}: {word}: {found}", *allowed)
                    values[word] = None
        return values

    def _place(self, node: Node) -> str:
        mark = node.start_mark
        return f"{self._path}:{mark.line + 1}:{mark.column + 1}"

    def _tell(self, node: Node, found: str, allowed: str = "", remedy: str = "") -> None:
        self.faults.append(Fault(self._place(node), found, allowed, remedy))


_EXAMPLE = "write `our-shop-hero: {width: 1600, height: 900, formats: [webp, jpeg]}`"


def _at(place: str, before: str, found: Iterator[str]) -> list[Fault]:
    return [Fault(place, f"{before}{one}") for one in found]


def _sound(values: Mapping[str, object], width: int, height: int) -> Iterator[str]:
    """What each value alone does not show."""
    try:
        possible_size(f"{width}x{height}")
    except ValueError as error:
        yield f"{width}x{height} is not {error}"
    for edge, most in (("width", width), ("height", height)):
        least = values.get(f"min_{edge}")
        if isinstance(least, int) and least > most:
            yield f"min_{edge} {least} is above {edge} {most}"
    ratio = values.get("ratio")
    if isinstance(ratio, str):
        across, _, down = ratio.partition(":")
        if abs(width / height / (float(across) / float(down)) - 1) > 0.01:
            yield f"ratio {ratio} is not that of {width}x{height}"
