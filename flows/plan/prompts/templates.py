"""Prompts: Jinja templates, strict about missing words and unable to reach anything.

A template sees the variables that it is given and other templates of its folder, nothing else. It
gives plain text: lines stripped, at most one blank line in a row, no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import jinja2
from jinja2 import TemplateError, TemplateSyntaxError, meta

from flows.errors import BadInput, Fault
from flows.plan.prompts import grammar
from flows.plan.prompts.apart import LEFT_OUT, MARK, Memory, apart
from flows.plan.prompts.folder import MAX_FILE, Folder
from flows.plan.prompts.mentions import fields_of, mentions
from flows.plan.prompts.meter import METER, Meter, weight
from flows.plan.prompts.refused import Refused
from flows.plan.prompts.sandbox import Sandbox
from flows.plan.prompts.syntax import plain_words
from flows.plan.prompts.values import MAX_TEXT
from flows.plan.prompts.words import MissingName, Words, missing_words

MAX_PROMPT = 20_000
"""Characters that a rendered text may have."""

_RUNNING = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError)
_HARMLESS = frozenset({Words, bool, int, float, type(None)})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANK_LINES = re.compile(r"\n{3,}")

OF_OUTPUT = frozenset({"name", "aspect_ratio"})
"""What a template may know of the output that it is rendered for."""

Where = Callable[[str | None, int], str]


def tidy(text: str) -> str:
    """Lines stripped, runs of blank lines made one, control characters gone."""
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
    lines = "\n".join([line.strip() for line in text.splitlines()])
    if "\n\n\n" in lines:
        lines = _BLANK_LINES.sub("\n\n", lines)
    return lines.strip()


@dataclass(frozen=True, slots=True)
class _Read:
    """A template with all that it includes, imports and extends."""

    names: frozenset[str]
    fields: frozenset[str] | None
    faults: tuple[Fault, ...]
    own: frozenset[str] = frozenset()
    """Names that it uses without the templates in `apart`."""
    apart: frozenset[str] = frozenset()
    """Included templates that may be rendered apart from it."""


class Template:
    """A compiled template; its `names` tell when rendering again would say the same."""

    def __init__(
        self,
        program: jinja2.Template,
        where: Where,
        place: str,
        read: _Read,
        parts: Mapping[str, tuple[jinja2.Template, tuple[str, ...]]],
        memory: Memory,
    ) -> None:
        self._program = program
        self._where = where
        self._place = place
        self._parts = parts
        self._memory = memory
        self.own_names = read.own
        """Variables that it uses without those included templates that are rendered apart."""
        self.names = read.names
        """Variables that it may use, those of included, imported and extended templates too."""
        self.product_fields = read.fields
        """Fields of `product` that it may use; None where that cannot be told."""

    def render(self, variables: Mapping[str, object], *, required: bool = False) -> str:
        """The text for these variables; the same variables always give the same text.

        Raises:
            BadInput: with one fault: template and line, what is wrong there and the remedy. With
                `required`, a text without a word is wrong too.

        """
        self._check(variables)
        return self._finished(self._raw(self._program, variables), required=required)

    def for_outputs(self, variables: Mapping[str, object]) -> Callable[[Mapping[str, object]], str]:
        """`render` for many outputs of one brief: what they have in common is rendered once.

        `variables` are those of the brief; the function that is given back takes them with the
        output's own words (`name`, `aspect_ratio`).

        Raises:
            BadInput: as `render` does, here and from the function.

        """
        if not self._parts or not self.own_names.isdisjoint(OF_OUTPUT):
            return self.render
        self._check(variables)
        token = LEFT_OUT.set((self._program.name or "", frozenset(self._parts)))
        try:
            meter = Meter()
            pieces = self._raw(self._program, variables, meter).split(MARK)
        finally:
            LEFT_OUT.reset(token)
        if len(pieces) != 2 * meter.left_out + 1:
            return self.render  # the words themselves hold the mark

        def render(more: Mapping[str, object]) -> str:
            texts = [
                self._part(piece, more) if number % 2 else piece
                for number, piece in enumerate(pieces)
            ]
            return self._finished("".join(texts), required=False)

        return render

    def _part(self, name: str, variables: Mapping[str, object]) -> str:
        program, names = self._parts[name]
        return self._memory.of(name, names, variables, lambda: self._raw(program, variables))

    def _raw(
        self,
        program: jinja2.Template,
        variables: Mapping[str, object],
        meter: Meter | None = None,
    ) -> str:
        token = METER.set(meter or Meter())
        try:
            text = "".join(program.root_render_func(program.new_context(dict(variables))))
            text.encode()
        except _RUNNING as error:
            raise self._bad(self._fault(error, variables)) from error
        finally:
            METER.reset(token)
        return text

    def _finished(self, raw: str, *, required: bool) -> str:
        text = tidy(raw)
        if len(text) > MAX_PROMPT:
            raise self._bad(
                Fault(
                    self._place,
                    f"renders to {len(text):,} characters (at most {MAX_PROMPT:,})",
                    remedy="shorten what it prints: |shorten(400)",
                )
            )
        if required and not text:
            raise self._bad(Fault(self._place, "renders to nothing", remedy="write a prompt"))
        return text

    def _bad(self, fault: Fault) -> BadInput:
        return BadInput(f"{self._place} cannot be rendered", [fault])

    def _check(self, variables: Mapping[str, object]) -> None:
        """Variables are text, numbers, nothing, and lists and sets of these."""
        for name, value in variables.items():
            if isinstance(value, str):
                if len(value) <= MAX_TEXT:
                    continue
                found = f"holds {len(value):,} characters (at most {MAX_TEXT:,})"
            elif type(value) in _HARMLESS:
                continue
            else:
                try:
                    found = f"holds {stranger}" if (stranger := _stranger(value)) else ""
                except Refused as refused:
                    found = refused.found
            if found:
                raise self._bad(Fault(self._place, f"the variable '{name}' {found}"))

    def _fault(self, error: Exception, variables: Mapping[str, object]) -> Fault:
        name, line = _spot(error.__traceback__)
        if isinstance(error, MissingName):
            found, remedy = missing_words(error, variables)
        elif isinstance(error, Refused):
            found, remedy = error.found, error.remedy
        elif isinstance(error, RecursionError):
            found, remedy = "this calls itself without end", ""
        elif isinstance(error, ZeroDivisionError):
            found, remedy = "this divides by zero", ""
        elif isinstance(error, UnicodeEncodeError):
            found, remedy = "the text holds half a character (a lone surrogate)", ""
        elif "not supported between" in str(error):
            found, remedy = "text and numbers cannot be compared", "make a number of text: |float"
        else:
            found, remedy = f"this cannot be done: {error}", ""
        return Fault(self._where(name, line), found, remedy=remedy)


class Templates:
    """The templates of one folder, read once: a file that changes later changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._files = Folder(folder)
        self._environment = Sandbox(self._files)
        self._reads: dict[str, _Read] = {}
        self._memory = Memory()

    def compile(
        self, *, file: str | None = None, text: str | None = None, place: str = ""
    ) -> Template:
        """A template of the folder, or one written out in a campaign at `place`.

        Raises:
            BadInput: with one fault for each problem, those of included templates too.

        """
        if (file is None) == (text is None):
            msg = "exactly one of file and text"
            raise ValueError(msg)
        source = text or ""
        label = place or "prompt text"
        is_long = "\n" in source.strip()

        def where(name: str | None, line: int) -> str:
            if name is not None:
                return f"{self._files.label}/{name}:{line}"
            return f"{label}, line {line}" if is_long else label

        if file is not None:
            label = f"{self._files.label}/{file}"
            read = self._examined(file, where, place or label, ())
        else:
            read = self._parsed(None, source, where, ())
        if read.faults:
            raise BadInput(f"{label} cannot be used", read.faults)
        get = self._environment.get_template
        program = get(file) if file is not None else self._environment.from_string(source)
        # Jinja's chain of dictionaries is gone through anew for every rendering
        program.globals = dict(program.globals)
        parts = {
            name: (get(name), tuple(sorted(self._reads[name].names)))
            for name in read.apart
            if name in self._reads
        }
        return Template(program, where, label, read, parts, self._memory)

    def _examined(self, name: str, where: Where, asked: str, above: tuple[str, ...]) -> _Read:
        """Read a template of the folder; `asked` is the place that names it."""
        if name in above:
            chain = " > ".join([*above[above.index(name) :], name])
            return _unread(Fault(asked, f"a template includes itself: {chain}"))
        if name not in self._reads:
            try:
                source = self._files.read(name)
            except Refused as refused:
                return _unread(Fault(asked, refused.found, remedy=refused.remedy))
            self._reads[name] = self._parsed(name, source, where, (*above, name))
        return self._reads[name]

    def _parsed(self, name: str | None, source: str, where: Where, above: tuple[str, ...]) -> _Read:
        if len(source.encode(errors="replace")) > MAX_FILE:
            return _unread(Fault(where(name, 1), f"a template has at most {MAX_FILE:,} bytes"))
        try:
            tree = self._environment.parse(source, name)
            names = meta.find_undeclared_variables(tree)
            self._environment.compile(tree, name)
        except grammar.Unfit as unfit:
            problems = [(one.line, one.found, one.remedy) for one in unfit.problems]
        except TemplateSyntaxError as error:
            problems = [(error.lineno, *plain_words(error.message or ""))]
        except (RecursionError, MemoryError, SyntaxError):
            problems = [(1, "this is nested too deep", "write it flatter")]
        except ValueError:  # Jinja's reader turns 5,000 digits into a number
            problems = [(1, "it holds a number that is too large", "")]
        else:
            read = _Read(frozenset(names), fields_of(tree, "product"), (), frozenset(names))
            whole = self._with_others(read, tree, lambda line: where(name, line), where, above)
            # an inline text has no name by which its own includes could be told from others'
            left_out = apart(tree, self._names_of) if name is not None else frozenset()
            staying = {one for mention in mentions(tree) for one in mention.names} - left_out
            own = read.own.union(*map(self._names_of, staying))
            return replace(whole, apart=left_out, own=own)
        return _unread(
            *(Fault(where(name, line), found, remedy=remedy) for line, found, remedy in problems)
        )

    def _with_others(
        self,
        read: _Read,
        tree: jinja2.nodes.Template,
        here: Callable[[int], str],
        where: Where,
        above: tuple[str, ...],
    ) -> _Read:
        names, fields, faults = set(read.names), read.fields, list(read.faults)
        for mention in mentions(tree):
            there = [name for name in mention.names if self._files.holds(name)]
            if not there and mention.may_be_absent:
                there = [name for name in mention.names if not self._files.is_inside(name)]
            elif not there:
                there = list(mention.names[:1])
            for name in there:
                other = self._examined(name, where, here(mention.line), above)
                names |= other.names
                fields = None if fields is None or other.fields is None else fields | other.fields
                faults += other.faults
        return _Read(frozenset(names), fields, tuple(dict.fromkeys(faults)), read.own)

    def _names_of(self, name: str) -> frozenset[str]:
        return self._reads[name].names if name in self._reads else frozenset()


def _unread(*faults: Fault) -> _Read:
    return _Read(frozenset(), None, faults)


def _stranger(value: object) -> str:
    """What in a variable is no text, number or list of these; empty where all is well."""
    weight(value)
    length = 0
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif isinstance(one, Mapping):
            waiting.extend([*one, *one.values()])
        elif isinstance(one, str):
            length += len(one)
        elif not (one is None or isinstance(one, (int, float))):
            return f"a {type(one).__name__}; only text, numbers and lists of them can be used"
    return f"{length:,} characters (at most {MAX_TEXT:,})" if length > MAX_TEXT else ""


def _spot(trace: TracebackType | None) -> tuple[str | None, int]:
    """Template and line that ran when an error was raised, the innermost."""
    name, line = None, 1
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            name, line = template.name, template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return name, line
