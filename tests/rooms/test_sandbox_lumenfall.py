"""Lumenfall in the sandbox: what its pages promise, asked with a plain HTTP client."""

from __future__ import annotations

import base64
import json

import pytest

from flows.sandbox.hosts import lumenfall
from flows.sandbox.limits import Limits, Window
from tests.rooms.sandbox_client import picture, size_of
from tests.rooms.sandbox_talk import FAST, account, sandbox, talking

GENERATE = "/lumenfall/openai/v1/images/generations"
EDIT = "/lumenfall/openai/v1/images/edits"
LOG = "/lumenfall/v1/requests"
CUP = {"model": "seedream-4", "prompt": "a cup", "size": "1024x1024"}


@pytest.fixture(scope="module")
def running():
    with sandbox(lumenfall, form="present") as running:
        yield running


@pytest.fixture
def lively(running):
    with account(running) as http:
        http.sandbox = running
        yield http


def refusal(answer):
    return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"]


def files(*pictures, name="image[]"):
    return [(name, (f"{n}.png", data, "image/png")) for n, data in enumerate(pictures)]


def test_a_generated_image_is_fetched_true_to_size_and_the_answer_tells_its_cost(lively):
    answer = lively.post(GENERATE, json={**CUP, "size": "1365x768", "n": 2, "seed": 7})
    body = answer.json()
    assert answer.status_code == 200
    assert body["metadata"] == {
        "model": "seedream-4",
        "executed_model": "byteplus/seedream-4",
        "provider": "byteplus",
        "provider_name": "BytePlus",
        "cost": 0.06,
        "cost_currency": "USD",
    }
    assert body["id"] == answer.headers["x-lumenfall-request-id"]
    images = [lively.get(image["url"]).content for image in body["data"]]
    assert [size_of(data) for data in images] == [("JPEG", (1365, 768))] * 2
    page = lively.sandbox.report()["hosts"]["lumenfall"]
    assert (page["made"], page["billed"], page["usd"], page["delivered"]) == (2, 2, 0.06, 2)
    assert page["refused"] == []


def test_the_older_form_of_the_answer_has_neither_id_nor_metadata():
    with talking(lumenfall, form="seed") as (_running, http):
        body = http.post(GENERATE, json=CUP).json()
    assert sorted(body) == ["created", "data"]


@pytest.mark.parametrize("output", ["png", "jpeg", "webp", "gif", "avif"])
def test_every_output_format_is_made(lively, output):
    wanted = {**CUP, "response_format": "b64_json", "output_format": output}
    data = lively.post(GENERATE, json=wanted).json()["data"]
    assert size_of(base64.b64decode(data[0]["b64_json"])) == (output.upper(), (1024, 1024))
    assert lively.sandbox.report()["hosts"]["lumenfall"]["delivered"] == 1


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ({"size": "16:9"}, "1365x768"),
        ({"size": "auto"}, "1024x1024"),
        ({"aspect_ratio": "9:16", "resolution": "4K"}, "768x1365"),
        ({"size": "2048x2048", "aspect_ratio": "9:16"}, "2048x2048"),
        ({"aspect_ratio": "22:10"}, "1563x670"),
        ({}, "1024x1024"),
    ],
)
def test_sizes_are_read_as_the_page_says(lively, wanted, size):
    asked = {"model": "seedream-4.0", "prompt": "a cup", **wanted}
    assert lively.post(GENERATE, json=asked).json()["size"] == size


def test_an_edit_takes_one_image_or_several_under_the_list_name(lively):
    words = {"model": "seedream-4", "prompt": "on a table", "size": "1024x1024", "n": "1"}
    one = lively.post(EDIT, data=words, files=files(picture(), name="image"))
    two = lively.post(EDIT, data=words, files=files(picture(), picture(600, 300)))
    assert (one.status_code, two.status_code) == (200, 200)
    assert size_of(lively.get(two.json()["data"][0]["url"]).content) == ("JPEG", (1024, 1024))


