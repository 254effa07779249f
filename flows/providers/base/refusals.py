"""Refusals: an answer that is not one of success, in the host's words and without our secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

import httpx

from flows.nouns.address import shown as link_shown
from flows.providers.base.account import Account
from flows.providers.base.answers import document, retry_after_s, text_of
from flows.providers.base.replies import RefusalKind, Refused

_MODERATED = re.compile(
    r"moderat(ion|ed)|nsfw|content[ _-]?(policy|filter)|polic(y|ies)[ _-]?violat|flagged"
    r"|sensitive[ _-]?(content|information)|violat\w* .{0,40}polic(y|ies)|inappropriate",
    re.IGNORECASE,
)
# "retry in 8 s", "try again after 30 seconds"
_WAIT = re.compile(r"\b(?:in|after|wait)\s+(\d{1,5}(?:\.\d{1,3})?)\s*s(?:ec|\b)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|data:image/)[^\s\"'<>\\]+", re.IGNORECASE)
_MOST_READ = 8_000


def is_moderation(words: str) -> bool:
    """Whether the words speak of a filter: a guess, for hosts that publish no code for it."""
    return _MODERATED.search(words) is not None


def words_in(names: Iterable[str], *parts: Mapping[str, object]) -> str:
    """What these fields of an answer say, each once; what is not text is told as JSON."""
    found: list[str] = []
    for part in parts:
        for value in map(part.get, names):
            if isinstance(value, str):
                found.append(value.strip())
            elif isinstance(value, dict | list) and value:
                found.append(json.dumps(value))
    return ": ".join(dict.fromkeys(filter(None, found)))


def shown(words: str, account: Account) -> str:
    """A host's words for a person's eyes: no key, no secret, nothing that signs a link."""
    # before anything is cut: half a key is a secret too
    for hidden in filter(None, (account.key, account.secret)):
        words = words.replace(hidden, "…")
    plain = _LINK.sub(lambda link: link_shown(link[0]), words[:_MOST_READ].replace("\\/", "/"))
    # JSON may hold halves of characters that no file and no terminal takes
    return text_of(httpx.Response(200, content=plain.encode(errors="replace")))


def refused(
    response: httpx.Response,
    kind: RefusalKind,
    account: Account,
    *,
    names: Iterable[str],
    address: str,
    billed: bool | None = False,
    waits: Iterable[float] = (),
) -> Refused:
    """A refusal told by its HTTP status.

    Args:
        response: the answer.
        kind: what its status means. INPUT becomes MODERATION where the words say so.
        account: whose secrets are kept out of the words.
        names: the fields of the answer that hold words.
        address: the variable to check when the host redirects: a request is never sent on.
        billed: None where the host does not say; always so for an unknown outcome.
        waits: seconds that the answer asks for elsewhere than in `Retry-After` and in words.

    """
    said = words_in(names, document(response) or {})
    words = shown(said or response.content.decode(errors="replace"), account)
    wait: float | None = None
    if response.is_success:
        words = f"an answer that is not understood: {words}"
    elif 300 <= response.status_code < 400:
        words = f"{account.host} redirects; check {address}"
    elif kind is RefusalKind.INPUT and is_moderation(words):
        kind = RefusalKind.MODERATION
    if kind is RefusalKind.AGAIN:
        hint = _WAIT.search(words)
        wait = retry_after_s(response, *waits, *([float(hint[1])] if hint else []))
    return Refused(
        kind=kind,
        words=words,
        code=str(response.status_code),
        billed=None if kind is RefusalKind.UNKNOWN else billed,
        retry_after_s=wait,
    )
