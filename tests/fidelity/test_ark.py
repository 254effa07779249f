"""BytePlus's own client (`byteplussdkarkruntime`, in the package byteplus-python-sdk-v2)."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.fidelity.conftest import client_library
from tests.rooms.sandbox_client import size_of
from tests.rooms.sandbox_talk import inline

ark = client_library("byteplussdkarkruntime")
pytestmark = pytest.mark.fidelity

MODEL = "seedream-4-0-250828"


@pytest.fixture
def talk(address):
    opened = []

    def client(key="sandbox-ark"):
        opened.append(ark.Ark(base_url=address("BYTEPLUS_BASE_URL"), api_key=key, max_retries=0))
        return opened[-1]

    yield client
    for each in opened:
        each.close()


def test_an_image_is_generated_and_fetched(talk):
    answer = talk().images.generate(
        model=MODEL, prompt="a cup", size="1280x720", response_format="url", watermark=False
    )
    assert size_of(httpx.get(answer.data[0].url).content) == ("JPEG", (1280, 720))
    assert (answer.model, answer.usage.generated_images, answer.usage.output_tokens) == (
        MODEL,
        1,
        3600,
    )


def test_an_edit_with_references_makes_a_group(talk, reference):
    from byteplussdkarkruntime.types.images import SequentialImageGenerationOptions

    answer = talk().images.generate(
        model=MODEL,
        prompt="two seasons of one cup",
        image=[inline(reference.read_bytes()), "https://cdn.example/logo.png"],
        size="1K",
        response_format="b64_json",
        sequential_image_generation="auto",
        sequential_image_generation_options=SequentialImageGenerationOptions(max_images=2),
        watermark=False,
    )
    sizes = [size_of(base64.b64decode(image.b64_json)) for image in answer.data]
    assert sizes == [("JPEG", (1024, 1024))] * 2


def test_a_stream_yields_each_image_and_the_usage(talk):
    events = list(
        talk().images.generate(model=MODEL, prompt="a cup", size="1K", watermark=False, stream=True)
    )
    assert [event.type for event in events] == [
        "image_generation.partial_succeeded",
        "image_generation.completed",
    ]
    assert size_of(httpx.get(events[0].url).content)[1] == (1024, 1024)
    # the client reads every event as if it were the first kind, so this stays a plain mapping
    assert events[1].usage["generated_images"] == 1


@pytest.mark.parametrize(
    ("key", "change", "error", "code"),
    [
        ("bad-key", {}, "ArkAuthenticationError", "AuthenticationError"),
        ("broke-key", {}, "ArkPermissionDeniedError", "AccountOverdueError"),
        ("sandbox-ark", {"size": "800x800"}, "ArkBadRequestError", "InvalidParameter"),
        (
            "sandbox-ark",
            {"model": "seedream-4"},
            "ArkNotFoundError",
            "InvalidEndpointOrModel.NotFound",
        ),
        (
            "sandbox-ark",
            {"guidance_scale": 3.0},
            "ArkBadRequestError",
            "InvalidParameter.UnsupportedParameter",
        ),
    ],
)
def test_a_refusal_is_the_clients_own_exception(talk, key, change, error, code):
    from byteplussdkarkruntime import _exceptions

    with pytest.raises(getattr(_exceptions, error)) as caught:
        talk(key).images.generate(**{"model": MODEL, "prompt": "a cup", "size": "1K", **change})
    assert caught.value.body["code"] == code