def test_an_edit_of_auto_size_follows_the_first_reference(lively):
    words = {"model": "seedream-4", "prompt": "on a table"}
    answer = lively.post(EDIT, data=words, files=files(picture(300, 600)))
    assert answer.json()["size"] == "768x1365"


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"model": "seedream-9"}, 404, "MODEL_NOT_FOUND", "seedream-9"),
        ({"model": "fal/seedream-4-edit"}, 404, "MODEL_NOT_FOUND", "does not support"),
        ({"prompt": "a" * 1001}, 400, "INVALID_REQUEST", "<=1000 characters"),
        ({"n": 11}, 400, "INVALID_REQUEST", "n must be at most 10"),
        ({"n": "2"}, 400, "INVALID_REQUEST", "n must be an integer"),
        ({"size": "640x640"}, 400, "INVALID_REQUEST", "at least 921600"),
        ({"size": "4097x4096"}, 400, "INVALID_REQUEST", "1 to 4096"),
        ({"size": "large"}, 400, "INVALID_REQUEST", "size must be auto"),
        ({"quality": "high"}, 400, "INVALID_REQUEST", "quality is not a known field"),
        ({"sync_mode": True}, 400, "INVALID_REQUEST", "sync_mode is not a known field"),
        ({"response_format": "png"}, 400, "INVALID_REQUEST", "one of url, b64_json"),
        ({"output_compression": 80}, 400, "INVALID_REQUEST", "output_compression needs"),
        ({"seed": -1}, 400, "INVALID_REQUEST", "seed must be at least 0"),
    ],
)
def test_a_wrong_field_is_refused_in_the_hosts_words_and_never_billed(
    lively, change, status, code, words
):
    wanted = {**CUP, "output_format": "png", **change}
    found = refusal(lively.post(GENERATE, json=wanted))
    assert found[:2] == (status, code)
    assert words in found[2]
    page = lively.sandbox.report()["hosts"]["lumenfall"]
    assert (page["made"], page["client_faults"], len(page["refused"])) == (0, 1, 1)


def test_fields_of_one_route_are_taken_with_that_route_alone(lively):
    wanted = {**CUP, "model": "fal/seedream-4", "enable_safety_checker": False}
    answer = lively.post(GENERATE, json=wanted)
    assert (answer.status_code, answer.headers["x-lumenfall-provider"]) == (200, "fal")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "image is required"),
        (files(picture(), picture(), name="image"), "does not support multiple input images"),
        (files(*[picture()] * 11), "at most 10 images"),
        (files(b"GIF89a no"), "Invalid image file provided"),
        ([("image", ("a.jpg", picture(), "image/jpeg"))], "image/jpeg holds PNG"),
        (files(picture(1000, 200)), "expected the aspect ratio to be between 0.33 and 3.00"),
        (files(picture(14, 14)), "too small"),
        (
            [*files(picture()), ("mask", ("m.png", picture(300, 300), "image/png"))],
            "mask must have",
        ),
    ],
)
def test_wrong_references_are_refused(lively, parts, words):
    text = [("model", (None, "seedream-4")), ("prompt", (None, "a cup"))]
    status, _, message = refusal(lively.post(EDIT, files=[*text, *parts]))
    assert status == 400
    assert words in message


def test_an_edit_in_json_is_refused(lively):
    status, code, message = refusal(lively.post(EDIT, json={**CUP, "image": "https://a.example/b"}))
    assert (status, code) == (400, "INVALID_REQUEST")
    assert "multipart/form-data" in message


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("bad-key", (401, "AUTHENTICATION_FAILED", "Invalid API key")),
        ("broke-key", (402, "INSUFFICIENT_BALANCE", "Insufficient balance")),
    ],
)
def test_keys_without_rights_or_money_are_refused(lively, key, expected):
    headers = {"authorization": f"Bearer {key}"}
    assert refusal(lively.post(GENERATE, json=CUP, headers=headers)) == expected


