"""BytePlus: what is sent and how each documented answer is read."""

import base64
import json
from decimal import Decimal
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
    Account,
    Done,
    Image,
    Job,
    Order,
    Picture,
    RefusalKind,
    Refused,
    Window,
)
from flows.providers.byteplus import Host

KEY = "sk-test-SECRET-123"
BASE = "http://127.0.0.1:4100/byteplus/api/v3"
LINK = "https://ark-content-generation.example/x.jpeg?X-Tos-Expires=86400&X-Tos-Signature=SIGNED"


def picture(role, data, media_type):
    return Picture(
        role=role, data=data, media_type=media_type, width=512, height=512,
        sha256=sha256(data).hexdigest(),
    )  # fmt: skip


def account(**differs):
    plain = {
        "host": "byteplus", "name": "byteplus", "realm": Realm.SANDBOX, "key": KEY,
        "addresses": {"BYTEPLUS_BASE_URL": BASE}, "limits": Host.limits,
        "usd_per_image": Decimal("0.03"), "latency_s": 20.0,
    }  # fmt: skip
    return Account(**{**plain, **differs})


HOST = Host(account())


def order(*, size=(1824, 2280), parameters=None, **differs):
    recipe = Recipe(
        model="seedream-4", prompt="a cup, “quietly”\nat dusk", ratio="4:5", tier="2K", seed=7,
        parameters=parameters or {},
    )  # fmt: skip
    return Order(**{"recipe": recipe, "size": Host.capabilities.shapes.nearest(*size), **differs})


def submitted(status, body=None, **more):
    if isinstance(body, bytes):
        response = httpx.Response(status, content=body, **more)
    else:
        response = httpx.Response(status, json=body, **more)
    return HOST.submitted(response, order())


def success(*entries, **more):
    return {"model": "seedream-4-0-250828", "created": 1758844499, "data": list(entries), **more}


def error(code, message="Not so. Request id: 0217"):
    return {"error": {"code": code, "message": message, "param": "", "type": ""}}


TEXT_BODY = {
    "model": "seedream-4-0-250828",
    "prompt": "a cup, “quietly”\nat dusk",
    "size": "1824x2280",
    "sequential_image_generation": "disabled",
    "response_format": "url",
    "watermark": False,
}


def test_text_becomes_one_documented_request():
    request = HOST.submit(order(mark="spring-0001"))
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/images/generations")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-client-request-id"] == "spring-0001"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == TEXT_BODY


def test_references_travel_inside_the_request_in_their_order():
    pictures = (
        picture("product", b"\xff\xd8\xff", "image/jpeg"),
        picture("logo", b"\x89PNG", "image/png"),
    )
    request = HOST.submit(order(pictures=pictures))
    assert HOST.hand_over(pictures[0]) is None
    assert json.loads(request.content) == {
        **TEXT_BODY,
        "image": ["data:image/jpeg;base64,/9j/", "data:image/png;base64,iVBORw=="],
    }
    assert "x-client-request-id" not in request.headers


def test_what_the_host_does_not_know_is_not_sent():
    wished = order(parameters={"guidance": 2.5, "safety": False}, callback="https://hooks.example/")
    assert json.loads(HOST.submit(wished).content) == TEXT_BODY


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ((2048, 2048), "2048x2048"),
        ((1280, 720), "1280x720"),  # 921,600 pixels, the least
        ((800, 800), "960x960"),
        ((1600, 600), "1600x600"),
        ((4096, 4096), "4096x4096"),  # the most
        ((5000, 5000), "4096x4096"),
        ((16384, 1024), "16384x1024"),
    ],
)
def test_sizes_stay_within_the_published_area_and_ratio(wanted, asked):
    assert json.loads(HOST.submit(order(size=wanted)).content)["size"] == asked


