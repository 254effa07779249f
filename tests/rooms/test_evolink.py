"""EvoLink: what is sent and how each documented answer is read."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import EnvironmentFault
from flows.nouns.recipe import Recipe
from flows.nouns.take import Realm
from flows.providers.base import (
    PARAMETERS,
    Accepted,
    Account,
    Done,
    Handed,
    Image,
    Job,
    Order,
    Picture,
    RefusalKind,
    Refused,
    Reply,
    Running,
    Size,
    UnverifiedError,
    Way,
)
from flows.providers.evolink import Host

KEY = "sk-test-SECRET-123"
BASE, FILES = "http://127.0.0.1:4100/evolink", "http://127.0.0.1:4100/evolink-files"
ID = "task-unified-1757165031-ab12cd34"
JOB = Job(id=ID)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://media.evolink.ai/a.png"
BYTES = b"\x89PNG picture"
PICTURE = Picture(
    role="product",
    data=BYTES,
    media_type="image/png",
    width=512,
    height=512,
    sha256=hashlib.sha256(BYTES).hexdigest(),
)


def host(**differs) -> Host:
    plain = {
        "host": "evolink",
        "name": "evolink",
        "realm": Realm.SANDBOX,
        "key": KEY,
        "addresses": {"EVOLINK_BASE_URL": BASE, "EVOLINK_FILES_URL": FILES},
        "limits": Host.limits,
        "usd_per_image": Host.usd_per_image,
        "latency_s": Host.latency_s,
    }
    return Host(Account(**{**plain, **differs}))


def order(**differs) -> Order:
    recipe = Recipe(
        model="seedream-4",
        prompt="a cup, “quietly”",
        ratio="4:5",
        tier="2K",
        seed=7,
        parameters={"guidance": 2.5, "safety": False},
    )
    size = Size(shape=Fraction(4, 5), width=1824, height=2280)
    return Order(**{"recipe": recipe, "size": size, **differs})


EDIT = order(
    pictures=(PICTURE, PICTURE),
    addresses=("https://files.evolink.ai/a.png", "https://files.evolink.ai/b.png"),
    callback="https://hooks.acme.example/evolink/x1",
    mark="take-1",
)


def error(code: object, message: str, **more: object) -> dict[str, object]:
    return {"error": {"code": code, "message": message, **more}}


def bought(status: int, body: object) -> Reply:
    return host().submitted(httpx.Response(status, json=body), order())


def state(status: int, body: object) -> Reply:
    return host().asked(httpx.Response(status, json=body), JOB)


def test_text_is_bought_with_documented_fields_alone() -> None:
    request = host().submit(order())
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "model": "doubao-seedream-4.0",
        "prompt": "a cup, “quietly”",
        "size": "1824x2280",
        "n": 1,
        "prompt_priority": "standard",
    }


def test_an_edit_names_its_references_and_where_to_call() -> None:
    request = host().submit(EDIT)
    assert str(request.url) == f"{BASE}/v1/images/generations"
    assert json.loads(request.content) == {
        "model": "doubao-seedream-4.0",
        "prompt": "a cup, “quietly”",
        "size": "1824x2280",
        "n": 1,
        "prompt_priority": "standard",
        "image_urls": ["https://files.evolink.ai/a.png", "https://files.evolink.ai/b.png"],
        "callback_url": "https://hooks.acme.example/evolink/x1",
    }


def test_a_task_is_asked_for_under_its_own_id_and_nothing_else() -> None:
    request = host().ask(JOB)
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/v1/tasks/{ID}")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    odd = host().ask(Job(id="../files?x=1#y"))
    assert odd.url.raw_path == b"/evolink/v1/tasks/..%2Ffiles%3Fx%3D1%23y"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_create_is_accepted_with_its_id(status: int) -> None:
    body = {
        "created": 1757165031,
        "id": ID,
        "model": "doubao-seedream-4.0",
        "object": "image.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 45},
        "type": "image",
        "usage": {"billing_rule": "per_call", "credits_reserved": 1.8, "user_group": "default"},
    }
    assert bought(status, body) == Accepted(job=JOB)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "billed"),
    [
        (400, error(400, "size is wrong", type="invalid_request_error"), "input",
         "invalid_request_error", False),
        (400, error("invalid_parameters", "n is wrong"), "input", "invalid_parameters", False),
        (400, error("content_policy_violation", "no"), "moderation",
         "content_policy_violation", False),
        (400, error(400, "the prompt violates our content policy", type="invalid_request_error"),
         "moderation", "invalid_request_error", False),
        (401, error(401, "bad key", type="authentication_error"), "account",
         "authentication_error", False),
        (402, error(402, "no credits", type="insufficient_quota"), "account",
         "insufficient_quota", False),
        (403, error(403, "no access", type="permission_error"), "account",
         "permission_error", False),
        (404, error(404, "no such model"), "input", "404", False),
        (413, error(413, "too large"), "input", "413", False),
        (422, error("invalid_parameters", "prompt"), "input", "invalid_parameters", False),
        (429, error("insufficient_quota", "top up"), "account", "insufficient_quota", False),
        (429, error(429, "slow down", type="rate_limit_error"), "again", "rate_limit_error", False),
        (400, error("model_unavailable", "gone"), "account", "model_unavailable", False),
        (408, error(408, "late"), "unknown", "408", None),
        (409, error(409, "conflict"), "unknown", "409", None),
        (425, error(425, "early"), "unknown", "425", None),
        (500, error(500, "oops", type="server_error"), "unknown", "server_error", None),
        (502, error("upstream_error", "oops"), "unknown", "upstream_error", None),
        (503, error("service_unavailable", "oops"), "unknown", "service_unavailable", None),
        (503, error("insufficient_quota", "oops"), "unknown", "insufficient_quota", None),
    ],
)  # fmt: skip
def test_a_refused_create_is_read_by_status_and_code(status, body, kind, code, billed) -> None:
    assert bought(status, body) == Refused(
        kind=RefusalKind(kind), words=body["error"]["message"], code=code, billed=billed
    )


@pytest.mark.parametrize(
    ("headers", "more", "wait_s"),
    [
        ({}, {"fallback_suggestion": "retry after 60 seconds"}, 60.0),
        ({"Retry-After": "12"}, {}, 12.0),
        ({"Retry-After": "90"}, {"fallback_suggestion": "retry after 60 seconds"}, 90.0),
        ({}, {}, None),
    ],
)
def test_a_limit_is_waited_out_for_as_long_as_the_host_says(headers, more, wait_s) -> None:
    body = error(429, "too many", type="rate_limit_error", **more)
    reply = host().submitted(httpx.Response(429, headers=headers, json=body), order())
    assert reply == Refused(
        kind=RefusalKind.AGAIN, words="too many", code="rate_limit_error", retry_after_s=wait_s
    )


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": None}, {"id": 7}, {"id": "ä"}, [], None])
def test_success_without_a_usable_id_may_have_been_bought(body) -> None:
    reply = bought(200, body)
    assert isinstance(reply, Refused)
    assert (reply.kind, reply.billed) == (RefusalKind.UNKNOWN, None)
    assert reply.words.startswith("an answer that is not understood: ")


def test_html_in_place_of_an_answer_is_told_without_markup() -> None:
    page = httpx.Response(502, html="<html><title>Bad</title><p>Bad gateway</p></html>")
    assert host().submitted(page, order()) == Refused(
        kind=RefusalKind.UNKNOWN, words="Bad Bad gateway", code="502", billed=None
    )


def test_a_redirect_is_told_with_the_variable_to_check() -> None:
    moved = httpx.Response(308, headers={"location": "https://elsewhere.example"})
    words = "evolink redirects; check EVOLINK_BASE_URL"
    assert host().submitted(moved, order()) == Refused(
        kind=RefusalKind.ACCOUNT, words=words, code="308"
    )
    assert host().asked(moved, JOB) == Refused(
        kind=RefusalKind.ACCOUNT, words=words, code="308", billed=None
    )


@pytest.mark.parametrize("word", ["pending", "processing", "a state of tomorrow"])
def test_a_state_that_is_no_end_is_asked_for_again(word: str) -> None:
    assert state(200, {"id": ID, "status": word, "progress": 40}) == Running()


@pytest.mark.parametrize(
    "body",
    [
        {"results": [LINK]},
        {"results": [{"url": LINK}]},
        {"results": [LINK, LINK]},
        {"results": None, "result_data": [{"image_url": LINK}]},
        {"results": [], "result_data": [{"image_url": LINK}]},
        {"result_data": [{"image_url": LINK}, 3]},
    ],
)
def test_results_are_taken_in_all_their_forms(body) -> None:
    done = {"id": ID, "status": "completed", "progress": 100, "type": "image", **body}
    assert state(200, done) == Done(images=(Image(url=LINK),))


@pytest.mark.parametrize(
    "body", [{}, {"results": []}, {"results": [None, 3, "ftp://x/a.png"]}, {"url": LINK}]
)
def test_success_without_a_picture_is_a_failure_of_its_own(body) -> None:
    assert state(200, {"status": "completed", **body}) == Refused(
        kind=RefusalKind.FAILED,
        words="the task was completed without a picture",
        code="completed",
        billed=None,
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("content_policy_violation", "moderation"),
        ("invalid_parameters", "input"),
        ("image_processing_error", "input"),
        ("image_dimension_mismatch", "input"),
        ("resource_not_found", "input"),
        ("model_unavailable", "failed"),
        ("request_cancelled", "failed"),
        ("generation_failed_no_content", "failed"),
        ("generation_timeout", "failed"),
        ("resource_exhausted", "failed"),
        ("quota_exceeded", "failed"),
        ("service_error", "failed"),
        ("service_unavailable", "failed"),
        ("upstream_error", "failed"),
        ("rate_limited", "failed"),
        ("unknown_error", "failed"),
    ],
)
def test_a_failed_task_is_read_by_its_code(code: str, kind: str) -> None:
    body = {"id": ID, "status": "failed", "type": "image", **error(code, "it went wrong")}
    assert state(200, body) == Refused(
        kind=RefusalKind(kind), words="it went wrong", code=code, billed=None
    )


@pytest.mark.parametrize("word", ["failed", "cancelled"])
def test_an_end_without_a_reason_is_told_as_such(word: str) -> None:
    assert state(200, {"status": word, "type": "image"}) == Refused(
        kind=RefusalKind.FAILED, words=f"the task ended as {word}", code=word, billed=None
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("invalid_task_id", "must start with 'task-unified-'"), "gone"),
        (400, error(400, "odd"), "again"),
        (401, error(401, "key"), "account"),
        (403, error(403, "no"), "account"),
        (404, error(404, "no such task"), "gone"),
        (429, error(429, "slow"), "again"),
        (500, error(500, "oops"), "again"),
        (503, error("service_unavailable", "oops"), "again"),
        (200, {}, "again"),
        (200, {"status": 3}, "again"),
        (200, [], "again"),
    ],
)
def test_a_failed_read_is_not_a_failed_task(status: int, body: object, kind: str) -> None:
    reply = state(status, body)
    assert isinstance(reply, Refused)
    assert (reply.kind, reply.billed) == (RefusalKind(kind), None)


def test_a_picture_is_uploaded_under_a_name_of_its_own() -> None:
    handing = host().hand_over(PICTURE)
    assert handing is not None
    request = next(handing)
    assert (request.method, str(request.url)) == ("POST", f"{FILES}/api/v1/files/upload/stream")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    assert request.read() == (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{PICTURE.sha256[:32]}.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode() + BYTES + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
    data = {
        "file_id": "f1",
        "file_url": "https://files.evolink.ai/refs/a.png",
        "download_url": "https://files.evolink.ai/d/a.png",
        "expires_at": "2026-03-04T12:00:00Z",
    }
    with pytest.raises(StopIteration) as ended:
        handing.send(httpx.Response(200, json={"success": True, "code": 200, "data": data}))
    assert ended.value.value == Handed(
        address="https://files.evolink.ai/refs/a.png",
        expires_at=datetime(2026, 3, 4, 12, tzinfo=UTC),
    )


def uploaded(response: httpx.Response) -> Handed | Refused:
    handing = host().hand_over(PICTURE)
    assert handing is not None
    next(handing)
    with pytest.raises(StopIteration) as ended:
        handing.send(response)
    found = ended.value.value
    assert isinstance(found, Handed | Refused)
    return found


def test_an_upload_without_a_date_lives_the_published_three_days() -> None:
    before = datetime.now(UTC)
    body = {"success": True, "data": {"download_url": "https://f.example/a.png", "expires_at": 5}}
    found = uploaded(httpx.Response(200, json=body))
    assert isinstance(found, Handed)
    assert found.address == "https://f.example/a.png"
    assert found.expires_at is not None
    assert timedelta(hours=72) <= found.expires_at - before < timedelta(hours=73)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, {"success": False, "code": 40001, "msg": "too large"}, "input", "too large"),
        (400, {"success": False, "code": 40002, "msg": "bad type"}, "input", "bad type"),
        (400, {"success": False, "code": 40003, "msg": "100 files"}, "account", "100 files"),
        (400, {"success": False, "code": 40004, "msg": "unreadable"}, "input", "unreadable"),
        (500, {"success": False, "code": 50001, "msg": "storage"}, "again", "storage"),
        (401, error(401, "bad key"), "account", "bad key"),
        (413, error(413, "too large"), "input", "too large"),
        (429, error(429, "slow down"), "again", "slow down"),
        (409, {"msg": "busy"}, "again", "busy"),
        (503, {"msg": "down"}, "again", "down"),
        (200, {"success": True, "data": {"file_url": "file:///etc/passwd"}}, "again", "{"),
        (200, {"success": True, "data": []}, "again", "{"),
    ],
)
def test_a_refused_upload_costs_nothing(status, body, kind, words) -> None:
    found = uploaded(httpx.Response(status, json=body))
    assert isinstance(found, Refused)
    assert (found.kind, found.billed) == (RefusalKind(kind), False)
    assert words in found.words


def test_a_redirected_upload_names_its_own_variable() -> None:
    moved = httpx.Response(301, json={"code": 50001}, headers={"location": "https://x.example"})
    assert uploaded(moved) == Refused(
        kind=RefusalKind.ACCOUNT,
        words="evolink redirects; check EVOLINK_FILES_URL",
        code="50001",
    )


@pytest.mark.parametrize("missing", ["EVOLINK_BASE_URL", "EVOLINK_FILES_URL"])
def test_a_missing_address_is_never_replaced_by_the_published_one(missing: str) -> None:
    both = {"EVOLINK_BASE_URL": BASE, "EVOLINK_FILES_URL": FILES}
    one = host(addresses={name: base for name, base in both.items() if name != missing})
    with pytest.raises(EnvironmentFault, match=missing):
        one.hand_over(PICTURE) if "FILES" in missing else one.submit(order())


def test_a_callback_gives_the_id_alone_since_nothing_signs_it() -> None:
    body = json.dumps({"id": ID, "status": "completed", "results": [LINK]}).encode()
    heard = host().heard({}, body, now=NOW)
    assert (heard.job, heard.reply, heard.message_id) == (JOB, None, f"{ID}:completed")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id": 5}', b"\xff\xfe"])
def test_a_callback_that_names_no_task_is_turned_away(body: bytes) -> None:
    with pytest.raises(UnverifiedError):
        host().heard({}, body, now=NOW)


def test_there_is_no_list_and_no_way_back() -> None:
    assert host().list_jobs(NOW) is None
    assert host().cancel(JOB) is None


def test_every_parameter_of_the_canonical_request_is_treated() -> None:
    can = Host.capabilities
    assert tuple(can.treatments) == PARAMETERS
    assert [name for name in PARAMETERS if can.treatments[name].way is Way.NONE] == [
        "seed",
        "guidance",
        "safety",
    ]
    assert (can.prompt_chars, can.together, can.references.count) == (1000, 15, 10)
    assert can.references.most_bytes == 4_000_000
    assert Host.usd_per_image == Decimal("0.0222")
    assert can.shapes.nearest(400, 400) == Size(shape=Fraction(1), width=960, height=960)
    assert can.shapes.nearest(1824, 2280) == Size(shape=Fraction(4, 5), width=1824, height=2280)


def test_the_key_and_signed_links_are_in_no_words() -> None:
    leak = f"bad key {KEY} at https://u:p@media.evolink.ai/a.png?sig=abc"
    for reply in (
        bought(401, error(401, leak, type=KEY)),
        bought(500, leak),
        state(200, {"status": "failed", **error(KEY, leak)}),
        state(500, error(500, leak)),
        uploaded(httpx.Response(500, json={"msg": leak, "code": KEY})),
    ):
        assert isinstance(reply, Refused)
        assert "SECRET" not in f"{reply.words} {reply.code}"
        assert "sig=abc" not in reply.words
        assert "u:p" not in reply.words
    assert "SECRET" not in repr(host()) + repr(host().account)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "status", "error", "code", "type", "message", "results", "result_data",
                 "url", "image_url", "data", "file_url", "success", "expires_at", "msg"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["completed", "failed", "pending", LINK, ID]),
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip
BODIES = st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode())


@given(
    st.integers(100, 599),
    st.sampled_from(["application/json", "text/html; charset=utf-8", "text/plain", "", "x"]),
    st.sampled_from(["", "5", "-1", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"]),
    BODIES,
)
def test_nothing_that_a_server_sends_breaks_the_reading(status, kind, wait, body) -> None:
    headers = {"content-type": kind, "retry-after": wait}
    one = host()

    def response() -> httpx.Response:
        return httpx.Response(status, headers=headers, content=body)

    replies = [one.submitted(response(), order()), one.asked(response(), JOB), uploaded(response())]
    for reply in replies:
        if isinstance(reply, Done):
            assert reply.images
        if isinstance(reply, Refused):
            reply.words.encode()
            reply.code.encode()
    assert not isinstance(replies[0], Done | Running)
    with contextlib.suppress(UnverifiedError):
        assert one.heard({}, body, now=NOW).reply is None