def test_over_the_limit_is_429():
    with talking(lumenfall, limits=Limits((Window(1, 60 * FAST),))) as (_running, http):
        answers = [http.post(GENERATE, json=CUP) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert refusal(answers[1])[1] == "RATE_LIMITED"


def test_a_dry_run_estimates_makes_nothing_and_leaves_no_row(lively):
    answer = lively.post(f"{GENERATE}?dryRun=true", json={**CUP, "n": 2})
    assert answer.json() == {
        "estimated": True,
        "model": "seedream-4",
        "provider": "byteplus",
        "total_cost_micros": 60000,
        "currency": "USD",
        "components": [
            {
                "type": "output",
                "metric": "image",
                "quantity": 2,
                "billable_quantity": 2,
                "unit_price": 0.03,
                "total_cost": 60000,
            }
        ],
    }
    assert lively.sandbox.report()["totals"]["made"] == 0
    assert lively.get(LOG).json()["data"] == []


def test_the_mock_replay_makes_free_images(lively):
    answer = lively.post(GENERATE, json=CUP, headers={"x-lumenfall-replay": "mock"})
    page = lively.sandbox.report()["hosts"]["lumenfall"]
    assert (answer.status_code, page["made"], page["usd"]) == (200, 1, 0)


def test_the_request_log_finds_a_request_by_its_trace_and_tells_its_end(lively):
    trace = "0af7651916cd43dd8448eb211c80319c"
    mark = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    lively.post(GENERATE, json={**CUP, "user": "row 7"}, headers=mark)
    lively.post(GENERATE, json={**CUP, "n": 0})
    refused, made = lively.get(LOG).json()["data"]
    assert (made["trace_id"], made["status"], made["cost"]) == (trace, "completed", 0.03)
    assert (made["user"], made["endpoint"]) == ("row 7", "/openai/v1/images/generations")
    assert (refused["status"], refused["error_code"]) == ("rejected", "INVALID_REQUEST")
    assert lively.get(f"{LOG}/{made['id']}").json() == made


def test_the_request_log_is_turned_page_by_page(lively):
    for _ in range(3):
        lively.post(GENERATE, json={**CUP, "n": 0})
    first = lively.get(LOG, params={"limit": 2}).json()
    second = lively.get(first["next_page_url"]).json()
    assert [len(first["data"]), len(second["data"]), second["next_page_url"]] == [2, 1, None]
    assert lively.get(second["previous_page_url"]).json()["data"] == first["data"]
    assert lively.get(LOG, params={"limit": 101}).status_code == 400


def test_the_balance_falls_by_what_was_bought(lively):
    lively.post(GENERATE, json=CUP)
    assert lively.get("/lumenfall/v1/balance").json() == {
        "object": "balance",
        "billing_type": "prepaid",
        "available": {"amount": 99.97, "currency": "usd"},
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("moderation", (400, "CONTENT_POLICY_VIOLATION")),
        ("failure", (502, "ALL_PROVIDERS_EXHAUSTED")),
    ],
)
def test_refused_content_and_broken_routes_have_their_codes_and_are_no_fault_of_the_client(
    kind, expected
):
    rules = [{"host": "lumenfall", "at": "create", "kind": kind}]
    with talking(lumenfall, faults=rules) as (running, http):
        assert refusal(http.post(GENERATE, json=CUP))[:2] == expected
        page = running.report()["hosts"]["lumenfall"]
    assert (page["made"], page["client_faults"]) == (0, 0)


def test_a_partial_set_holds_and_costs_what_came():
    rules = [{"host": "lumenfall", "at": "create", "kind": "partial"}]
    with talking(lumenfall, faults=rules, form="present") as (_running, http):
        body = http.post(GENERATE, json={**CUP, "n": 4}).json()
    assert (len(body["data"]), body["metadata"]["cost"]) == (2, 0.06)


def test_a_link_is_dead_after_an_hour(monkeypatch, lively):
    url = lively.post(GENERATE, json=CUP).json()["data"][0]["url"]
    clock = lively.sandbox.world.clock
    later = clock.now() + 3601
    monkeypatch.setattr(clock, "now", lambda: later)
    assert lively.get(url).status_code == 404


def test_the_variables_point_at_both_addresses(lively):
    named = {
        name: value
        for name, value in lively.sandbox.environment.items()
        if name.startswith("LUMENFALL")
    }
    assert named == {
        "LUMENFALL_BASE_URL": f"{lively.sandbox.url}/lumenfall/openai/v1",
        "LUMENFALL_ACCOUNT_URL": f"{lively.sandbox.url}/lumenfall/v1",
        "LUMENFALL_API_KEY": "sandbox-lumenfall",
    }
    assert json.dumps(lively.sandbox.report()).find("sandbox-key") == -1
