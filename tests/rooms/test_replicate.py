"""Replicate: what is sent and how each documented answer is read."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import EnvironmentFault
from flows.nouns.recipe import Recipe
from flows.nouns.take import Realm
from flows.providers.base import (
    PARAMETERS,
    Accepted,
    Account,
    Done,
    Found,
    Handed,
    Heard,
    Image,
    Job,
    Listed,
    NotThere,
    Order,
    Picture,
    RefusalKind,
    Refused,
    Running,
    Trace,
    Unclear,
    UnverifiedError,
    Window,
)
from flows.providers.replicate import Host
from tests.rooms.test_lookup import talk

KEY = "r8_test-SECRET-123"
BASE = "http://127.0.0.1:4100/replicate/v1"
ID = "gm3qorzdhgbfurvjtvhg6dckhu"
JOB = Job(id=ID)
LINK = "https://replicate.delivery/xezq/a/0.jpg"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNER = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(SIGNER).decode()


def account(**differs):
    plain = {
        "host": "replicate", "name": "replicate", "realm": Realm.SANDBOX, "key": KEY,
        "addresses": {"REPLICATE_BASE_URL": BASE}, "limits": Host.limits,
        "usd_per_image": Decimal("0.03"), "latency_s": 15.0,
    }  # fmt: skip
    return Account(**{**plain, **differs})


HOST = Host(account())


def picture(data=b"\x89PNG"):
    return Picture(
        role="product", data=data, media_type="image/png", width=512, height=512,
        sha256=sha256(data).hexdigest(),
    )  # fmt: skip


def order(*, size=(1824, 2280), parameters=None, **differs):
    recipe = Recipe(
        model="seedream-4", prompt="a cup, “quietly”\nat dusk", ratio="4:5", tier="2K", seed=7,
        parameters=parameters or {},
    )  # fmt: skip
    return Order(**{"recipe": recipe, "size": Host.capabilities.shapes.nearest(*size), **differs})


def answer(status=200, body=None, **more):
    if isinstance(body, bytes):
        return httpx.Response(status, content=body, **more)
    return httpx.Response(status, json=body, **more)


def prediction(status="starting", **differs):
    return {
        "id": ID, "model": "bytedance/seedream-4", "version": "hidden", "status": status,
        "input": {"prompt": "a cup"}, "output": None, "error": None, "logs": "",
        "data_removed": False, "source": "api", "created_at": "2026-03-01T11:59:00.000Z",
        "metrics": {}, "urls": {
            "web": f"https://replicate.com/p/{ID}",
            "get": f"https://api.replicate.com/v1/predictions/{ID}",
            "cancel": f"https://api.replicate.com/v1/predictions/{ID}/cancel",
        }, **differs,
    }  # fmt: skip


def said(request):
    """Method, address and what carries the key, for a request without a body."""
    assert request.content == b""
    return request.method, str(request.url), request.headers["authorization"]


TEXT_INPUT = {
    "prompt": "a cup, “quietly”\nat dusk",
    "size": "custom",
    "width": 1824,
    "height": 2280,
    "sequential_image_generation": "disabled",
    "max_images": 1,
}
INPUT, MODERATION, AGAIN = RefusalKind.INPUT, RefusalKind.MODERATION, RefusalKind.AGAIN
ACCOUNT, FAILED, UNKNOWN = RefusalKind.ACCOUNT, RefusalKind.FAILED, RefusalKind.UNKNOWN
GONE = RefusalKind.GONE


def test_text_becomes_one_documented_request_with_a_deadline():
    request = HOST.submit(order(mark="spring-0001"))
    assert (request.method, str(request.url)) == (
        "POST",
        f"{BASE}/models/bytedance/seedream-4/predictions",
    )
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["cancel-after"] == "30m"
    assert request.headers["content-type"] == "application/json"
    assert "prefer" not in request.headers
    assert json.loads(request.content) == {"input": TEXT_INPUT}


def test_references_go_by_their_addresses_in_their_order():
    addresses = (f"{BASE}/files/cneqz", "data:image/png;base64,iVBORw==")
    request = HOST.submit(order(pictures=(picture(), picture(b"2")), addresses=addresses))
    assert json.loads(request.content) == {"input": {**TEXT_INPUT, "image_input": list(addresses)}}


def test_a_callback_is_asked_for_at_the_end_only():
    request = HOST.submit(order(callback="https://hooks.example/replicate?job=42"))
    assert json.loads(request.content) == {
        "input": TEXT_INPUT,
        "webhook": "https://hooks.example/replicate?job=42",
        "webhook_events_filter": ["completed"],
    }


def test_what_the_host_does_not_know_is_not_sent():
    request = HOST.submit(order(parameters={"guidance": 2.5, "safety": False}))
    assert json.loads(request.content) == {"input": TEXT_INPUT}


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ((2048, 2048), (2048, 2048)),
        ((912, 1140), (1024, 1280)),
        ((4096, 4096), (4096, 4096)),
        ((5440, 3060), (4096, 2304)),
        ((8192, 1024), (4096, 1024)),
    ],
)
def test_sides_stay_between_1024_and_4096(wanted, asked):
    wished = json.loads(HOST.submit(order(size=wanted)).content)["input"]
    assert (wished["width"], wished["height"]) == asked


def test_without_an_address_the_variable_to_set_is_named():
    with pytest.raises(EnvironmentFault, match="set REPLICATE_BASE_URL"):
        Host(account(addresses={})).submit(order())


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body",
    [
        prediction(),
        prediction("processing", output=[LINK]),
        # the bill stands whatever the state: asking settles it
        prediction("succeeded", output=[LINK]),
        prediction("failed", error="no"),
        prediction("brand-new"),
        {"id": ID},
    ],
)
def test_a_created_prediction_is_a_job(status, body):
    assert HOST.submitted(answer(status, body), order()) == Accepted(job=JOB)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"id": None}, {"id": 7}, {"id": ""}, {"id": ".."}, {"id": "a\nb"},
     b"", b"<html>ok</html>", b'{"id": "gm3'],
)  # fmt: skip
def test_a_create_whose_answer_names_no_job_may_have_been_bought(body):
    reply = HOST.submitted(answer(201, body), order())
    assert (reply.kind, reply.code, reply.billed) == (UNKNOWN, "201", None)


THROTTLED = "Request was throttled. Your rate limit resets in ~30s."


@pytest.mark.parametrize(
    ("status", "body", "reply"),
    [
        (400, {"detail": "Failed to parse request body as JSON: EOF", "status": 400},
         Refused(kind=INPUT, code="400", words="Failed to parse request body as JSON: EOF")),
        (401, {"title": "Unauthenticated", "detail": "Invalid API token.", "status": 401},
         Refused(kind=ACCOUNT, code="401", words="Unauthenticated: Invalid API token.")),
        (402, {"title": "Billing required", "detail": "You need to set up billing.", "status": 402},
         Refused(kind=ACCOUNT, code="402", words="Billing required: You need to set up billing.")),
        (403, {"detail": "No."}, Refused(kind=ACCOUNT, code="403", words="No.")),
        (404, {"detail": "No model."}, Refused(kind=INPUT, code="404", words="No model.")),
        (413, b"<html><h1>413 Too Large</h1></html>",
         Refused(kind=INPUT, code="413", words="413 Too Large")),
        (422, {"title": "Input validation failed", "detail": "prompt is required", "status": 422},
         Refused(kind=INPUT, code="422", words="Input validation failed: prompt is required")),
        (422, {"detail": "The input or output was flagged as sensitive (E005)"},
         Refused(kind=MODERATION, code="422",
                 words="The input or output was flagged as sensitive (E005)")),
        (429, {"detail": THROTTLED, "status": 429, "retry_after": 8},
         Refused(kind=AGAIN, code="429", words=THROTTLED, retry_after_s=30.0)),
        (429, {"detail": "Slow down.", "retry_after": 8.5},
         Refused(kind=AGAIN, code="429", words="Slow down.", retry_after_s=8.5)),
        (429, b"", Refused(kind=AGAIN, code="429", words="an empty answer")),
        (307, b"", Refused(kind=ACCOUNT, code="307",
                           words="replicate redirects; check REPLICATE_BASE_URL")),
        *((status, b"<h1>Bad gateway</h1>",
           Refused(kind=UNKNOWN, code=str(status), words="Bad gateway", billed=None))
          for status in (408, 409, 418, 425, 500, 502, 503, 504)),
    ],
)  # fmt: skip
def test_each_documented_refusal_of_a_create_has_its_meaning(status, body, reply):
    assert HOST.submitted(answer(status, body), order()) == reply


def test_faulty_fields_are_named_in_the_words():
    fields = [{"type": "required", "field": "", "description": "input is required"}]
    reply = HOST.submitted(answer(422, {"title": "Bad", "invalid_fields": fields}), order())
    assert reply.words == f"Bad: {json.dumps(fields)}"


@pytest.mark.parametrize(
    ("header", "body", "wait"),
    [
        ("45", {"detail": THROTTLED, "retry_after": 8}, 45.0),
        ("5", {"detail": THROTTLED, "retry_after": 60}, 60.0),
        ("5", {"detail": THROTTLED}, 30.0),
        ("5", {"detail": 7, "retry_after": "soon"}, 5.0),
        ("5", {"retry_after": -3}, 5.0),
        ("5", {"retry_after": 10**400}, 5.0),
        ("5", {"retry_after": float("inf")}, 5.0),
    ],
)
def test_the_longest_of_all_waits_counts(header, body, wait):
    content = json.dumps(body).encode()
    response = httpx.Response(429, content=content, headers={"retry-after": header})
    assert HOST.submitted(response, order()).retry_after_s == wait
    assert HOST.asked(response, JOB).retry_after_s == wait


def test_a_job_is_asked_for_at_the_documented_place():
    bearer = f"Bearer {KEY}"
    assert said(HOST.ask(JOB)) == ("GET", f"{BASE}/predictions/{ID}", bearer)
    assert said(HOST.cancel(JOB)) == ("POST", f"{BASE}/predictions/{ID}/cancel", bearer)
    odd = Job(id="a/../b?c#d")
    assert str(HOST.ask(odd).url) == f"{BASE}/predictions/a%2F..%2Fb%3Fc%23d"


def nested(code):
    inner = {
        "model": "seedream-4-0-250828",
        "created": 1758844499,
        "error": {"code": code, "message": "Not so. Request id: 0217"},
    }
    return f"Failed to generate image: {json.dumps(inner)}"


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (prediction("starting"), Running()),
        (prediction("processing"), Running()),
        # a hint, and no end yet
        (prediction("processing", output=[LINK]), Running()),
        (prediction("brand-new"), Running()),
        (prediction("succeeded", output=[LINK]), Done(images=(Image(url=LINK),))),
        (prediction("succeeded", output=LINK), Done(images=(Image(url=LINK),))),
        (prediction("successful", output=[LINK]), Done(images=(Image(url=LINK),))),
        (prediction("succeeded", output=[LINK, LINK, None, 7, f"{LINK}2"]),
         Done(images=(Image(url=LINK), Image(url=f"{LINK}2")))),
        (prediction("succeeded", data_removed=True, input={}),
         Refused(kind=GONE, code="data_removed", billed=True,
                 words="the host has deleted what it made; it keeps it for an hour")),
        *((prediction("succeeded", output=output),
           Refused(kind=FAILED, code="succeeded", billed=None,
                   words="the prediction ended in success without a picture"))
          for output in (None, [], "", ["ftp://a/b"], {"url": LINK}, [[LINK]])),
        (prediction("failed", error="CUDA broke"),
         Refused(kind=FAILED, code="failed", words="CUDA broke", billed=False)),
        (prediction("failed", error=None),
         Refused(kind=FAILED, code="failed", words="the prediction ended in failed", billed=False)),
        (prediction("failed", error="The input or output was flagged as sensitive (E005)"),
         Refused(kind=MODERATION, code="E005", billed=False,
                 words="The input or output was flagged as sensitive (E005)")),
        (prediction("failed", error="No (E005)"),
         Refused(kind=MODERATION, code="E005", words="No (E005)", billed=False)),
        (prediction("failed", error="Director: unexpected error (E1000)"),
         Refused(kind=FAILED, code="E1000", words="Director: unexpected error (E1000)",
                 billed=False)),
        (prediction("failed", error='cut short: {"error": {"code": "Inva'),
         Refused(kind=FAILED, code="failed", billed=False,
                 words='cut short: {"error": {"code": "Inva')),
        (prediction("failed", error={"code": "InvalidParameter", "message": "no"}),
         Refused(kind=INPUT, code="InvalidParameter", billed=False,
                 words='{"code": "InvalidParameter", "message": "no"}')),
        (prediction("aborted"),
         Refused(kind=FAILED, code="aborted", words="the prediction ended in aborted",
                 billed=False)),
        *((prediction(state),
           Refused(kind=FAILED, code=state, words=f"the prediction ended in {state}", billed=None))
          for state in ("canceled", "cancelled")),
    ],
)  # fmt: skip
def test_each_state_has_its_meaning(body, reply):
    assert HOST.asked(answer(200, body), JOB) == reply


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidParameter", INPUT),
        ("InvalidParameter.image", INPUT),
        ("OutputImageSensitiveContentDetected", MODERATION),
        ("InputImageSensitiveContentDetected.PrivacyInformation", MODERATION),
        ("InputImageRiskDetection", MODERATION),
        ("InternalServiceError", FAILED),
        # the partner's account is not ours
        ("AccountOverdueError", FAILED),
        ("ServerOverloaded", FAILED),
        ("QuotaExceeded", FAILED),
    ],
)
def test_the_partners_code_is_dug_out_of_the_text(code, kind):
    words = nested(code)
    assert HOST.asked(answer(200, prediction("failed", error=words)), JOB) == Refused(
        kind=kind, words=words, code=code, billed=False
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {}, AGAIN), (200, [], AGAIN), (200, {"status": None}, AGAIN), (200, b"{", AGAIN),
        (200, b"<html>maintenance</html>", AGAIN), (301, b"", AGAIN), (400, {}, AGAIN),
        (429, {"detail": THROTTLED}, AGAIN), (500, b"", AGAIN), (502, b"<p>x</p>", AGAIN),
        (401, {"detail": "no"}, ACCOUNT), (402, {}, ACCOUNT), (403, {}, ACCOUNT),
        (404, {"detail": "not found"}, GONE),
    ],
)  # fmt: skip
def test_a_failed_question_is_not_a_failed_job(status, body, kind):
    reply = HOST.asked(answer(status, body), JOB)
    assert (reply.kind, reply.code, reply.billed) == (kind, str(status), None)


@pytest.mark.parametrize(
    ("status", "body", "is_cancelled"),
    [
        (200, prediction("canceled"), True), (200, prediction("aborted"), True),
        (200, prediction("succeeded"), False), (200, prediction("processing"), False),
        (200, b"", False), (404, {}, False), (500, prediction("canceled"), False),
    ],
)  # fmt: skip
def test_a_job_is_cancelled_when_the_host_says_so(status, body, is_cancelled):
    assert HOST.cancelled(answer(status, body)) is is_cancelled


def finished(conversation, *answers):
    """The requests of a conversation and its end."""
    requests = []
    try:
        requests.append(next(conversation))
        for one in answers:
            requests.append(conversation.send(one))  # noqa: PERF401  # it may end here
    except StopIteration as end:
        return requests, end.value
    raise AssertionError(f"more is asked than was answered: {requests[-1]}")


LARGE = b"\x89PNG" + b"\0" * 250_000
UPLOAD = {
    "id": "cneqz", "content_type": "image/png", "size": 250_004, "metadata": {},
    "created_at": "2026-01-01T12:00:00Z", "expires_at": "2026-01-02T12:00:00Z",
    "urls": {"get": "https://api.replicate.com/v1/files/cneqz"},
}  # fmt: skip


def test_a_small_picture_becomes_a_data_uri_and_nothing_is_sent():
    assert finished(HOST.hand_over(picture())) == (
        [],
        Handed(address="data:image/png;base64,iVBORw==", expires_at=None),
    )
    (_, largest) = finished(HOST.hand_over(picture(b"\0" * 191_979)))
    assert len(largest.address) == 255_994
    assert isinstance(next(HOST.hand_over(picture(b"\0" * 191_990))), httpx.Request)


@pytest.mark.parametrize("status", [200, 201])
def test_a_large_picture_is_uploaded_and_named_as_the_host_names_it(status):
    large = picture(LARGE)
    (request,), end = finished(HOST.hand_over(large), answer(status, UPLOAD))
    assert end == Handed(
        address="https://api.replicate.com/v1/files/cneqz",
        expires_at=datetime(2026, 1, 2, 12, tzinfo=UTC),
    )
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/files")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    (part,) = BytesParser(policy=HTTP).parsebytes(head + request.read()).iter_parts()
    assert part["content-disposition"].params == {"name": "content", "filename": large.file_name}
    assert part.get_content_type() == "image/png"
    assert part.get_payload(decode=True) == LARGE


def test_an_upload_without_an_address_is_named_by_its_id_and_lives_an_hour():
    before = datetime.now(UTC)
    _, end = finished(HOST.hand_over(picture(LARGE)), answer(201, {"id": "cneqz", "urls": []}))
    assert end.address == f"{BASE}/files/cneqz"
    assert timedelta(hours=1) <= end.expires_at - before < timedelta(hours=1, minutes=1)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, {"detail": "Files must be less than 100MB in size"}, INPUT), (400, {}, INPUT),
        (422, {}, INPUT), (401, {}, ACCOUNT), (402, {}, ACCOUNT), (403, {}, ACCOUNT),
        (302, {}, ACCOUNT), (429, {}, AGAIN), (500, b"", AGAIN), (503, b"<p>x</p>", AGAIN),
        (409, {}, AGAIN), (201, b"", AGAIN), (201, {}, AGAIN), (201, {"id": None}, AGAIN),
    ],
)  # fmt: skip
def test_an_upload_that_fails_has_cost_nothing(status, body, kind):
    _, end = finished(HOST.hand_over(picture(LARGE)), answer(status, body))
    assert (end.kind, end.code, end.billed) == (kind, str(status), False)


def test_the_list_is_asked_from_a_time_in_utc():
    since = datetime(2026, 3, 1, 13, 5, 9, 99, tzinfo=timezone(timedelta(hours=2)))
    address = f"{BASE}/predictions?created_after=2026-03-01T11%3A05%3A09Z"
    request = HOST.list_jobs(since)
    assert said(request) == ("GET", address, f"Bearer {KEY}")
    assert dict(request.url.params) == {"created_after": "2026-03-01T11:05:09Z"}


def test_the_list_tells_each_prediction_of_this_model_and_its_next_page():
    rows = [
        prediction("succeeded", output=[LINK]),
        prediction("processing", id="b", input={}),
        prediction("succeeded", id="c"),  # its picture is not in the list: ask
        prediction("starting", id="d", model="black-forest-labs/flux"),
        {"id": "e"},
        {"status": "starting"},
        None,
    ]
    following = "https://api.replicate.com/v1/predictions?cursor=cD0%3D&created_after=x"
    found, page = HOST.listed(answer(200, {"next": following, "results": rows}))
    created = datetime(2026, 3, 1, 11, 59, tzinfo=UTC)
    assert found == [
        Listed(job=JOB, reply=Done(images=(Image(url=LINK),)), created_at=created, prompt="a cup"),
        Listed(job=Job(id="b"), reply=Running(), created_at=created),
        Listed(job=Job(id="c"), reply=None, created_at=created, prompt="a cup"),
        Listed(job=Job(id="e"), reply=None),
    ]
    # the key goes to the account's own address, whatever the list names
    address = f"{BASE}/predictions?cursor=cD0%3D&created_after=x"
    assert said(page) == ("GET", address, f"Bearer {KEY}")


@pytest.mark.parametrize(
    "response",
    [
        answer(200, {"next": None, "previous": None, "results": []}), answer(200, {}),
        answer(200, {"results": None, "next": 7}), answer(200, {"next": "https://a.example/b"}),
        answer(200, {"next": f"https://a.example/?{'a' * 5000}"}), answer(200, b"<html>"),
        answer(500, {"results": [prediction()], "next": "https://a.example/b?c"}),
    ],
)  # fmt: skip
def test_a_list_that_says_nothing_is_empty(response):
    found, page = HOST.listed(response)
    assert (list(found), page) == ([], None)


def signed(body, *, key=SIGNER, at=NOW, message="msg_1", earlier=""):
    stamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message, "webhook-timestamp": stamp,
        "webhook-signature": f"{earlier}v1,{base64.b64encode(digest).decode()}",
    }  # fmt: skip


PUBLISHED = json.dumps({"key": SECRET}).encode()
BODY = json.dumps(prediction("succeeded", output=[LINK])).encode()
HEARD = Heard(job=JOB, reply=Done(images=(Image(url=LINK),)), message_id="msg_1")


def test_the_secret_is_fetched_unless_it_is_set():
    bearer = f"Bearer {KEY}"
    assert said(HOST.callback_keys()) == ("GET", f"{BASE}/webhooks/default/secret", bearer)
    assert Host(account(secret=SECRET)).callback_keys() is None


def test_a_signed_callback_is_heard_with_either_secret():
    assert HOST.heard(signed(BODY), BODY, now=NOW, keys=PUBLISHED) == HEARD
    by_hand = Host(account(secret=SECRET))
    assert by_hand.heard(signed(BODY), BODY, now=NOW) == HEARD
    rotated = signed(BODY, earlier="v1,bm90IHRoaXM= v2,x ")
    assert by_hand.heard(rotated, BODY, now=NOW) == HEARD


def test_a_known_vector_is_heard():
    # computed apart: openssl dgst -sha256 -mac HMAC over `msg_1.1772366400.{"id":"a"}`
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": "1772366400",
        "webhook-signature": "v1,F0lfoDV6I51+S/e3CZF2eT0uKrzPRARqRWzOEbAAUK0=",
    }  # fmt: skip
    assert HOST.heard(headers, b'{"id":"a"}', now=NOW, keys=PUBLISHED) == Heard(
        job=Job(id="a"), reply=None, message_id="msg_1"
    )


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (prediction("processing"), Running()),
        (prediction("failed", error="no"),
         Refused(kind=FAILED, code="failed", words="no", billed=False)),
        # nothing to show: ask
        (prediction("succeeded"), None),
        ({"id": ID}, None),
    ],
)  # fmt: skip
def test_a_callback_says_what_the_prediction_says(body, reply):
    raw = json.dumps(body).encode()
    heard = HOST.heard(signed(raw), raw, now=NOW, keys=PUBLISHED)
    assert heard == Heard(job=JOB, reply=reply, message_id="msg_1")


@pytest.mark.parametrize(
    ("headers", "body", "keys"),
    [
        (signed(BODY), BODY.replace(b"0.jpg", b"1.jpg"), PUBLISHED),
        (signed(BODY) | {"webhook-id": "msg_2"}, BODY, PUBLISHED),
        (signed(BODY, key=b"another"), BODY, PUBLISHED),
        (signed(BODY, at=NOW - timedelta(seconds=301)), BODY, PUBLISHED),
        (signed(BODY, at=NOW + timedelta(seconds=301)), BODY, PUBLISHED),
        (signed(BODY, key=b""), BODY, b""),
        (signed(BODY, key=b""), BODY, b'{"key": "whsec_"}'),
        (signed(BODY, key=b""), BODY, b'{"key": "whsec_%%%"}'),
        (signed(BODY, key=b""), BODY, b'{"key": null}'),
        (signed(BODY), BODY, PUBLISHED.replace(b"whsec_", b"whsec_%")),
        (signed(BODY, key=b""), BODY, b"<html>"),
        ({}, BODY, PUBLISHED),
        (signed(b"{}"), b"{}", PUBLISHED),
        (signed(b"<html>"), b"<html>", PUBLISHED),
    ],
)
def test_a_callback_that_proves_nothing_is_not_heard(headers, body, keys):
    with pytest.raises(UnverifiedError):
        HOST.heard(headers, body, now=NOW, keys=keys)


def test_neither_key_nor_secret_nor_signed_link_is_shown():
    host = Host(account(secret=SECRET))
    words = f"No {KEY} and {SECRET} for https://a.example/b?signature=SIGNED here"
    for reply in (
        host.submitted(answer(401, {"detail": words}), order()),
        host.submitted(answer(502, words.encode()), order()),
        host.asked(answer(200, prediction("failed", error=words)), JOB),
        host.asked(answer(200, prediction("failed", error=nested(f"{KEY}.{SECRET}"))), JOB),
        finished(host.hand_over(picture(LARGE)), answer(500, {"detail": words}))[1],
    ):
        assert KEY not in repr(reply)
        assert SECRET not in repr(reply)
        assert "SIGNED" not in repr(reply)
    assert KEY not in repr(host) + repr(host.account)
    assert SECRET not in repr(host) + repr(host.account)


def test_what_is_published_is_said_as_data():
    assert tuple(Host.capabilities.treatments) == PARAMETERS
    assert Host.limits.windows == (
        Window(amount=600, per_s=60, counts="creates"),
        Window(amount=3000, per_s=60, counts="requests"),
    )
    assert (Host.usd_per_image, Host.capabilities.references.count) == (Decimal("0.03"), 10)
    assert not Host.is_synchronous


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([LINK, ID, "succeeded", "failed", "canceled", nested("QuotaExceeded"), KEY]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "status", "output", "error", "code", "data_removed", "results", "next",
             "retry_after", "detail", "title", "urls", "get", "expires_at", "input", "created_at"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=14,
)  # fmt: skip
WHATEVER = st.binary(max_size=60) | JSON.map(lambda one: json.dumps(one).encode())


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    body=WHATEVER,
    wait=st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
def test_whatever_comes_is_a_reply(status, body, wait):
    headers = {} if wait is None else {"retry-after": wait}
    response = httpx.Response(status, content=body, headers=headers)
    created, asked = HOST.submitted(response, order()), HOST.asked(response, JOB)
    assert isinstance(created, Accepted | Refused)
    assert isinstance(asked, Done | Running | Refused)
    assert not isinstance(asked, Done) or asked.images
    assert not isinstance(created, Refused) or (created.words and created.code)
    assert HOST.cancelled(response) in (True, False)
    _, page = HOST.listed(response)
    assert page is None or page.url.host == "127.0.0.1"
    _, end = finished(HOST.hand_over(picture(LARGE)), response)
    assert isinstance(end, Handed | Refused)
    for one in (created, asked, end):
        # an address or a job's name may be anything that the host says, its words may not
        assert not isinstance(one, Refused) or "SECRET" not in repr(one)


@settings(max_examples=100, deadline=None)
@given(body=WHATEVER)
def test_a_signed_callback_is_heard_or_refused_whatever_it_holds(body):
    try:
        heard = HOST.heard(signed(body), body, now=NOW, keys=PUBLISHED)
    except UnverifiedError as error:
        assert str(error) == "the callback names no prediction"  # noqa: PT017
    else:
        assert heard.job.id


def looked_up(*rows, edit=False):
    """What is found of a create of two minutes ago where the list has these rows."""
    pictures = {"pictures": (picture(),), "addresses": ("data:image/png;base64,AA==",)}
    sent = order(**(pictures if edit else {}))
    trace = Trace(
        signature=HOST.signature(sent), mark="mark-1", sent_at=NOW - timedelta(minutes=2), now=NOW
    )
    listed = answer(200, {"next": None, "previous": None, "results": rows})
    with httpx.Client(transport=httpx.MockTransport(lambda _: listed)) as http:
        return talk(HOST.find(trace, lambda _: False), http)


def test_a_lost_create_is_found_by_the_input_that_the_list_shows():
    running = prediction("processing", input={**TEXT_INPUT, "enhance_prompt": True})
    other = prediction(id="other", input={**TEXT_INPUT, "prompt": "a jug"})
    assert looked_up(other, running) == Found(job=JOB, reply=Running())
    canceled = prediction("canceled", input=TEXT_INPUT)
    found = looked_up(canceled)
    assert (found.reply.kind, found.billed) == (FAILED, None)
    assert looked_up(other) == NotThere()
    assert looked_up(prediction(model="other/model", input=TEXT_INPUT)) == NotThere()


def test_an_input_that_the_host_has_deleted_or_changed_leaves_it_open():
    gone = prediction("succeeded", input={}, data_removed=True)
    assert looked_up(gone) == Unclear("1 tasks without an owner do not show what they make")
    kept_elsewhere = {**TEXT_INPUT, "image_input": ["https://replicate.delivery/a.png"]}
    assert looked_up(prediction(input=kept_elsewhere), edit=True) == Unclear(
        "a task without an owner has the same prompt and other inputs"
    )
