"""Lumenfall: what is sent, and what each of its answers means."""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import EnvironmentFault
from flows.nouns.recipe import ParameterValue, Recipe
from flows.nouns.take import Realm
from flows.providers.base import (
    PARAMETERS,
    Account,
    Done,
    Found,
    Image,
    Job,
    Limits,
    Listed,
    NotThere,
    Order,
    Picture,
    RefusalKind,
    Refused,
    Running,
    Size,
    Trace,
    Unclear,
)
from flows.providers.lumenfall import Host, trace_of
from tests.rooms.test_lookup import talk

KEY = "lmnfl_test-SECRET-123"
ORIGIN = "http://127.0.0.1:4711"
BASE, ACCOUNT = f"{ORIGIN}/hosts/lumenfall/openai/v1", f"{ORIGIN}/hosts/lumenfall/v1"
LINK = "https://media.lumenfall.ai/abc.png"
PNG, JPEG = b"\x89PNG\r\n\x1a\n one", b"\xff\xd8\r\n-- two"
DIGEST = hashlib.sha256(b"take-1").hexdigest()


def host(**addresses: str) -> Host:
    account = Account(
        host="lumenfall",
        name="lumenfall",
        realm=Realm.SANDBOX,
        key=KEY,
        addresses=addresses or {"LUMENFALL_BASE_URL": BASE, "LUMENFALL_ACCOUNT_URL": ACCOUNT},
        limits=Limits(),
        usd_per_image=None,
        latency_s=1,
    )
    return Host(account)


def picture(data: bytes, media_type: str) -> Picture:
    sha256 = hashlib.sha256(data).hexdigest()
    return Picture(
        role="product", data=data, media_type=media_type, width=64, height=64, sha256=sha256
    )


def order(
    *pictures: Picture,
    seed: int | None = 7,
    parameters: Mapping[str, ParameterValue] | None = None,
    mark: str = "take-1",
) -> Order:
    recipe = Recipe(
        model="seedream-4",
        prompt="a cup “on” oak",
        ratio="4:3",
        tier="2K",
        seed=seed,
        parameters=parameters or {},
    )
    return Order(
        recipe=recipe,
        size=Size(shape=Fraction(4, 3), width=2048, height=1536),
        pictures=pictures,
        callback="https://studio.example/calls",
        mark=mark,
    )


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=content, headers=named)


def refused(response: httpx.Response) -> Refused:
    reply = host().submitted(response, order())
    assert isinstance(reply, Refused)
    return reply


def done(response: httpx.Response) -> Done:
    reply = host().submitted(response, order())
    assert isinstance(reply, Done)
    return reply


TEXT_BODY = {
    "model": "seedream-4",
    "prompt": "a cup “on” oak",
    "size": "2048x1536",
    "n": 1,
    "response_format": "url",
    "seed": 7,
}


def test_every_parameter_has_its_treatment() -> None:
    assert tuple(Host.capabilities.treatments) == PARAMETERS


def test_a_text_order_is_the_documented_request() -> None:
    request = host().submit(order())
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/images/generations")
    assert json.loads(request.content) == TEXT_BODY
    assert dict(request.headers) == {
        "host": "127.0.0.1:4711",
        "authorization": f"Bearer {KEY}",
        "x-lumenfall-replay": "off",
        "traceparent": f"00-{DIGEST[:32]}-{DIGEST[32:48]}-01",
        "content-type": "application/json",
        "content-length": str(len(request.content)),
    }


@pytest.mark.parametrize("count", [1, 2])
def test_an_edit_is_a_form_with_a_part_for_each_picture(count: int) -> None:
    pictures = (picture(PNG, "image/png"), picture(JPEG, "image/jpeg"))[:count]
    request = host().submit(order(*pictures))
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/images/edits")
    assert request.headers["x-lumenfall-replay"] == "off"
    assert request.headers["traceparent"] == f"00-{DIGEST[:32]}-{DIGEST[32:48]}-01"
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert len(boundary) >= 16
    parts = []
    for part in request.read().split(f"--{boundary}".encode())[1:-1]:
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = email.message_from_bytes(head, policy=email.policy.HTTP)
        disposition = named["content-disposition"].params
        parts.append(
            (
                disposition["name"],
                disposition.get("filename"),
                named["content-type"] and named.get_content_type(),
                body.removesuffix(b"\r\n"),
            )
        )
    wanted_pictures = [
        ("image[]", f"{hashlib.sha256(PNG).hexdigest()[:32]}.png", "image/png", PNG),
        ("image[]", f"{hashlib.sha256(JPEG).hexdigest()[:32]}.jpg", "image/jpeg", JPEG),
    ]
    assert parts == [
        *((name, None, None, str(value).encode()) for name, value in TEXT_BODY.items()),
        *wanted_pictures[:count],
    ]


