"""AI/ML API: what is sent, and what each of its answers means."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from flows.providers.aimlapi import Host
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
    Size,
    Trace,
    Unclear,
)
from tests.rooms.test_lookup import talk

KEY = "sk-test-SECRET-123"
BASE = "http://127.0.0.1:4711"
CREATE = f"{BASE}/v1/images/generations"
LINK = "https://v3b.fal.media/files/b/x/y.png"
PNG, JPEG = b"\x89PNG one", b"\xff\xd8 two"


def host(**addresses: str) -> Host:
    account = Account(
        host="aimlapi",
        name="aimlapi",
        realm=Realm.SANDBOX,
        key=KEY,
        addresses=addresses or {"AIMLAPI_BASE_URL": BASE},
        limits=Limits(),
        usd_per_image=None,
        latency_s=1,
    )
    return Host(account)


def picture(data: bytes, media_type: str) -> Picture:
    return Picture(
        role="product", data=data, media_type=media_type, width=64, height=64, sha256="ab" * 32
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
    "model": "bytedance/seedream-v4-text-to-image",
    "prompt": "a cup “on” oak",
    "image_size": {"width": 2048, "height": 1536},
    "num_images": 1,
    "sync_mode": False,
    "seed": 7,
}


def test_every_parameter_has_its_treatment() -> None:
    assert tuple(Host.capabilities.treatments) == PARAMETERS


def test_a_text_order_is_the_documented_request() -> None:
    request = host().submit(order())
    assert (request.method, str(request.url)) == ("POST", CREATE)
    assert json.loads(request.content) == TEXT_BODY
    assert dict(request.headers) == {
        "host": "127.0.0.1:4711",
        "authorization": f"Bearer {KEY}",
        "x-client-request-id": "take-1",
        "content-type": "application/json",
        "content-length": str(len(request.content)),
    }


def test_an_edit_names_the_other_model_and_holds_its_pictures_in_order() -> None:
    edit = order(picture(PNG, "image/png"), picture(JPEG, "image/jpeg"))
    assert json.loads(host().submit(edit).content) == {
        **TEXT_BODY,
        "model": "bytedance/seedream-v4-edit",
        "image_urls": [
            f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
            f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}",
        ],
    }


@pytest.mark.parametrize("safety", [True, False])
def test_the_safety_switch_is_sent_when_it_is_written(safety: bool) -> None:
    wished = order(parameters={"safety": safety, "guidance": 2.5})
    assert json.loads(host().submit(wished).content) == {
        **TEXT_BODY,
        "enable_safety_checker": safety,
    }


@pytest.mark.parametrize("seed", [None, 0, -1, 2**31])
def test_a_seed_that_the_host_refuses_is_left_out(seed: int | None) -> None:
    assert "seed" not in json.loads(host().submit(order(seed=seed)).content)


@pytest.mark.parametrize("mark", ["", "ä", "a b", "x" * 129])
def test_a_mark_outside_the_alphabet_of_the_host_is_not_sent(mark: str) -> None:
    assert "x-client-request-id" not in host().submit(order(mark=mark)).headers


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ((2048, 2048), (2048, 2048)),
        ((1824, 2280), (1824, 2280)),
        ((1360, 764), (1824, 1024)),
        ((4096, 512), (4096, 1024)),
        ((3664, 4580), (3276, 4094)),
    ],
)
def test_sizes_keep_both_sides_within_the_bounds(
    wanted: tuple[int, int], asked: tuple[int, int]
) -> None:
    assert Host.capabilities.shapes.nearest(*wanted).pixels == asked


def test_without_its_address_nothing_is_sent() -> None:
    with pytest.raises(EnvironmentFault, match="AIMLAPI_BASE_URL"):
        host(OTHER="http://127.0.0.1").submit(order())


def test_the_published_example_is_read_whole() -> None:
    row = {"url": LINK, "content_type": "image/png", "width": None, "height": None}
    body = {
        "images": [row],
        "seed": 1367947822,
        "data": [row],
        "meta": {"usage": {"tokens_used": 63000}},
    }
    assert done(answer(200, body, x_inference_id="V1StGXR8_Z5-jdHi6B")) == Done(
        images=(Image(url=LINK),),
        seed=1367947822,
        cost_usd=Decimal("0.0315"),
        id="V1StGXR8_Z5-jdHi6B",
    )


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    ("body", "image"),
    [
        ({"data": [{"url": LINK, "b64_json": None}]}, Image(url=LINK)),
        ({"data": [{"url": None, "b64_json": "aW1n"}]}, Image(data=b"img")),
        ({"data": None, "images": [{"url": LINK}], "meta": None}, Image(url=LINK)),
        ({"data": [], "images": [{"url": LINK}]}, Image(url=LINK)),
        ({"data": [None, {"url": "ftp://x"}, {"url": LINK}]}, Image(url=LINK)),
    ],
)
def test_a_picture_is_found_in_each_form(
    status: int, body: Mapping[str, object], image: Image
) -> None:
    assert done(answer(status, body)) == Done(images=(image,))


@pytest.mark.parametrize(
    ("usage", "headers", "usd"),
    [
        ({"tokens_used": 63000}, {}, "0.0315"),
        ({"credits_used": 2480}, {}, "0.00124"),
        ({"credits_used": 63000, "usd_spent": 0.04}, {}, "0.04"),
        ({"credits_used": 63000}, {"x_aimlapi_usd_spent": "0.001240000"}, "0.00124"),
        ({"tokens_used": 63000}, {"x_aimlapi_credits_used": "100000"}, "0.05"),
        ({"tokens_used": 63000}, {"x_aimlapi_usd_spent": "free"}, "0.0315"),
    ],
)
def test_the_cost_is_taken_from_the_most_certain_place(
    usage: Mapping[str, object], headers: Mapping[str, str], usd: str
) -> None:
    body = {"data": [{"url": LINK}], "meta": {"usage": usage}}
    assert done(answer(200, body, **headers)).cost_usd == Decimal(usd)


@pytest.mark.parametrize("said", [True, -1, "x", None, [], float("nan"), float("inf"), 10**30])
def test_a_cost_that_cannot_be_one_is_not_said(said: object) -> None:
    body = {"data": [{"url": LINK}], "meta": {"usage": {"usd_spent": said}}}
    assert done(answer(200, body)).cost_usd is None


@pytest.mark.parametrize(
    ("status", "message", "kind", "billed"),
    [
        (400, "Body validation error! Expected number, received string", "input", False),
        (400, "enable_safety_checker: expected boolean", "input", False),
        (400, "The content was flagged: content_policy_violation", "moderation", False),
        (401, "This request requires a valid API key.", "account", False),
        (402, "Payment required", "account", False),
        (403, "You've run out of credits. Please top up your balance", "account", False),
        (404, "Cannot POST /v1/images", "input", False),
        (413, "request entity too large", "input", False),
        (422, "Unprocessable", "input", False),
        (429, "Too Many Requests", "again", False),
        (408, "Request timeout", "unknown", None),
        (409, "Conflict", "unknown", None),
        (425, "Too early", "unknown", None),
        (500, "Internal server error", "unknown", None),
        (502, "Bad gateway", "unknown", None),
        (503, "Service unavailable", "unknown", None),
        (504, "Generation timeout", "unknown", None),
    ],
)
def test_an_error_means_what_its_code_and_words_say(
    status: int, message: str, kind: str, billed: bool | None
) -> None:
    body = {"message": message, "path": "/v1/images/generations", "statusCode": str(status)}
    assert refused(answer(status, body)) == Refused(
        kind=RefusalKind(kind), words=message, code=str(status), billed=billed
    )


def test_the_wait_that_the_host_asks_for_is_kept() -> None:
    reply = refused(answer(429, {"message": "Too Many Requests"}, retry_after="8"))
    assert (reply.kind, reply.retry_after_s) == (RefusalKind.AGAIN, 8.0)


def test_a_redirect_stops_the_account_and_says_what_to_check() -> None:
    for status in (301, 302, 307, 308):
        reply = refused(answer(status, b"", location="https://elsewhere.example"))
        assert reply.kind is RefusalKind.ACCOUNT
        assert "redirects" in reply.words
        assert "AIMLAPI_BASE_URL" in reply.words
        assert "elsewhere" not in reply.words


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
        b'{"data": [{"url": null, "b64_json": null}]}',
        b'{"data": [{"b64_json": "not base64!"}]}',
        b'{"data": {"url": "https://x.example/a.png"}}',
    ],
)
def test_a_success_without_a_picture_leaves_open_what_was_bought(body: bytes) -> None:
    reply = refused(answer(200, body))
    assert (reply.kind, reply.billed) == (RefusalKind.UNKNOWN, None)


def test_an_html_error_is_told_without_its_markup() -> None:
    reply = refused(answer(502, b"<html><h1>502</h1> Bad <b>Gateway</b></html>"))
    assert (reply.kind, reply.words) == (RefusalKind.UNKNOWN, "502 Bad Gateway")


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("as_json", [True, False])
def test_no_words_hold_the_key_or_a_signature(status: int, as_json: bool) -> None:
    said = f"key {KEY} at https://cdn.example/a.png?Signature=abcdef123456&Expires=9"
    body: object = {"message": said} if as_json else said.encode()
    words = refused(answer(status, body)).words
    assert "SECRET" not in words
    assert "abcdef123456" not in words


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


@pytest.mark.parametrize(
    ("back", "period"),
    [
        (timedelta(minutes=-5), "1h"),
        (timedelta(minutes=5), "2h"),
        (timedelta(hours=30, minutes=1), "32h"),
        (timedelta(days=400), "2208h"),
    ],
)
def test_the_log_is_asked_for_a_window_back_from_the_hosts_now(
    back: timedelta, period: str
) -> None:
    request = host().list_jobs(datetime.now(UTC) - back)
    assert request is not None
    assert (request.method, str(request.url)) == (
        "GET",
        f"{BASE}/v2/logs?period={period}&limit=100",
    )
    assert request.headers["authorization"] == f"Bearer {KEY}"


def log_row(**changes: object) -> dict[str, object]:
    return {
        "created": "2026-07-02T03:04:05.000Z",
        "status": "succeeded",
        "model": "bytedance/seedream-v4-edit",
        "cost": {"usd": 0.0315, "credits": 63000},
        "request_id": "req-1",
        "inference_id": "inf-1",
        "client_request_id": "take-1",
        **changes,
    }


def listed(body: object, query: str = "period=2h&limit=100") -> tuple[Any, httpx.Request | None]:
    response = answer(200, body)
    response.request = httpx.Request("GET", f"{BASE}/v2/logs?{query}")
    return host().listed(response)


AT = datetime(2026, 7, 2, 3, 4, 5, tzinfo=UTC)


def test_log_rows_tell_fate_cost_and_mark() -> None:
    rows = [
        log_row(),
        log_row(inference_id=None, client_request_id=None, cost={"credits": 63000}),
        log_row(inference_id="inf-2", status="failed", cost={"usd": 0, "credits": 0}),
        log_row(inference_id="", request_id=None),
        "nonsense",
    ]
    found, following = listed({"data": rows, "pagination": {"has_more": False}})
    assert following is None
    assert found == [
        Listed(
            job=Job(id="inf-1"),
            reply=None,
            created_at=AT,
            mark="take-1",
            cost_usd=Decimal("0.0315"),
        ),
        Listed(job=Job(id="req-1"), reply=None, created_at=AT, cost_usd=Decimal("0.0315")),
        Listed(
            job=Job(id="inf-2"),
            reply=Refused(
                kind=RefusalKind.FAILED, words="the host's log says: failed", billed=False
            ),
            created_at=AT,
            mark="take-1",
            cost_usd=Decimal(0),
        ),
    ]


def test_the_next_page_begins_where_this_one_ends() -> None:
    page = {"limit": 100, "offset": 3, "total": 9, "has_more": True}
    _, following = listed(
        {"data": [log_row(), log_row()], "pagination": page}, "period=2h&limit=100&offset=3"
    )
    assert following is not None
    assert str(following.url) == f"{BASE}/v2/logs?period=2h&limit=100&offset=5"
    assert following.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("rows", "has_next"), [(99, False), (100, True)])
def test_without_page_numbers_a_full_page_has_another(rows: int, has_next: bool) -> None:
    _, following = listed({"data": [log_row()] * rows})
    assert (following is not None) is has_next


def test_a_list_that_failed_lists_nothing() -> None:
    assert host().listed(answer(500, {"data": [log_row()]})) == ((), None)
    assert host().listed(answer(200, b"<html>")) == ((), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROW = st.dictionaries(
    st.sampled_from(
        ["url", "b64_json", "inference_id", "request_id", "status", "cost", "client_request_id"]
    ),
    JSON | st.fixed_dictionaries({"usd": JSON, "credits": JSON}),
)
BODY = JSON | st.dictionaries(
    st.sampled_from(["data", "images", "seed", "meta", "message", "error", "pagination"]),
    JSON
    | st.lists(ROW | JSON, max_size=3)
    | st.fixed_dictionaries({"usage": JSON, "has_more": JSON, "offset": JSON}),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["retry-after", "x-inference-id", "x-aimlapi-usd-spent", "x-aimlapi-credits-used"]
    ),
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
    response.request = httpx.Request("GET", f"{BASE}/v2/logs?period=2h&limit=100")
    found, following = host().listed(response)
    assert all(isinstance(one, Listed) for one in found)
    assert following is None or str(following.url).startswith(f"{BASE}/v2/logs?")
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
    found = looked_up(log_row(), log_row(inference_id="other", client_request_id="take-2"))
    assert found.reply == Refused(
        kind=RefusalKind.GONE,
        words="aimlapi made it and the answer was lost; its log holds no picture",
        code="succeeded",
        billed=True,
    )
    assert (found.job, found.billed) == (Job(id="inf-1"), True)
    assert found.cost_usd == Decimal("0.0315")


def test_a_lost_call_that_failed_is_found_with_what_the_log_says() -> None:
    found = looked_up(log_row(status="failed", cost={"usd": 0, "credits": 0}))
    assert isinstance(found, Found)
    assert isinstance(found.reply, Refused)
    assert found.reply.kind is RefusalKind.FAILED
    assert (found.billed, found.cost_usd) == (False, Decimal(0))


def test_a_log_without_an_end_or_with_two_leaves_it_open() -> None:
    assert looked_up(log_row(status="held")) == Unclear("the call is logged and has not ended", 1.0)
    two = (log_row(), log_row(inference_id="again"))
    assert looked_up(*two) == Unclear("2 calls bear the mark of this one")
    assert looked_up(*two, known="again").job == Job(id="inf-1")
    assert looked_up(log_row(), mark="take-3") == NotThere()
