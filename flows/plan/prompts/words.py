"""Words: what names mean in templates, and what is said of names that mean nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from jinja2 import StrictUndefined, UndefinedError
from jinja2.utils import missing

from flows.errors import did_you_mean, nearest
from flows.nouns.product import Product
from flows.plan.prompts.filters import FILTERS
from flows.plan.prompts.values import kind

_MAX_KNOWN = 24


class MissingName(UndefinedError):
    """Something unknown was used. `owner` is what was asked for it, None for the variables."""

    def __init__(self, message: str, hint: str, owner: object, name: object) -> None:
        super().__init__(message)
        self.hint = hint
        self.owner = owner
        self.name = name


class Missing(StrictUndefined):
    """An unknown name: may be tested with `is defined` and given a default, nothing else."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: object, **_kwargs: object) -> NoReturn:
        owner = None if self._undefined_obj is missing else self._undefined_obj
        raise MissingName(
            self._undefined_message, self._undefined_hint or "", owner, self._undefined_name
        )

    __str__ = __iter__ = __len__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _fail_with_undefined_error
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _fail_with_undefined_error
    __call__ = __getitem__ = __int__ = __float__ = __complex__ = _fail_with_undefined_error


class Words(Mapping[str, object]):
    """A set of named values that says its own name in errors; its methods cannot be reached."""

    __slots__ = ("label", "values_by_name")

    def __init__(self, label: str, values_by_name: Mapping[str, object]) -> None:
        self.label = label
        self.values_by_name = values_by_name

    def __getitem__(self, name: str) -> object:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __bool__(self) -> bool:
        return True

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def product_words(product: Product, *, locale: str, image: str, images: tuple[str, ...]) -> object:
    """What `product` is in templates: its fields in the locale's words, and nothing to call.

    A column that this catalogue has and that is blank is `""`; one that it has not is undefined.
    """
    fields = product.in_locale(locale) if locale and product.translations else product.fields
    return Words(
        "product",
        {
            **fields,
            "key": product.key,
            "title": fields.get("title") or product.title,
            "image": image,
            "images": images,
            "row": Words("product.row", product.row),
        },
    )


def missing_words(error: MissingName, variables: Mapping[str, object]) -> tuple[str, str]:
    """What is missing, and the remedy."""
    name, owner = str(error.name), error.owner
    if error.hint:
        return error.hint, ""
    if isinstance(owner, Mapping):
        return _missing_field(name, owner)
    if owner is not None:
        if isinstance(error.name, int):
            return f"{kind(owner)} has no entry {name}", "the first is 0"
        return f"{kind(owner)} has no '{name}'", f"write |{name}" if name in FILTERS else ""
    if name in variables:
        return (
            f"'{name}' is not known inside a template that is imported",
            "write {% import … with context %}",
        )
    return f"'{name}' is not defined", _known(name, variables)


def _missing_field(name: str, owner: Mapping[str, object]) -> tuple[str, str]:
    if not isinstance(owner, Words):
        return f"there is no '{name}' in this set of fields", _known(name, owner)
    row = owner.get("row")
    column = nearest(name, row) if isinstance(row, Words) else ""
    found = f"{owner.label} has no field '{name}'"
    if column and not nearest(name, owner):
        return found, f'did you mean {owner.label}.row["{column}"]?'
    return found, _known(name, owner)


def _known(name: str, words: Iterable[str]) -> str:
    names = sorted(map(str, words))
    shown = ", ".join(names[:_MAX_KNOWN]) + (", …" if len(names) > _MAX_KNOWN else "")
    return f"{did_you_mean(name, names)} known here: {shown or 'nothing'}".strip()
