"""Mentions: which templates and which product fields a template speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import nodes


@dataclass(frozen=True, slots=True)
class Mention:
    """Templates that one tag names: the first that is there is used."""

    names: tuple[str, ...]
    line: int
    may_be_absent: bool


def mentions(tree: nodes.Template) -> list[Mention]:
    """The templates that a tree includes, imports and extends."""
    return [
        Mention(
            written_names(node.template),
            node.lineno,
            isinstance(node, nodes.Include) and node.ignore_missing,
        )
        for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
        for node in tree.find_all(kind)
        if isinstance(node, (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))
    ]


def written_names(node: nodes.Expr) -> tuple[str, ...]:
    """The names that a tag writes out, or nothing where they are computed."""
    items = node.items if isinstance(node, (nodes.List, nodes.Tuple)) else [node]
    names = tuple(
        item.value
        for item in items
        if isinstance(item, nodes.Const) and isinstance(item.value, str)
    )
    return names if len(names) == len(items) else ()


def fields_of(tree: nodes.Template, name: str) -> frozenset[str] | None:
    """Which fields of a variable a tree uses; None where it uses the variable as a whole."""
    used: set[str] = set()
    wholes = sum(one.name == name for one in tree.find_all(nodes.Name))
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == name:
            used.add(node.attr)
            wholes -= 1
    for item in tree.find_all(nodes.Getitem):
        if not (isinstance(item.node, nodes.Name) and item.node.name == name):
            continue
        if isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
            used.add(item.arg.value)
            wholes -= 1
    return None if wholes else frozenset(used)
