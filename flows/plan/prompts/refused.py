"""Refused: what a template may not do or print, in words."""

from __future__ import annotations

from jinja2 import TemplateRuntimeError


class Refused(TemplateRuntimeError):
    """Raised while a template runs; whoever renders adds the template and the line."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.remedy = remedy
