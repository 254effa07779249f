"""Folder: where templates lie; no name leads out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from jinja2 import Environment, TemplateNotFound
from jinja2.loaders import BaseLoader

from flows.errors import did_you_mean
from flows.plan.prompts.refused import Refused

MAX_FILE = 100_000
"""Bytes that a template may have."""

_MAX_LISTED = 24


class Folder(BaseLoader):
    """Reads templates of one folder; no name leads out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._sources: dict[str, str] = {}
        self.label = folder.name

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002
        template: str,
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        try:
            return self.read(template), None, None
        except Refused as refused:
            raise TemplateNotFound(template, refused.found) from refused

    def is_inside(self, name: str) -> bool:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or "\0" in name or "\\" in name or name.startswith("/"):
            return False
        return (self._folder / name).resolve().is_relative_to(self._folder)

    def holds(self, name: str) -> bool:
        return self.is_inside(name) and (self._folder / name).is_file()

    def read(self, name: str) -> str:
        """The text of a template.

        Raises:
            Refused: it is not there, not inside the folder, too large or not UTF-8.

        """
        if name not in self._sources:
            self._sources[name] = self._text(name)
        return self._sources[name]

    def _text(self, name: str) -> str:
        if not self.is_inside(name):
            raise Refused(f"'{name}' leads out of {self.label}/", f"templates lie in {self.label}/")
        path = self._folder / name
        if not path.is_file():
            there = sorted(self._names())
            remedy = did_you_mean(name.removeprefix(f"{self.label}/"), there)
            listed = f"there are: {', '.join(there[:_MAX_LISTED])}" if there else "it has none"
            raise Refused(f"no template '{name}' in {self.label}/", f"{remedy} {listed}".strip())
        if path.stat().st_size > MAX_FILE:
            raise Refused(f"'{name}' is too large: a template has at most {MAX_FILE:,} bytes")
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise Refused(
                f"'{name}' is not UTF-8 (byte {error.start})", "save it as UTF-8"
            ) from error
        except OSError as error:
            raise Refused(f"'{name}' cannot be read: {error.strerror}") from error

    def _names(self) -> Iterator[str]:
        for path in self._folder.rglob("*.j2"):
            yield path.relative_to(self._folder).as_posix()