def test_ten_references_of_the_most_bytes_fit_into_one_request():
    most = Host.capabilities.references
    assert (most.count, most.by, Host.capabilities.together) == (10, "data-uri", 15)
    assert most.count * (most.most_bytes * 4 // 3 + 100) < 64_000_000


def test_without_an_address_the_variable_to_set_is_named():
    with pytest.raises(EnvironmentFault, match="set BYTEPLUS_BASE_URL"):
        Host(account(addresses={})).submit(order())


@pytest.mark.parametrize(
    ("body", "images"),
    [
        (success({"url": LINK, "size": "1824x2280"}), (Image(url=LINK),)),
        (success({"b64_json": "/9j/"}), (Image(data=b"\xff\xd8\xff"),)),
        # whatever else stands beside it: what came is what was bought
        (
            success({"url": LINK}, {"error": {"code": "InternalServiceError", "message": "x"}}),
            (Image(url=LINK),),
        ),
        (success(None, 7, {"url": None}, {"url": LINK}, usage=None), (Image(url=LINK),)),
        ({**success({"url": LINK}), **error("InternalServiceError")}, (Image(url=LINK),)),
    ],
)
def test_a_picture_is_read_where_it_is_documented(body, images):
    assert submitted(200, body) == Done(images=images)


def test_the_answer_names_the_call_by_its_header():
    reply = submitted(200, success({"url": LINK}), headers={"x-request-id": "0217-abc"})
    assert reply == Done(images=(Image(url=LINK),), id="0217-abc")


INPUT, MODERATION, AGAIN = RefusalKind.INPUT, RefusalKind.MODERATION, RefusalKind.AGAIN
ACCOUNT, FAILED, UNKNOWN = RefusalKind.ACCOUNT, RefusalKind.FAILED, RefusalKind.UNKNOWN


@pytest.mark.parametrize(
    ("code", "kind", "billed"),
    [
        ("InvalidParameter", INPUT, False),
        ("InvalidParameter.size", INPUT, False),
        ("OutputImageSensitiveContentDetected", MODERATION, False),
        ("OutputImageSensitiveContentDetected.DeepFake", MODERATION, False),
        ("InputTextSensitiveContentDetected", MODERATION, False),
        ("ServerOverloaded", AGAIN, False),
        ("AccountOverdueError", ACCOUNT, False),
    ],
)
def test_an_error_inside_a_success_is_told_by_its_code(code, kind, billed):
    message = "Not so. Request id: 0217"
    told = Refused(kind=kind, words=message, code=code, billed=billed)
    on_top = {"model": "seedream-4-0-250828", "created": 1758844499, **error(code)}
    assert submitted(200, on_top) == told
    assert submitted(200, success(error(code))) == told


@pytest.mark.parametrize(
    ("body", "kind", "code", "billed"),
    [
        # failed entries are free; of an error on top nobody says
        (success(error("InternalServiceError")), FAILED, "InternalServiceError", False),
        (error("InternalServiceError"), FAILED, "InternalServiceError", None),
        ({**error("Odd"), "usage": {"generated_images": 0}}, FAILED, "Odd", False),
        # the host's own count is its bill
        ({**error("Odd"), "usage": {"generated_images": 1}}, FAILED, "Odd", True),
        ({**error("RequestBurstTooFast"), "usage": {"generated_images": 1}},
         FAILED, "RequestBurstTooFast", True),
        (success(usage={"generated_images": 0}), FAILED, "200", False),
        (success(usage={"generated_images": 1}), FAILED, "200", True),
        (success(), UNKNOWN, "200", None),
        (success({"url": ""}), UNKNOWN, "200", None),
        (success({"url": "javascript:1"}, {"b64_json": "%/9j/"}, {"b64_json": ""}),
         UNKNOWN, "200", None),
        ({"data": {"url": LINK}}, UNKNOWN, "200", None),
        ({}, UNKNOWN, "200", None),
        ([], UNKNOWN, "200", None),
        (b"", UNKNOWN, "200", None),
        (b'{"data":[{"url"', UNKNOWN, "200", None),
        (b"<html><title>Welcome</title></html>", UNKNOWN, "200", None),
    ],
)  # fmt: skip
def test_a_success_without_a_picture_is_never_taken_for_one(body, kind, code, billed):
    reply = submitted(200, body)
    assert (reply.kind, reply.code, reply.billed) == (kind, code, billed)


@pytest.mark.parametrize(
    ("status", "code", "kind", "billed"),
    [
        (400, "MissingParameter", INPUT, False),
        (400, "MissingParameter.prompt", INPUT, False),
        (400, "InvalidParameter", INPUT, False),
        (400, "InvalidParameter.UnsupportedParameter", INPUT, False),
        (400, "InvalidImageURL.EmptyURL", INPUT, False),
        (400, "InvalidImageURL.InvalidFormat", INPUT, False),
        (400, "OutofContextError", INPUT, False),
        (400, "InvalidEndpoint.ClosedEndpoint", ACCOUNT, False),
        (400, "InputTextSensitiveContentDetected", MODERATION, False),
        (400, "InputImageSensitiveContentDetected", MODERATION, False),
        (400, "InputImageSensitiveContentDetected.PolicyViolation", MODERATION, False),
        (400, "InputImageSensitiveContentDetected.PrivacyInformation", MODERATION, False),
        (400, "OutputImageSensitiveContentDetected.DeepFake", MODERATION, False),
        (400, "SensitiveContentDetected.SevereViolation", MODERATION, False),
        (400, "SensitiveContentDetected.Violence", MODERATION, False),
        (400, "InputImageRiskDetection", MODERATION, False),
        (400, "OutputImageRiskDetection", MODERATION, False),
        (400, "ContentSecurityDetectionError", MODERATION, False),
        (400, "SomethingNew", INPUT, False),
        (401, "AuthenticationError", ACCOUNT, False),
        (401, "InvalidAccountStatus", ACCOUNT, False),
        (403, "AccountOverdueError", ACCOUNT, False),
        (403, "AccessDenied", ACCOUNT, False),
        (403, "OperationDenied.ServiceNotOpen", ACCOUNT, False),
        (403, "OperationDenied.ServiceOverdue", ACCOUNT, False),
        (404, "InvalidEndpointOrModel.NotFound", ACCOUNT, False),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", ACCOUNT, False),
        (404, "ModelNotOpen", ACCOUNT, False),
        (429, "ModelAccountIpmRateLimitExceeded", AGAIN, False),
        (429, "ModelAccountRpmRateLimitExceeded", AGAIN, False),
        (429, "ModelAccountTpmRateLimitExceeded", AGAIN, False),
        (429, "APIAccountRpmRateLimitExceeded", AGAIN, False),
        (429, "AccountRateLimitExceeded", AGAIN, False),
        (429, "RateLimitExceeded.EndpointRPMExceeded", AGAIN, False),
        (429, "RateLimitExceeded.EndpointTPMExceeded", AGAIN, False),
        (429, "RequestBurstTooFast", AGAIN, False),
        (429, "ServerOverloaded", AGAIN, False),
        (429, "InflightBatchsizeExceeded", AGAIN, False),
        (429, "SomethingNew", AGAIN, False),
        (429, "SetLimitExceeded", ACCOUNT, False),
        (429, "QuotaExceeded", ACCOUNT, False),
        (500, "InternalServiceError", UNKNOWN, None),
        (500, "AccessDenied", UNKNOWN, None),
        (503, "ServerOverloaded", UNKNOWN, None),
        (408, "InvalidParameter", UNKNOWN, None),
        (409, "SomethingNew", UNKNOWN, None),
        (425, "SomethingNew", UNKNOWN, None),
    ],
)
def test_each_documented_code_has_its_meaning(status, code, kind, billed):
    message = "Not so. Request id: 0217"
    assert submitted(status, error(code)) == Refused(
        kind=kind, words=message, code=code, billed=billed
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, INPUT), (401, ACCOUNT), (402, ACCOUNT), (403, ACCOUNT), (404, INPUT), (413, INPUT),
        (418, UNKNOWN), (422, INPUT), (429, AGAIN), (500, UNKNOWN), (502, UNKNOWN), (504, UNKNOWN),
    ],
)  # fmt: skip
def test_without_a_code_the_status_decides(status, kind):
    page = b"<html><style>p {}</style><h1>Bad\n gateway</h1></html>"
    billed = None if kind is UNKNOWN else False
    assert submitted(status, page) == Refused(
        kind=kind, words="Bad gateway", code=str(status), billed=billed
    )


