"""Replicate: predictions around a partner's model; what they made is deleted after an hour.

Failures of the partner (BytePlus) come back as text inside `error`
(https://replicate.com/docs/topics/predictions/lifecycle, https://api.replicate.com/openapi.json,
https://replicate.com/docs/topics/webhooks/verify-webhook).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from urllib.parse import quote

import httpx

from flows.providers.base import (
    Accepted,
    Capabilities,
    Done,
    Handed,
    Handing,
    Heard,
    Image,
    Job,
    Limits,
    Listed,
    Order,
    Picture,
    PixelShapes,
    Provider,
    ReferenceLimits,
    RefusalKind,
    Refused,
    Reply,
    Running,
    Treatment,
    UnverifiedError,
    Way,
    Window,
    document,
)
from flows.providers.base.addresses import address_of
from flows.providers.base.ark_codes import ark_code_in, ark_kind
from flows.providers.base.echo import Echo
from flows.providers.base.fields import job_in, link_in, moment_in, text_in
from flows.providers.base.refusals import is_moderation, refused, shown, words_in
from flows.providers.base.signatures import standard_webhook

ADDRESS = "REPLICATE_BASE_URL"
MODEL = "bytedance/seedream-4"

CAPABILITIES = Capabilities(
    treatments={
        "prompt": Treatment(Way.PASSED, "prompt", "the host enhances it; length not published"),
        "references": Treatment(Way.CONVERTED, "image_input", "10; uploaded above 256 kB"),
        "size": Treatment(Way.CONVERTED, "width, height", "size custom; 1024 to 4096 a side"),
        "aspect_ratio": Treatment(Way.CONVERTED, "width, height", "as pixels"),
        "resolution": Treatment(Way.CONVERTED, "width, height", "as pixels"),
        "n": Treatment(Way.EMULATED, "max_images", "one call a take; its own is an upper bound"),
        "seed": Treatment(Way.NONE, "", "no such input"),
        "guidance": Treatment(Way.NONE, "", "no such input"),
        "safety": Treatment(Way.NONE, "", "no switch before 4.5; always on"),
        "callback": Treatment(Way.RENAMED, "webhook", "signed; the end only"),
    },
    shapes=PixelShapes(least_side=1024, most_side=4096),
    references=ReferenceLimits(count=10, most_bytes=10_000_000, by="upload", least_side=15),
    together=15,
)

LIMITS = Limits(
    windows=(Window(amount=600, per_s=60, counts="creates"), Window(amount=3000, per_s=60)),
    running=60,
)
MOST_INLINE = 256_000
"""Longest data URI: the bound for a file, held for its encoded form, since too long a one breaks
the host's reading of the whole request (https://github.com/replicate/replicate-go/issues/24)."""
FILE_LIFE = timedelta(hours=1)  # the shorter of two published, where the answer does not say

AT_CREATE = dict.fromkeys((400, 404, 413, 422), RefusalKind.INPUT) | {429: RefusalKind.AGAIN}
AT_CREATE |= dict.fromkeys((401, 402, 403, *range(300, 400)), RefusalKind.ACCOUNT)
"""HTTP status of a refused create; any other leaves it open."""
AT_ASK = {404: RefusalKind.GONE} | dict.fromkeys((401, 402, 403), RefusalKind.ACCOUNT)

# "successful" stands in two older examples of the documentation, and in no list of states
ENDED_WELL = ("succeeded", "successful")
ENDED_BADLY = {"failed": False, "aborted": False, "canceled": None, "cancelled": None}
"""State to whether it is billed; None: may be (https://replicate.com/docs/topics/billing)."""

ECHO = Echo(
    rows="results",
    id="id",
    model="model",
    the_model=MODEL,
    inputs="input",
    defaults={"image_input": [], "size": "2K", "width": 2048, "height": 2048, "max_images": 1},
)
"""Until the inputs are deleted, an hour after the end."""

_FLAGGED = "E005"  # seen at a sibling model, in no table of codes
_PLATFORM_CODE = re.compile(r"\bE\d{3,4}\b")  # https://replicate.com/docs/reference/error-codes
_RESET = re.compile(r"resets in ~?(\d{1,5}(?:\.\d{1,3})?)\s*s", re.IGNORECASE)
_MOST_WAIT_S, _MOST_QUERY = 1e6, 4_000
_WORDS = ("title", "detail", "invalid_fields", "error")


