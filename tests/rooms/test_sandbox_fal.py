"""fal in the sandbox: what its pages promise, asked with a plain HTTP client."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from flows.sandbox.hosts import fal
from flows.sandbox.limits import Limits, Window
from tests.rooms.sandbox_client import picture, receiver, size_of, until
from tests.rooms.sandbox_talk import FAST, account, inline, sandbox, talking

MODEL = "fal-ai/bytedance/seedream/v4"
TEXT, EDIT = f"/fal-queue/{MODEL}/text-to-image", f"/fal-queue/{MODEL}/edit"
RUN = f"/fal-run/{MODEL}/text-to-image"
HISTORY = "/fal-api/v1/models/requests/by-endpoint"
CUP = {"prompt": "a cup", "image_size": {"width": 1280, "height": 720}}
ROOM = Limits((Window(100_000, 1),), running=2)
LOCKED = (
    "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
)


def talk(**more):
    return talking(fal, "Key", **{"limits": ROOM, **more})


@pytest.fixture(scope="module")
def running():
    with sandbox(fal, limits=ROOM) as running:
        yield running


@pytest.fixture
def lively(running):
    with account(running, "Key") as http:
        http.sandbox = running
        yield http


def submit(http, path=TEXT, headers=None, params=None, **wanted):
    return http.post(path, json={**CUP, **wanted}, headers=headers, params=params)


def ended(http, answer):
    def status():
        found = http.get(answer.json()["status_url"])
        return found if found.status_code == 200 else None

    return until(status, "the request's end").json()


def result(http, answer):
    ended(http, answer)
    return http.get(answer.json()["response_url"])


def page(http):
    return http.sandbox.report()["hosts"]["fal"]


def test_a_request_is_queued_polled_and_its_image_fetched_true_to_size(lively):
    answer = submit(lively, seed=7)
    body = answer.json()
    address = f"{lively.sandbox.url}/fal-queue/fal-ai/bytedance/requests/{body['request_id']}"
    assert body == {
        "status": "IN_QUEUE",
        "request_id": body["request_id"],
        "queue_position": 0,
        "response_url": address,
        "status_url": f"{address}/status",
        "cancel_url": f"{address}/cancel",
        "logs": None,
        "metrics": {},
    }
    assert sorted(ended(lively, answer)["metrics"]) == ["inference_time"]
    output = lively.get(address).json()
    assert output["seed"] == 7
    assert size_of(lively.get(output["images"][0]["url"]).content) == ("PNG", (1280, 720))
    found = page(lively)
    assert (found["made"], found["usd"], found["delivered"], found["refused"]) == (1, 0.03, 1, [])


def test_two_run_at_once_and_others_wait_in_line():
    with talk(speed=10) as (running, http):
        answers = [submit(http) for _ in range(4)]
        polls = [http.get(answer.json()["status_url"]) for answer in answers]
        assert [poll.status_code for poll in polls] == [202] * 4
        assert [poll.json()["status"] for poll in polls] == [
            "IN_PROGRESS",
            "IN_PROGRESS",
            "IN_QUEUE",
            "IN_QUEUE",
        ]
        assert [poll.json()["queue_position"] for poll in polls[2:]] == [0, 1]
        for answer in answers:
            ended(http, answer)
        assert running.report()["hosts"]["fal"]["peak_running"] == 2


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("square_hd", (1024, 1024)),
        ("square", (960, 960)),
        ("portrait_16_9", (720, 1280)),
        ("auto", (2048, 2048)),
        ("auto_4K", (4096, 4096)),
    ],
)
def test_named_sizes_are_made_large_enough(lively, size, pixels):
    output = result(lively, submit(lively, image_size=size)).json()
    assert size_of(lively.get(output["images"][0]["url"]).content)[1] == pixels


def test_an_edit_enlarges_what_is_too_small_and_auto_follows_the_reference(lively):
    references = [inline(picture(300, 400)), "https://cdn.example/b.png"]
    small = submit(lively, EDIT, image_urls=references, image_size={"width": 640, "height": 360})
    auto = submit(lively, EDIT, image_urls=references, image_size="auto")
    sizes = [
        size_of(lively.get(result(lively, answer).json()["images"][0]["url"]).content)[1]
        for answer in (small, auto)
    ]
    assert sizes == [(1280, 720), (1728, 2304)]


@pytest.mark.parametrize(
    ("path", "wanted", "field", "kind", "status"),
    [
        (EDIT, {}, "image_urls", "missing", 422),
        (EDIT, {"image_url": "https://a.example/b.png"}, "image_urls", "missing", 422),
        (TEXT, {"watermark": False}, "watermark", "extra_forbidden", 422),
        (TEXT, {"num_images": 7}, "num_images", "less_than_equal", 422),
        (TEXT, {"num_images": 0}, "num_images", "greater_than_equal", 422),
        (TEXT, {"enhance_prompt_mode": "slow"}, "enhance_prompt_mode", "one_of", 422),
        (TEXT, {"image_size": "huge"}, "image_size", "one_of", 422),
        (TEXT, {"image_size": {"width": 900, "height": 900}}, "image_size", "value_error", 422),
        (TEXT, {"image_size": {"width": 5000, "height": 5000}}, "image_size", "value_error", 422),
        (TEXT, {"image_size": {"width": 1024}}, "image_size", "missing", 422),
        (TEXT, {"seed": "7"}, "seed", "value_error", 422),
        (EDIT, {"image_urls": [inline(b"no")]}, "image_urls", "image_load_error", 422),
        (EDIT, {"image_urls": ["a.png"]}, "image_urls", "file_download_error", 422),
        (EDIT, {"image_urls": [inline(picture(9, 9))]}, "image_urls", "image_too_small", 422),
        (
            EDIT,
            {"image_urls": [inline(picture(900, 200))]},
            "image_urls",
            "downstream_service_error",
            400,
        ),
        (
            EDIT,
            {"image_urls": [inline(picture(64, 64))] * 10, "num_images": 6},
            "image_urls",
            "sequence_too_long",
            422,
        ),
    ],
)
def test_a_wrong_input_is_taken_and_fails_when_the_result_is_fetched(
    lively, path, wanted, field, kind, status
):
    submitted = submit(lively, path, **wanted)
    assert submitted.status_code == 200
    answer = result(lively, submitted)
    line = answer.json()["detail"][0]
    assert (answer.status_code, line["loc"], line["type"]) == (status, ["body", field], kind)
    assert answer.headers["x-fal-error-type"] == kind
    assert (page(lively)["made"], page(lively)["client_faults"]) == (0, 1)


def test_newer_polls_tell_the_error_before_the_result_is_asked_for():
    with talk(form="present") as (_, http):
        polled = ended(http, submit(http, num_images=9))
    assert (polled["status"], polled["error"], polled["error_type"]) == (
        "COMPLETED",
        "Invalid status code: 422",
        "less_than_equal",
    )


def test_of_more_than_ten_references_the_last_ten_are_used_silently(lively):
    references = [inline(b"no image"), *[inline(picture(64, 64))] * 10]
    assert result(lively, submit(lively, EDIT, image_urls=references)).status_code == 200


def test_the_direct_call_answers_with_the_bare_output_or_the_error(lively):
    good = lively.post(RUN, json=CUP)
    bad = lively.post(RUN, json={**CUP, "num_images": 9})
    assert (good.status_code, sorted(good.json())) == (200, ["images", "seed"])
    assert (bad.status_code, bad.json()["detail"][0]["type"]) == (422, "less_than_equal")


def test_the_direct_call_is_refused_over_the_concurrency_limit():
    with talk(speed=10) as (_, http):
        for _ in range(2):
            submit(http)
        answer = http.post(RUN, json=CUP)
    assert (answer.status_code, answer.json()["error_type"]) == (429, "concurrent_requests_limit")
    assert answer.headers["x-fal-needs-retry"] == "1"


@pytest.mark.parametrize(
    ("key", "status", "words"),
    [
        ("bad-key", 401, "Cannot access application"),
        ("broke-key", 403, LOCKED),
        ("locked-key", 403, LOCKED),
    ],
)
def test_keys_without_rights_or_money_are_refused(lively, key, status, words):
    answer = submit(lively, headers={"authorization": f"Key {key}"})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(words)


def test_a_bearer_key_is_refused(lively):
    assert submit(lively, headers={"authorization": "Bearer sandbox"}).status_code == 401


def test_polls_count_in_the_window_of_requests():
    with talk(limits=Limits((Window(2, 60 * FAST),), running=2)) as (_, http):
        answer = submit(http)
        polls = [http.get(answer.json()["status_url"]) for _ in range(2)]
    assert polls[0].status_code in {200, 202}
    assert polls[1].status_code == 429


def test_a_queued_request_is_cancelled_a_running_one_runs_on_an_ended_one_is_told():
    with talk(speed=10, form="seed") as (running, http):
        answers = [submit(http) for _ in range(3)]
        queued = http.put(answers[2].json()["cancel_url"])
        runs = http.put(answers[0].json()["cancel_url"])
        assert (queued.status_code, queued.json()) == (200, {"status": "OK"})
        assert (runs.status_code, runs.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
        assert result(http, answers[0]).status_code == 200
        late = http.put(answers[0].json()["cancel_url"])
        gone = result(http, answers[2])
        result(http, answers[1])
        made = running.report()["totals"]["made"]
    assert (late.status_code, late.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert (gone.status_code, gone.json()["error_type"]) == (499, "client_cancelled")
    assert made == 2


def test_an_unknown_request_is_not_found_and_anothers_is_unknown(running, lively):
    theirs = submit(lively).json()["status_url"]
    with account(running, "Key") as stranger:
        answer = stranger.get(theirs)
    assert (answer.status_code, answer.json()) == (404, {"status": "NOT_FOUND"})
    assert lively.put(theirs.replace("/status", "0/cancel")).status_code == 404


def test_what_has_not_started_by_its_deadline_is_given_up():
    with talk(speed=10) as (_, http):
        for _ in range(2):
            submit(http)
        answer = submit(http, headers={"x-fal-request-timeout": "1.5"})
        gone = result(http, answer)
    assert (gone.status_code, gone.json()["error_type"]) == (504, "request_timeout")
    assert gone.headers["x-fal-request-timeout-type"] == "user"


def test_a_result_asked_for_early_is_refused_in_words():
    with talk(speed=10) as (_, http):
        answer = http.get(submit(http).json()["response_url"])
    assert (answer.status_code, answer.json()) == (400, {"detail": "Request is still in progress"})


@pytest.mark.parametrize(("wanted", "kept"), [({}, 3600), ({"sync_mode": True}, 360)])
def test_a_result_is_forgotten_the_sooner_the_larger_it_is(monkeypatch, lively, wanted, kept):
    answer = submit(lively, **wanted)
    assert result(lively, answer).status_code == 200
    job = lively.sandbox.world.desks["fal"].jobs.find(answer.json()["request_id"])
    clock = lively.sandbox.world.clock
    for passed, status in ((kept - 1, 200), (kept, 404)):
        with monkeypatch.context() as patched:
            patched.setattr(clock, "now", lambda passed=passed: job.ended_at + passed)
            assert lively.get(answer.json()["response_url"]).status_code == status


def test_inline_images_come_in_the_result(lively):
    image = result(lively, submit(lively, sync_mode=True)).json()["images"][0]
    data = base64.b64decode(image["url"].removeprefix("data:image/png;base64,"))
    assert size_of(data) == ("PNG", (1280, 720))
    assert page(lively)["delivered"] == 1


def proven(http, post):
    head = post.headers
    text = "\n".join(
        [
            head["x-fal-webhook-request-id"],
            head["x-fal-webhook-user-id"],
            head["x-fal-webhook-timestamp"],
            hashlib.sha256(post.body).hexdigest(),
        ]
    )
    key = http.get("/fal-rest/.well-known/jwks.json").json()["keys"][0]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(f"{key['x']}=="))
    try:
        public.verify(bytes.fromhex(head["x-fal-webhook-signature"]), text.encode())
    except InvalidSignature:
        return False
    return True


def test_a_webhook_is_proven_by_the_served_key_and_tells_the_payload(lively):
    with receiver() as heard:
        answer = submit(lively, params={"fal_webhook": f"{heard.url}?row=7"})
        until(lambda: heard.posts, "the webhook")
    body = json.loads(heard.posts[0].body)
    assert proven(lively, heard.posts[0])
    heard.posts[0].body += b" "
    assert not proven(lively, heard.posts[0])
    assert (body["status"], body["request_id"]) == ("OK", answer.json()["request_id"])
    assert body["payload"] == lively.get(answer.json()["response_url"]).json()


def test_a_webhook_tells_a_failure_and_comes_again_until_it_is_taken(lively):
    with receiver() as heard:
        heard.statuses = [500]
        submit(lively, num_images=9, params={"fal_webhook": heard.url})
        until(lambda: len(heard.posts) == 2, "two deliveries")
    body = json.loads(heard.posts[1].body)
    assert (body["status"], body["error"]) == ("ERROR", "Invalid status code: 422")
    assert body["payload"]["detail"][0]["type"] == "less_than_equal"


def test_a_webhook_to_plain_http_elsewhere_is_refused(lively):
    answer = submit(lively, params={"fal_webhook": "http://shop.example/told"})
    assert answer.status_code == 422


def test_an_upload_in_two_steps_is_a_reference(lively):
    opened = lively.post(
        "/fal-rest/storage/upload/initiate",
        params={"storage_type": "fal-cdn-v3"},
        json={"file_name": "a.png", "content_type": "image/png"},
    ).json()
    early = result(lively, submit(lively, EDIT, image_urls=[opened["file_url"]]))
    assert early.json()["detail"][0]["type"] == "file_download_error"
    data = picture()
    sent = lively.put(opened["upload_url"], content=data, headers={"content-type": "image/png"})
    assert sent.status_code == 200
    assert lively.get(opened["file_url"]).content == data
    assert result(lively, submit(lively, EDIT, image_urls=[opened["file_url"]])).status_code == 200


def token(http):
    body = http.post(
        "/fal-rest/storage/auth/token", params={"storage_type": "fal-cdn-v3"}, json={}
    ).json()
    return {"authorization": f"{body['token_type']} {body['token']}"}


def test_an_upload_by_token_is_a_reference(lively):
    headers = {**token(lively), "content-type": "image/png", "x-fal-file-name": "a.png"}
    sent = lively.post("/fal-cdn/files/upload", content=picture(), headers=headers)
    url = sent.json()["access_url"]
    assert result(lively, submit(lively, EDIT, image_urls=[url])).status_code == 200
    stale = {**headers, "authorization": "Bearer stale"}
    assert lively.post("/fal-cdn/files/upload", content=b"a", headers=stale).status_code == 401


def test_an_upload_in_parts_is_put_together(lively):
    headers = token(lively)
    media = {**headers, "content-type": "image/png"}
    opened = lively.post("/fal-cdn/files/upload/multipart", headers=media).json()
    base, data = f"{opened['access_url']}/multipart/{opened['uploadId']}", picture()
    etags = [
        lively.put(f"{base}/{number}", content=part, headers=headers).headers["etag"]
        for number, part in ((1, data[:99]), (2, data[99:]))
    ]
    wrong = {"parts": [{"partNumber": 1, "etag": etags[0]}]}
    assert lively.post(f"{base}/complete", json=wrong, headers=headers).status_code == 400
    parts = {"parts": [{"partNumber": n, "etag": etag} for n, etag in enumerate(etags, 1)]}
    done = lively.post(f"{base}/complete", json=parts, headers=headers)
    assert done.json() == {"access_url": opened["access_url"]}
    assert lively.get(opened["access_url"]).content == data


def test_the_history_finds_a_lost_request_by_its_input(lively):
    kept, hidden = submit(lively, seed=7), submit(lively, headers={"x-fal-store-io": "0"})
    failed = submit(lively, num_images=9)
    for answer in (kept, hidden, failed):
        ended(lively, answer)
    asked = {"endpoint_id": f"{MODEL}/text-to-image", "expand": "payloads"}
    items = lively.get(HISTORY, params=asked).json()["items"]
    by_id = {item["request_id"]: item for item in items}
    assert by_id[kept.json()["request_id"]]["json_input"] == {**CUP, "seed": 7}
    assert "json_input" not in by_id[hidden.json()["request_id"]]
    assert by_id[failed.json()["request_id"]]["status_code"] == 422
    errors = lively.get(HISTORY, params={**asked, "status": "user_error"}).json()["items"]
    assert [item["request_id"] for item in errors] == [failed.json()["request_id"]]


def test_the_history_is_turned_page_by_page_and_wants_an_endpoint(lively):
    for _ in range(3):
        ended(lively, submit(lively))
    asked = {"endpoint_id": f"{MODEL}/text-to-image", "limit": 2}
    first = lively.get(HISTORY, params=asked).json()
    second = lively.get(HISTORY, params={**asked, "cursor": first["next_cursor"]}).json()
    assert (len(first["items"]), len(second["items"])) == (2, 1)
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert lively.get(HISTORY).status_code == 422


def test_the_bill_is_for_admin_keys(running, lively):
    path = "/fal-api/v1/models/billing-events"
    assert lively.get(path).status_code == 403
    headers = {"authorization": "Key admin-bill"}
    answer = submit(lively, headers=headers, num_images=2)
    until(lambda: running.report()["totals"]["made"] == 2, "two images")
    assert lively.get(path, headers=headers).json()["items"] == [
        {
            "request_id": answer.json()["request_id"],
            "endpoint_id": f"{MODEL}/text-to-image",
            "output_units": 2,
            "unit_price": 0.03,
            "cost_total": 0.06,
        }
    ]


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        ("moderation", 422, "content_policy_violation"),
        ("failure", 500, "downstream_service_unavailable"),
    ],
)
def test_a_failed_request_tells_its_type_and_costs_nothing(kind, status, word):
    rules = [{"host": "fal", "at": "create", "kind": kind}]
    with talk(faults=rules) as (running, http):
        answer = result(http, submit(http))
        found = running.report()["hosts"]["fal"]
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (status, word)
    assert (found["usd"], found["client_faults"]) == (0, 0)


def test_a_partial_set_bills_what_came():
    rules = [{"host": "fal", "at": "create", "kind": "partial"}]
    with talk(faults=rules) as (running, http):
        images = result(http, submit(http, num_images=4)).json()["images"]
        assert (len(images), running.report()["totals"]["usd"]) == (2, 0.06)
