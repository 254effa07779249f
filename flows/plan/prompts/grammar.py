"""Grammar: what a template may say, checked and prepared when it is read.

Every construct that could do unbounded work or reach for a file is either not allowed or rewritten
to one that pays for itself: a loop pays for all its passes before the first, a list for its
entries, a macro for its body. Names with a leading space cannot be typed by a template's author.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer

from flows.errors import did_you_mean
from flows.plan.prompts.mentions import written_names

SPEND, EACH, LITERAL, IN, SLICE, GLUE = " spend", " each", " literal", " in", " slice", " glue"

MAX_NESTING = 40
MAX_PARTS = 5_000
"""Names, values, tags and pieces of text in one template."""
MAX_CONSTANT = 10**15

_ALLOWED: frozenset[type[nodes.Node]] = frozenset(
    {
        nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Macro,
        nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Block, nodes.Include, nodes.Import,
        nodes.FromImport, nodes.Extends, nodes.Assign, nodes.AssignBlock,
        nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
        nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr,
        nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul,
        nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos,
    }
)  # fmt: skip
_SPOKEN: dict[type[nodes.Node], str] = {
    nodes.NSRef: "`set` of a field (`set a.b = …`)",
    nodes.Scope: "`autoescape`",
    nodes.Pow: "`**`",
}
_HIDDEN = frozenset({"self", "varargs", "kwargs"})
_COMPARISON_WORK = 20
_INCLUSION_WORK = 50

_Reference = nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends
_WithBody = TypeVar("_WithBody", nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Template)


@dataclass(frozen=True, slots=True)
class Unfitting:
    """One thing that a template may not say."""

    line: int
    found: str
    remedy: str = ""


class Unfit(Exception):
    """All that a template may not say."""

    def __init__(self, problems: Sequence[Unfitting]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems)


def checked(tree: nodes.Template, environment: Environment) -> nodes.Template:
    """The tree, made safe to run.

    Raises:
        Unfit: with every problem in it.

    """
    grammar = _Grammar(environment)
    safe = grammar.visit(tree)
    if grammar.problems:
        raise Unfit(grammar.problems)
    if not isinstance(safe, nodes.Template):
        raise TypeError(type(safe))
    safe.set_environment(environment)
    return safe


def _work(body: Iterable[nodes.Node | None]) -> int:
    """What one pass through a body costs: its nodes and the text that it prints."""
    work, waiting = 1, [node for node in body if node is not None]
    while waiting:
        node = waiting.pop()
        work += 1
        if isinstance(node, nodes.TemplateData):
            work += len(node.data)
        elif isinstance(node, nodes.Compare):
            work += _COMPARISON_WORK * len(node.ops)
        elif isinstance(node, _Reference):
            work += _INCLUSION_WORK
        waiting.extend(node.iter_child_nodes())
    return work


def _through(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _number(value: int, line: int) -> nodes.Const:
    return nodes.Const(value, lineno=line)


@functools.lru_cache(maxsize=256)
def _signature(function: Callable[..., object]) -> inspect.Signature:
    """What a filter or test takes besides the value that it stands behind."""
    signature = inspect.signature(function)
    taken = 2 if hasattr(function, "jinja_pass_arg") else 1
    rest = [one.replace(annotation=one.empty) for one in signature.parameters.values()][taken:]
    return signature.replace(parameters=rest, return_annotation=signature.empty)


class _Grammar(NodeTransformer):
    """Walks a tree once: refuses, rewrites, and puts in what pays for the work."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._depth = 0
        self._parts = 0
        self.problems: list[Unfitting] = []

    def visit(self, node: nodes.Node, *args: object, **kwargs: object) -> object:
        if type(node) not in _ALLOWED:
            spoken = _SPOKEN.get(type(node), f"`{type(node).__name__}`")
            self._refuse(node, f"{spoken} is not available in prompt templates")
            return node
        self._parts += 1
        if self._parts > MAX_PARTS:
            if self._parts == MAX_PARTS + 1:
                self._refuse(
                    node, f"a template has at most {MAX_PARTS:,} parts", "write it shorter"
                )
            return node
        if self._depth >= MAX_NESTING:
            self._refuse(node, f"this is nested more than {MAX_NESTING} deep", "write it flatter")
            return node
        self._depth += 1
        try:
            return super().visit(node, *args, **kwargs)
        finally:
            self._depth -= 1

    def _refuse(self, node: nodes.Node, found: str, remedy: str = "") -> None:
        problem = Unfitting(node.lineno or 1, found, remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802
        return self._paid(node, 1)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._paid(node, node.lineno)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802
        return self._paid(node, node.lineno)

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802
        return self._paid(node, node.lineno)

    def _paid(self, node: _WithBody, line: int) -> nodes.Node:
        work = _number(_work(node.body), line)
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_through(work, SPEND), lineno=line))
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            self._refuse(node, "a recursive loop is not available in prompt templates")
        work = _number(_work([*node.body, node.test]), node.lineno)
        self.generic_visit(node)
        node.iter = _through(node.iter, EACH, work)
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name in _HIDDEN:
            self._refuse(node, f"'{node.name}' is not available in prompt templates")
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        if isinstance(node.value, (int, float)) and not abs(node.value) <= MAX_CONSTANT:
            self._refuse(node, "this number is too large", f"the largest is {MAX_CONSTANT:,}")
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._literal(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.ctx == "store" else self._literal(node, node.items)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._literal(node, node.items)

    def _literal(self, node: nodes.Literal, items: Sequence[nodes.Node]) -> nodes.Node:
        """A list of written-out values is as large as its text; any other is weighed."""
        if all(isinstance(item, nodes.Const) for item in items):
            return node
        return _through(node, LITERAL)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through(nodes.List(node.nodes, lineno=node.lineno), GLUE)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not any(one.op in {"in", "notin"} for one in node.ops):
            return node
        if len(node.ops) > 1:
            self._refuse(node, "`in` cannot stand in a chain of comparisons", "use `and`")
        found = _through(node.expr, IN, node.ops[0].expr)
        return found if node.ops[0].op == "in" else nodes.Not(found, lineno=node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        if node.expr2 is None:  # 'x' if a: nothing otherwise, as Jinja documents it
            node.expr2 = nodes.Const("", lineno=node.lineno)
        return self.generic_visit(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        nothing = nodes.Const(None, lineno=node.lineno)
        return _through(node.node, SLICE, *(bound or nothing for bound in bounds))

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self._plain_arguments(node)
        return self.generic_visit(node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self._known(node, "filter", self._environment.filters)
        return self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        self._known(node, "test", self._environment.tests)
        return self.generic_visit(node)

    def _plain_arguments(self, node: nodes.Call | nodes.Filter | nodes.Test) -> bool:
        if node.dyn_args is None and node.dyn_kwargs is None:
            return True
        self._refuse(node, "`*` and `**` in brackets are not available in prompt templates")
        return False

    def _known(
        self,
        node: nodes.Filter | nodes.Test,
        what: str,
        known: Mapping[str, object],
    ) -> None:
        if node.name not in known:
            words = [name for name in known if not name.startswith(" ")]
            likely = did_you_mean(node.name, words)
            remedy = f"{likely} there are: {', '.join(sorted(words))}".strip()
            self._refuse(node, f"there is no {what} '{node.name}'", remedy)
        elif self._plain_arguments(node):
            signature = _signature(cast("Callable[..., object]", known[node.name]))
            keywords = cast("list[nodes.Keyword]", node.kwargs)  # Jinja says pairs
            try:
                signature.bind(*node.args, **{one.key: None for one in keywords})
            except TypeError:
                self._refuse(
                    node,
                    f"the {what} '{node.name}' cannot take these values",
                    f"write it as {node.name}{signature}",
                )

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        return self._named(node)

    def visit_Extends(self, node: nodes.Extends) -> nodes.Node:  # noqa: N802
        return self._named(node)

    def visit_Import(self, node: nodes.Import) -> nodes.Node:  # noqa: N802
        return self._named(node)

    def visit_FromImport(self, node: nodes.FromImport) -> nodes.Node:  # noqa: N802
        return self._named(node)

    def _named(self, node: _Reference) -> nodes.Node:
        if not written_names(node.template):
            tag = type(node).__name__.lower().replace("fromimport", "import")
            self._refuse(node, f"`{tag}` needs a template's name written out", "write it in quotes")
        return node
