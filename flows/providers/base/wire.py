"""Replies as plain text, for whoever hears them in one process and acts on them in another."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from flows.providers.base.replies import Done, Image, RefusalKind, Refused, Reply, Running


def written(reply: Reply | None) -> str:
    """A reply as JSON. What cannot be told in words (bytes, a state in between) becomes a wish to
    ask the host itself.
    """
    match reply:
        case Done(images=images) if all(image.url for image in images):
            return json.dumps(
                {
                    "kind": "done",
                    "urls": [image.url for image in images],
                    "seed": reply.seed,
                    "cost_usd": None if reply.cost_usd is None else str(reply.cost_usd),
                    "id": reply.id,
                }
            )
        case Refused():
            return json.dumps(
                {
                    "kind": "refused",
                    "refusal": reply.kind.value,
                    "words": reply.words,
                    "code": reply.code,
                    "billed": reply.billed,
                }
            )
        case Running():
            return json.dumps({"kind": "running"})
        case _:
            return json.dumps({"kind": "ask"})


def read(text: str) -> Reply | None:
    """The reply that was written, or None where the host itself is to be asked."""
    said: dict[str, Any] = json.loads(text)
    match said.get("kind"):
        case "done":
            cost = said.get("cost_usd")
            return Done(
                images=tuple(Image(url=url) for url in said["urls"]),
                seed=said.get("seed"),
                cost_usd=None if cost is None else Decimal(cost),
                id=said.get("id"),
            )
        case "refused":
            return Refused(
                kind=RefusalKind(said["refusal"]),
                words=said["words"],
                code=said["code"],
                billed=said["billed"],
            )
        case "running":
            return Running()
        case _:
            return None
