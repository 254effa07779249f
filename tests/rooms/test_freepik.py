"""Freepik: what is sent and how each documented answer is read, wrapped and bare."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

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
    Image,
    Job,
    Listed,
    Order,
    Picture,
    RefusalKind,
    Refused,
    Running,
    UnverifiedError,
)
from flows.providers.freepik import Host

KEY, SECRET = "sk-test-SECRET-123", "hook-SECRET-456"
BASE = "http://127.0.0.1:4100/freepik"
PATH = f"{BASE}/v1/ai/text-to-image"
ID = "046b6c7f-0000-0000-0000-000000000000"
TEXT_JOB = Job(id=ID, notes={"model": "seedream-v4"})
EDIT_JOB = Job(id=ID, notes={"model": "seedream-v4-edit"})
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://ai-statics.freepik.com/a.png"
REF = Picture(
    role="product", data=b"\x89PNG", media_type="image/png", width=512, height=512,
    sha256=hashlib.sha256(b"\x89PNG").hexdigest(),
)  # fmt: skip


def account(**differs):
    plain = {
        "host": "freepik", "name": "freepik", "realm": Realm.SANDBOX, "key": KEY,
        "addresses": {"FREEPIK_BASE_URL": BASE}, "limits": Host.limits, "usd_per_image": None,
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


EDIT = order(pictures=(REF,))


def answer(status=200, body=None, **more):
    if isinstance(body, bytes):
        return httpx.Response(status, content=body, **more)
    return httpx.Response(status, json=body, **more)


def sent(request):
    return json.loads(request.content)


both_forms = pytest.mark.parametrize("wrap", [lambda task: task, lambda task: {"data": task}])


# ---------------------------------------------------------------- what is sent


def test_a_text_create_is_the_documented_request():
    request = Host(account()).submit(order(mark="mark-1"))
    assert (request.method, str(request.url)) == ("POST", f"{PATH}/seedream-v4")
    assert dict(request.headers) == {
        "host": "127.0.0.1:4100",
        "x-freepik-api-key": KEY,
        "content-type": "application/json",
        "content-length": request.headers["content-length"],
    }
    assert sent(request) == {
        "prompt": "a cup, “quietly”",
        "aspect_ratio": "square_1_1",
        "seed": 7,
    }


def test_an_edit_carries_its_references_as_plain_base64():
    request = Host(account()).submit(
        order(
            seed=None,
            parameters={"guidance": 3.5, "safety": True},
            pictures=(REF, REF),
            callback="https://hooks.example/f",
        )
    )
    assert (request.method, str(request.url)) == ("POST", f"{PATH}/seedream-v4-edit")
    assert sent(request) == {
        "prompt": "a cup, “quietly”",
        "reference_images": ["iVBORw==", "iVBORw=="],
        "aspect_ratio": "square_1_1",
        "guidance_scale": 3.5,
        "webhook_url": "https://hooks.example/f",
    }


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_left_out(seed):
    assert "seed" not in sent(Host(account()).submit(order(seed=seed)))


@pytest.mark.parametrize("guidance", [-0.1, 20.1, "much", None])
def test_a_guidance_out_of_range_is_left_out(guidance):
    wish = order(parameters={"guidance": guidance})
    assert "guidance_scale" not in sent(Host(account()).submit(wish))


@pytest.mark.parametrize(
    ("way", "header"),
    [
        (None, "x-freepik-api-key"),
        ("freepik", "x-freepik-api-key"),
        ("magnific", "x-magnific-api-key"),
    ],
)
def test_each_name_of_the_key_header_is_sent_alone(way, header):
    headers = Host(account(auth=way)).ask(TEXT_JOB).headers
    assert {k: v for k, v in headers.items() if v == KEY or k == "authorization"} == {header: KEY}


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        ((2048, 2048), "square_1_1"), ((2730, 1536), "widescreen_16_9"),
        ((1536, 2730), "social_story_9_16"), ((1672, 2508), "portrait_2_3"),
        ((1824, 2280), "traditional_3_4"), ((2508, 1672), "standard_3_2"),
        ((2364, 1774), "classic_4_3"), ((3000, 1000), "widescreen_16_9"),
    ],
)  # fmt: skip
def test_the_nearest_shape_is_asked_for_by_name(pixels, name):
    assert Host.capabilities.shapes.nearest(*pixels).name == name


def test_every_canonical_parameter_has_a_treatment():
    assert set(Host.capabilities.treatments) == set(PARAMETERS)


def test_a_missing_address_names_the_variable():
    with pytest.raises(EnvironmentFault, match="FREEPIK_BASE_URL"):
        Host(account(addresses={})).submit(order())


def test_references_need_no_conversation_and_no_task_can_be_taken_back():
    host = Host(account())
    assert (host.hand_over(REF), host.cancel(TEXT_JOB)) == (None, None)


# ---------------------------------------------------------------- create


@both_forms
@pytest.mark.parametrize("status", ["CREATED", "IN_PROGRESS", "COMPLETED"])
@pytest.mark.parametrize(("wish", "job"), [(order(), TEXT_JOB), (EDIT, EDIT_JOB)])
def test_a_create_is_accepted_in_both_forms_and_never_gives_a_result(wrap, status, wish, job):
    said = wrap({"task_id": ID, "status": status, "generated": [LINK, LINK]})
    for code in (200, 201, 202):
        assert Host(account()).submitted(answer(code, said), wish) == Accepted(job=job)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words", "billed"),
    [
        (400, {"message": "bad field"}, "input", "bad field", False),
        (400, {"message": "Bad", "invalid_params": [{"field": "seed", "reason": "large"}]}, "input",
         'Bad: [{"field": "seed", "reason": "large"}]', False),
        (400, {"message": "NSFW prompt"}, "moderation", "NSFW prompt", False),
        (401, {"message": "Invalid API key"}, "account", "Invalid API key", False),
        (402, {"message": "No credits"}, "account", "No credits", False),
        (403, {"error": "Forbidden"}, "account", "Forbidden", False),
        (404, {"message": "Not found"}, "input", "Not found", False),
        (409, {"message": "Conflict"}, "unknown", "Conflict", None),
        (413, b"<html>Too large</html>", "input", "Too large", False),
        (422, {"message": "no"}, "input", "no", False),
        (429, {"message": "Too many"}, "again", "Too many", False),
        (500, {"message": "server"}, "unknown", "server", None),
        (503, b"", "unknown", "an empty answer", None),
        (308, b"", "account", "freepik redirects; check FREEPIK_BASE_URL", False),
        (200, {"data": {"status": "CREATED"}}, "unknown",
         'an answer that is not understood: {"data":{"status":"CREATED"}}', None),
        (200, {"data": [ID]}, "unknown", None, None),
        (200, b"<p>welcome", "unknown", "an answer that is not understood: welcome", None),
    ],
)  # fmt: skip
def test_each_refusal_of_a_create_has_its_class(status, body, kind, words, billed):
    found = Host(account()).submitted(answer(status, body), order())
    assert isinstance(found, Refused)
    assert (found.kind, found.code, found.billed) == (RefusalKind(kind), str(status), billed)
    assert words is None or found.words == words


@pytest.mark.parametrize(
    ("headers", "words", "wait"),
    [
        ({}, "Too many requests", None),
        ({"retry-after": "9"}, "Too many requests", 9.0),
        ({"x-ratelimit-reset": "30"}, "Too many requests", 30.0),
        ({"x-ratelimit-reset": "30", "retry-after": "40"}, "Too many requests", 40.0),
        ({"x-ratelimit-reset": "1772366400"}, "Too many requests", None),
        ({"x-ratelimit-reset": "99999"}, "Too many requests", None),
        ({}, "retry after 5 s", 5.0),
    ],
)
def test_a_storm_is_waited_out_as_long_as_it_asks(headers, words, wait):
    found = Host(account()).submitted(answer(429, {"message": words}, headers=headers), order())
    expected = Refused(kind=RefusalKind.AGAIN, words=words, code="429", retry_after_s=wait)
    assert found == expected


# ---------------------------------------------------------------- state


@pytest.mark.parametrize(
    ("job", "model"), [(TEXT_JOB, "seedream-v4"), (EDIT_JOB, "seedream-v4-edit")]
)
def test_a_task_is_asked_for_under_its_own_model(job, model):
    request = Host(account()).ask(job)
    assert (request.method, str(request.url), request.content) == (
        "GET",
        f"{PATH}/{model}/{ID}",
        b"",
    )


STATES = [
    ({"status": "CREATED", "generated": []}, Running()),
    ({"status": "IN_PROGRESS", "generated": [LINK]}, Running()),
    ({"status": "ENHANCING"}, Running()),
    ({"status": "COMPLETED", "generated": [LINK]}, Done(images=(Image(url=LINK),))),
    ({"status": "completed", "generated": [LINK, None, 3, ""]}, Done(images=(Image(url=LINK),))),
    ({"status": "COMPLETED", "generated": [], "has_nsfw": [True]},
     Refused(kind=RefusalKind.MODERATION, words="the task ended as COMPLETED without a picture",
             code="COMPLETED", billed=None)),
    *(({"status": "COMPLETED", "generated": made},
       Refused(kind=RefusalKind.FAILED, words="the task ended as COMPLETED without a picture",
               code="COMPLETED", billed=None))
      for made in ([], None, "", {}, LINK, [{"url": LINK}])),
    *(({"status": word, "generated": [LINK]},
       Refused(kind=RefusalKind.FAILED, words=f"the task ended as {word} without a reason",
               code=word, billed=None))
      for word in ("FAILED", "CANCELLED")),
    ({"status": "FAILED", "error": "no engine"},
     Refused(kind=RefusalKind.FAILED, words="no engine", code="FAILED", billed=None)),
    ({"status": "FAILED", "error": None, "has_nsfw": [True]},
     Refused(kind=RefusalKind.MODERATION, words="the task ended as FAILED without a reason",
             code="FAILED", billed=None)),
    ({"status": "FAILED", "error": "blocked by content moderation"},
     Refused(kind=RefusalKind.MODERATION, words="blocked by content moderation", code="FAILED",
             billed=None)),
]  # fmt: skip


@both_forms
@pytest.mark.parametrize(("task", "reply"), STATES)
def test_each_state_is_read_in_both_forms(wrap, task, reply):
    said = wrap({"task_id": ID, **task})
    assert Host(account()).asked(answer(200, said), TEXT_JOB) == reply


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Invalid API key"}, "account"),
        (403, {"message": "no"}, "account"),
        (404, {"message": "Not found"}, "gone"),
        (302, b"", "again"),
        (429, {"message": "Too many"}, "again"),
        (500, {"message": "server"}, "again"),
        (200, b"<html>", "again"),
        (200, {"data": None}, "again"),
        (200, {"data": {"generated": [LINK]}}, "again"),
    ],
)
def test_a_poll_that_fails_is_not_a_task_that_failed(status, body, kind):
    found = Host(account()).asked(answer(status, body), TEXT_JOB)
    assert isinstance(found, Refused)
    assert (found.kind, found.billed) == (RefusalKind(kind), None)


# ---------------------------------------------------------------- list


def test_the_lists_of_both_models_are_read_one_after_the_other():
    host = Host(account())
    first = host.list_jobs(NOW)
    assert (first.method, str(first.url)) == ("GET", f"{PATH}/seedream-v4")
    rows = [
        {"task_id": ID, "status": "COMPLETED"},
        {"task_id": "9c1d", "status": "IN_PROGRESS"},
        {"task_id": None, "status": "CREATED"},
        "no row",
    ]
    found, second = host.listed(answer(200, {"data": rows}, request=first))
    running = Job(id="9c1d", notes={"model": "seedream-v4"})
    assert list(found) == [Listed(job=TEXT_JOB, reply=None), Listed(job=running, reply=Running())]
    assert (second.method, str(second.url)) == ("GET", f"{PATH}/seedream-v4-edit")
    assert second.headers["x-freepik-api-key"] == KEY
    found, third = host.listed(answer(200, {"data": rows[:1]}, request=second))
    assert (list(found), third) == ([Listed(job=EDIT_JOB, reply=None)], None)


# ---------------------------------------------------------------- callbacks

DONE = {"task_id": ID, "status": "COMPLETED", "generated": [LINK]}
AT = int(NOW.timestamp())


PLAIN = SECRET.encode()


def signed(body, *, key=PLAIN, at=AT, **differs):
    """Signed here by the documented rule, not by what verifies it."""
    text = f"msg_1.{at}.".encode() + body
    proof = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{proof}",
    }
    return {name: value for name, value in {**headers, **differs}.items() if value is not None}


def heard(body, headers, secret=SECRET):
    return Host(account(secret=secret)).heard(headers, body, now=NOW)


@both_forms
@pytest.mark.parametrize(("task", "reply"), STATES)
def test_a_signed_callback_says_what_the_state_says(wrap, task, reply):
    body = json.dumps(wrap({"task_id": ID, **task})).encode()
    found = heard(body, signed(body))
    assert (found.job, found.reply, found.message_id) == (Job(id=ID), reply, "msg_1")


RAW = b"thirty-two bytes of a shared key"
WRITTEN = base64.b64encode(RAW).decode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (WRITTEN, RAW),
        (WRITTEN, WRITTEN.encode()),
        (f"whsec_{WRITTEN}", RAW),
        (f"whsec_{WRITTEN}", f"whsec_{WRITTEN}".encode()),
        ("schlüssel", "schlüssel".encode()),
    ],
)
def test_every_reading_of_the_secret_is_tried(secret, key):
    body = json.dumps(DONE).encode()
    assert heard(body, signed(body, key=key), secret).reply == Done(images=(Image(url=LINK),))


def test_a_signature_that_openssl_made_is_believed():
    """The HMAC of a known text, computed with `openssl dgst -sha256 -mac HMAC`."""
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1772366400",
        "webhook-signature": "v1,MmEoI2acO83ZE02EPGVa1X2I9GBgdKkChZNjheClBlU=",
    }
    assert heard(b'{"task_id":"1","status":"CREATED"}', headers, "plain").reply == Running()


def test_one_fitting_signature_among_several_is_enough():
    body = json.dumps(DONE).encode()
    headers = signed(body)
    several = f"v1,AAAA v2,zzz ü {headers['webhook-signature']} v1a,x"
    assert heard(body, {**headers, "webhook-signature": several}).message_id == "msg_1"


@pytest.mark.parametrize("age_s", [-300, 0, 300])
def test_a_message_of_five_minutes_is_believed(age_s):
    body = json.dumps(DONE).encode()
    assert heard(body, signed(body, at=AT - age_s)).job == Job(id=ID)


BODY = json.dumps(DONE).encode()


@pytest.mark.parametrize(
    ("body", "headers", "secret"),
    [
        pytest.param(BODY + b" ", signed(BODY), SECRET, id="tampered body"),
        pytest.param(BODY, {**signed(BODY), "webhook-id": "msg_2"}, SECRET, id="another id"),
        pytest.param(BODY, {**signed(BODY), "webhook-timestamp": str(AT + 1)}, SECRET, id="time"),
        pytest.param(BODY, signed(BODY, at=AT - 301), SECRET, id="stale"),
        pytest.param(BODY, signed(BODY, at=AT + 301), SECRET, id="from the future"),
        pytest.param(BODY, signed(BODY, key=b"other"), SECRET, id="wrong key"),
        pytest.param(BODY, signed(BODY, key=b"\x00"), "", id="no secret"),
        pytest.param(BODY, signed(BODY), "whsec_", id="empty secret"),
        *(pytest.param(BODY, signed(BODY, **{name: value}), SECRET, id=f"{name} {value!r}")
          for name, value in [
              ("webhook-id", None), ("webhook-timestamp", None), ("webhook-signature", None),
              ("webhook-timestamp", "soon"), ("webhook-timestamp", "-5"),
              ("webhook-timestamp", "9" * 400), ("webhook-timestamp", "²"),
              ("webhook-signature", "v1,"), ("webhook-signature", "ü"),
          ]),
        *(pytest.param(said, signed(said), SECRET, id=f"signed {said!r}")
          for said in (b"", b"[]", b"\xff", b'{"task_id": "1"}', b'{"status": "COMPLETED"}')),
    ],
)  # fmt: skip
def test_a_callback_that_is_not_shown_to_be_the_hosts_is_not_believed(body, headers, secret):
    with pytest.raises(UnverifiedError) as caught:
        heard(body, headers, secret)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_an_empty_key_signs_nothing(secret):
    with pytest.raises(UnverifiedError):
        heard(BODY, signed(BODY, key=b""), secret)


# ---------------------------------------------------------------- secrets and rubbish


def test_no_refusal_repeats_a_secret():
    host = Host(account())
    said = {"message": f"bad key {KEY}", "error": f"{SECRET} at https://u:p@x.example/a?sig=1#f"}
    for refusal in (
        host.submitted(answer(401, said), order()),
        host.submitted(answer(500, f"{'x' * 395} {KEY}".encode()), order()),
        host.asked(answer(200, {"status": "FAILED", **said}), TEXT_JOB),
        host.asked(answer(403, said), TEXT_JOB),
    ):
        told = f"{refusal} {refusal!r}"
        assert not any(part in told for part in ("SECRET", "sk-test", "sig=", "u:p"))
    assert "SECRET" not in repr(host) + repr(host.account)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([LINK, "http://[", "http://\ud800/", ID, "COMPLETED", "FAILED", "CREATED"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["url", "error", "field"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TASKS = st.dictionaries(
    st.sampled_from(
        ["task_id", "status", "generated", "error", "message", "has_nsfw", "data", "invalid_params"]
    ),
    VALUES,
    max_size=6,
)
BODIES = st.one_of(
    st.binary(max_size=40),
    VALUES.map(lambda value: json.dumps(value).encode()),
    TASKS.map(lambda task: json.dumps(task).encode()),
    TASKS.map(lambda task: json.dumps({"data": task}).encode()),
    st.lists(TASKS, max_size=3).map(lambda rows: json.dumps({"data": rows}).encode()),
)


@settings(max_examples=300)
@given(status=st.integers(100, 599), body=BODIES, after=st.text(st.characters(codec="ascii")))
def test_nothing_that_a_server_sends_stops_a_run(status, body, after):
    host = Host(account())
    headers = {"retry-after": after, "x-ratelimit-reset": after}
    request = host.list_jobs(NOW)
    response = httpx.Response(status, content=body, headers=headers, request=request)
    for one in (host.submitted(response, EDIT), host.asked(response, EDIT_JOB)):
        assert isinstance(one, Accepted | Done | Running | Refused)
        assert not isinstance(one, Done) or one.images
        repr(one).encode()
        if isinstance(one, Accepted):
            host.ask(one.job)
    found, _ = host.listed(response)
    assert all(isinstance(one, Listed) for one in found)
    try:
        told = heard(body, signed(body))
    except UnverifiedError:
        return
    assert isinstance(told.reply, Done | Running | Refused)