async def _sent(request: httpx.Request) -> bytes:
    got: list[bytes] = []

    async def take(given: httpx.Request) -> httpx.Response:
        got.append(await given.aread())
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        await client.send(request)
    return got[0]


def test_the_form_can_be_sent_by_an_asynchronous_client() -> None:

    sent = asyncio.run(_sent(host().submit(order(picture(PNG, "image/png")))))
    assert PNG in sent
    assert sent.count(b'name="image[]"') == 1


def test_fields_of_one_route_are_never_sent() -> None:
    wished = order(parameters={"safety": False, "guidance": 2.5})
    assert json.loads(host().submit(wished).content) == TEXT_BODY
    assert not Host.capabilities.can_switch_safety_off


@pytest.mark.parametrize("seed", [None, -1, 2**31])
def test_a_seed_out_of_range_is_left_out(seed: int | None) -> None:
    assert "seed" not in json.loads(host().submit(order(seed=seed)).content)


def test_without_a_mark_there_is_no_trace() -> None:
    assert "traceparent" not in host().submit(order(mark="")).headers


def test_the_trace_of_a_mark_is_what_the_log_has() -> None:
    assert trace_of("take-1") == DIGEST[:32]


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ((2048, 2048), (2048, 2048)),
        ((1360, 764), (1360, 764)),
        ((500, 500), (960, 960)),
        ((3664, 4580), (3276, 4094)),
        ((8192, 1024), (4096, 512)),
    ],
)
def test_sizes_keep_within_the_bounds_of_every_route(
    wanted: tuple[int, int], asked: tuple[int, int]
) -> None:
    assert Host.capabilities.shapes.nearest(*wanted).pixels == asked


def test_without_an_address_nothing_is_sent_and_the_variable_is_named() -> None:
    with pytest.raises(EnvironmentFault, match="LUMENFALL_BASE_URL"):
        host(LUMENFALL_ACCOUNT_URL=ACCOUNT).submit(order())
    with pytest.raises(EnvironmentFault, match="LUMENFALL_ACCOUNT_URL"):
        host(LUMENFALL_BASE_URL=BASE).list_jobs(datetime.now(UTC))


def test_the_newer_answer_is_read_whole() -> None:
    body = {
        "id": "req_2m4j",
        "created": 1702345678,
        "size": "2048x1536",
        "data": [{"url": LINK, "revised_prompt": "a cup"}],
        "metadata": {"executed_model": "byteplus/seedream-4", "cost": 0.03, "cost_currency": "USD"},
    }
    assert done(answer(200, body, x_lumenfall_request_id="req_other")) == Done(
        images=(Image(url=LINK),), cost_usd=Decimal("0.03"), id="req_2m4j"
    )


