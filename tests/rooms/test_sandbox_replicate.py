"""Replicate in the sandbox: what its pages promise, asked with a plain HTTP client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from flows.sandbox.hosts import replicate
from flows.sandbox.limits import Limits, Window
from tests.rooms.sandbox_client import picture, receiver, size_of, until
from tests.rooms.sandbox_talk import FAST, account, inline, sandbox, talking

BASE = "/replicate/v1"
CREATE = f"{BASE}/models/bytedance/seedream-4/predictions"
ALL = f"{BASE}/predictions"
CUP = {"prompt": "a cup", "size": "1K", "aspect_ratio": "1:1"}
REQUIRED = {"id", "model", "version", "input", "output", "data_removed", "error", "status", "urls"}


@pytest.fixture(scope="module")
def running():
    with sandbox(replicate) as running:
        yield running


@pytest.fixture
def lively(running):
    with account(running) as http:
        http.sandbox = running
        yield http


def create(http, headers=None, more=None, **wanted):
    body = {"input": {**CUP, **wanted}, **(more or {})}
    return http.post(CREATE, json=body, headers=headers)


def ended(http, answer):
    address = answer.json()["urls"]["get"]
    over = {"succeeded", "failed", "canceled", "aborted"}
    return until(
        lambda: body if (body := http.get(address).json())["status"] in over else None,
        "the prediction's end",
    )


def page(http):
    return http.sandbox.report()["hosts"]["replicate"]


def test_a_prediction_starts_runs_and_its_output_is_fetched_true_to_size(lively):
    answer = create(lively, size="2K", aspect_ratio="16:9")
    body = answer.json()
    assert (answer.status_code, body["status"], body["output"]) == (201, "starting", None)
    assert set(body) >= REQUIRED
    assert answer.headers["location"] == body["urls"]["get"]
    made = ended(lively, answer)
    assert (made["status"], made["error"], made["data_removed"]) == ("succeeded", None, False)
    assert sorted(made["metrics"]) == ["predict_time", "total_time"]
    assert size_of(lively.get(made["output"][0]).content) == ("JPEG", (2848, 1600))
    found = page(lively)
    assert (found["made"], found["usd"], found["delivered"], found["refused"]) == (1, 0.03, 1, [])


def test_the_older_prefix_of_the_token_and_the_version_path_work_too(lively):
    token = lively.headers["authorization"].removeprefix("Bearer ")
    body = {"version": "bytedance/seedream-4", "input": CUP}
    answer = lively.post(ALL, json=body, headers={"authorization": f"Token {token}"})
    assert ended(lively, answer)["status"] == "succeeded"


def test_references_come_by_upload_by_data_uri_and_by_address(lively):
    sent = lively.post(f"{BASE}/files", files={"content": ("a.png", picture(), "image/png")})
    assert sent.status_code == 201
    urls = [sent.json()["urls"]["get"], inline(picture(64, 64)), "https://cdn.example/a.jpg"]
    assert ended(lively, create(lively, image_input=urls))["status"] == "succeeded"


def test_a_file_is_told_listed_kept_from_others_and_deleted(running, lively):
    data = picture()
    sent = lively.post(
        f"{BASE}/files",
        files={"content": ("a.png", data, "image/png")},
        data={"metadata": '{"row": 7}'},
    ).json()
    assert (sent["size"], sent["metadata"]) == (len(data), {"row": 7})
    assert sent["checksums"] == {"sha256": hashlib.sha256(data).hexdigest()}
    assert lively.get(f"{BASE}/files").json()["results"] == [sent]
    with account(running) as stranger:
        assert stranger.get(sent["urls"]["get"]).status_code == 404
        assert ended(stranger, create(stranger, image_input=[sent["urls"]["get"]]))[
            "error"
        ].startswith("Failed to generate image: ")
    assert lively.delete(sent["urls"]["get"]).status_code == 204
    assert lively.get(sent["urls"]["get"]).status_code == 404


def test_the_shape_follows_the_first_reference(lively):
    wanted = {"image_input": [inline(picture(300, 400))], "aspect_ratio": "match_input_image"}
    made = ended(lively, create(lively, **wanted))
    assert size_of(lively.get(made["output"][0]).content)[1] == (864, 1152)


def test_a_custom_size_is_true_to_the_pixel(lively):
    made = ended(lively, create(lively, size="custom", width=1111, height=1333))
    assert size_of(lively.get(made["output"][0]).content)[1] == (1111, 1333)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"seed": 7}, "input.seed"),
        ({"output_format": "png"}, "input.output_format"),
        ({"size": "8K"}, "input.size"),
        ({"aspect_ratio": "5:4"}, "input.aspect_ratio"),
        ({"width": 1000}, "input.width"),
        ({"max_images": 16}, "input.max_images"),
        ({"enhance_prompt": "yes"}, "input.enhance_prompt"),
        ({"prompt": 7}, "input.prompt"),
        ({"image_input": "https://a.example/b.jpg"}, "input.image_input"),
        ({"image_input": ["a.png"]}, "input.image_input"),
        ({"image_input": ["https://a.example/b.jpg"] * 11}, "input.image_input"),
        ({"image_input": [inline(b"\0" * 256_001)]}, "input.image_input"),
    ],
)
def test_a_wrong_input_is_refused_with_its_field_and_never_billed(lively, wanted, field):
    answer = create(lively, **wanted)
    body = answer.json()
    assert (answer.status_code, body["status"], body["title"]) == (
        422,
        422,
        "Input validation failed",
    )
    assert [line["field"] for line in body["invalid_fields"]] == [field]
    assert (page(lively)["made"], page(lively)["client_faults"]) == (0, 1)


@pytest.mark.parametrize(
    ("path", "body", "line"),
    [
        (CREATE, {}, {"type": "required", "field": "", "description": "input is required"}),
        (
            ALL,
            {"input": CUP},
            {"type": "required", "field": "", "description": "version is required"},
        ),
        (
            CREATE,
            {"input": CUP, "priority": 1},
            {
                "type": "additional_property_not_allowed",
                "field": "priority",
                "description": "priority is not a known field",
            },
        ),
        (
            CREATE,
            {"input": CUP, "webhook": "http://shop.example/told"},
            {
                "type": "invalid_type",
                "field": "webhook",
                "description": "webhook must be an HTTPS address",
            },
        ),
    ],
)
def test_a_wrong_body_is_refused(lively, path, body, line):
    answer = lively.post(path, json=body)
    assert (answer.status_code, answer.json()["invalid_fields"]) == (422, [line])


@pytest.mark.parametrize("headers", [{"prefer": "wait=61"}, {"cancel-after": "4s"}])
def test_waits_and_deadlines_out_of_range_are_refused(lively, headers):
    assert create(lively, headers).status_code == 422


def test_unknown_things_are_not_found(lively):
    answer = lively.get(f"{ALL}/nothing")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert lively.post(f"{BASE}/models/a/b/predictions", json={"input": CUP}).status_code == 404
    wrong = lively.post(ALL, json={"version": "0" * 64, "input": CUP})
    assert wrong.status_code == 422


def test_a_reference_that_the_models_maker_refuses_fails_the_prediction_and_costs_nothing(lively):
    made = ended(lively, create(lively, image_input=[inline(picture(1000, 200))]))
    nested = json.loads(made["error"].removeprefix("Failed to generate image: "))
    assert (made["status"], made["output"]) == ("failed", None)
    assert nested["error"] == {
        "code": "InvalidParameter",
        "message": "expected the aspect ratio to be between 0.33 and 3.00, got 5.00",
    }
    assert (page(lively)["usd"], page(lively)["client_faults"]) == (0, 1)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, (401, "Unauthenticated", "You did not pass an authentication token")),
        ("bad-key", (401, "Unauthenticated", "Invalid API token")),
        ("broke-key", (402, "Billing required", "You need to set up billing to run this model.")),
    ],
)
def test_keys_without_rights_or_money_are_refused(lively, key, expected):
    headers = {"authorization": f"Bearer {key}" if key else ""}
    answer = create(lively, headers)
    body = answer.json()
    assert (answer.status_code, body["title"], body["detail"]) == expected


def test_over_the_limit_is_429_with_the_wait_in_header_body_and_words():
    limits = Limits((Window(1, 30 * FAST, "create"),))
    with talking(replicate, limits=limits) as (_, http):
        create(http)
        answer = create(http)
        listed = http.get(ALL).status_code
    assert (answer.status_code, listed) == (429, 200)
    assert answer.json() == {
        "detail": "Request was throttled. Your rate limit resets in ~30s.",
        "status": 429,
        "retry_after": 30,
    }
    assert answer.headers["retry-after"] == "30"


def test_a_wait_ends_with_the_output_or_with_202():
    with talking(replicate, speed=40) as (_, http):
        long = create(http, {"prefer": "wait"})
        short = create(http, {"prefer": "wait=1"})
    assert (long.status_code, long.json()["status"], len(long.json()["output"])) == (
        201,
        "succeeded",
        1,
    )
    assert (short.status_code, short.json()["status"], short.json()["output"]) == (
        202,
        "starting",
        None,
    )


def test_a_finished_run_may_look_as_if_it_ran_to_one_who_waited():
    with talking(replicate, form="present") as (_, http):
        waited = create(http, {"prefer": "wait"}).json()
        asked = http.get(waited["urls"]["get"]).json()
    assert (waited["status"], len(waited["output"]), waited["completed_at"], waited["metrics"]) == (
        "processing",
        1,
        None,
        {},
    )
    assert (asked["status"], asked["output"]) == ("succeeded", waited["output"])


def test_a_cancel_ends_a_prediction_unbilled_and_leaves_an_ended_one_alone():
    with talking(replicate, speed=10) as (running, http):
        answer = create(http)
        cancelled = http.post(answer.json()["urls"]["cancel"])
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "canceled")
        assert running.report()["totals"]["usd"] == 0
    with talking(replicate) as (_, http):
        made = ended(http, create(http))
        assert http.post(made["urls"]["cancel"]).json() == made


@pytest.mark.parametrize(("after", "status"), [("5s", "canceled"), ("300", "succeeded")])
def test_a_deadline_ends_what_still_runs(after, status):
    with talking(replicate, speed=100) as (_, http):
        answer = create(http, {"cancel-after": after})
        assert "deadline" in answer.json()
        assert ended(http, answer)["status"] == status


def test_a_deadline_before_the_start_aborts(monkeypatch, running, lively):
    monkeypatch.setattr(running.world.desks["replicate"].jobs, "_latency", lambda _: 4000.0)
    answer = create(lively, {"cancel-after": "1m"})
    assert ended(lively, answer)["status"] == "aborted"
    assert page(lively)["usd"] == 0


def test_the_list_is_newest_first_between_two_moments_and_shows_the_input(lively):
    first, second = create(lively, prompt="one").json(), create(lively, prompt="two").json()
    listed = lively.get(ALL).json()
    assert [item["id"] for item in listed["results"]] == [second["id"], first["id"]]
    assert listed["results"][1]["input"] == {**CUP, "prompt": "one"}
    assert (listed["next"], listed["previous"]) == (None, None)
    later = lively.get(ALL, params={"created_after": second["created_at"]}).json()["results"]
    assert second["id"] in {item["id"] for item in later}
    earlier = lively.get(ALL, params={"created_before": first["created_at"]}).json()["results"]
    assert earlier == []


def test_the_list_is_turned_page_by_page(lively):
    made = [create(lively).json()["id"] for _ in range(101)]
    first = lively.get(ALL).json()
    second = lively.get(first["next"]).json()
    listed = [item["id"] for item in first["results"] + second["results"]]
    assert (listed, second["next"]) == (made[::-1], None)
    assert lively.get(second["previous"]).json()["results"][0]["id"] == made[-1]


def test_data_is_gone_an_hour_after_the_end(monkeypatch, lively):
    made = ended(lively, create(lively))
    clock = lively.sandbox.world.clock
    later = clock.now() + 3601
    monkeypatch.setattr(clock, "now", lambda: later)
    gone = lively.get(made["urls"]["get"]).json()
    assert (gone["status"], gone["output"], gone["input"], gone["data_removed"]) == (
        "succeeded",
        None,
        {},
        True,
    )
    assert lively.get(made["output"][0]).status_code == 404


def test_webhooks_tell_output_and_end_signed_with_the_accounts_secret(lively):
    secret = lively.get(f"{BASE}/webhooks/default/secret").json()["key"]
    assert secret == lively.sandbox.environment["REPLICATE_WEBHOOK_SECRET"]
    with receiver() as heard:
        made = ended(lively, create(lively, more={"webhook": f"{heard.url}?row=7"}))
        until(lambda: len(heard.posts) == 2, "two deliveries")
    for post in heard.posts:
        head = post.headers
        text = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + post.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        proof = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        assert head["webhook-signature"] == f"v1,{proof}"
        assert json.loads(post.body)["output"] == made["output"]
    assert len({post.headers["webhook-id"] for post in heard.posts}) == 2


def test_only_the_last_webhook_is_repeated_under_the_same_id(lively):
    with receiver() as heard:
        heard.statuses = [500, 500]
        more = {"webhook": heard.url, "webhook_events_filter": ["start", "completed"]}
        ended(lively, create(lively, more=more))
        until(lambda: len(heard.posts) == 3, "three deliveries")
    told = [json.loads(post.body)["status"] for post in heard.posts]
    assert told == ["processing", "succeeded", "succeeded"]
    assert heard.posts[1].headers["webhook-id"] == heard.posts[2].headers["webhook-id"]


@pytest.mark.parametrize(
    ("kind", "form", "words"),
    [
        ("moderation", "seed", "flagged as sensitive"),
        ("moderation", "present", "OutputImageSensitiveContentDetected"),
        ("failure", "seed", "InternalServiceError"),
    ],
)
def test_a_failed_prediction_tells_why_and_costs_nothing(kind, form, words):
    rules = [{"host": "replicate", "at": "create", "kind": kind}]
    with talking(replicate, faults=rules, form=form) as (running, http):
        made = ended(http, create(http))
        found = running.report()["hosts"]["replicate"]
    assert made["status"] == "failed"
    assert words in made["error"]
    assert (found["usd"], found["client_faults"]) == (0, 0)


def test_a_partial_group_has_fewer_outputs_and_bills_those():
    rules = [{"host": "replicate", "at": "create", "kind": "partial"}]
    with talking(replicate, faults=rules) as (running, http):
        made = ended(http, create(http, sequential_image_generation="auto", max_images=4))
        assert (len(made["output"]), running.report()["totals"]["usd"]) == (2, 0.06)


def test_the_model_shows_the_schema_of_its_input(lively):
    body = lively.get(f"{BASE}/models/bytedance/seedream-4").json()
    shapes = body["latest_version"]["openapi_schema"]["components"]["schemas"]
    assert sorted(shapes["Input"]["properties"]) == sorted(replicate.replicate_model.CHECKS)
