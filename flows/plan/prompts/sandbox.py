"""Sandbox: Jinja that cannot reach anything, cannot run away and cannot print nonsense.

Nothing here looks at a clock: templates are bounded by counted work (`Meter`), so that a plan is
the same on every machine. What a template may *say* is decided when it is read (grammar.py); what
its values may *do* is decided here: no Python attribute is ever looked up on a value.
"""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Mapping
from typing import Any, cast

from jinja2 import nodes, pass_context
from jinja2.environment import TemplateModule
from jinja2.loaders import BaseLoader
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from flows.plan.prompts import grammar
from flows.plan.prompts.apart import LEFT_OUT, Stub
from flows.plan.prompts.filters import FILTERS
from flows.plan.prompts.meter import METER, metered, weight
from flows.plan.prompts.refused import Refused
from flows.plan.prompts.values import MAX_NUMBER, MAX_TEXT, entries, glued, kind, printable, whole
from flows.plan.prompts.words import Missing

_Function = Callable[..., Any]

MAX_DEPTH = 40
"""Macros within macros."""
MAX_RANGE = 1_000

_LOOP_WORDS = frozenset(
    {
        "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0",
        "previtem", "nextitem",
    }
)  # fmt: skip
_LOOP_CALLS = frozenset({"cycle", "changed"})
_TEST_NAMES = (
    "none", "boolean", "string", "number", "integer", "float", "mapping", "sequence", "true",
    "false", "odd", "even", "divisibleby", "lower", "upper", "==", "eq", "equalto", "!=", "ne", ">",
    "gt", "greaterthan", ">=", "ge", "<", "lt", "lessthan", "<=", "le",
)  # fmt: skip
_TEXT_METHODS: dict[str, Callable[..., object]] = {
    "lower": FILTERS["lower"],
    "upper": FILTERS["upper"],
    "title": FILTERS["title"],
    "capitalize": FILTERS["capitalize"],
    "strip": FILTERS["trim"],
    "replace": FILTERS["replace"],
    "split": FILTERS["split"],
    "startswith": lambda text, start: text.startswith(printable(start)),
    "endswith": lambda text, end: text.endswith(printable(end)),
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


class TextMethod:
    """`text.lower` and its few safe siblings, waiting for its brackets."""

    __slots__ = ("function", "name", "text")

    def __init__(self, text: str, name: str, function: Callable[..., object]) -> None:
        self.text = text
        self.name = name
        self.function = function

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self.function(self.text, *args, **kwargs)


@pass_context
def _printed(_context: Context, value: object) -> str:
    """What an output prints. It takes the context so that Jinja never runs it while compiling."""
    text = value if type(value) is str else printable(value)
    METER.get().spend(len(text) + 1)
    return text


def _range(*bounds: int) -> range:
    whole_bounds = [whole(bound, "range", -MAX_NUMBER, MAX_NUMBER) for bound in bounds]
    if not 1 <= len(bounds) <= 3 or (len(bounds) == 3 and not bounds[2]):
        raise Refused("range needs one to three whole numbers, the third not 0")
    made = range(*whole_bounds)
    if max(abs(bound) for bound in bounds) > MAX_NUMBER or len(made[: MAX_RANGE + 1]) > MAX_RANGE:
        raise Refused(f"a range has at most {MAX_RANGE:,} numbers")
    return made


def _spend(work: int) -> str:
    METER.get().spend(work)
    return ""


def _each(value: object, work: int) -> list[object]:
    """What a loop goes through; its whole work is paid before it begins."""
    found = entries(value, "a loop")
    METER.get().spend((len(found) + 1) * work)
    return found


def _literal(value: object) -> object:
    METER.get().spend(weight(value))
    return value


def _is_in(value: object, group: object) -> bool:
    if isinstance(group, str):
        return printable(value) in group
    if isinstance(value, (list, tuple)):
        raise Refused("a list cannot be looked for in another")
    return value in entries(group, "in")


def _slice(value: object, start: object, stop: object, step: object) -> object:
    if not isinstance(value, (str, list, tuple, range)):
        raise Refused(f"only text and lists have parts, this is {kind(value)}")
    bounds = [
        None if one is None else whole(one, "a part", -MAX_NUMBER, MAX_NUMBER)
        for one in (start, stop, step)
    ]
    part = value[slice(*bounds)]
    return list(part) if isinstance(part, range) else part


def _of_tests() -> dict[str, Callable[..., Any]]:
    tests = {name: metered(cast(_Function, TESTS[name])) for name in _TEST_NAMES}
    tests["in"] = metered(_is_in)
    for name in ("defined", "undefined"):
        tests[name] = metered(cast(_Function, TESTS[name]), knows_missing=True)
    return tests


def _of_filters() -> dict[str, Callable[..., Any]]:
    return {
        name: metered(function, knows_missing=name in {"default", "d"})
        for name, function in FILTERS.items()
    } | {
        grammar.SPEND: _spend,
        grammar.EACH: _each,
        grammar.LITERAL: _literal,
        grammar.IN: metered(_is_in),
        grammar.SLICE: metered(_slice),
        grammar.GLUE: metered(glued),
    }


_FILTERS = _of_filters()
_TESTS = _of_tests()


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            undefined=Missing,
            finalize=_printed,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # an included file ends its last line
            optimized=False,  # nothing runs while compiling: no work without a meter
            cache_size=-1,
            auto_reload=False,
        )
        self.globals.clear()
        self.globals["range"] = _range
        self.filters.clear()
        self.filters.update(_FILTERS)
        self.tests.clear()
        self.tests.update(_TESTS)

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> Any:  # noqa: A002
        """An included template, or what stands for it where it is put in later."""
        whose, left_out = LEFT_OUT.get()
        if parent is not None and parent == whose and name in left_out:
            return Stub(name)
        return super().get_template(name, parent, globals)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        return grammar.checked(tree, self)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is Missing:
            str(obj)  # raises, with its name
        if isinstance(obj, Mapping):
            if isinstance(argument, (str, int)) and argument in obj:
                return self._fitting(obj[argument])
        elif isinstance(argument, str):
            return self._word(obj, argument)
        elif (
            isinstance(obj, (str, list, tuple, range))
            and type(argument) is int
            and -len(obj) <= argument < len(obj)
        ):
            return self._fitting(obj[argument])
        return self.undefined(obj=obj, name=argument)

    def _fitting(self, value: object) -> object:
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise Refused(f"a text of {len(value):,} characters is too long (at most {MAX_TEXT:,})")
        return value

    def _word(self, obj: object, word: str) -> object:
        """What `.word` is of something that has no fields."""
        if isinstance(obj, str) and word in _TEXT_METHODS:
            return TextMethod(obj, word, metered(_TEXT_METHODS[word]))
        if isinstance(obj, LoopContext) and word in _LOOP_WORDS | _LOOP_CALLS:
            return getattr(obj, word)
        if isinstance(obj, TemplateModule) and not word.startswith("_") and word in vars(obj):
            return vars(obj)[word]
        return self.undefined(obj=obj, name=word)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        meter = METER.get()
        meter.spend(10)
        if isinstance(obj, Undefined):
            str(obj)  # raises, with its name
        if isinstance(obj, (Macro, BlockReference)):
            if meter.depth >= MAX_DEPTH:
                raise Refused(f"macros call one another more than {MAX_DEPTH} deep")
            meter.depth += 1
            try:
                return context.call(obj, *args, **kwargs)
            finally:
                meter.depth -= 1
        if not (obj is _range or isinstance(obj, TextMethod) or _is_loop_call(obj)):
            raise Refused(f"{kind(obj)} cannot be called", "only macros can, and range")
        for scope in ("_loop_vars", "_block_vars"):  # Jinja's own, for what takes the context
            kwargs.pop(scope, None)
        return obj(*args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises, with its name
        if operator in _ARITHMETIC and _is_number(left) and _is_number(right):
            return _bounded(_ARITHMETIC[operator](left, right))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return glued([left, right])
        if operator == "+" and isinstance(left, (list, tuple)) and isinstance(right, type(left)):
            return _literal([*left, *right])
        raise Refused(
            f"'{operator}' is not for {kind(left)} and {kind(right)}",
            "join texts with ~; make a number of text with |float",
        )

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ARG002
        if isinstance(arg, Undefined):
            str(arg)  # raises, with its name
        if not _is_number(arg):
            raise Refused(f"'{operator}' is not for {kind(arg)}")
        return -arg if operator == "-" else +arg


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _bounded(value: int | float) -> int | float:  # noqa: PYI041
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise Refused(f"a number grows beyond {MAX_NUMBER:.0e}")
    return value


def _is_loop_call(obj: object) -> bool:
    return (
        isinstance(obj, types.MethodType)
        and isinstance(obj.__self__, LoopContext)
        and obj.__name__ in _LOOP_CALLS
    )
