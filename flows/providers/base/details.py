"""Details: what became of a job, from its worker's own answer: `images`, or an error in FastAPI's
form, whose `detail` is a list of objects, a text or missing
(https://fastapi.tiangolo.com/tutorial/handling-errors/).
"""

from __future__ import annotations

from collections.abc import Mapping

from flows.providers.base.account import Account
from flows.providers.base.fields import link_in, text_in
from flows.providers.base.outcomes import at_ask
from flows.providers.base.refusals import is_moderation, shown
from flows.providers.base.replies import Done, Image, RefusalKind, Refused

Kinds = Mapping[str, RefusalKind]
"""`type` of an error to kind; any other is of the input: the same is refused again."""


def outcome(
    status: int, answer: Mapping[str, object], kinds: Kinds, account: Account
) -> Done | Refused | None:
    """What the answer of HTTP status `status` says of the job; None where it is not the worker's:
    then only this one read has failed, or something stands before it.
    """
    images = answer.get("images")
    if 200 <= status < 300 and isinstance(images, list):
        return _made(images, answer.get("seed"))
    code, _ = detail_in(answer)
    if status >= 500:
        # a model's error is a list, and a 5xx is free; a flat one may be of this read alone
        is_model = isinstance(answer.get("detail"), list) and code in kinds
        return failure(answer, kinds, account, billed=False) if is_model else None
    is_read = status == 429 or at_ask(status) is not RefusalKind.AGAIN
    if is_read or not answer or not (code or status == 422):
        return None
    return failure(answer, kinds, account, billed=None)


def failure(
    answer: Mapping[str, object], kinds: Kinds, account: Account, *, billed: bool | None
) -> Refused:
    """A job that ended without a picture, by the type of its error."""
    code, words = detail_in(answer)
    return Refused(
        kind=kinds.get(code, RefusalKind.INPUT),
        words=shown(words or code or "no reason is given", account),
        code=shown(code, account) if code else "",
        billed=billed,
    )


def detail_in(answer: Mapping[str, object]) -> tuple[str, str]:
    """Type and words of an error; empty where it has none.

    Of several types the first of moderation counts, else the first. A flat answer has its type in
    `error_type`, and its words in `detail`, `error` or `status`.
    """
    detail = answer.get("detail")
    rows = [one for one in detail if isinstance(one, dict)] if isinstance(detail, list) else []
    types = [found for row in rows if (found := text_in(row.get("type")))]
    types = sorted(types, key=is_moderation, reverse=True) or [text_in(answer.get("error_type"))]
    flat = [found for name in ("error", "status") if (found := text_in(answer.get(name)))]
    said = text_in(detail) or "; ".join(filter(None, map(_said, rows))) or "".join(flat[:1])
    return types[0], said


def _said(row: Mapping[str, object]) -> str:
    """`body.image_urls: field required`."""
    place = row.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    return ": ".join(filter(None, (where, text_in(row.get("msg")))))


def _made(images: list[object], seed: object) -> Done | Refused:
    found = (link_in(one.get("url")) for one in images if isinstance(one, dict))
    pictures = tuple(Image(url=url) for url in dict.fromkeys(filter(None, found)))
    if not pictures:
        words = "the job was completed without a picture"
        return Refused(kind=RefusalKind.FAILED, words=words, code="COMPLETED", billed=None)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        seed = None  # more no ledger holds
    return Done(images=pictures, seed=seed)