class Host(Provider):
    """One create request, one poll; results at open addresses for an hour."""

    name: ClassVar[str] = "replicate"
    title: ClassVar[str] = "Replicate"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "REPLICATE_API_TOKEN"
    secret_variable: ClassVar[str | None] = "REPLICATE_WEBHOOK_SECRET"  # noqa: S105  # a name
    addresses: ClassVar[Mapping[str, str]] = {ADDRESS: "https://api.replicate.com/v1"}
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    limits: ClassVar[Limits] = LIMITS
    limits_note: ClassVar[str] = (
        "600 creates and 3000 other requests a minute are published (6 creates below $5 of"
        " credit); 60 running is a careful guess"
    )
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.03")
    price_note: ClassVar[str] = "from price lists of others; no answer says a cost"
    latency_s: ClassVar[float] = 15.0
    is_synchronous: ClassVar[bool] = False
    requests_per_take: ClassVar[float] = 5.0
    lists_results: ClassVar[bool] = True
    echo: ClassVar[Echo | None] = ECHO

    def hand_over(self, picture: Picture) -> Handing:
        """A small picture becomes a data URI, and nothing is sent."""
        inline = f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
        if len(inline) <= MOST_INLINE:
            return Handed(address=inline)
        file = (picture.file_name, picture.data, picture.media_type)
        response = yield self._request("POST", "/files", files={"content": file})
        answer = document(response) or {}
        upload = job_in(answer, "id")
        if not response.is_success or upload is None:
            # nothing is paid here, so whatever is not a plain refusal may be tried again
            return self._refused(response, AT_CREATE.get(response.status_code, RefusalKind.AGAIN))
        urls = answer.get("urls")
        # the host wants its own address back as it is; it is named to the host, never sent to
        address = link_in(urls.get("get")) if isinstance(urls, dict) else None
        return Handed(
            address=address
            or f"{address_of(self.account, ADDRESS)}/files/{quote(upload.id, safe='')}",
            expires_at=moment_in(answer.get("expires_at")) or datetime.now(UTC) + FILE_LIFE,
        )

    def submit(self, order: Order) -> httpx.Request:
        width, height = order.size.pixels
        wished: dict[str, object] = {
            "prompt": order.recipe.prompt,
            "size": "custom",
            "width": width,
            "height": height,
            "sequential_image_generation": "disabled",
            "max_images": 1,
        }
        if order.is_edit:
            wished["image_input"] = list(order.addresses)
        body: dict[str, object] = {"input": wished}
        if order.callback:
            body |= {"webhook": order.callback, "webhook_events_filter": ["completed"]}
        request = self._request("POST", f"/models/{MODEL}/predictions", body)
        # caps the bill of a job that nobody waits for any more
        request.headers["Cancel-After"] = "30m"
        return request

    def signature(self, order: Order) -> str:
        return ECHO.signature(MODEL, json.loads(self.submit(order).content)["input"])

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        if not response.is_success:
            kind = AT_CREATE.get(response.status_code, RefusalKind.UNKNOWN)
            return self._refused(response, kind)
        # whatever its state: the id is what was bought, and asking settles the rest
        job = job_in(document(response) or {}, "id")
        return Accepted(job=job) if job else self._refused(response, RefusalKind.UNKNOWN)

    def ask(self, job: Job) -> httpx.Request:
        return self._request("GET", f"/predictions/{quote(job.id, safe='')}")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del job
        answer = document(response)
        if not response.is_success or not answer or not text_in(answer.get("status")):
            kind = AT_ASK.get(response.status_code, RefusalKind.AGAIN)
            return self._refused(response, kind, billed=None)
        if reply := self._state(answer):
            return reply
        words = "the prediction ended in success without a picture"
        return Refused(kind=RefusalKind.FAILED, words=words, code="succeeded", billed=None)

    def cancel(self, job: Job) -> httpx.Request | None:
        return self._request("POST", f"/predictions/{quote(job.id, safe='')}/cancel")

    def cancelled(self, response: httpx.Response) -> bool:
        """The answer is the prediction, which may have ended well in the meantime."""
        state = text_in((document(response) or {}).get("status"))
        return response.is_success and state in ("canceled", "cancelled", "aborted")

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return self._request("GET", f"/predictions?created_after={quote(start, safe='')}")

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        answer = (document(response) or {}) if response.is_success else {}
        rows = answer.get("results")
        found: list[Listed] = []
        for row in rows if isinstance(rows, list) else ():
            job = job_in(row, "id") if isinstance(row, dict) else None
            # the list is the account's: other models are in it
            if job is None or text_in(row.get("model")) not in ("", MODEL):
                continue
            sent = row.get("input")
            prompt = sent.get("prompt") if isinstance(sent, dict) else None
            found.append(
                Listed(
                    job=job,
                    reply=self._state(row) if text_in(row.get("status")) else None,
                    created_at=moment_in(row.get("created_at")),
                    prompt=prompt if isinstance(prompt, str) else None,
                )
            )
        following = link_in(answer.get("next"))
        # only its query: the key goes to the account's own address
        query = httpx.URL(following).query.decode() if following else ""
        is_usable = 0 < len(query) <= _MOST_QUERY
        return found, self._request("GET", f"/predictions?{query}") if is_usable else None

    def callback_keys(self) -> httpx.Request | None:
        """None where the secret is set by hand."""
        return None if self.account.secret else self._request("GET", "/webhooks/default/secret")

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        published = document(httpx.Response(200, content=keys)) or {}
        secrets = (self.account.secret, text_in(published.get("key")))
        message = standard_webhook(headers, body, tuple(map(_key, secrets)), now)
        said = document(httpx.Response(200, content=body)) or {}
        if (job := job_in(said, "id")) is None:
            raise UnverifiedError("the callback names no prediction")
        reply = self._state(said) if text_in(said.get("status")) else None
        return Heard(job=job, reply=reply, message_id=message)

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> httpx.Request:
        headers = {"Authorization": f"Bearer {self.account.key}"}
        address = address_of(self.account, ADDRESS) + path
        return httpx.Request(method, address, headers=headers, json=body, files=files)

    def _state(self, answer: Mapping[str, object]) -> Reply | None:
        """What a prediction says; None where it says success and shows nothing."""
        state = text_in(answer.get("status")).lower()
        if state in ENDED_WELL:
            output = answer.get("output")
            links = map(link_in, output if isinstance(output, list) else [output])
            if images := tuple(Image(url=url) for url in dict.fromkeys(filter(None, links))):
                return Done(images=images)
            if answer.get("data_removed") is not True:
                return None
            words = "the host has deleted what it made; it keeps it for an hour"
            return Refused(kind=RefusalKind.GONE, words=words, code="data_removed", billed=True)
        if state not in ENDED_BADLY:
            return Running()
        words = words_in(("error",), answer)
        platform = _PLATFORM_CODE.search(words)
        code = ark_code_in(words) or (platform[0] if platform else "")
        kind = ark_kind(code)
        if code == _FLAGGED or is_moderation(words):
            kind = RefusalKind.MODERATION
        elif kind not in (RefusalKind.INPUT, RefusalKind.MODERATION):
            kind = None  # the partner's account and limits are the host's business, not ours
        return Refused(
            kind=kind or RefusalKind.FAILED,
            words=shown(words or f"the prediction ended in {state}", self.account),
            code=shown(code or state, self.account),
            billed=ENDED_BADLY[state],
        )

    def _refused(
        self, response: httpx.Response, kind: RefusalKind, *, billed: bool | None = False
    ) -> Refused:
        answer = document(response) or {}
        wait, hint = answer.get("retry_after"), _RESET.search(text_in(answer.get("detail")))
        waits = [float(hint[1])] if hint else []
        if isinstance(wait, int | float) and 0 <= wait < _MOST_WAIT_S:
            waits.append(float(wait))
        return refused(
            response, kind, self.account, names=_WORDS, address=ADDRESS, billed=billed, waits=waits
        )


def _key(secret: str) -> bytes:
    """What signs: the base64 after `whsec_`; empty where it is none."""
    try:
        return base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""
