"""Four hosts of the sandbox, as their pages describe them: eachlabs, freepik, evolink, aimlapi."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from flows.sandbox import started
from flows.sandbox.hosts import aimlapi, eachlabs, evolink, freepik
from flows.sandbox.limits import Limits, Window
from tests.rooms.sandbox_client import (
    EDIT,
    OPEN,
    Client,
    base64_of,
    picture,
    receiver,
    size_of,
    until,
)

HOSTS = [aimlapi, eachlabs, evolink, freepik]
FREEPIK = "/freepik/v1/ai/text-to-image"
IMAGES = "/v1/images/generations"
AIML_TEXT, AIML_EDIT = "bytedance/seedream-v4-text-to-image", "bytedance/seedream-v4-edit"
DOUBAO = {"model": "doubao-seedream-4.0", "prompt": "a cup"}
FOREIGN = "https://cdn.example/a.png"


@pytest.fixture(autouse=True)
def _connections_are_closed():
    yield
    while OPEN:
        OPEN.pop().close()


def sandbox(speed=400.0, faults=None, form="alternate", roomy=True):
    room = Limits((Window(100_000, 60),), running=1000)
    limits = {module.HOST.name: room for module in HOSTS} if roomy else None
    return started(speed=speed, faults=faults, form=form, limits=limits, speaking=HOSTS)


@pytest.fixture(scope="module")
def shared():
    with sandbox() as running:
        yield running


@pytest.fixture
def client(shared, request):
    """A client with an account of its own in the shared sandbox."""
    return Client(shared.url, hashlib.sha256(request.node.name.encode()).hexdigest())


def freepik_create(client, model="seedream-v4", **body):
    headers = {"x-freepik-api-key": client.key, "authorization": ""}
    body = {"prompt": "a cup", **body}
    return client.request("POST", f"{FREEPIK}/{model}", json=body, headers=headers)


def freepik_task(client, task, model="seedream-v4"):
    headers = {"x-magnific-api-key": client.key, "authorization": ""}
    return client.request("GET", f"{FREEPIK}/{model}/{task}", headers=headers)


def bare(answer):
    body = answer.json()
    return body.get("data", body)


def evolink_create(client, **body):
    return client.request("POST", f"/evolink{IMAGES}", json={**DOUBAO, **body})


def evolink_over(client, task):
    def over():
        answer = client.request("GET", f"/evolink/v1/tasks/{task}").json()
        return answer if answer["status"] in {"completed", "failed"} else None

    return until(over, "the task's end")


def aimlapi_create(client, model=AIML_TEXT, **body):
    return client.request(
        "POST", f"/aimlapi{IMAGES}", json={"model": model, "prompt": "a cup", **body}
    )


# eachlabs


def test_eachlabs_answers_in_both_documented_forms_by_turns(shared):
    with sandbox() as s:
        client = Client(s.url)
        first = client.predicted(client.predict(image_size="portrait_4_3").json()["predictionID"])
        second = client.predicted(client.predict(num_images=2).json()["predictionID"])
    assert set(first) == {"status", "predictionID", "output", "metrics"}
    assert isinstance(first["output"], str)
    assert set(second) == {"id", "input", "status", "output", "logs", "metrics", "urls"}
    assert (len(second["output"]), second["metrics"]["cost"]) == (2, 0.06)


def test_eachlabs_takes_either_key_header_and_either_slash(client):
    body = {"model": "seedream-v4-text-to-image", "version": "0.0.1", "input": {"prompt": "x"}}
    answer = client.http.post(
        "/eachlabs/v1/prediction/",
        json=body,
        headers={"x-api-key": client.key, "x-request-id": "r1"},
    )
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "r1")
    assert answer.json()["status"] == "success"
    assert client.prediction(answer.json()["predictionID"])["status"] in {"created", "processing"}


def test_eachlabs_edits_with_an_uploaded_reference(client):
    presigned = client.request(
        "POST",
        "/eachlabs/v1/upload/presign",
        json={"content_type": "image/png", "file_type": "image", "expires_in_seconds": 86400},
    ).json()
    url, wanted = presigned["presigned_url"], presigned["required_headers"]
    assert client.predict(EDIT, image_urls=[presigned["public_url"]]).status_code == 400
    assert client.http.put(url, content=b"x", headers={"content-type": "a/b"}).status_code == 403
    assert client.http.put(url, content=picture(), headers=wanted).status_code == 200
    answer = client.predict(EDIT, image_urls=[presigned["public_url"], FOREIGN])
    done = client.predicted(answer.json()["predictionID"])
    link = done["output"] if isinstance(done["output"], str) else done["output"][0]
    assert size_of(client.http.get(link).content) == ("JPEG", (2048, 2048))
    assert client.request("DELETE", f"/eachlabs/v1/files/{presigned['id']}").status_code == 204
    assert client.http.get(presigned["public_url"]).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"image_size": {"width": 1024, "height": 1024}}, "image_size"),
        ({"image_size": "auto"}, "image_size"),
        ({"num_images": 7}, "num_images"),
        ({"num_images": 1.0}, "num_images"),
        ({"num_images": True}, "num_images"),
        ({"seed": "7"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"sync_mode": "no"}, "sync_mode"),
        ({"watermark": False}, "watermark"),
        ({"image_urls": [FOREIGN]}, "image_urls"),
    ],
)
def test_eachlabs_refuses_what_its_page_does_not_name(client, wanted, field):
    answer = client.predict(**wanted)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(field)


@pytest.mark.parametrize(
    "urls", [[], ["data:image/png;base64,AAAA"], [FOREIGN] * 11, "https://cdn.example/a", [3]]
)
def test_eachlabs_takes_one_to_ten_addresses_as_references(client, urls):
    assert client.predict(EDIT, image_urls=urls).status_code == 400
    assert client.predict(EDIT).status_code == 400


def test_eachlabs_wants_its_envelope(client):
    body = {"model": "seedream-v4-text-to-image", "version": "0.0.1", "input": {"prompt": "x"}}
    answers = {
        name: client.request("POST", "/eachlabs/v1/prediction", json=changed).status_code
        for name, changed in {
            "unknown": {**body, "wait": True},
            "no version": {name: body[name] for name in ("model", "input")},
            "no model": {name: body[name] for name in ("version", "input")},
            "other model": {**body, "model": "seedream-v9"},
            "webhook": {**body, "webhook_url": "ftp://example"},
        }.items()
    }
    assert answers == {
        "unknown": 400,
        "no version": 400,
        "no model": 400,
        "other model": 404,
        "webhook": 400,
    }


def test_eachlabs_holds_ten_running_and_a_hundred_requests_a_minute():
    with sandbox(speed=1, roomy=False) as s:
        client = Client(s.url)
        answers = [client.predict() for _ in range(11)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429]
        assert answers[-1].json() == {
            "status": 429,
            "error": "too many requests",
            "details": "at most 10 concurrent executions",
        }
        task = answers[0].json()["predictionID"]
        codes = [
            client.request("GET", f"/eachlabs/v1/prediction/{task}").status_code for _ in range(90)
        ]
        assert codes == [200] * 89 + [429]
        assert 50 <= int(client.predict().headers["retry-after"]) <= 60
        page = client.page("eachlabs")
        assert (page["peak_running"], page["peak_per_window"]) == (10, 100)
        assert (page["creates"], page["over_limit"]) == (10, 3)


def test_eachlabs_cancels_without_a_webhook_and_unbilled():
    with sandbox(speed=1) as s, receiver() as heard:
        client = Client(s.url)
        task = client.predict(webhook={"webhook_url": heard.url}).json()["predictionID"]
        path = f"/eachlabs/v1/prediction/{task}/cancel"
        assert client.request("POST", path).json()["predictionID"] == task
        assert client.prediction(task)["status"] == "cancelled"
        assert client.request("POST", path).status_code == 404
        assert (client.page("eachlabs")["made"], heard.posts) == (0, [])


def test_eachlabs_lists_executions_with_their_results(client):
    good = client.predicted(client.predict().json()["predictionID"])
    rows = client.request(
        "GET", "/eachlabs/v1/executions?status=success&limit=1&from=2020-01-01T00:00:00Z"
    ).json()
    assert (rows["total_count"], rows["limit"], len(rows["executions"])) == (1, 1, 1)
    row = rows["executions"][0]
    assert (row["id"], row["execution_cost"]) == (good.get("id") or good["predictionID"], 0.03)
    assert row["output"] in (good["output"], [good["output"]])
    later = client.request("GET", "/eachlabs/v1/executions?from=2999-01-01T00:00:00Z").json()
    assert later["total_count"] == 0
    for query in ("limit=0", "limit=x", "page=2", "from=monday", "from=2020-01-01"):
        assert client.request("GET", f"/eachlabs/v1/executions?{query}").status_code == 400


def test_eachlabs_tells_by_webhook_with_the_secret_and_tries_three_times():
    with sandbox() as s, receiver() as heard:
        client = Client(s.url)
        heard.statuses = [500, 500]
        hook = {"webhook_url": heard.url, "webhook_secret": "s3cret"}
        task = client.predict(webhook=hook).json()["predictionID"]
        until(lambda: len(heard.posts) == 3, "three attempts")
        assert [post.headers["x-webhook-secret"] for post in heard.posts] == ["s3cret"] * 3
        told = json.loads(heard.posts[-1].body)
        assert (told["exec_id"], told["status"], told["error"]) == (task, "succeeded", "")
        assert size_of(client.http.get(told["output"][0]).content)[0] == "JPEG"
        history = client.request("GET", f"/eachlabs/v1/webhooks/{task}").json()["attempts"]
        assert [attempt["status_code"] for attempt in history] == [500, 500, 200]


@pytest.mark.parametrize(("kind", "posts"), [("duplicate", 2), ("lost", 0), ("late", 1)])
def test_webhooks_may_be_doubled_lost_or_late(kind, posts):
    with sandbox(faults=[{"host": "*", "at": "webhook", "kind": kind}]) as s, receiver() as heard:
        client = Client(s.url)
        task = client.predict(webhook={"webhook_url": heard.url}).json()["predictionID"]
        client.predicted(task)
        hooks = until(
            lambda: len(found := client.page("eachlabs")["webhooks"]) == max(1, posts) and found
        )
        assert len(heard.posts) == posts
        assert {hook["outcome"] for hook in hooks} == {"lost" if kind == "lost" else "delivered"}


def test_webhooks_leave_this_machine_for_nobody(client):
    answer = client.predict(webhook={"webhook_url": "https://hooks.example/x"})
    client.predicted(answer.json()["predictionID"])
    hooks = until(lambda: client.page("eachlabs")["webhooks"])
    assert any(hook["outcome"].startswith("not sent") for hook in hooks)


# freepik


def test_freepik_makes_one_image_and_wraps_every_second_answer():
    with sandbox() as s:
        client = Client(s.url)
        for wrapped in (False, True):
            answer = freepik_create(client, aspect_ratio="classic_4_3", seed=7, guidance_scale=2.5)
            assert ("data" in answer.json()) is wrapped
            created = bare(answer)
            assert created["generated"] == []
            assert created["status"] == ("IN_PROGRESS" if wrapped else "CREATED")
            done = until(
                lambda task=created["task_id"]: (
                    (found := bare(freepik_task(client, task)))["status"] == "COMPLETED" and found
                )
            )
            data = client.http.get(done["generated"][0]).content
            assert size_of(data) == ("JPEG", (2364, 1774))
        page = client.page("freepik")
        assert (page["made"], page["delivered"], page["usd"]) == (2, 2, 0.04)


def test_freepik_edits_with_base64_and_addresses(client):
    images = [base64_of(picture()), FOREIGN, base64_of(picture(kind="JPEG"))]
    answer = freepik_create(client, "seedream-v4-edit", reference_images=images)
    assert answer.status_code == 200
    task = bare(answer)["task_id"]
    assert freepik_task(client, task).status_code == 404, "the other model's path"
    assert freepik_task(client, task, "seedream-v4-edit").status_code == 200
    listed = client.http.get(
        f"{FREEPIK}/seedream-v4-edit", headers={"x-freepik-api-key": client.key}
    ).json()
    assert [row["task_id"] for row in listed["data"]] == [task]


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("seedream-v4", {"aspect_ratio": "cinematic_21_9"}),
        ("seedream-v4", {"seed": 2_147_483_648}),
        ("seedream-v4", {"guidance_scale": 20.5}),
        ("seedream-v4", {"num_images": 1}),
        ("seedream-v4", {"enable_safety_checker": True}),
        ("seedream-v4", {"reference_images": [FOREIGN]}),
        ("seedream-v4", {"webhook_url": "hook"}),
        ("seedream-v4-edit", {"reference_images": [FOREIGN] * 6}),
        ("seedream-v4-edit", {"reference_images": ["data:image/png;base64,AAAA"]}),
        ("seedream-v4-edit", {"reference_images": ["not base64"]}),
        ("seedream-v4-edit", {"reference_images": [base64_of(b"no image")]}),
        ("seedream-v4-edit", {"reference_images": [base64_of(picture(255, 400))]}),
        ("seedream-v4-edit", {"reference_images": [base64_of(picture(kind="WEBP"))]}),
    ],
)
def test_freepik_refuses_what_its_page_does_not_name(client, model, body):
    answer = freepik_create(client, model, **body)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


def test_freepik_takes_its_own_key_headers_alone_and_fifty_requests_a_minute():
    with sandbox(speed=1, roomy=False) as s:
        client = Client(s.url)
        path = f"{FREEPIK}/seedream-v4"
        assert client.request("POST", path, json={"prompt": "x"}).status_code == 401
        codes = [freepik_create(client).status_code for _ in range(51)]
        assert codes == [200] * 50 + [429]
        assert freepik_create(client).json() == {"message": "Too many requests"}


@pytest.mark.parametrize("form", ["seed", "present"])
def test_freepik_signs_each_change_of_state(form):
    with sandbox(form=form) as s, receiver() as heard:
        client = Client(s.url)
        task = bare(freepik_create(client, webhook_url=heard.url))["task_id"]
        until(lambda: len(heard.posts) == 2, "two messages")
        secret = s.environment["FREEPIK_WEBHOOK_SECRET"]
        key = secret.encode() if form == "seed" else base64.b64decode(secret)
        for post in heard.posts:
            mark, at = post.headers["webhook-id"], post.headers["webhook-timestamp"]
            text = f"{mark}.{at}.".encode() + post.body
            digest = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
            assert post.headers["webhook-signature"] == f"v1,{digest}"
        states = sorted(json.loads(post.body)["status"] for post in heard.posts)
        assert states == ["COMPLETED", "IN_PROGRESS"]
        assert {json.loads(post.body)["task_id"] for post in heard.posts} == {task}


# evolink


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 60), (40.0, 2), (400.0, 1)])
def test_evolink_says_by_the_clients_clock_when_to_come_back(speed, seconds):
    faults = [{"host": "evolink", "at": "create", "kind": "status", "status": 429, "first": 1}]
    with sandbox(speed=speed, faults=faults) as running:
        answer = evolink_create(Client(running.url, "key"))
    assert answer.status_code == 429
    assert answer.json()["error"]["fallback_suggestion"] == f"retry after {seconds} seconds"


def test_evolink_makes_up_to_n_images_and_bills_them(client):
    answer = evolink_create(client, size="2048x1536", n=2, prompt_priority="fast")
    created = answer.json()
    assert answer.status_code == 200
    assert created["id"].startswith("task-unified-")
    assert (created["status"], created["usage"]["credits_reserved"]) == ("pending", 3.6)
    done = evolink_over(client, created["id"])
    assert (done["status"], done["progress"], len(done["results"])) == ("completed", 100, 2)
    assert size_of(client.http.get(done["results"][1]).content) == ("JPEG", (2048, 1536))


@pytest.mark.parametrize("way", ["base64", "data", "stream"])
def test_evolink_edits_with_an_uploaded_reference(client, way):
    base = "/evolink-files/api/v1/files"
    if way == "stream":
        files = {"file": ("cup.png", picture(), "image/png")}
        answer = client.request(
            "POST", f"{base}/upload/stream", files=files, data={"upload_path": "refs"}
        )
    else:
        text = ("data:image/png;base64," if way == "data" else "") + base64_of(picture())
        body = {"base64_data": text, "file_name": "cup.png", "upload_path": "refs"}
        answer = client.request("POST", f"{base}/upload/base64", json=body)
    kept = answer.json()["data"]
    assert (kept["file_name"], kept["upload_path"]) == ("cup.png", "refs")
    assert (kept["file_size"], kept["mime_type"]) == (len(picture()), "image/png")
    assert client.http.get(kept["file_url"]).content == picture()
    created = evolink_create(client, image_urls=[kept["file_url"], FOREIGN]).json()
    assert evolink_over(client, created["id"])["status"] == "completed"
    listed = client.request("GET", f"{base}/list?page=1&pageSize=20").json()["data"]
    assert [row["file_id"] for row in listed] == [kept["file_id"]]
    assert client.request("DELETE", f"{base}/{kept['file_id']}").json()["success"] is True
    assert evolink_create(client, image_urls=[kept["file_url"]]).status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [({"base64_data": "AAAA"}, 40002), ({"base64_data": "?"}, 40004), ({"file": "AAAA"}, 40004)],
)
def test_evolinks_files_refuse_in_their_own_body(client, body, code):
    answer = client.request("POST", "/evolink-files/api/v1/files/upload/base64", json=body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        {"model": "seedream-4"},
        {"prompt": "x" * 1001},
        {"size": "16:9"},
        {"size": "800x800"},
        {"size": "16384x1000"},
        {"size": "8000x400"},
        {"size": {"width": 2048, "height": 2048}},
        {"n": 0},
        {"n": 16},
        {"seed": 7},
        {"image_urls": [base64_of(picture())]},
        {"image_urls": ["data:image/png;base64,AAAA"]},
        {"image_urls": [FOREIGN] * 11},
        {"image_urls": [FOREIGN] * 10, "n": 6},
        {"prompt_priority": "slow"},
        {"callback_url": "http://hooks.example/x"},
        {"callback_url": "https://10.0.0.1/x"},
        {"callback_url": "https://hooks.example/" + "x" * 2048},
    ],
)
def test_evolink_refuses_what_its_page_does_not_name(client, body):
    answer = evolink_create(client, **body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_evolink_tells_apart_a_wrong_and_an_unknown_task(client):
    wrong = client.request("GET", "/evolink/v1/tasks/abc")
    unknown = client.request("GET", "/evolink/v1/tasks/task-unified-1-00000000")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_task_id")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, 404)


def test_evolink_calls_back_at_the_end_and_names_a_refusal():
    rule = {"host": "evolink", "at": "create", "kind": "moderation", "nth": 2}
    with sandbox(faults=[rule]) as s, receiver() as heard:
        client = Client(s.url)
        tasks = [evolink_create(client, callback_url=heard.url).json()["id"] for _ in range(2)]
        until(lambda: len(heard.posts) == 2, "two callbacks")
        told = {body["id"]: body for body in (json.loads(post.body) for post in heard.posts)}
        assert [told[task]["status"] for task in tasks] == ["completed", "failed"]
        assert told[tasks[1]]["error"]["code"] == "content_policy_violation"
        assert client.page("evolink")["made"] == 1


# aimlapi


def test_aimlapi_answers_with_the_images_in_both_documented_forms():
    with sandbox() as s:
        client = Client(s.url)
        size = {"width": 1024, "height": 1536}
        first = aimlapi_create(client, image_size=size, num_images=2, seed=7)
        second = aimlapi_create(client, AIML_EDIT, image_urls=[FOREIGN])
        assert (first.status_code, second.status_code) == (201, 200)
        assert (first.json()["seed"], first.json()["images"]) == (7, first.json()["data"])
        assert first.json()["meta"] == {"usage": {"tokens_used": 126_000}}
        usage = {"credits_used": 63_000, "usd_spent": 0.0315}
        assert second.json()["meta"] == {"usage": usage}
        assert second.headers["x-aimlapi-usd-spent"] == "0.031500"
        image = first.json()["data"][1]
        data = client.http.get(image["url"]).content
        assert (len(data), image["width"]) == (image["file_size"], None)
        assert size_of(data) == ("PNG", (1024, 1536))


def test_aimlapi_edits_with_data_uris_and_keeps_the_clients_mark_in_its_log(client):
    uri = f"data:image/png;base64,{base64_of(picture())}"
    answer = client.request(
        "POST",
        f"/aimlapi{IMAGES}",
        json={"model": AIML_EDIT, "prompt": "x", "image_urls": [uri, FOREIGN]},
        headers={"x-client-request-id": "take-1"},
    )
    assert answer.headers["x-client-request-id"] == "take-1"
    dropped = client.request(
        "POST",
        f"/aimlapi{IMAGES}",
        json={"model": AIML_TEXT, "prompt": "x"},
        headers={"x-client-request-id": "take 2"},
    )
    assert "x-client-request-id" not in dropped.headers
    rows = client.request("GET", "/aimlapi/v2/logs?limit=10&status=succeeded").json()["data"]
    assert [row["client_request_id"] for row in rows] == [None, "take-1"]
    assert rows[1]["inference_id"] == answer.headers["x-inference-id"]
    assert rows[1]["cost"] == {"usd": 0.0315, "credits": 63_000}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (AIML_TEXT, {"seed": 0}),
        (AIML_TEXT, {"num_images": 5}),
        (AIML_TEXT, {"prompt": "x" * 4001}),
        (AIML_TEXT, {"image_size": {"width": 1023, "height": 2048}}),
        (AIML_TEXT, {"image_size": {"width": 2048}}),
        (AIML_TEXT, {"image_size": "2048x2048"}),
        (AIML_TEXT, {"image_urls": [FOREIGN]}),
        (AIML_TEXT, {"n": 1}),
        (AIML_EDIT, {}),
        (AIML_EDIT, {"image_urls": []}),
        (AIML_EDIT, {"image_urls": [FOREIGN] * 11}),
        (AIML_EDIT, {"image_urls": [base64_of(picture())]}),
        (AIML_EDIT, {"image_urls": ["data:image/png;base64,AAAA"]}),
    ],
)
def test_aimlapi_refuses_what_its_page_does_not_name(client, model, body):
    answer = aimlapi_create(client, model, **body)
    assert (answer.status_code, answer.json()["statusCode"]) == (400, "400")
    assert set(answer.json()) == {"message", "path", "requestId", "statusCode", "timestamp"}
    assert answer.json()["path"] == IMAGES


def test_aimlapi_does_not_know_other_models(client):
    assert aimlapi_create(client, "bytedance/seedream-9").status_code == 404


def test_a_synchronous_answer_that_is_lost_was_still_made_and_is_in_the_log():
    rule = {"host": "aimlapi", "at": "create", "kind": "accept_then_drop", "first": 1}
    with sandbox(faults=[rule]) as s:
        client = Client(s.url)
        with pytest.raises(Exception, match=r"disconnected|reset|EOF"):
            aimlapi_create(client)
        page = client.page("aimlapi")
        assert (page["made"], page["delivered"]) == (1, 0)
        assert len(client.request("GET", "/aimlapi/v2/logs").json()["data"]) == 1


# all four


def creates(client):
    return {
        "eachlabs": client.predict,
        "freepik": lambda: freepik_create(client),
        "evolink": lambda: evolink_create(client),
        "aimlapi": lambda: aimlapi_create(client),
    }


@pytest.mark.parametrize(
    ("key", "statuses"),
    [
        ("bad-key", {"eachlabs": 401, "freepik": 401, "evolink": 401, "aimlapi": 401}),
        ("", {"eachlabs": 401, "freepik": 401, "evolink": 401, "aimlapi": 401}),
        ("broke-key", {"eachlabs": 402, "freepik": 402, "evolink": 402, "aimlapi": 403}),
    ],
)
def test_keys_that_are_bad_or_out_of_money_are_refused_with_the_hosts_own_code(
    shared, key, statuses
):
    client = Client(shared.url, key)
    assert {host: create().status_code for host, create in creates(client).items()} == statuses


@pytest.mark.parametrize("status", [429, 500, 503])
def test_every_host_words_an_injected_status_in_its_own_body(status):
    rule = {"host": "*", "at": "create", "kind": "status", "status": status}
    with sandbox(faults=[rule]) as s:
        for host, create in creates(Client(s.url)).items():
            answer = create()
            assert (host, answer.status_code) == (host, status)
            assert isinstance(answer.json(), dict)
        assert s.report()["totals"]["client_faults"] == 0


def test_an_account_does_not_see_the_tasks_of_another(client, shared):
    task = client.predict().json()["predictionID"]
    other = Client(shared.url, "another")
    assert other.request("GET", f"/eachlabs/v1/prediction/{task}").status_code == 404


def test_no_request_of_these_tests_found_a_defect_of_the_sandbox(shared):
    pages = shared.report()["hosts"].values()
    defects = [line for page in pages for line in page["refused"] if line["whose"] == "sandbox"]
    assert defects == []