def test_the_older_answer_has_its_id_in_a_header_and_no_cost() -> None:
    body = {"created": 1702345678, "data": [{"url": LINK}]}
    assert done(answer(200, body, x_lumenfall_request_id="req_2m4j")) == Done(
        images=(Image(url=LINK),), id="req_2m4j"
    )


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_picture_may_lie_in_the_answer(status: int) -> None:
    assert done(answer(status, {"data": [{"b64_json": "aW1n"}]})) == Done(
        images=(Image(data=b"img"),)
    )


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        {"cost": "0.03"},
        {"cost": -1},
        {"cost": True},
        {"cost": float("nan")},
        {"cost": 0.03, "cost_currency": "EUR"},
    ],
)
def test_a_cost_that_cannot_be_one_in_dollars_is_not_said(metadata: object) -> None:
    assert done(answer(200, {"data": [{"url": LINK}], "metadata": metadata})).cost_usd is None


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "billed"),
    [
        (400, "INVALID_REQUEST", "Model 'x' does not support image editing", "input", False),
        (400, "INVALID_REQUEST", "Invalid image file provided", "input", False),
        (400, "INVALID_REQUEST", "seedream-4 does not support multiple input images", "input", 0),
        (400, "INVALID_REQUEST", "Too big: expected string to have <=1000 characters", "input", 0),
        (400, "CONTENT_POLICY_VIOLATION", "Rejected: violence", "moderation", None),
        (422, "UPSTREAM_ERROR", "the prompt was flagged by moderation", "moderation", None),
        (422, "UPSTREAM_ERROR", "unknown field", "input", False),
        (401, "AUTHENTICATION_FAILED", "Invalid API key", "account", False),
        (402, "INSUFFICIENT_BALANCE", "Insufficient balance", "account", False),
        (403, "FORBIDDEN", "not allowed", "account", False),
        (403, "CONTENT_POLICY_VIOLATION", "Rejected: violence", "moderation", None),
        (404, "MODEL_NOT_FOUND", "no such model", "account", False),
        (404, "MODEL_DISABLED", "Model is currently disabled", "account", False),
        (404, "RECORDING_NOT_FOUND", "no recording", "input", False),
        (413, "TOO_LARGE", "request body too large", "input", False),
        (429, "RATE_LIMITED", "Too many requests", "again", False),
        (429, "UPSTREAM_ERROR", "slow down", "again", False),
        (429, "INSUFFICIENT_BALANCE", "Insufficient balance", "account", False),
        (408, "UPSTREAM_ERROR", "timed out", "unknown", None),
        (409, "INVALID_REQUEST", "conflict", "unknown", None),
        (425, "INVALID_REQUEST", "too early", "unknown", None),
        (500, "INTERNAL_ERROR", "Internal error", "unknown", None),
        (502, "ALL_PROVIDERS_EXHAUSTED", "All providers failed: timeout", "unknown", None),
        (502, "ALL_PROVIDERS_EXHAUSTED", "flagged by content moderation", "unknown", None),
        (503, "UPSTREAM_ERROR", "unavailable", "unknown", None),
        (524, "UPSTREAM_ERROR", "timed out", "unknown", None),
    ],
)
def test_an_error_means_what_its_code_and_status_say(
    status: int, code: str, message: str, kind: str, billed: bool | None
) -> None:
    body = {"error": {"message": message, "type": "some_error", "code": code}}
    assert refused(answer(status, body)) == Refused(
        kind=RefusalKind(kind),
        words=message,
        code=code,
        billed=None if billed is None else bool(billed),
    )


@pytest.mark.parametrize("error", ["out of order", {"message": "out of order"}, None, 7, []])
def test_an_error_without_a_code_goes_by_its_status(error: object) -> None:
    reply = refused(answer(400, {"error": error}))
    assert (reply.kind, reply.code) == (RefusalKind.INPUT, "400")
    assert ("out of order" in reply.words) is bool(isinstance(error, str | dict))


def test_the_wait_that_the_host_asks_for_is_kept() -> None:
    body = {"error": {"message": "Too many requests", "code": "RATE_LIMITED"}}
    reply = refused(answer(429, body, retry_after="8"))
    assert (reply.kind, reply.retry_after_s) == (RefusalKind.AGAIN, 8.0)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_stops_the_account_and_says_what_to_check(status: int) -> None:
    assert refused(answer(status, b"", location="https://elsewhere.example")) == Refused(
        kind=RefusalKind.ACCOUNT,
        words="lumenfall redirects; check LUMENFALL_BASE_URL",
        code=str(status),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Welcome</body></html>",
        b'{"data": [',
        b"",
        b"[]",
        b"null",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": [{"url": null}]}',
        b'{"images": [{"url": "https://media.lumenfall.ai/abc.png"}]}',
        b'{"estimated": true, "model": "seedream-4", "total_cost_micros": 60000}',
        b'{"error": {"code": "UPSTREAM_ERROR", "message": "late"}}',
    ],
)
def test_a_success_without_a_picture_leaves_open_what_was_bought(body: bytes) -> None:
    reply = refused(answer(200, body))
    assert (reply.kind, reply.billed) == (RefusalKind.UNKNOWN, None)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("as_json", [True, False])
def test_no_words_hold_the_key_or_a_signature(status: int, as_json: bool) -> None:
    said = f"key {KEY} at https://cdn.example/a.png?Signature=abcdef123456&Expires=9"
    body: object = {"error": {"message": said, "code": KEY}} if as_json else said.encode()
    reply = refused(answer(status, body))
    assert "SECRET" not in reply.words + reply.code
    assert "abcdef123456" not in reply.words


def test_no_repr_holds_the_key() -> None:
    assert "SECRET" not in repr(host()) + repr(host().account) + repr(host().submit(order()))


