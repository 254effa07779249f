"""Outcomes: what an HTTP status means at each step, where a host says nothing else, and how a
refusal is told.
"""

from __future__ import annotations

import httpx

from flows.providers.base.account import Account
from flows.providers.base.answers import retry_after_s
from flows.providers.base.refusals import shown
from flows.providers.base.replies import RefusalKind, Refused

_ACCOUNT = (*range(300, 400), 401, 402, 403)
_OPEN = (408, 409, 425, 499)


def at_create(status: int) -> RefusalKind:
    """UNKNOWN where the status leaves open whether it was bought."""
    if status in _ACCOUNT:
        return RefusalKind.ACCOUNT
    if status == 429:
        return RefusalKind.AGAIN
    is_refusal = 400 <= status < 500 and status not in _OPEN
    return RefusalKind.INPUT if is_refusal else RefusalKind.UNKNOWN


def at_ask(status: int) -> RefusalKind:
    """AGAIN where the status is of this one read: the job goes on."""
    if status in _ACCOUNT:
        return RefusalKind.ACCOUNT
    return RefusalKind.GONE if status in (404, 410) else RefusalKind.AGAIN


def at_upload(status: int) -> RefusalKind:
    """AGAIN where it may pass another time: nothing is paid."""
    kind = at_create(status)
    return RefusalKind.AGAIN if kind is RefusalKind.UNKNOWN else kind


def refusal(
    response: httpx.Response,
    kind: RefusalKind,
    account: Account,
    *,
    code: str,
    words: str,
    address: str,
    billed: bool | None = False,
    wait_s: float | None = None,
) -> Refused:
    """A refusal in the host's words, or in those of the whole answer where it has none.

    Args:
        response: the answer.
        kind: what it means.
        account: whose secrets are kept out of the words.
        code: the host's code; the HTTP status where it is empty.
        words: what the host says.
        address: the variable to check when the host redirects: a request is never sent on.
        billed: None where the host does not say; always so for an unknown outcome.
        wait_s: what the answer asks for elsewhere than in `Retry-After`.

    """
    words = shown(words or response.content.decode(errors="replace"), account)
    if 300 <= response.status_code < 400:
        words = f"{account.host} redirects; check {address}"
    elif response.is_success:
        words = f"an answer that is not understood: {words}"
    return Refused(
        kind=kind,
        words=words,
        code=shown(code or str(response.status_code), account),
        billed=None if kind is RefusalKind.UNKNOWN else billed,
        retry_after_s=retry_after_s(response, wait_s) if kind is RefusalKind.AGAIN else None,
    )
