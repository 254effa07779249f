"""BytePlus in the sandbox: what its pages promise, asked with a plain HTTP client."""

from __future__ import annotations

import base64
import json

import pytest

from flows.sandbox.hosts import byteplus
from flows.sandbox.limits import Limits, Window
from tests.rooms.sandbox_client import picture, size_of
from tests.rooms.sandbox_talk import FAST, account, inline, sandbox, talking

PATH = "/byteplus/api/v3/images/generations"
CUP = {"model": "seedream-4-0-250828", "prompt": "a cup", "size": "1280x720"}


@pytest.fixture(scope="module")
def running():
    with sandbox(byteplus, form="seed") as running:
        yield running


@pytest.fixture
def lively(running):
    with account(running) as http:
        http.sandbox = running
        yield http


def refusal(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


def group(most):
    return {
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": most},
    }


def test_a_generated_image_is_fetched_true_to_size_under_a_signed_link(lively):
    answer = lively.post(PATH, json=CUP, headers={"x-client-request-id": "row-7"})
    body = answer.json()
    assert answer.headers["x-client-request-id"] == "row-7"
    assert body["usage"] == {"generated_images": 1, "output_tokens": 3600, "total_tokens": 3600}
    assert body["data"][0]["size"] == "1280x720"
    assert "X-Tos-Expires=86400" in body["data"][0]["url"]
    assert size_of(lively.get(body["data"][0]["url"]).content) == ("JPEG", (1280, 720))
    page = lively.sandbox.report()["hosts"]["byteplus"]
    assert (page["made"], page["usd"], page["delivered"], page["refused"]) == (1, 0.03, 1, [])


def test_base64_brings_the_image_in_the_answer(lively):
    body = lively.post(PATH, json={**CUP, "response_format": "b64_json"}).json()
    assert size_of(base64.b64decode(body["data"][0]["b64_json"])) == ("JPEG", (1280, 720))
    assert lively.sandbox.report()["hosts"]["byteplus"]["delivered"] == 1


def test_a_group_gives_and_bills_every_image(lively):
    body = lively.post(PATH, json={**CUP, **group(4)}).json()
    assert (len(body["data"]), body["usage"]["generated_images"]) == (4, 4)
    assert lively.sandbox.report()["hosts"]["byteplus"]["usd"] == 0.12


def test_null_for_an_optional_field_is_no_offence_and_an_endpoint_id_is_a_model(lively):
    nothing = dict.fromkeys(["seed", "guidance_scale", "tools", "image", "response_format"])
    answer = lively.post(PATH, json={**CUP, **nothing, "model": "ep-20250101-abcde"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ({"size": "1K"}, "1024x1024"),
        ({"size": "2K", "prompt": "a cup, 16:9"}, "2848x1600"),
        ({"size": "1K", "image": inline(picture(300, 600))}, "720x1280"),
        ({"size": "1600x600"}, "1600x600"),
    ],
)
def test_a_tier_takes_its_shape_from_the_prompt_or_the_reference(lively, wanted, size):
    assert lively.post(PATH, json={**CUP, **wanted}).json()["data"][0]["size"] == size


def test_references_come_inline_by_address_or_both(lively):
    images = [inline(picture()), "https://cdn.example/a.jpg", inline(picture(200, 500))]
    assert lively.post(PATH, json={**CUP, "image": images}).status_code == 200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "seedream-4"}, (404, "InvalidEndpointOrModel.NotFound", "model")),
        ({"size": "800x800"}, (400, "InvalidParameter", "size")),
        ({"size": "8192x480"}, (400, "InvalidParameter", "size")),
        ({"size": "0x480"}, (400, "InvalidParameter", "size")),
        ({"size": "auto"}, (400, "InvalidParameter", "size")),
        ({"seed": 7}, (400, "InvalidParameter.UnsupportedParameter", "seed")),
        ({"n": 1}, (400, "InvalidParameter.UnsupportedParameter", "n")),
        ({"output_format": "png"}, (400, "InvalidParameter.UnsupportedParameter", "output_format")),
        ({"watermark": "no"}, (400, "InvalidParameter", "watermark")),
        ({"image": []}, (400, "InvalidParameter", "image")),
        ({"image": [inline(picture())] * 11}, (400, "InvalidParameter", "image")),
        ({"image": "a.png"}, (400, "InvalidImageURL.InvalidFormat", "image")),
        (
            {"image": inline(picture(), "image/jpeg")},
            (400, "InvalidImageURL.InvalidFormat", "image"),
        ),
        (
            {"image": inline(picture(), "image/PNG")},
            (400, "InvalidImageURL.InvalidFormat", "image"),
        ),
        ({"image": inline(b"no image")}, (400, "InvalidImageURL.InvalidFormat", "image")),
        ({"image": inline(picture(1000, 200))}, (400, "InvalidParameter", "image")),
        (
            {"image": inline(picture()), **group(15)},
            (400, "InvalidParameter", "sequential_image_generation_options.max_images"),
        ),
        (
            {"sequential_image_generation_options": {"max_images": 2}},
            (400, "InvalidParameter", "sequential_image_generation_options"),
        ),
        (
            {"optimize_prompt_options": {"mode": "slow"}},
            (400, "InvalidParameter", "optimize_prompt_options.mode"),
        ),
    ],
)
def test_a_wrong_field_is_refused_by_its_code_and_never_billed(lively, change, expected):
    assert refusal(lively.post(PATH, json={**CUP, **change})) == expected
    page = lively.sandbox.report()["hosts"]["byteplus"]
    assert (page["made"], page["client_faults"]) == (0, 1)