def test_there_is_no_task_to_ask_for() -> None:
    with pytest.raises(LookupError, match="at once"):
        host().ask(Job(id="a"))
    reply = host().asked(answer(200, {}), Job(id="a"))
    assert isinstance(reply, Refused)
    assert reply.kind is RefusalKind.GONE
    assert host().cancel(Job(id="a")) is None
    assert host().hand_over(picture(PNG, "image/png")) is None
    assert host().callback_keys() is None


def test_the_log_is_asked_for_in_universal_time_at_the_accounts_address() -> None:
    since = datetime(2026, 3, 15, 16, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=2)))
    request = host().list_jobs(since)
    assert request is not None
    assert (request.method, request.url.copy_with(query=None)) == ("GET", f"{ACCOUNT}/requests")
    assert dict(request.url.params) == {"limit": "100", "created_after": "2026-03-15T14:00:00Z"}
    assert request.headers["authorization"] == f"Bearer {KEY}"


def log_row(**changes: object) -> dict[str, object]:
    return {
        "id": "req_1",
        "object": "request",
        "created_at": "2026-03-15T14:32:10.000Z",
        "model": "seedream-4",
        "endpoint": "/openai/v1/images/edits",
        "status": "completed",
        "cost": 0.03,
        "currency": "usd",
        "error_code": None,
        "error_message": None,
        "trace_id": DIGEST[:32],
        **changes,
    }


def listed(body: object) -> tuple[Any, httpx.Request | None]:
    return host().listed(answer(200, body))


AT = datetime(2026, 3, 15, 14, 32, 10, tzinfo=UTC)


def test_a_completed_row_tells_cost_and_trace_but_has_no_picture() -> None:
    assert listed({"data": [log_row(), "nonsense", {"id": None}], "next_page_url": None}) == (
        [
            Listed(
                job=Job(id="req_1"),
                reply=None,
                created_at=AT,
                mark=trace_of("take-1"),
                cost_usd=Decimal("0.03"),
            )
        ],
        None,
    )


@pytest.mark.parametrize(
    "trace", [DIGEST[:32], f"00-{DIGEST[:32]}-{DIGEST[32:48]}-01", f" {DIGEST[:32]} "]
)
def test_the_trace_is_found_alone_or_in_its_header(trace: str) -> None:
    found, _ = listed({"data": [log_row(trace_id=trace)]})
    assert found[0].mark == trace_of("take-1")


@pytest.mark.parametrize("trace", [None, "", 7, "x" * 32, "a" * 33])
def test_a_row_without_a_trace_has_no_mark(trace: object) -> None:
    found, _ = listed({"data": [log_row(trace_id=trace)]})
    assert found[0].mark == ""


@pytest.mark.parametrize(
    ("row", "reply"),
    [
        ({"status": "pending"}, Running()),
        ({"status": "processing"}, Running()),
        ({"status": "something new"}, None),
        (
            {
                "status": "upstream_failure",
                "cost": 0,
                "error_code": "ALL_PROVIDERS_EXHAUSTED",
                "error_message": "all failed",
            },
            Refused(
                kind=RefusalKind.FAILED,
                words="all failed",
                code="ALL_PROVIDERS_EXHAUSTED",
                billed=False,
            ),
        ),
        (
            {"status": "upstream_failure", "cost": 0.03},
            Refused(
                kind=RefusalKind.FAILED,
                words="the host's log says: upstream_failure",
                code="upstream_failure",
                billed=True,
            ),
        ),
        (
            {"status": "rejected", "cost": 0, "error_code": "CONTENT_POLICY_VIOLATION"},
            Refused(
                kind=RefusalKind.MODERATION,
                words="the host's log says: rejected",
                code="CONTENT_POLICY_VIOLATION",
                billed=False,
            ),
        ),
        (
            {"status": "rejected", "cost": 0},
            Refused(
                kind=RefusalKind.INPUT,
                words="the host's log says: rejected",
                code="rejected",
                billed=False,
            ),
        ),
        (
            {"status": "cancelled", "cost": None},
            Refused(
                kind=RefusalKind.FAILED,
                words="the host's log says: cancelled",
                code="cancelled",
                billed=None,
            ),
        ),
    ],
)
def test_a_row_tells_how_its_call_ended(row: Mapping[str, object], reply: object) -> None:
    found, _ = listed({"data": [log_row(**row)]})
    assert found[0].reply == reply


