"""The `openai` client against the three hosts that speak nearly its language."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.fidelity.conftest import client_library
from tests.rooms.sandbox_client import size_of
from tests.rooms.sandbox_talk import inline

openai = client_library("openai")
pytestmark = pytest.mark.fidelity

BYTEPLUS = "seedream-4-0-250828"
AIMLAPI = "bytedance/seedream-v4-text-to-image"


@pytest.fixture
def talk(address):
    """A client of the host whose address stands in a variable; closed at the end."""
    opened = []

    def client(variable, key="sandbox-openai", below=""):
        opened.append(
            openai.OpenAI(base_url=f"{address(variable)}{below}", api_key=key, max_retries=0)
        )
        return opened[-1]

    yield client
    for each in opened:
        each.close()


def fetched(url):
    return size_of(httpx.get(url).content)


# Lumenfall


def test_lumenfall_generates(talk):
    answer = talk("LUMENFALL_BASE_URL").images.generate(
        model="seedream-4", prompt="a cup", size="1365x768", n=2
    )
    assert [fetched(image.url) for image in answer.data] == [("JPEG", (1365, 768))] * 2


def test_lumenfall_generates_inline_with_the_fields_that_openai_does_not_know(talk):
    answer = talk("LUMENFALL_BASE_URL").images.generate(
        model="seedream-4",
        prompt="a cup",
        output_format="png",
        response_format="b64_json",
        extra_body={"aspect_ratio": "16:9", "resolution": "1K", "seed": 7},
    )
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == ("PNG", (1365, 768))


def test_lumenfall_edits_one_picture(talk, reference):
    answer = talk("LUMENFALL_BASE_URL").images.edit(
        model="seedream-4", prompt="on a table", image=reference, size="1024x1024"
    )
    assert fetched(answer.data[0].url) == ("JPEG", (1024, 1024))


def test_lumenfall_edits_several_pictures(talk, reference):
    answer = talk("LUMENFALL_BASE_URL").images.edit(
        model="seedream-4", prompt="both", image=[reference, reference], size="1536x1024", n=2
    )
    assert [fetched(image.url)[1] for image in answer.data] == [(1536, 1024)] * 2


def test_lumenfall_refuses_a_wrong_key_as_the_client_expects(talk):
    with pytest.raises(openai.AuthenticationError) as caught:
        talk("LUMENFALL_BASE_URL", "bad-key").images.generate(model="seedream-4", prompt="a cup")
    assert (caught.value.status_code, caught.value.code) == (401, "AUTHENTICATION_FAILED")


def test_lumenfall_refuses_a_wrong_field_as_the_client_expects(talk):
    with pytest.raises(openai.BadRequestError) as caught:
        talk("LUMENFALL_BASE_URL").images.generate(model="seedream-4", prompt="a cup", n=11)
    assert (caught.value.code, caught.value.type) == ("INVALID_REQUEST", "invalid_request_error")


def test_lumenfall_refuses_an_unknown_model_as_the_client_expects(talk):
    with pytest.raises(openai.NotFoundError) as caught:
        talk("LUMENFALL_BASE_URL").images.generate(model="seedream-9", prompt="a cup")
    assert caught.value.code == "MODEL_NOT_FOUND"


# AI/ML API


def test_aimlapi_generates(talk):
    answer = talk("AIMLAPI_BASE_URL", below="/v1").images.generate(
        model=AIMLAPI,
        prompt="a cup",
        extra_body={"image_size": {"width": 1280, "height": 1024}, "num_images": 2, "seed": 7},
    )
    assert [fetched(image.url)[1] for image in answer.data] == [(1280, 1024)] * 2


def test_aimlapi_edits_by_data_uri(talk, reference):
    answer = talk("AIMLAPI_BASE_URL", below="/v1").images.generate(
        model="bytedance/seedream-v4-edit",
        prompt="on a table",
        extra_body={
            "image_urls": [inline(reference.read_bytes())],
            "image_size": {"width": 1024, "height": 1024},
        },
    )
    assert fetched(answer.data[0].url)[1] == (1024, 1024)


@pytest.mark.parametrize(
    ("key", "more", "error"),
    [
        ("bad-key", {}, "AuthenticationError"),
        ("sandbox-openai", {"num_images": 9}, "BadRequestError"),
        ("broke-key", {}, "PermissionDeniedError"),
    ],
)
def test_aimlapi_refuses_as_the_client_expects(talk, key, more, error):
    with pytest.raises(getattr(openai, error)):
        talk("AIMLAPI_BASE_URL", key, "/v1").images.generate(
            model=AIMLAPI, prompt="a cup", extra_body=more
        )


# BytePlus


def test_byteplus_generates_and_tells_size_and_usage_beside_what_the_client_knows(talk):
    answer = talk("BYTEPLUS_BASE_URL").images.generate(
        model=BYTEPLUS,
        prompt="a cup",
        size="1280x720",
        response_format="url",
        extra_body={"watermark": False},
    )
    assert fetched(answer.data[0].url) == ("JPEG", (1280, 720))
    assert answer.data[0].size == "1280x720"
    assert answer.usage.generated_images == 1


def test_byteplus_edits_with_two_references(talk, reference):
    images = [inline(reference.read_bytes()), "https://cdn.example/logo.png"]
    answer = talk("BYTEPLUS_BASE_URL").images.generate(
        model=BYTEPLUS,
        prompt="both",
        size="2K",
        response_format="b64_json",
        extra_body={"image": images, "watermark": False},
    )
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == ("JPEG", (2048, 2048))


@pytest.mark.parametrize(
    ("key", "size", "error", "code"),
    [
        ("bad-key", "2K", "AuthenticationError", "AuthenticationError"),
        ("broke-key", "2K", "PermissionDeniedError", "AccountOverdueError"),
        ("sandbox-openai", "800x800", "BadRequestError", "InvalidParameter"),
    ],
)
def test_byteplus_refuses_as_the_client_expects(talk, key, size, error, code):
    with pytest.raises(getattr(openai, error)) as caught:
        talk("BYTEPLUS_BASE_URL", key).images.generate(model=BYTEPLUS, prompt="a cup", size=size)
    assert caught.value.code == code
