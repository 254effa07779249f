"""Apart: which included templates can be rendered apart from the one that includes them.

A campaign of five ratios renders each prompt five times though only the framing differs. So an
included template that uses nothing of its surroundings is left out while the rest is rendered
once, and put in afterwards; what the same words said once is not rendered again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar

from jinja2 import nodes

from flows.plan.prompts.meter import METER
from flows.plan.prompts.words import Words

MARK = "\0"
"""Stands around the name of a template that is put in later; no text of a feed holds it."""

LEFT_OUT: ContextVar[tuple[str, frozenset[str]]] = ContextVar("left_out", default=("", frozenset()))
"""The template whose rendering is under way, and those that it leaves out."""

_PLAIN = (nodes.Template, nodes.If, nodes.For)
"""What may stand around an include that is left out: nothing that would change its text."""


class Stub:
    """Stands for a template that is put in later."""

    def __init__(self, name: str) -> None:
        self.name = name

    def new_context(self, *_args: object, **_kwargs: object) -> None:
        return None

    def root_render_func(self, _context: object) -> Iterator[str]:
        METER.get().left_out += 1
        yield f"{MARK}{self.name}{MARK}"


def apart(tree: nodes.Template, names_of: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """The templates that a tree includes and that may be rendered apart from it.

    `names_of` gives the variables that a template of the folder uses.
    """
    if tree.find(nodes.Extends) is not None or tree.find(nodes.Block) is not None:
        return frozenset()
    assigned = _assigned(tree)
    plain: set[str] = set()
    other: set[str] = set()
    for include, around in _includes(tree, ()):
        name = include.template.value if isinstance(include.template, nodes.Const) else None
        if not isinstance(name, str):
            return frozenset()
        fits = (
            all(isinstance(node, _PLAIN) for node in around)
            and include.with_context
            and not include.ignore_missing
            and assigned.isdisjoint(names_of(name))
        )
        (plain if fits else other).add(name)
    return frozenset(plain - other)


def _assigned(tree: nodes.Template) -> frozenset[str]:
    """Every name that a tree gives a value of its own, and those that only a loop or macro has."""
    names = {one.name for one in tree.find_all(nodes.Name) if one.ctx in {"store", "param"}}
    names |= {macro.name for macro in tree.find_all(nodes.Macro)}
    for imported in tree.find_all(nodes.Import):
        names.add(imported.target)
    for chosen in tree.find_all(nodes.FromImport):
        names |= {one if isinstance(one, str) else one[1] for one in chosen.names}
    return frozenset(names | {"loop", "caller", "varargs", "kwargs"})


def _includes(
    node: nodes.Node, around: tuple[nodes.Node, ...]
) -> Iterator[tuple[nodes.Include, tuple[nodes.Node, ...]]]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Include):
            yield child, (*around, node)
        else:
            yield from _includes(child, (*around, node))


class Memory:
    """What templates that are put in later said of the same words. Kept small: plans go product
    by product, so what was asked for long ago is not asked for again.
    """

    MOST = 512

    def __init__(self) -> None:
        self._said: dict[tuple[object, ...], str] = {}

    def of(
        self,
        name: str,
        names: tuple[str, ...],
        variables: Mapping[str, object],
        say: Callable[[], str],
    ) -> str:
        """What `say` says, asked once for the same values of `names`."""
        values = tuple(variables.get(one, MARK) for one in names)
        if not all(isinstance(value, str) or type(value) is Words for value in values):
            return say()
        key = (name, *values)
        if key not in self._said:
            if len(self._said) >= self.MOST:
                self._said.clear()
            self._said[key] = say()
        return self._said[key]