def test_a_missing_field_has_its_own_code(lively):
    assert refusal(lively.post(PATH, json={"model": CUP["model"]})) == (
        400,
        "MissingParameter.prompt",
        "prompt",
    )


def test_a_form_is_refused(lively):
    answer = lively.post(PATH, data={"model": CUP["model"]}, files={"image": picture()})
    assert refusal(answer)[0] == 400


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("bad-key", (401, "AuthenticationError", "")),
        ("broke-key", (403, "AccountOverdueError", "")),
    ],
)
def test_keys_without_rights_or_money_are_refused(lively, key, expected):
    answer = lively.post(PATH, json=CUP, headers={"authorization": f"Bearer {key}"})
    assert refusal(answer) == expected
    assert answer.json()["error"]["type"] == ("Unauthorized" if key == "bad-key" else "")


def test_the_limit_counts_images_not_requests():
    limits = Limits((Window(5, 60 * FAST, "image"),))
    with talking(byteplus, limits=limits) as (_running, http):
        answers = [http.post(PATH, json={**CUP, **group(n)}) for n in (4, 2, 1)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert refusal(answers[1])[1] == "ModelAccountIpmRateLimitExceeded"


def test_a_partial_group_names_each_gap_and_bills_what_came():
    rules = [{"host": "byteplus", "at": "create", "kind": "partial"}]
    with talking(byteplus, faults=rules) as (running, http):
        body = http.post(PATH, json={**CUP, **group(4)}).json()
        billed = running.report()["hosts"]["byteplus"]["usd"]
    codes = [image.get("error", {}).get("code") for image in body["data"]]
    assert codes == [None, None, *["OutputImageSensitiveContentDetected"] * 2]
    assert (body["usage"]["generated_images"], billed) == (2, 0.06)


@pytest.mark.parametrize(
    ("kind", "form", "status", "code"),
    [
        ("moderation", "seed", 400, "OutputImageSensitiveContentDetected"),
        ("moderation", "present", 200, "OutputImageSensitiveContentDetected"),
        ("failure", "seed", 500, "InternalServiceError"),
        ("failure", "present", 200, "InternalServiceError"),
    ],
)
def test_an_answer_without_images_tells_its_code_under_either_status(kind, form, status, code):
    rules = [{"host": "byteplus", "at": "create", "kind": kind}]
    with talking(byteplus, faults=rules, form=form) as (running, http):
        answer = http.post(PATH, json=CUP)
        page = running.report()["hosts"]["byteplus"]
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "data" not in answer.json()
    assert (page["made"], page["client_faults"]) == (0, 0)


def test_a_stream_tells_each_image_and_ends_with_the_usage(lively):
    answer = lively.post(PATH, json={**CUP, **group(2), "stream": True})
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    events = [json.loads(line) for line in lines[:-1]]
    assert lines[-1] == "[DONE]"
    assert [event["type"].rpartition(".")[2] for event in events] == [
        "partial_succeeded",
        "partial_succeeded",
        "completed",
    ]
    assert events[-1]["usage"]["generated_images"] == 2
    assert size_of(lively.get(events[1]["url"]).content)[1] == (1280, 720)


def test_a_link_is_dead_after_a_day(monkeypatch, lively):
    url = lively.post(PATH, json=CUP).json()["data"][0]["url"]
    clock = lively.sandbox.world.clock
    later = clock.now() + 86_401
    monkeypatch.setattr(clock, "now", lambda: later)
    assert lively.get(url).status_code == 403
