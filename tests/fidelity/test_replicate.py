"""The `replicate` client, 1.x."""

from __future__ import annotations

import httpx
import pytest

from tests.fidelity.conftest import client_library
from tests.rooms.sandbox_client import receiver, size_of, until

replicate = client_library("replicate")
pytestmark = pytest.mark.fidelity

MODEL = "bytedance/seedream-4"
CUP = {"prompt": "a cup", "size": "1K", "aspect_ratio": "1:1"}


@pytest.fixture
def talk(address, monkeypatch):
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.02")
    opened = []

    def client(token="sandbox-replicate-client"):
        # this client adds /v1 to the address by itself
        root = address("REPLICATE_BASE_URL").removesuffix("/v1")
        opened.append(replicate.Client(api_token=token, base_url=root))
        return opened[-1]

    yield client
    for each in opened:
        each._client.close()


def test_a_prediction_is_created_polled_and_fetched(talk):
    prediction = talk().models.predictions.create(model=MODEL, input=CUP)
    assert prediction.status == "starting"
    prediction.wait()
    assert (prediction.status, prediction.error) == ("succeeded", None)
    assert size_of(httpx.get(prediction.output[0]).content) == ("JPEG", (1024, 1024))


def test_a_prediction_is_found_again_by_id_and_in_the_list(talk):
    client = talk()
    made = client.predictions.create(version=MODEL, input=CUP)
    assert client.predictions.get(made.id).input == CUP
    assert made.id in {prediction.id for prediction in client.predictions.list().results}


def test_run_waits_for_the_output(talk):
    # only addresses that begin with https: become this client's file objects
    output = talk().run(MODEL, input=CUP)
    assert size_of(httpx.get(output[0]).content) == ("JPEG", (1024, 1024))


def test_an_edit_uploads_its_references_as_files(talk, reference):
    with reference.open("rb") as file:
        prediction = talk().models.predictions.create(
            model=MODEL, input={**CUP, "aspect_ratio": "match_input_image", "image_input": [file]}
        )
    assert "/v1/files/" in prediction.input["image_input"][0]
    prediction.wait()
    assert size_of(httpx.get(prediction.output[0]).content)[1] == (1024, 1024)


def test_files_are_created_listed_and_deleted(talk, reference):
    client = talk()
    made = client.files.create(reference, metadata={"row": 7})
    assert (made.name, made.content_type, made.metadata) == ("cup.png", "image/png", {"row": 7})
    assert made.id in {file.id for file in client.files.list()}
    assert client.files.get(made.id).checksums == made.checksums
    assert client.files.delete(made.id)
    with pytest.raises(replicate.exceptions.ReplicateError):
        client.files.get(made.id)


def test_a_prediction_is_cancelled(talk):
    prediction = talk().models.predictions.create(model=MODEL, input=CUP)
    prediction.cancel()
    prediction.reload()
    assert prediction.status == "canceled"


def test_a_webhook_passes_the_clients_own_proof(talk):
    client = talk()
    secret = client.webhooks.default.secret()
    with receiver() as heard:
        client.models.predictions.create(
            model=MODEL, input=CUP, webhook=heard.url, webhook_events_filter=["completed"]
        )
        until(lambda: heard.posts, "the webhook")
    post = heard.posts[0]
    client.webhooks.validate(
        headers=post.headers, body=post.body.decode(), secret=secret, tolerance=60
    )
    with pytest.raises(replicate.webhook.InvalidSignatureError):
        client.webhooks.validate(headers=post.headers, body="{}", secret=secret)


def test_the_model_and_its_schema_are_read(talk):
    model = talk().models.get(MODEL)
    schema = model.latest_version.openapi_schema["components"]["schemas"]["Input"]
    assert (model.owner, model.name, schema["required"]) == ("bytedance", "seedream-4", ["prompt"])


def test_a_refused_reference_raises_the_models_error(talk, tmp_path):
    from tests.rooms.sandbox_client import picture

    narrow = tmp_path / "narrow.png"
    narrow.write_bytes(picture(1000, 200))
    with narrow.open("rb") as file, pytest.raises(replicate.exceptions.ModelError) as caught:
        talk().run(MODEL, input={**CUP, "image_input": [file]})
    assert "expected the aspect ratio" in str(caught.value)


@pytest.mark.parametrize(
    ("token", "change", "status", "title"),
    [
        ("bad-token", {}, 401, "Unauthenticated"),
        ("broke-token", {}, 402, "Billing required"),
        ("sandbox-replicate-client", {"size": "8K"}, 422, "Input validation failed"),
    ],
)
def test_a_refusal_is_the_clients_own_exception(talk, token, change, status, title):
    with pytest.raises(replicate.exceptions.ReplicateError) as caught:
        talk(token).models.predictions.create(model=MODEL, input={**CUP, **change})
    assert (caught.value.status, caught.value.title) == (status, title)