def test_a_wait_is_read_from_the_header_and_belongs_to_waits_only():
    headers = {"retry-after": "17"}
    assert submitted(429, error("RequestBurstTooFast"), headers=headers).retry_after_s == 17.0
    assert submitted(429, error("QuotaExceeded"), headers=headers).retry_after_s is None
    assert submitted(503, error("ServerOverloaded"), headers=headers).retry_after_s is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_stops_the_account(status):
    assert submitted(status, b"", headers={"location": "https://elsewhere.example/"}) == Refused(
        kind=ACCOUNT, words="byteplus redirects; check BYTEPLUS_BASE_URL", code=str(status)
    )


def test_neither_key_nor_signed_link_is_shown():
    said = f"Timeout while downloading url={LINK}, key {KEY}"
    for reply in (
        submitted(400, error("InvalidParameter", said)),
        submitted(400, error(KEY, said)),
        submitted(401, f"<p>{said}</p>".encode()),
        submitted(200, success(error("Odd", said))),
        submitted(200, said.encode()),
    ):
        assert "SECRET" not in repr(reply)
        assert "SIGNED" not in repr(reply)
        assert "Timeout while downloading" in reply.words
    assert "SECRET" not in repr(HOST) + repr(HOST.account)


def test_there_are_no_jobs_to_ask_for():
    with pytest.raises(LookupError, match="answers at once"):
        HOST.ask(Job(id="0217"))
    reply = HOST.asked(httpx.Response(200, json={}), Job(id="0217"))
    assert reply == Refused(kind=RefusalKind.GONE, words="byteplus keeps no jobs", billed=None)
    assert HOST.cancel(Job(id="0217")) is None
    assert HOST.callback_keys() is None


