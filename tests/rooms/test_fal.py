"""fal: what is sent and how each documented answer is read."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
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
    Found,
    Handed,
    Image,
    Job,
    Limits,
    Listed,
    NotThere,
    Order,
    Picture,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
    Size,
    Trace,
    Unclear,
    UnverifiedError,
    Way,
    Window,
)
from flows.providers.fal import Host
from tests.rooms.test_lookup import talk

KEY = "sk-test-SECRET-123"
SERVER = "http://127.0.0.1:4100"
QUEUE, REST, API = f"{SERVER}/queue", f"{SERVER}/rest", f"{SERVER}/api/v1"
TEXT = "fal-ai/bytedance/seedream/v4/text-to-image"
EDIT = "fal-ai/bytedance/seedream/v4/edit"
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
JOB = Job(id=ID)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://v3b.fal.media/files/b/x.png"
BYTES = b"\xff\xd8 picture"
PICTURE = Picture(
    role="product",
    data=BYTES,
    media_type="image/jpeg",
    width=512,
    height=512,
    sha256=hashlib.sha256(BYTES).hexdigest(),
)
ADDRESSES = {"FAL_QUEUE_URL": QUEUE, "FAL_REST_URL": REST, "FAL_API_URL": API}


def host(**differs) -> Host:
    plain = {
        "host": "fal",
        "name": "fal",
        "realm": Realm.SANDBOX,
        "key": KEY,
        "addresses": ADDRESSES,
        "limits": Host.limits,
        "usd_per_image": Host.usd_per_image,
        "latency_s": Host.latency_s,
    }
    return Host(Account(**{**plain, **differs}))


def order(*, seed: int | None = 7, parameters=None, **differs) -> Order:
    recipe = Recipe(
        model="seedream-4",
        prompt="a cup, “quietly”",
        ratio="4:5",
        tier="2K",
        seed=seed,
        parameters=parameters or {},
    )
    size = Size(shape=Fraction(4, 5), width=1824, height=2280)
    return Order(**{"recipe": recipe, "size": size, **differs})


def bought(status: int, body: object) -> Reply:
    return host().submitted(httpx.Response(status, json=body), order())


def state(status: int, body: object) -> Reply:
    return host().asked(httpx.Response(status, json=body), JOB)


def result(status: int, body: object) -> Reply:
    return host().collected(httpx.Response(status, json=body), JOB)


def detail(sort: str, message: str = "it went wrong") -> dict[str, object]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": message, "type": sort, "input": "x"}]}


def test_text_is_bought_at_the_full_model_path_with_documented_fields_alone() -> None:
    request = host().submit(order(parameters={"guidance": 2.5}, mark="take-1"))
    assert (request.method, str(request.url)) == ("POST", f"{QUEUE}/{TEXT}")
    assert request.headers["authorization"] == f"Key {KEY}"
    assert not [name for name in request.headers if name.startswith("x-")]
    assert json.loads(request.content) == {
        "prompt": "a cup, “quietly”",
        "image_size": {"width": 1824, "height": 2280},
        "num_images": 1,
        "max_images": 1,
        "sync_mode": False,
        "seed": 7,
    }


def test_an_edit_has_its_own_path_its_references_and_its_callback_in_the_query() -> None:
    request = host().submit(
        order(
            seed=None,
            parameters={"safety": False},
            pictures=(PICTURE, PICTURE),
            addresses=("https://v3b.fal.media/a.jpg", "https://v3b.fal.media/b.jpg"),
            callback="https://hooks.acme.example/fal?take=1&x=2",
        )
    )
    assert request.url.copy_with(query=None) == httpx.URL(f"{QUEUE}/{EDIT}")
    assert request.url.params.multi_items() == [
        ("fal_webhook", "https://hooks.acme.example/fal?take=1&x=2")
    ]
    assert json.loads(request.content) == {
        "prompt": "a cup, “quietly”",
        "image_size": {"width": 1824, "height": 2280},
        "num_images": 1,
        "max_images": 1,
        "sync_mode": False,
        "enable_safety_checker": False,
        "image_urls": ["https://v3b.fal.media/a.jpg", "https://v3b.fal.media/b.jpg"],
    }


@pytest.mark.parametrize("seed", [-1, 2**31, None])
def test_a_seed_out_of_range_is_left_out(seed: int | None) -> None:
    assert "seed" not in json.loads(host().submit(order(seed=seed)).content)


def given_links(base: str = SERVER) -> dict[str, str]:
    path = f"{base}/elsewhere/{ID}"
    return {"response_url": path, "status_url": f"{path}/status", "cancel_url": f"{path}/cancel"}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_submit_is_accepted_with_its_id_and_its_addresses(status: int) -> None:
    body = {
        "status": "IN_QUEUE",
        "request_id": ID,
        "gateway_request_id": "other",
        "queue_position": 0,
        "logs": None,
        "metrics": {},
        **given_links(),
    }
    assert bought(status, body) == Accepted(job=Job(id=ID, notes=given_links()))


def test_a_jobs_requests_go_to_the_addresses_that_were_given() -> None:
    job = Job(id=ID, notes=given_links())
    cancel = host().cancel(job)
    assert cancel is not None
    sent = [host().ask(job), host().collect(job), cancel]
    assert [(one.method, str(one.url)) for one in sent] == [
        ("GET", f"{SERVER}/elsewhere/{ID}/status"),
        ("GET", f"{SERVER}/elsewhere/{ID}"),
        ("PUT", f"{SERVER}/elsewhere/{ID}/cancel"),
    ]
    assert {one.headers["authorization"] for one in sent} == {f"Key {KEY}"}


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:4101",
        "https://127.0.0.1:4100",
        "http://127.0.0.1",
        "http://evil.example:4100",
        "http://127.0.0.1:4100@evil.example",
        "http://user@127.0.0.1:4100",
        "file://127.0.0.1:4100",
        "//127.0.0.1:4100",
        "",
    ],
)
def test_the_key_goes_to_no_address_but_the_accounts_own_queue(base: str) -> None:
    assert bought(200, {"request_id": ID, **given_links(base)}) == Accepted(job=JOB)
    job = Job(id=ID, notes=given_links(base))
    cancel = host().cancel(job)
    assert cancel is not None
    assert [str(one.url) for one in (host().ask(job), host().collect(job), cancel)] == [
        f"{QUEUE}/fal-ai/bytedance/requests/{ID}/status",
        f"{QUEUE}/fal-ai/bytedance/requests/{ID}",
        f"{QUEUE}/fal-ai/bytedance/requests/{ID}/cancel",
    ]


def test_the_same_port_written_or_not_is_the_same_address() -> None:
    live = host(addresses={"FAL_QUEUE_URL": "https://queue.fal.run"})
    links = given_links("https://QUEUE.fal.run:443")
    assert live.submitted(httpx.Response(200, json={"request_id": ID, **links}), order()) == (
        Accepted(job=Job(id=ID, notes=links))
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "words", "billed"),
    [
        (422, detail("missing", "field required"), "input", "missing",
         "body.prompt: field required", False),
        (422, detail("content_policy_violation"), "moderation", "content_policy_violation",
         "body.prompt: it went wrong", False),
        (400, {"detail": "flagged by the content policy"}, "moderation", "400",
         "flagged by the content policy", False),
        (400, {"detail": "odd"}, "input", "400", "odd", False),
        (404, {"detail": "Application 'x' not found"}, "input", "404",
         "Application 'x' not found", False),
        (413, {"detail": "too large"}, "input", "413", "too large", False),
        (401, {"detail": "Cannot access application"}, "account", "401",
         "Cannot access application", False),
        (402, {"detail": "pay"}, "account", "402", "pay", False),
        (403, {"detail": "User is locked. Reason: Exhausted balance. Top up."}, "account", "403",
         "User is locked. Reason: Exhausted balance. Top up.", False),
        (403, {"detail": "User is locked. Reason: TOP_UP."}, "account", "403",
         "User is locked. Reason: TOP_UP.", False),
        (429, {"detail": "busy", "error_type": "concurrent_requests_limit"}, "again",
         "concurrent_requests_limit", "busy", False),
        (408, {"detail": "late"}, "unknown", "408", "late", None),
        (409, {"detail": "twice"}, "unknown", "409", "twice", None),
        (425, {"detail": "early"}, "unknown", "425", "early", None),
        (499, {"detail": "left", "error_type": "client_disconnected"}, "unknown",
         "client_disconnected", "left", None),
        (500, detail("internal_server_error"), "unknown", "internal_server_error",
         "body.prompt: it went wrong", None),
        (503, {"detail": "gone", "error_type": "runner_disconnected"}, "unknown",
         "runner_disconnected", "gone", None),
        (504, {"detail": "slow", "error_type": "request_timeout"}, "unknown", "request_timeout",
         "slow", None),
    ],
)  # fmt: skip
def test_a_refused_submit_is_read_by_status_and_type(
    status, body, kind, code, words, billed
) -> None:
    assert bought(status, body) == Refused(
        kind=RefusalKind(kind), words=words, code=code, billed=billed
    )


def test_a_limit_is_waited_out_for_as_long_as_the_header_says() -> None:
    response = httpx.Response(429, headers={"retry-after": "7"}, json={"detail": "busy"})
    assert host().submitted(response, order()) == Refused(
        kind=RefusalKind.AGAIN, words="busy", code="429", retry_after_s=7.0
    )


@pytest.mark.parametrize(
    "body", [{}, {"request_id": None}, {"request_id": 5}, {"request_id": ""}, [], "x"]
)
def test_success_without_a_usable_id_may_have_been_bought(body: object) -> None:
    reply = bought(200, body)
    assert isinstance(reply, Refused)
    assert (reply.kind, reply.billed) == (RefusalKind.UNKNOWN, None)


def test_a_redirect_is_told_with_the_variable_to_check() -> None:
    moved = httpx.Response(302, json=detail("missing"), headers={"location": "https://x.example"})
    words = "fal redirects; check FAL_QUEUE_URL"
    for reply in (
        host().submitted(moved, order()),
        host().asked(moved, JOB),
        host().collected(moved, JOB),
    ):
        assert isinstance(reply, Refused)
        assert (reply.kind, reply.words) == (RefusalKind.ACCOUNT, words)


@pytest.mark.parametrize(
    ("status", "body", "reply"),
    [
        (202, {"status": "IN_QUEUE", "request_id": ID, "queue_position": 3}, Running(ahead=3)),
        (202, {"status": "IN_QUEUE", "queue_position": 12_654}, Running(ahead=12_654)),
        (202, {"status": "IN_QUEUE", "queue_position": None}, Running()),
        (202, {"status": "IN_PROGRESS", "logs": None, "metrics": {}}, Running()),
        (200, {"status": "A_STATE_OF_TOMORROW"}, Running()),
        (200, {"status": "COMPLETED", "metrics": {"inference_time": 7.8}}, Ready()),
        (202, {"status": "COMPLETED"}, Ready()),
        (200, {"status": "COMPLETED", "error": "Invalid status code: 422"}, Ready()),
        (200, {"status": "COMPLETED", "error": "no", "error_type": "content_policy_violation"},
         Ready()),
        (200, {"status": "COMPLETED", "error": "no", "error_type": "internal_server_error"},
         Ready()),
    ],
)  # fmt: skip
def test_a_status_is_read_by_its_word(status: int, body: object, reply: Reply) -> None:
    assert state(status, body) == reply


@pytest.mark.parametrize(
    "sort",
    [
        "request_timeout", "startup_timeout", "runner_scheduling_failure",
        "runner_connection_timeout", "runner_disconnected", "runner_connection_refused",
        "runner_connection_error", "runner_incomplete_response", "client_cancelled",
        "client_disconnected",
    ],
)  # fmt: skip
def test_a_job_that_the_queue_gave_up_has_no_result_to_collect(sort: str) -> None:
    body = {"status": "COMPLETED", "request_id": ID, "error": "gave up", "error_type": sort}
    assert state(200, body) == Refused(
        kind=RefusalKind.FAILED, words="gave up", code=sort, billed=False
    )


FAILED_READS = [
    (401, {"detail": "Cannot access application"}, "account"),
    (403, {"detail": "User is locked. Reason: Admin lock"}, "account"),
    (404, {"status": "NOT_FOUND"}, "gone"),
    (408, {"detail": "late"}, "again"),
    (429, {"detail": "busy"}, "again"),
    (429, detail("content_policy_violation"), "again"),
    (500, {"detail": "oops", "error_type": "internal_server_error"}, "again"),
    (502, {"detail": "oops"}, "again"),
    (503, {"detail": "gone", "error_type": "runner_disconnected"}, "again"),
    (504, {"detail": "slow", "error_type": "request_timeout"}, "again"),
    (200, {}, "again"),
    (200, [], "again"),
]


@pytest.mark.parametrize(("status", "body", "kind"), FAILED_READS)
def test_a_failed_read_is_not_a_failed_job(status: int, body: object, kind: str) -> None:
    for reply in (state(status, body), result(status, body)):
        assert isinstance(reply, Refused)
        assert (reply.kind, reply.billed) == (RefusalKind(kind), None)


def test_a_result_brings_its_pictures_and_its_seed() -> None:
    image = {
        "url": LINK,
        "content_type": "image/png",
        "file_name": "x.png",
        "file_size": 1824075,
        "width": 2048,
        "height": 2048,
    }
    assert result(200, {"images": [image], "seed": 7}) == Done(images=(Image(url=LINK),), seed=7)
    assert result(200, {"images": [{"url": LINK}, {"url": f"{LINK}?2"}], "seed": None}) == Done(
        images=(Image(url=LINK), Image(url=f"{LINK}?2"))
    )
    assert result(200, {"images": [{"url": LINK}], "seed": True}) == Done(images=(Image(url=LINK),))


@pytest.mark.parametrize("images", [[], [None], [{}], [{"url": "data:x"}], [{"url": 3}], [LINK]])
def test_success_without_a_picture_is_a_failure_of_its_own(images: object) -> None:
    assert result(200, {"images": images, "seed": 7}) == Refused(
        kind=RefusalKind.FAILED,
        words="the job was completed without a picture",
        code="COMPLETED",
        billed=None,
    )


@pytest.mark.parametrize("status", [200, 202])
def test_a_result_that_is_asked_for_too_early_is_asked_for_again(status: int) -> None:
    assert result(status, {"status": "IN_PROGRESS"}) == Running()
    early = result(400, {"detail": "Request is still in progress"})
    assert isinstance(early, Refused)
    assert early.kind is RefusalKind.AGAIN


@pytest.mark.parametrize(
    ("status", "sort", "kind", "billed"),
    [
        (422, "content_policy_violation", "moderation", None),
        (422, "no_media_generated", "failed", None),
        *(
            (422, sort, "input", None)
            for sort in (
                "image_too_small", "image_too_large", "image_load_error", "file_download_error",
                "face_detection_error", "file_too_large", "unsupported_image_format",
                "greater_than", "greater_than_equal", "less_than", "less_than_equal",
                "multiple_of", "sequence_too_short", "sequence_too_long", "one_of",
                "feature_not_supported", "missing", "a_type_of_tomorrow",
            )
        ),
        (400, "downstream_service_error", "failed", None),
        (499, "client_cancelled", "failed", None),
        (500, "internal_server_error", "failed", False),
        (500, "downstream_service_unavailable", "failed", False),
        (504, "generation_timeout", "failed", False),
    ],
)  # fmt: skip
def test_the_result_of_a_failed_job_is_read_by_its_type(status, sort, kind, billed) -> None:
    assert result(status, detail(sort)) == Refused(
        kind=RefusalKind(kind), words="body.prompt: it went wrong", code=sort, billed=billed
    )


@pytest.mark.parametrize(
    ("body", "words", "code", "kind"),
    [
        ({"detail": "bad size"}, "bad size", "", "input"),
        ({"detail": "no", "error_type": "downstream_service_error"}, "no",
         "downstream_service_error", "failed"),
        ({"error": "no words"}, "no words", "", "input"),
        ({"detail": [{"type": "one_of", "msg": "a"}, {"type": "content_policy_violation"}]}, "a",
         "content_policy_violation", "moderation"),
        ({"detail": [None, 3]}, "no reason is given", "", "input"),
    ],
)  # fmt: skip
def test_a_detail_is_read_in_all_its_forms(body, words, code, kind) -> None:
    assert result(422, body) == Refused(kind=RefusalKind(kind), words=words, code=code, billed=None)


@pytest.mark.parametrize(
    ("status", "word", "is_cancelled"),
    [
        (200, "OK", True),
        (202, "OK", True),
        (202, "CANCELLATION_REQUESTED", False),
        (400, "ALREADY_COMPLETED", False),
        (404, "NOT_FOUND", False),
        (200, None, False),
    ],
)
def test_only_a_job_that_left_the_queue_is_cancelled(status, word, is_cancelled) -> None:
    assert host().cancelled(httpx.Response(status, json={"status": word})) is is_cancelled


def uploaded(*responses: httpx.Response) -> tuple[list[httpx.Request], Handed | Refused]:
    handing = host().hand_over(PICTURE)
    assert handing is not None
    requests = [next(handing), *map(handing.send, responses[:-1])]
    with pytest.raises(StopIteration) as ended:
        handing.send(responses[-1])
    found = ended.value.value
    assert isinstance(found, Handed | Refused)
    return requests, found


INITIATED = {"upload_url": "https://put.example/a?sig=1", "file_url": f"{LINK[:-4]}.jpg"}


def test_a_picture_is_uploaded_in_two_steps_the_second_without_the_key() -> None:
    before = datetime.now(UTC)
    (first, put), found = uploaded(httpx.Response(200, json=INITIATED), httpx.Response(200))
    assert (first.method, str(first.url)) == (
        "POST",
        f"{REST}/storage/upload/initiate?storage_type=fal-cdn-v3",
    )
    assert first.headers["authorization"] == f"Key {KEY}"
    assert json.loads(first.content) == {
        "file_name": f"{PICTURE.sha256[:32]}.jpg",
        "content_type": "image/jpeg",
    }
    assert (put.method, str(put.url), put.content) == ("PUT", INITIATED["upload_url"], BYTES)
    assert put.headers["content-type"] == "image/jpeg"
    assert KEY not in str(put.headers.raw)
    assert isinstance(found, Handed)
    assert found.address == INITIATED["file_url"]
    assert found.expires_at is not None
    assert timedelta(days=7) <= found.expires_at - before < timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    ("responses", "kind"),
    [
        ([httpx.Response(401, json={"detail": "no"})], "account"),
        ([httpx.Response(422, json=detail("missing"))], "input"),
        ([httpx.Response(429, json={"detail": "slow"})], "again"),
        ([httpx.Response(409, json={"detail": "busy"})], "again"),
        ([httpx.Response(503, json={"detail": "down"})], "again"),
        ([httpx.Response(200, json={"upload_url": "ftp://x", "file_url": LINK})], "again"),
        ([httpx.Response(200, json={})], "again"),
        ([httpx.Response(200, json=INITIATED), httpx.Response(413)], "input"),
        ([httpx.Response(200, json=INITIATED), httpx.Response(403)], "again"),
        ([httpx.Response(200, json=INITIATED), httpx.Response(500)], "again"),
    ],
)
def test_a_refused_upload_costs_nothing(responses: list[httpx.Response], kind: str) -> None:
    _, found = uploaded(*responses)
    assert isinstance(found, Refused)
    assert (found.kind, found.billed) == (RefusalKind(kind), False)


def test_a_trial_without_storage_puts_the_picture_into_its_address() -> None:
    handing = host(addresses={"FAL_QUEUE_URL": QUEUE}).hand_over(PICTURE)
    assert handing is not None
    with pytest.raises(StopIteration) as ended:
        next(handing)
    assert ended.value.value == Handed(
        address=f"data:image/jpeg;base64,{base64.b64encode(BYTES).decode()}"
    )


def test_a_missing_address_is_never_replaced_by_the_published_one() -> None:
    bare = host(addresses={"FAL_RUN_URL": SERVER})
    with pytest.raises(EnvironmentFault, match="set FAL_QUEUE_URL"):
        bare.submit(order())
    with pytest.raises(EnvironmentFault, match="set FAL_REST_URL"):
        bare.callback_keys()
    assert bare.list_jobs(NOW) is None


def listing(**params: str) -> httpx.Request:
    return httpx.Request("GET", f"{API}/models/requests/by-endpoint", params=params)


FIRST = {
    "endpoint_id": TEXT,
    "start": "2026-03-01T12:00:00Z",
    "expand": "payloads",
    "limit": "100",
}


def test_the_history_is_read_page_by_page_of_one_model_then_the_other() -> None:
    first = host().list_jobs(NOW.astimezone())
    assert first is not None
    assert (first.method, first.headers["authorization"]) == ("GET", f"Key {KEY}")
    assert first.url == listing(**FIRST).url

    def after(request: httpx.Request, **body: object) -> httpx.URL | None:
        response = httpx.Response(200, json={"items": [], **body}, request=request)
        following = host().listed(response)[1]
        return following.url if following else None

    second = listing(**FIRST, cursor="c2")
    edit = listing(**{**FIRST, "endpoint_id": EDIT})
    assert after(first, has_more=True, next_cursor="c2") == second.url
    assert after(second, has_more=False, next_cursor=None) == edit.url
    assert after(second, has_more=True, next_cursor="c2") == edit.url
    assert (
        after(edit, has_more=True, next_cursor="c2")
        == listing(**{**FIRST, "endpoint_id": EDIT}, cursor="c2").url
    )
    assert after(edit, has_more=False) is None
    assert host().listed(httpx.Response(503, request=first)) == ((), None)


def test_a_listed_job_tells_its_prompt_and_what_became_of_it() -> None:
    def row(identity: str, **more: object) -> dict[str, object]:
        return {
            "request_id": identity,
            "endpoint_id": TEXT,
            "sent_at": "2026-03-01T12:00:01Z",
            "json_input": {"prompt": "a cup"},
            **more,
        }

    rows = [
        row("a", status_code=200, json_output={"images": [{"url": LINK}], "seed": 7}),
        row("b", status_code=422, json_output=detail("content_policy_violation")),
        row("c", status_code=200),
        row("d", status_code=None),
        {"request_id": 5},
        None,
    ]
    found, following = host().listed(httpx.Response(200, json={"items": rows}))
    at = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    moderated = result(422, detail("content_policy_violation"))
    assert found == [
        Listed(
            job=Job(id="a"),
            reply=Done(images=(Image(url=LINK),), seed=7),
            created_at=at,
            prompt="a cup",
        ),
        Listed(job=Job(id="b"), reply=moderated, created_at=at, prompt="a cup"),
        Listed(job=Job(id="c"), reply=None, created_at=at, prompt="a cup"),
        Listed(job=Job(id="d"), reply=None, created_at=at, prompt="a cup"),
    ]
    assert following is None


def looked_up(*rows: dict[str, object], after_s: float = 60) -> Found | NotThere | Unclear:
    """What is found of a text create where the list of its model has these rows."""
    bought = order()
    trace = Trace(
        signature=host().signature(bought),
        mark="mark-1",
        sent_at=NOW,
        now=NOW + timedelta(seconds=after_s),
    )

    def serve(request: httpx.Request) -> httpx.Response:
        is_text = request.url.params["endpoint_id"] == TEXT
        return httpx.Response(200, json={"items": rows if is_text else []})

    with httpx.Client(transport=httpx.MockTransport(serve)) as http:
        return talk(host().find(trace, lambda _: False), http)


def listed_row(**differs: object) -> dict[str, object]:
    body = json.loads(host().submit(order()).content)
    return {
        "request_id": ID,
        "endpoint_id": TEXT,
        "sent_at": "2026-03-01T12:00:01Z",
        "status_code": 200,
        "json_input": {**body, "enable_safety_checker": True},
        "json_output": {"images": [{"url": LINK}], "seed": 7},
        **differs,
    }


def test_a_lost_submit_is_found_by_the_input_that_the_list_shows() -> None:
    done = Done(images=(Image(url=LINK),), seed=7)
    assert looked_up(listed_row()) == Found(job=JOB, reply=done, billed=True)
    failed = listed_row(status_code=422, json_output=detail("content_policy_violation"))
    reply = result(422, detail("content_policy_violation"))
    assert looked_up(failed) == Found(job=JOB, reply=reply, billed=None)
    assert looked_up(listed_row(), listed_row(request_id="b")) == Unclear(
        "2 tasks have the inputs that were sent"
    )


def test_a_submit_that_is_not_listed_may_still_run_for_ten_minutes() -> None:
    other = listed_row(json_input={"prompt": "a jug"})
    assert looked_up(other, after_s=599) == Unclear("not listed yet", 1.0)
    assert looked_up(other, after_s=600) == NotThere()


def test_a_job_without_its_payload_is_not_taken_for_the_lost_one() -> None:
    assert looked_up(listed_row(json_input=None)) == Unclear(
        "1 tasks without an owner do not show what they make"
    )


SIGNER, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def jwks(*keys: Ed25519PrivateKey) -> bytes:
    points = [key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for key in keys]
    coded = [base64.urlsafe_b64encode(point).decode().rstrip("=") for point in points]
    good = [{"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig"} for x in coded]
    odd = [None, {"kty": "RSA"}, {"kty": "OKP", "crv": "Ed25519", "x": "short"}]
    return json.dumps({"keys": [*odd, *good]}).encode()


def signed(body: bytes, at: datetime = NOW, by: Ed25519PrivateKey = SIGNER) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    text = f"{ID}\nuser-1\n{stamp}\n{hashlib.sha256(body).hexdigest()}"
    return {
        "x-fal-webhook-request-id": ID,
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": stamp,
        "x-fal-webhook-signature": by.sign(text.encode()).hex(),
    }


def called(status: str, payload: object, **more: object) -> bytes:
    said = {"request_id": ID, "gateway_request_id": "g", "status": status, "payload": payload}
    return json.dumps({**said, **more}).encode()


@pytest.mark.parametrize(
    ("body", "reply", "status"),
    [
        (called("OK", {"images": [{"url": LINK}], "seed": 7}),
         Done(images=(Image(url=LINK),), seed=7), "OK"),
        (called("ERROR", detail("content_policy_violation"), error="Invalid status code: 422"),
         Refused(kind=RefusalKind.MODERATION, words="body.prompt: it went wrong",
                 code="content_policy_violation", billed=None), "ERROR"),
        (called("OK", None, payload_error="not serializable"), None, "OK"),
        (called("ERROR", None, error="Invalid status code: 404"), None, "ERROR"),
        (called("ERROR", {"detail": "oops"}, error="Invalid status code: 500"), None, "ERROR"),
        (called("ERROR", {"detail": "oops"}, error="odd"), None, "ERROR"),
    ],
)  # fmt: skip
def test_a_signed_callback_is_read_like_the_result(body, reply, status) -> None:
    heard = host().heard(signed(body), body, now=NOW, keys=jwks(OTHER, SIGNER))
    assert (heard.job, heard.reply, heard.message_id) == (JOB, reply, f"{ID}:{status}")


BODY = called("OK", {"images": [{"url": LINK}], "seed": 7})


@pytest.mark.parametrize(
    ("headers", "body", "keys"),
    [
        (signed(BODY), BODY + b" ", jwks(SIGNER)),
        (signed(BODY, by=OTHER), BODY, jwks(SIGNER)),
        (signed(BODY), BODY, jwks()),
        (signed(BODY), BODY, b""),
        (signed(BODY), BODY, b"<html>"),
        (signed(BODY, NOW - timedelta(seconds=301)), BODY, jwks(SIGNER)),
        (signed(BODY, NOW + timedelta(seconds=301)), BODY, jwks(SIGNER)),
        ({**signed(BODY), "x-fal-webhook-user-id": "user-2"}, BODY, jwks(SIGNER)),
        ({**signed(BODY), "x-fal-webhook-timestamp": "soon"}, BODY, jwks(SIGNER)),
        ({**signed(BODY), "x-fal-webhook-signature": "zz"}, BODY, jwks(SIGNER)),
        ({**signed(BODY), "x-fal-webhook-signature": ""}, BODY, jwks(SIGNER)),
        ({}, BODY, jwks(SIGNER)),
        (signed(b"{"), b"{", jwks(SIGNER)),
        (signed(b"{}"), b"{}", jwks(SIGNER)),
    ],
)
def test_a_callback_that_is_not_shown_to_be_fals_is_turned_away(headers, body, keys) -> None:
    with pytest.raises(UnverifiedError):
        host().heard(headers, body, now=NOW, keys=keys)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_callback_of_the_last_five_minutes_is_heard(seconds: int) -> None:
    headers = signed(BODY, NOW + timedelta(seconds=seconds))
    assert host().heard(headers, BODY, now=NOW, keys=jwks(SIGNER)).job == JOB


def test_the_published_keys_are_fetched_without_ours() -> None:
    request = host().callback_keys()
    assert request is not None
    assert (request.method, str(request.url)) == ("GET", f"{REST}/.well-known/jwks.json")
    assert "authorization" not in request.headers


def test_every_parameter_of_the_canonical_request_is_treated() -> None:
    can = Host.capabilities
    assert tuple(can.treatments) == PARAMETERS
    assert [name for name in PARAMETERS if can.treatments[name].way is Way.NONE] == ["guidance"]
    assert (can.references.count, can.together, can.prompt_chars) == (10, 15, None)
    assert Host.limits == Limits(windows=(Window(amount=10, per_s=1),), running=2)
    assert Host.usd_per_image == Decimal("0.03")
    assert can.shapes.nearest(400, 400) == Size(shape=Fraction(1), width=960, height=960)
    assert next(iter(Host.addresses)) == "FAL_QUEUE_URL"


def test_the_key_and_signed_links_are_in_no_words() -> None:
    leak = f"bad key {KEY} at https://u:p@v3.fal.media/a.png?sig=abc"
    for reply in (
        bought(401, {"detail": leak}),
        bought(500, leak),
        bought(422, detail(KEY, leak)),
        state(200, {"status": "COMPLETED", "error": leak, "error_type": "request_timeout"}),
        state(500, leak),
        result(422, detail(KEY, leak)),
        uploaded(httpx.Response(500, json={"detail": leak}))[1],
        uploaded(httpx.Response(200, json=INITIATED), httpx.Response(403, text=leak))[1],
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
                ["request_id", "status", "status_url", "queue_position", "error", "error_type",
                 "detail", "type", "msg", "loc", "images", "url", "seed", "items", "json_input",
                 "json_output", "status_code", "sent_at", "next_cursor", "payload", "upload_url",
                 "file_url", "keys"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["COMPLETED", "IN_QUEUE", "one_of", LINK, ID]),
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
        return httpx.Response(status, headers=headers, content=body, request=listing(**FIRST))

    submitted = one.submitted(response(), order())
    assert not isinstance(submitted, Done | Running | Ready)
    replies = [submitted, one.asked(response(), JOB), one.collected(response(), JOB)]
    replies.extend(row.reply for row in one.listed(response())[0] if row.reply)
    for reply in replies:
        if isinstance(reply, Done):
            assert reply.images
        if isinstance(reply, Refused):
            reply.words.encode()
            reply.code.encode()
    assert isinstance(one.cancelled(response()), bool)
    handing = one.hand_over(PICTURE)
    assert handing is not None
    next(handing)
    with contextlib.suppress(StopIteration):
        handing.send(response())
        handing.send(response())
    with contextlib.suppress(UnverifiedError):
        one.heard(signed(body), body, now=NOW, keys=jwks(SIGNER))
    with pytest.raises(UnverifiedError):
        one.heard(signed(body), body, now=NOW, keys=body)
