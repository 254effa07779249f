"""Handing: conversations that bring a picture to a host, where several hosts have the same."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

import httpx

from flows.providers.base.answers import document
from flows.providers.base.fields import link_in
from flows.providers.base.order import Handed, Picture
from flows.providers.base.outcomes import at_upload
from flows.providers.base.provider import Handing
from flows.providers.base.replies import RefusalKind, Refused

Refuse = Callable[[httpx.Response, RefusalKind], Refused]


def inline(picture: Picture) -> Handing:
    """No word is sent: the address holds the picture itself."""
    yield from ()
    data = base64.b64encode(picture.data).decode()
    return Handed(address=f"data:{picture.media_type};base64,{data}")


def presigned(
    first: httpx.Request,
    picture: Picture,
    refuse: Refuse,
    *,
    target: str,
    address: str,
    expires_at: datetime | None = None,
) -> Handing:
    """An upload in two steps: `first` asks for both addresses, found in the fields `target` (where
    the bytes go, often at another host: without the key) and `address` (where they then lie).
    """
    response = yield first
    answer = document(response) or {}
    put_to, lies_at = link_in(answer.get(target)), link_in(answer.get(address))
    if not response.is_success or put_to is None or lies_at is None:
        return refuse(response, at_upload(response.status_code))
    headers = {"Content-Type": picture.media_type}
    put = yield httpx.Request("PUT", put_to, headers=headers, content=picture.data)
    if put.is_success:
        return Handed(address=lies_at, expires_at=expires_at)
    # any other refusal is of the signature, which soon dies: a new one may pass
    is_input = put.status_code in (400, 413, 415)
    return refuse(put, RefusalKind.INPUT if is_input else RefusalKind.AGAIN)