def test_what_is_published_is_said_as_data():
    assert tuple(Host.capabilities.treatments) == PARAMETERS
    assert Host.limits.windows == (Window(amount=500, per_s=60, counts="images"),)
    assert (Host.limits.running, Host.usd_per_image) == (40, Decimal("0.03"))
    assert Host.is_synchronous
    assert Host.timeout_s >= 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([LINK, "InvalidParameter.x", "QuotaExceeded", "/9j/", KEY]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "error", "url", "b64_json", "code", "message", "usage", "generated_images"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=60) | JSON.map(lambda one: json.dumps(one).encode()),
    wait=st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
def test_whatever_comes_is_a_reply(status, body, wait):
    headers = {} if wait is None else {"retry-after": wait}
    reply = HOST.submitted(httpx.Response(status, content=body, headers=headers), order())
    assert isinstance(reply, Done | Refused)
    assert "SECRET" not in repr(reply)
    if isinstance(reply, Done):
        assert 200 <= status < 300
        assert reply.images
        assert all((one.url is None) != (not one.data) for one in reply.images)
    else:
        assert reply.words
        assert reply.code
        if reply.kind is UNKNOWN:
            assert reply.billed is None
        if 200 <= status < 300 and reply.kind in (INPUT, AGAIN, ACCOUNT):
            assert reply.billed is False


def test_a_data_uri_holds_the_picture_byte_for_byte():
    data = bytes(range(256))
    request = HOST.submit(order(pictures=(picture("style", data, "image/png"),)))
    (uri,) = json.loads(request.content)["image"]
    assert base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True) == data