@pytest.mark.parametrize(
    ("following", "wanted"),
    [
        (
            "/v1/requests?starting_after=req_9&limit=5&created_after=2026-03-01T00%3A00%3A00Z",
            {"limit": "5", "starting_after": "req_9", "created_after": "2026-03-01T00:00:00Z"},
        ),
        (f"{ACCOUNT}/requests?starting_after=req_9", {"limit": "100", "starting_after": "req_9"}),
        ("https://evil.example/x?starting_after=r&key=1", {"limit": "100", "starting_after": "r"}),
        ("https://evil.example/x", {"limit": "100", "starting_after": "req_1"}),
        ("https://[broken", {"limit": "100", "starting_after": "req_1"}),
    ],
)
def test_the_next_page_is_asked_of_the_account_whatever_address_the_answer_gives(
    following: str, wanted: Mapping[str, str]
) -> None:
    _, request = listed({"data": [log_row()], "next_page_url": following})
    assert request is not None
    assert request.url.copy_with(query=None) == f"{ACCOUNT}/requests"
    assert dict(request.url.params) == wanted
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_an_empty_page_or_one_that_failed_is_the_last() -> None:
    assert listed({"data": [], "next_page_url": "/v1/requests?starting_after=r"}) == ([], None)
    assert host().listed(answer(500, {"data": [log_row()]})) == ((), None)
    assert host().listed(answer(200, b"<html>")) == ((), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROW_FIELDS = ("url", "b64_json", "id", "status", "cost", "currency", "error_code", "trace_id")
ROW = st.dictionaries(
    st.sampled_from(ROW_FIELDS), JSON | st.sampled_from(["rejected", "req_1", LINK, "aW1n"])
)
BODY = JSON | st.dictionaries(
    st.sampled_from(["data", "id", "metadata", "error", "next_page_url"]),
    JSON
    | st.lists(ROW | JSON, max_size=3)
    | st.fixed_dictionaries({"cost": JSON, "code": JSON, "message": JSON}),
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-lumenfall-request-id"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20).map(
        lambda text: text.encode("latin-1")
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    status=st.integers(100, 599),
    content=st.binary(max_size=60) | BODY.map(lambda body: json.dumps(body).encode()),
    headers=HEADERS,
)
def test_no_answer_stops_a_run(status: int, content: bytes, headers: Mapping[str, bytes]) -> None:
    raw = [(name.encode(), value) for name, value in headers.items()]
    response = httpx.Response(status, content=content, headers=raw)
    reply = host().submitted(response, order())
    assert isinstance(reply, Done | Refused)
    if isinstance(reply, Done):
        assert 200 <= status < 300
        assert reply.images
    elif not 300 <= status < 500:
        assert reply.kind is RefusalKind.UNKNOWN
    found, following = host().listed(response)
    assert all(isinstance(one, Listed) for one in found)
    assert following is None or str(following.url).startswith(f"{ACCOUNT}/requests?")
    assert isinstance(host().asked(response, Job(id="a")), Refused)


def looked_up(*rows: object, mark: str = "take-1", known: str = "") -> Any:
    """What is found of a call of ten minutes ago where the log has these rows."""
    trace = Trace(
        signature="", mark=mark, sent_at=AT - timedelta(seconds=1), now=AT + timedelta(minutes=10)
    )
    log = httpx.MockTransport(lambda _: answer(200, {"data": rows}))
    with httpx.Client(transport=log) as http:
        return talk(host().find(trace, lambda name: name == known), http)


def test_a_lost_call_is_found_by_its_mark_as_bought_and_gone() -> None:
    found = looked_up(log_row(), log_row(id="other", trace_id=trace_of("take-2")))
    assert found.reply == Refused(
        kind=RefusalKind.GONE,
        words="lumenfall made it and the answer was lost; its log holds no picture",
        code="completed",
        billed=True,
    )
    assert (found.job, found.billed) == (Job(id="req_1"), True)
    assert found.cost_usd == Decimal("0.03")


def test_a_lost_call_that_failed_is_found_with_what_the_log_says() -> None:
    found = looked_up(log_row(status="rejected", cost=0, error_code="INVALID_REQUEST"))
    assert isinstance(found, Found)
    assert isinstance(found.reply, Refused)
    assert found.reply.kind is RefusalKind.INPUT
    assert (found.billed, found.cost_usd) == (False, Decimal(0))


def test_a_log_without_an_end_or_with_two_leaves_it_open() -> None:
    assert looked_up(log_row(status="processing", cost=0)) == Unclear(
        "the call is logged and has not ended", 1.0
    )
    two = (log_row(), log_row(id="again"))
    assert looked_up(*two) == Unclear("2 calls bear the mark of this one")
    assert looked_up(*two, known="again").job == Job(id="req_1")
    assert looked_up(log_row(), mark="take-3") == NotThere()
