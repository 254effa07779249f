"""Eachlabs: what is sent and how each documented answer is read."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
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
    Image,
    Job,
    Listed,
    NotThere,
    Order,
    Picture,
    Ready,
    RefusalKind,
    Refused,
    Running,
    Size,
    Trace,
    Unclear,
    UnverifiedError,
)
from flows.providers.eachlabs import Host
from tests.rooms.test_lookup import talk

KEY, SECRET = "sk-test-SECRET-123", "hook-SECRET-456"
BASE = "http://127.0.0.1:4100/eachlabs/v1"
ID = "25cd93ae-0000-0000-0000-000000000000"
JOB = Job(id=ID)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://cdn-us.eachlabs.ai/a.png"
REF = Picture(
    role="product", data=b"\x89PNG", media_type="image/png", width=512, height=512,
    sha256=sha256(b"\x89PNG").hexdigest(),
)  # fmt: skip


def account(**differs):
    plain = {
        "host": "eachlabs", "name": "eachlabs", "realm": Realm.SANDBOX, "key": KEY,
        "addresses": {"EACHLABS_BASE_URL": BASE}, "limits": Host.limits, "usd_per_image": None,
        "latency_s": 20.0, "secret": SECRET,
    }  # fmt: skip
    return Account(**{**plain, **differs})


def order(*, seed=7, parameters=None, **differs):
    recipe = Recipe(
        model="seedream-4", prompt="a cup, “quietly”", ratio="1:1", tier="2K", seed=seed,
        parameters=parameters or {},
    )  # fmt: skip
    size = Host.capabilities.shapes.nearest(2048, 2048)
    return Order(**{"recipe": recipe, "size": size, **differs})


EDIT = order(pictures=(REF,), addresses=(LINK,))


def answer(status=200, body=None, **more):
    if isinstance(body, bytes):
        return httpx.Response(status, content=body, **more)
    return httpx.Response(status, json=body, **more)


def sent(request):
    return json.loads(request.content)


def shown(refused):
    return f"{refused} {refused!r}"


# ---------------------------------------------------------------- what is sent


def test_a_text_create_is_the_documented_request():
    request = Host(account()).submit(order(mark="mark-1"))
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/prediction/")
    assert dict(request.headers) == {
        "host": "127.0.0.1:4100",
        "x-api-key": KEY,
        "x-request-id": "mark-1",
        "content-type": "application/json",
        "content-length": request.headers["content-length"],
    }
    assert sent(request) == {
        "model": "seedream-v4-text-to-image",
        "version": "0.0.1",
        "input": {
            "prompt": "a cup, “quietly”",
            "image_size": "square_hd",
            "num_images": 1,
            "sync_mode": False,
            "seed": 7,
        },
    }


def test_an_edit_names_its_references_by_their_addresses():
    edit = order(
        seed=None, parameters={"safety": False, "guidance": 3.0}, pictures=(REF,),
        addresses=(LINK,), callback="https://hooks.example/e",
    )  # fmt: skip
    assert sent(Host(account()).submit(edit)) == {
        "model": "seedream-v4-edit",
        "version": "0.0.1",
        "input": {
            "prompt": "a cup, “quietly”",
            "image_urls": [LINK],
            "image_size": "square_hd",
            "num_images": 1,
            "sync_mode": False,
            "enable_safety_checker": False,
        },
        "webhook_url": "https://hooks.example/e",
        "webhook_secret": SECRET,
    }


def test_a_callback_without_a_secret_sends_no_secret():
    body = sent(Host(account(secret="")).submit(order(callback="https://hooks.example/e")))
    assert body["webhook_url"] == "https://hooks.example/e"
    assert "webhook_secret" not in body


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_left_out(seed):
    assert "seed" not in sent(Host(account()).submit(order(seed=seed)))["input"]


@pytest.mark.parametrize(
    ("way", "header", "value"),
    [
        (None, "x-api-key", KEY),
        ("x-api-key", "x-api-key", KEY),
        ("bearer", "authorization", f"Bearer {KEY}"),
    ],
)
def test_each_way_to_authenticate_sends_its_own_header_alone(way, header, value):
    headers = Host(account(auth=way)).ask(JOB).headers
    assert {k: v for k, v in headers.items() if k in ("x-api-key", "authorization")} == {
        header: value
    }


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        ((2048, 2048), "square_hd"), ((1824, 2280), "portrait_4_3"),
        ((1536, 2730), "portrait_16_9"),
        ((2400, 1600), "landscape_4_3"), ((3000, 1500), "landscape_16_9"),
    ],
)  # fmt: skip
def test_the_nearest_shape_is_asked_for_by_name(pixels, name):
    assert Host.capabilities.shapes.nearest(*pixels).name == name


def test_every_canonical_parameter_has_a_treatment():
    assert set(Host.capabilities.treatments) == set(PARAMETERS)


def test_a_missing_address_names_the_variable():
    with pytest.raises(EnvironmentFault, match="EACHLABS_BASE_URL"):
        Host(account(addresses={})).submit(order())


# ---------------------------------------------------------------- create


@pytest.mark.parametrize("name", ["predictionID", "id"])
def test_both_names_of_the_id_are_read(name):
    said = {"status": "success", "message": "Prediction created successfully", name: ID}
    assert Host(account()).submitted(answer(200, said), order()) == Accepted(job=JOB)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words", "billed"),
    [
        (400, {"error": "bad field"}, "input", "bad field", False),
        (400, {"error": "content policy"}, "moderation", "content policy", False),
        (401, {"error": "Invalid API key"}, "account", "Invalid API key", False),
        (402, {"status": 402, "error": "insufficient balance", "details": "top up"}, "account",
         "insufficient balance: top up", False),
        (403, {"error": "not allowed"}, "account", "not allowed", False),
        (404, {"error": "unknown model"}, "input", "unknown model", False),
        (409, {"error": "conflict"}, "unknown", "conflict", None),
        (422, {"status": "error", "message": "no", "details": "x"}, "input", "no: x", False),
        (422, {"details": {"field": "seed"}}, "input", '{"field": "seed"}', False),
        (429, {"status": 429, "error": "too many requests", "details": "10 concurrent executions"},
         "again", "too many requests: 10 concurrent executions", False),
        (408, {}, "unknown", "{}", None),
        (500, {"error": "server"}, "unknown", "server", None),
        (502, b"<html><h1>Bad gateway</h1></html>", "unknown", "Bad gateway", None),
        (301, b"", "account", "eachlabs redirects; check EACHLABS_BASE_URL", False),
        (307, b"", "account", "eachlabs redirects; check EACHLABS_BASE_URL", False),
        (200, b"", "unknown", "an answer that is not understood: an empty answer", None),
        (200, b"<html>hello", "unknown", "an answer that is not understood: <html>hello", None),
        (200, {"predictionID": ".."}, "unknown",
         'an answer that is not understood: {"predictionID":".."}', None),
        (200, {"status": "success", "output": LINK}, "unknown", None, None),
    ],
)  # fmt: skip
def test_each_refusal_of_a_create_has_its_class(status, body, kind, words, billed):
    if words and "<html>" in words:
        words = words.replace("<html>", "")
    found = Host(account()).submitted(answer(status, body), order())
    assert isinstance(found, Refused)
    assert (found.kind, found.code, found.billed) == (RefusalKind(kind), str(status), billed)
    assert words is None or found.words == words


@pytest.mark.parametrize(
    ("headers", "words", "wait"),
    [
        ({}, "slow down", None),
        ({"retry-after": "8"}, "slow down", 8.0),
        ({}, "try again in 12 s", 12.0),
        ({"retry-after": "8"}, "wait 2.5 seconds", 8.0),
        ({}, "10 concurrent executions", None),
    ],
)
def test_a_storm_is_waited_out_as_long_as_it_asks(headers, words, wait):
    found = Host(account()).submitted(answer(429, {"error": words}, headers=headers), order())
    expected = Refused(kind=RefusalKind.AGAIN, words=words, code="429", retry_after_s=wait)
    assert found == expected


# ---------------------------------------------------------------- poll


def test_a_poll_asks_for_the_prediction_and_nothing_else():
    request = Host(account()).ask(Job(id="a/../b"))
    assert (request.method, request.url.raw_path, request.content) == (
        "GET",
        b"/eachlabs/v1/prediction/a%2F..%2Fb",
        b"",
    )


@pytest.mark.parametrize(
    "output",
    [
        LINK,
        [LINK],
        [{"url": LINK}],
        {"url": LINK},
        {"images": [LINK]},
        {"images": [{"url": LINK}], "url": LINK},
        [LINK, None, {"error": "one was lost"}],
    ],
)
@pytest.mark.parametrize("word", ["success", "succeeded", "SUCCESS"])
def test_every_form_of_output_gives_its_picture(output, word):
    said = {
        "id": ID,
        "status": word,
        "output": output,
        "metrics": {"predict_time": 2, "cost": 0.05},
    }
    expected = Done(images=(Image(url=LINK),), cost_usd=Decimal("0.05"))
    assert Host(account()).asked(answer(200, said), JOB) == expected


@pytest.mark.parametrize("cost", [None, True, -1, "0.05", float("inf"), 10**30])
def test_a_success_that_names_no_cost_is_looked_up_in_the_list(cost):
    text = json.dumps({"status": "success", "output": LINK, "metrics": {"cost": cost}})
    host = Host(account())
    assert host.asked(answer(200, text.encode()), JOB) == Ready()
    url = host.collect(JOB).url
    assert (url.path, dict(url.params)) == (
        "/eachlabs/v1/executions",
        {"limit": "100", "offset": "0", "status": "success"},
    )
    listed = {"executions": [row(id="other"), row(id=JOB.id, execution_cost=0.04, output=LINK)]}
    done = Done(images=(Image(url=LINK),), cost_usd=Decimal("0.04"))
    assert host.collected(answer(200, listed), JOB) == done


@pytest.mark.parametrize(
    "listed",
    [
        (200, {"executions": []}),
        (200, {"executions": [{"id": ID, "model": "seedream-v4-edit", "status": "starting"}]}),
        (200, b"<html>"),
        (403, {"error": "not allowed"}),
        (503, {}),
    ],
)
def test_a_cost_that_the_list_does_not_say_is_left_to_the_price_table(listed):
    host, said = Host(account()), answer(200, {"status": "success", "output": LINK})
    assert host.asked(said, JOB) == Ready()
    assert host.collected(answer(*listed), JOB).kind is RefusalKind.AGAIN
    assert host.asked(said, JOB) == Done(images=(Image(url=LINK),))


@pytest.mark.parametrize("word", ["created", "starting", "processing", "throttled"])
def test_a_state_that_is_no_end_is_asked_again(word):
    said = {"predictionID": ID, "status": word, "output": None}
    assert Host(account()).asked(answer(200, said), JOB) == Running()


def envelope(code, **more):
    return {"error_code": code, "error_message": "the reason", "error": "Execution failed", **more}


@pytest.mark.parametrize(
    ("said", "kind", "code", "words"),
    [
        ({"status": "error", "message": "went wrong", "details": "deeply"}, "failed", "error",
         "went wrong: deeply"),
        ({"status": "failed", "output": "out of memory"}, "failed", "failed", "out of memory"),
        ({"status": "error", "output": {"error": "no engine"}}, "failed", "error", "no engine"),
        ({"status": "error", "output": None}, "failed", "error", "the prediction ended in error"),
        ({"status": "cancelled"}, "failed", "cancelled", "the prediction ended in cancelled"),
        ({"status": "failed", "output": [{"id": "", "error": "reason"}], "error": ""}, "failed",
         "failed", "reason"),
        ({"status": "error", "output": "Flagged as sensitive content"}, "moderation", "error",
         "Flagged as sensitive content"),
        *(({"status": "error", "output": envelope(code)}, kind, code,
           "the reason: Execution failed")
          for code, kind in [
              ("INPUT_VALIDATION_ERROR", "input"), ("INPUT_DOWNLOAD_ERROR", "input"),
              ("PROVIDER_AUTH_ERROR", "failed"), ("PROVIDER_BAD_REQUEST", "input"),
              ("PROVIDER_REJECTED", "input"), ("PROVIDER_RATE_LIMIT", "failed"),
              ("PROVIDER_SERVER_ERROR", "failed"), ("PROVIDER_FAILED", "failed"),
              ("NETWORK_ERROR", "failed"), ("EXECUTION_TIMEOUT", "failed"),
              ("NEVER_HEARD_OF", "failed"), ("content_moderation", "moderation"),
          ]),
        ({"status": "error", "output": envelope(None, classification={"category": "VALIDATION"})},
         "input", "VALIDATION", "the reason: Execution failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("cost", "billed"), [(None, None), (0, False), (0.03, True)])
def test_each_failed_prediction_has_its_class(said, kind, code, words, cost, billed):
    found = Host(account()).asked(answer(200, {**said, "metrics": {"cost": cost}}), JOB)
    assert found == Refused(kind=RefusalKind(kind), words=words, code=code, billed=billed)


@pytest.mark.parametrize(
    "output", [None, "", [], {}, [{}], "data:image/png;base64,AAAA", "ftp://x/y"]
)
def test_success_without_a_picture_is_a_failure(output):
    found = Host(account()).asked(answer(200, {"status": "success", "output": output}), JOB)
    assert found == Refused(
        kind=RefusalKind.FAILED,
        words="the prediction ended in success without a picture",
        code="success",
        billed=None,
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": "Invalid or missing API key"}, "account"),
        (403, {"error": "not allowed"}, "account"),
        (404, {"error": "unknown prediction"}, "gone"),
        (302, b"", "again"),
        (429, {"error": "too many"}, "again"),
        (500, {"error": "server"}, "again"),
        (503, b"<html>", "again"),
        (200, b"<html>", "again"),
        (200, {"output": LINK}, "again"),
        (200, {"status": None}, "again"),
        (200, [], "again"),
    ],
)
def test_a_poll_that_fails_is_not_a_job_that_failed(status, body, kind):
    found = Host(account()).asked(answer(status, body), JOB)
    assert isinstance(found, Refused)
    assert (found.kind, found.billed) == (RefusalKind(kind), None)


# ---------------------------------------------------------------- cancel and list


def test_a_cancel_is_judged_by_its_status():
    host = Host(account())
    request = host.cancel(JOB)
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/prediction/{ID}/cancel")
    assert host.cancelled(answer(200, {"status": "cancelled"})) is True
    assert host.cancelled(answer(200, {"status": "success"})) is True
    assert host.cancelled(answer(404, {"error": "unknown"})) is False


def row(**differs):
    return {
        "id": ID, "model": "seedream-v4-edit", "status": "success", "execution_cost": 0.03,
        "created_at": "2026-03-01T11:59:00Z", "output": [LINK], **differs,
    }  # fmt: skip


def test_the_list_tells_what_became_of_each_prediction():
    host = Host(account())
    request = host.list_jobs(datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))))
    assert str(request.url) == (
        f"{BASE}/executions?limit=100&offset=0&from=2026-03-01T12%3A00%3A00Z"
    )
    said = {
        "executions": [
            row(),
            row(id="2", status="created", output=None, execution_cost=None, created_at="soon"),
            row(id="3", model="some-video-model"),
            "no row",
        ],
        "total_count": 4, "total_capped": False, "offset": 0, "limit": 20,
    }  # fmt: skip
    found, following = host.listed(answer(200, said, request=request))
    assert list(found) == [
        Listed(
            job=JOB,
            reply=Done(images=(Image(url=LINK),), cost_usd=Decimal("0.03")),
            created_at=datetime(2026, 3, 1, 11, 59, tzinfo=UTC),
            cost_usd=Decimal("0.03"),
        ),
        Listed(job=Job(id="2"), reply=Running()),
    ]
    assert following is None


def test_a_full_page_is_followed_and_a_short_one_is_the_last():
    host = Host(account())
    request = host.list_jobs(NOW)
    full = {"executions": [row()] * 100, "limit": 100, "total_count": 100, "total_capped": True}
    _, following = host.listed(answer(200, full, request=request))
    assert str(following.url) == (
        f"{BASE}/executions?limit=100&offset=100&from=2026-03-01T12%3A00%3A00Z"
    )
    assert following.headers["x-api-key"] == KEY
    assert host.listed(answer(200, {"executions": [row()] * 99}, request=following))[1] is None


# ---------------------------------------------------------------- lost creates


INPUT = {"prompt": "a cup, “quietly”", "image_size": "square_hd", "num_images": 1, "seed": 7}
LOST = Trace(
    signature=Host(account()).signature(order()), mark="mark-1",
    sent_at=NOW - timedelta(minutes=1, seconds=1), now=NOW,
)  # fmt: skip


def task(name, **differs):
    return row(**{"id": name, "model": "seedream-v4-text-to-image", **differs})


def looked_up(answers, known=(), rivals=lambda: ()):
    """What is found, and the paths that were asked. `answers`: by the end of the path."""
    asked = []

    def serve(request):
        asked.append(request.url.path.removeprefix("/eachlabs/v1"))
        said = answers[request.url.path.rpartition("/")[2]]
        return said if isinstance(said, httpx.Response) else answer(200, said)

    with httpx.Client(transport=httpx.MockTransport(serve)) as http:
        return talk(Host(account()).find(LOST, known.__contains__, rivals), http), asked


def test_a_lost_create_is_found_by_the_inputs_that_its_prediction_shows():
    listed = {"executions": [task("other"), task("mine"), task("told")]}
    shown = {"id": "mine", "status": "success", "input": INPUT, "output": [LINK]}
    other = {**shown, "id": "other", "input": {**INPUT, "seed": 8}}
    found, asked = looked_up({"executions": listed, "mine": shown, "other": other}, known=("told",))
    cost = Decimal("0.03")
    done = Done(images=(Image(url=LINK),), cost_usd=cost)
    assert found == Found(job=Job(id="mine"), reply=done, billed=True, cost_usd=cost)
    assert asked == ["/executions", "/prediction/other", "/prediction/mine"]


def test_a_prediction_that_shows_no_inputs_is_found_where_nothing_else_can_be_meant():
    listed = {"executions": [task("mine", status="starting", output=None)]}
    shown = {"predictionID": "mine", "status": "processing", "message": "prediction is processing"}
    answers = {"executions": listed, "mine": shown}
    assert looked_up(answers)[0] == Found(job=Job(id="mine"), reply=Running())
    unclear, _ = looked_up(answers, rivals=None)
    assert unclear == Unclear("1 tasks without an owner do not show what they make")
    edit = Host(account()).signature(EDIT)
    other = replace(LOST, signature=edit, mark="mark-2")
    assert looked_up(answers, rivals=lambda: [LOST, other])[0] == Found(
        job=Job(id="mine"), reply=Running()
    )
    twin = replace(LOST, signature=Host(account()).signature(order(seed=9)), mark="mark-2")
    assert isinstance(looked_up(answers, rivals=lambda: [LOST, twin])[0], Unclear)


def test_a_prediction_that_cannot_be_asked_for_leaves_it_open():
    listed = {"executions": [task("mine")]}
    for failed in (answer(500, b"<html>"), answer(404, {"error": "no"}), answer(401, {})):
        found, _ = looked_up({"executions": listed, "mine": failed})
        words = f"a task could not be asked for (HTTP {failed.status_code})"
        assert found == Unclear(words, 20.0)


def test_other_models_and_older_predictions_are_not_asked_for():
    old = task("old", created_at="2026-03-01T11:53:58Z")
    found, asked = looked_up({"executions": {"executions": [row(model="a-video"), old]}})
    assert (found, asked) == (Unclear("not listed yet", 20.0), ["/executions"])
    later = replace(LOST, now=NOW + timedelta(minutes=1))
    with httpx.Client(
        transport=httpx.MockTransport(lambda _: answer(200, {"executions": [old]}))
    ) as http:
        assert talk(Host(account()).find(later, lambda _: False), http) == NotThere()


# ---------------------------------------------------------------- references


PRESIGNED = {
    "id": "file-1", "presigned_url": "https://bucket.example/put?sig=abc",
    "public_url": "https://cdn-us.eachlabs.ai/uploads/1.png", "expires_at": "2026-03-02T12:00:00Z",
    "required_headers": {"Content-Type": "image/png", "x-amz-acl": "public-read", "Host": "evil",
                         "bad name": "x", "x-bad": "a\r\nb: c", "x-number": 3},
}  # fmt: skip


def ended(conversation, response):
    with pytest.raises(StopIteration) as stop:
        conversation.send(response)
    return stop.value.value


def test_an_upload_asks_for_a_place_and_puts_the_picture_there_without_the_key():
    talk = Host(account()).hand_over(REF)
    wish = next(talk)
    assert (wish.method, str(wish.url)) == ("POST", f"{BASE}/upload/presign")
    assert wish.headers["x-api-key"] == KEY
    assert sent(wish) == {
        "content_type": "image/png", "file_type": "image", "expires_in_seconds": 86_400,
    }  # fmt: skip
    put = talk.send(answer(200, PRESIGNED))
    assert (put.method, str(put.url), put.content) == (
        "PUT",
        "https://bucket.example/put?sig=abc",
        b"\x89PNG",
    )
    assert dict(put.headers) == {
        "host": "bucket.example",
        "content-type": "image/png",
        "x-amz-acl": "public-read",
        "content-length": "4",
    }
    assert ended(talk, answer(200, b"")) == Handed(
        address="https://cdn-us.eachlabs.ai/uploads/1.png",
        expires_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": "key"}, "account"),
        (402, {"error": "money"}, "account"),
        (413, {"error": "too large"}, "input"),
        (429, {"error": "slow"}, "again"),
        (500, {"error": "server"}, "again"),
        (409, {"error": "conflict"}, "again"),
        (200, b"<html>", "again"),
        (200, {**PRESIGNED, "presigned_url": "file:///etc/passwd"}, "again"),
        (200, {**PRESIGNED, "public_url": None}, "again"),
    ],
)
def test_no_place_for_a_picture_is_told_with_its_class(status, body, kind):
    talk = Host(account()).hand_over(REF)
    next(talk)
    assert ended(talk, answer(status, body)).kind == RefusalKind(kind)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "again"), (500, "again"), (413, "input"), (400, "input")]
)
def test_a_picture_that_the_place_refuses_is_told_with_its_class(status, kind):
    talk = Host(account()).hand_over(REF)
    next(talk)
    talk.send(answer(200, PRESIGNED))
    refusal = ended(talk, answer(status, b"<Error>https://bucket.example/put?sig=abc</Error>"))
    assert (refusal.kind, refusal.words) == (RefusalKind(kind), "https://bucket.example/put")


# ---------------------------------------------------------------- callbacks


def heard(body, given=SECRET, secret=SECRET):
    return Host(account(secret=secret)).heard({"x-webhook-secret": given}, body, now=NOW)


@pytest.mark.parametrize(
    "said",
    [
        {"exec_id": ID, "flow_id": None, "status": "succeeded", "output": [LINK], "error": ""},
        {"exec_id": ID, "flow_id": "", "status": "failed", "output": "", "error": "reason"},
    ],
)
def test_a_callback_is_a_hint_to_ask_since_nothing_signs_its_body(said):
    found = heard(json.dumps(said).encode())
    assert (found.job, found.reply, found.message_id) == (JOB, None, f"{ID}:{said['status']}")


@pytest.mark.parametrize(
    ("given", "secret"), [("wrong", SECRET), ("", SECRET), ("", ""), (SECRET, ""), ("ü", SECRET)]
)
def test_a_callback_without_the_secret_is_not_believed(given, secret):
    with pytest.raises(UnverifiedError):
        heard(json.dumps({"exec_id": ID, "status": "succeeded"}).encode(), given, secret)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"exec_id": 3}'])
def test_a_callback_that_names_no_prediction_is_not_believed(body):
    with pytest.raises(UnverifiedError):
        heard(body)


# ---------------------------------------------------------------- secrets and rubbish


def test_no_refusal_repeats_a_secret():
    host = Host(account())
    said = {"error": f"bad key {KEY}", "details": f"{SECRET} at https://u:p@x.example/a?sig=1#f"}
    for refusal in (
        host.submitted(answer(401, said), order()),
        host.submitted(answer(500, f"{'x' * 395} {KEY}".encode()), order()),
        host.asked(answer(200, {"status": "error", **said}), JOB),
        host.asked(answer(200, {"status": "error", "output": {"error_code": KEY}}), JOB),
        host.asked(answer(403, said), JOB),
    ):
        assert not any(part in shown(refusal) for part in ("SECRET", "sk-test", "sig=", "u:p"))
    assert "SECRET" not in repr(host) + repr(host.account)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([LINK, "http://[", "http://\ud800/", ID, "success", "error", "created"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["url", "images", "error", "error_code", "classification", "category", "cost"]
        ),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip
NAMES = (
    "predictionID", "id", "status", "output", "metrics", "message", "error", "details",
    "executions",
    "offset", "limit", "model", "created_at", "execution_cost", "presigned_url", "public_url",
    "expires_at", "required_headers", "exec_id",
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
BODIES = st.one_of(
    st.binary(max_size=40),
    VALUES.map(lambda value: json.dumps(value).encode()),
    DOCUMENTS.map(lambda said: json.dumps(said).encode()),
    st.lists(DOCUMENTS, max_size=3).map(lambda rows: json.dumps({"executions": rows}).encode()),
)


def talked(conversation, response):
    """The end of a conversation in which each request gets the same answer."""
    next(conversation)
    while True:
        try:
            conversation.send(response())
        except StopIteration as stop:
            return stop.value


@settings(max_examples=300)
@given(status=st.integers(100, 599), body=BODIES, after=st.text(st.characters(codec="ascii")))
def test_nothing_that_a_server_sends_stops_a_run(status, body, after):
    host = Host(account())
    request = host.list_jobs(NOW)

    def response():
        return httpx.Response(status, content=body, headers={"retry-after": after}, request=request)

    replies = [host.submitted(response(), EDIT), host.asked(response(), JOB)]
    assert all(isinstance(one, Accepted | Done | Running | Refused) for one in replies)
    for one in replies:
        assert not isinstance(one, Done) or one.images
        repr(one).encode()
        if isinstance(one, Accepted):
            host.ask(one.job)
    found, _ = host.listed(response())
    assert all(isinstance(one, Listed) for one in found)
    assert isinstance(talked(host.hand_over(REF), response), Handed | Refused)
    with pytest.raises(UnverifiedError):
        heard(body, "wrong")


def test_a_size_is_sent_by_the_name_that_the_plan_chose():
    chosen = Size(shape=Fraction(9, 16), name="portrait_16_9")
    assert sent(Host(account()).submit(order(size=chosen)))["input"]["image_size"] == chosen.name
