"""The `fal-client`, its addresses turned to the sandbox."""

from __future__ import annotations

import httpx
import pytest

from tests.fidelity.conftest import client_library
from tests.rooms.sandbox_client import receiver, size_of, until

fal_client = client_library("fal_client")
pytestmark = pytest.mark.fidelity

TEXT = "fal-ai/bytedance/seedream/v4/text-to-image"
EDIT = "fal-ai/bytedance/seedream/v4/edit"
SMALL = {"width": 1024, "height": 1024}


@pytest.fixture
def talk(address, monkeypatch):
    """The client knows no option for plain http: its constants are replaced."""
    from fal_client import client as inside

    monkeypatch.setattr(inside, "QUEUE_URL_FORMAT", f"{address('FAL_QUEUE_URL')}/")
    monkeypatch.setattr(inside, "RUN_URL_FORMAT", f"{address('FAL_RUN_URL')}/")
    monkeypatch.setattr(inside, "REST_URL", address("FAL_REST_URL"))
    monkeypatch.setattr(inside, "CDN_URL", address("FAL_CDN_URL"))
    opened = []
    connect = httpx.Client.__init__

    def noted(http, *arguments, **more):
        connect(http, *arguments, **more)
        opened.append(http)

    # it has no close of its own, and opens a connection for each upload
    monkeypatch.setattr(httpx.Client, "__init__", noted)
    yield lambda key="sandbox-fal-client": fal_client.SyncClient(key=key)
    for each in opened:
        each.close()


def test_a_request_is_submitted_polled_and_fetched(talk):
    handle = talk().submit(TEXT, arguments={"prompt": "a cup", "image_size": SMALL, "seed": 7})
    states = list(handle.iter_events(with_logs=True))
    assert isinstance(states[-1], fal_client.Completed)
    assert all(
        isinstance(state, fal_client.Queued | fal_client.InProgress) for state in states[:-1]
    )
    output = handle.get()
    assert output["seed"] == 7
    assert size_of(httpx.get(output["images"][0]["url"]).content) == ("PNG", (1024, 1024))


def test_status_and_result_are_found_by_the_id_alone(talk):
    client = talk()
    request = client.submit(TEXT, arguments={"prompt": "a cup", "image_size": SMALL}).request_id
    assert isinstance(client.status(TEXT, request), fal_client.Queued | fal_client.InProgress)
    assert len(client.result(TEXT, request)["images"]) == 1


def test_subscribe_and_run_bring_the_output(talk):
    arguments = {"prompt": "a cup", "image_size": SMALL}
    assert len(talk().subscribe(TEXT, arguments=arguments)["images"]) == 1
    assert len(talk().run(TEXT, arguments=arguments)["images"]) == 1


def test_an_edit_with_uploaded_references(talk, reference):
    client = talk()
    urls = [
        client.upload_file(reference),
        client.upload(reference.read_bytes(), "image/png", repository="fal"),
        fal_client.encode_file(reference),
    ]
    assert httpx.get(urls[0]).content == reference.read_bytes()
    output = client.subscribe(
        EDIT, arguments={"prompt": "all", "image_urls": urls, "image_size": "auto_2K"}
    )
    assert size_of(httpx.get(output["images"][0]["url"]).content)[1] == (2048, 2048)


def test_a_large_file_goes_up_in_parts(talk, reference):
    from fal_client.client import MultipartUpload

    client = talk()
    with httpx.Client() as http:
        url = MultipartUpload.save_file(
            client=http,
            token_manager=client._token_manager,
            file_path=str(reference),
            chunk_size=1000,
            content_type="image/png",
        )
    assert httpx.get(url).content == reference.read_bytes()


def test_a_queued_request_is_cancelled(talk):
    client = talk()
    running = [client.submit(TEXT, arguments={"prompt": "a cup"}) for _ in range(2)]
    waiting = client.submit(TEXT, arguments={"prompt": "a cup"})
    waiting.cancel()
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        waiting.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")
    assert [len(handle.get()["images"]) for handle in running] == [1, 1]


def test_a_webhook_tells_the_end(talk):
    with receiver() as heard:
        handle = talk().submit(
            TEXT, arguments={"prompt": "a cup", "image_size": SMALL}, webhook_url=heard.url
        )
        until(lambda: heard.posts, "the webhook")
    assert heard.posts[0].headers["x-fal-webhook-request-id"] == handle.request_id


@pytest.mark.parametrize(("key", "status"), [("bad-key", 401), ("locked-key", 403)])
def test_a_refused_key_is_the_clients_own_exception(talk, key, status):
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        talk(key).submit(TEXT, arguments={"prompt": "a cup"})
    assert caught.value.status_code == status


def test_a_wrong_field_is_the_clients_own_exception_at_the_result(talk):
    handle = talk().submit(TEXT, arguments={"prompt": "a cup", "num_images": 9})
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (422, "less_than_equal")
    assert caught.value.message[0]["loc"] == ["body", "num_images"]
