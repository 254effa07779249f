"""One request on its way through a host: its key, its body, and the faults that hit it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from starlette.requests import Request

from flows.sandbox import forms
from flows.sandbox.faults import Rule
from flows.sandbox.links import absolute
from flows.sandbox.refused import Refused
from flows.sandbox.times import At


@dataclass(slots=True)
class Call:
    """What a handler is given."""

    request: Request
    at: At
    hits: dict[str, Rule] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)

    def hit(self, kind: str) -> bool:
        """Whether the faults file wants this to happen to this request."""
        return kind in self.hits

    @property
    def is_broke(self) -> bool:
        return self.key.startswith("broke-")

    @property
    def is_locked(self) -> bool:
        return self.key.startswith("locked-")

    def path(self, name: str) -> str:
        """A part of the path, by its name in the route."""
        return str(self.request.path_params.get(name, ""))

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    def url(self, path: str) -> str:
        """A path of the sandbox as an absolute URL for this client."""
        return absolute(self.request, path)

    def json(self) -> dict[str, Any]:
        """The body, a JSON object.

        Raises:
            Refused: 400, another media type, no JSON, or not an object.

        """
        media = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Refused(400, f"Content-Type must be application/json, got {media or 'none'}")
        try:
            document = json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "the body is not valid JSON") from error
        if not isinstance(document, dict):
            raise Refused(400, "the body must be a JSON object")
        return document

    def form(self) -> list[forms.Part]:
        """The body's parts, multipart/form-data.

        Raises:
            Refused: 400, another media type or a broken body.

        """
        return forms.parts(self.request.headers.get("content-type", ""), self.body)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
