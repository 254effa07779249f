"""What every host's file must keep, walked over all of them: a new file is a new case."""

from __future__ import annotations

import inspect
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from flows import providers
from flows.errors import EnvironmentFault
from flows.nouns.recipe import Recipe, master_size
from flows.nouns.take import Realm
from flows.providers.base import (
    PARAMETERS,
    Accepted,
    Account,
    Done,
    Handed,
    Job,
    Order,
    Picture,
    Provider,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
)

KEY = "sk-test-SECRET-123"
HOSTS = [name for name in providers.names() if name != "proof"]
POLLED = [name for name in HOSTS if not providers.host(name).is_synchronous]


def picture(role: str = "product") -> Picture:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((320, 400)).convert("RGB").save(data, "JPEG")
    return Picture(
        role=role,  # type: ignore[arg-type]
        data=data.getvalue(),
        media_type="image/jpeg",
        width=320,
        height=400,
        sha256="a" * 64 if role == "product" else "b" * 64,
    )


def opened(name: str, **given: Any) -> Provider:
    host = providers.host(name)
    account = Account(
        host=name,
        name=name,
        realm=Realm.LIVE,
        key=KEY,
        addresses=dict(host.addresses),
        limits=host.limits,
        usd_per_image=host.usd_per_image,
        latency_s=host.latency_s,
        secret="whsec_c2VjcmV0LVNFQ1JFVA==",
    )
    return providers.opened(replace(account, **given))


def order(host: Provider, *, edit: bool, ratio: str = "4:5", **given: Any) -> Order:
    recipe = Recipe(
        model="seedream-4",
        prompt='A mug, "storm blue", für 24,00 €',
        ratio=ratio,
        tier="2K",
        seed=7,
        **given,
    )
    width, height = (int(part) for part in ratio.split(":"))
    size = host.capabilities.shapes.nearest(width * 400, height * 400)
    pictures = (picture(), picture("style")) if edit else ()
    addresses = ("https://cdn.example/a.jpg", "https://cdn.example/b.jpg") if edit else ()
    if edit and host.capabilities.references.by != "upload":
        addresses = tuple(
            handed for one in pictures if (handed := inline_address(host, one)) is not None
        )
    return Order(recipe=recipe, size=size, pictures=pictures, addresses=addresses, mark="c" * 32)


def inline_address(host: Provider, one: Picture) -> str | None:
    """The address of a host that may make one without asking anybody."""
    talk = host.hand_over(one)
    if talk is None:
        return None
    try:
        next(talk)
    except StopIteration as ended:
        found: Handed = ended.value
        return found.address
    return "https://files.example/a.jpg"


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_says_all_that_a_plan_needs(name: str) -> None:
    host = providers.host(name)
    assert set(host.capabilities.treatments) == set(PARAMETERS)
    assert (host.name, host.model) == (name, "seedream-4")
    assert host.price_note
    assert host.limits_note
    assert host.limits.running or host.limits.windows
    assert all(window.amount > 0 and window.per_s > 0 for window in host.limits.windows)
    assert all(address.startswith("https://") for address in host.addresses.values())
    assert host.usd_per_image is None or 0 < host.usd_per_image < 1
    assert host.is_synchronous == (host.requests_per_take == 1)
    if host.is_synchronous:
        assert host.timeout_s >= 300


@pytest.mark.parametrize("name", HOSTS)
def test_a_file_of_a_host_is_of_that_host_alone(name: str) -> None:
    source = inspect.getsource(inspect.getmodule(providers.host(name)))  # type: ignore[arg-type]
    assert len(source.splitlines()) <= 320
    assert "prefect" not in source


@pytest.mark.parametrize("edit", [False, True], ids=["text", "edit"])
@pytest.mark.parametrize("name", HOSTS)
def test_the_request_that_buys_goes_to_the_host_and_holds_the_key_in_one_header(
    name: str, edit: bool
) -> None:
    host = opened(name)
    request = host.submit(order(host, edit=edit))
    assert request.method == "POST"
    base = urlsplit(next(iter(host.account.addresses.values())))
    assert (request.url.scheme, request.url.host) == (base.scheme, base.hostname)
    assert KEY not in str(request.url)
    assert sum(KEY in value for value in request.headers.values()) == 1
    body = request.read()
    assert KEY.encode() not in body
    if request.headers["content-type"] == "application/json":
        assert "null" not in json.dumps(json.loads(body))


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_asked_is_asked_at_the_host(name: str) -> None:
    host = opened(name)
    job = Job(id="task-unified-1", notes={})
    base = {urlsplit(one).hostname for one in host.account.addresses.values()}
    since = datetime(2026, 1, 1, tzinfo=UTC)
    requests = [host.list_jobs(since), host.cancel(job), host.callback_keys()]
    if not host.is_synchronous:
        requests.append(host.ask(job))
    for request in requests:
        assert request is None or request.url.host in base


@pytest.mark.parametrize("name", HOSTS)
def test_a_sibling_address_that_was_not_set_for_a_trial_is_never_replaced_by_the_published(
    name: str,
) -> None:
    variables = list(providers.host(name).addresses)
    local = {variables[0]: "http://127.0.0.1:9"}
    host = opened(name, realm=Realm.SANDBOX, addresses=local)
    for make in (
        lambda: host.submit(order(host, edit=False)),
        lambda: host.ask(Job(id="x")),
        lambda: next(host.hand_over(picture()) or iter(())),
        lambda: host.list_jobs(datetime(2026, 1, 1, tzinfo=UTC)),
        host.callback_keys,
    ):
        try:
            request = make()
        except (EnvironmentFault, LookupError, StopIteration):
            continue
        assert request is None or request.url.host == "127.0.0.1"


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "9:16", "16:9", "2:3", "21:9", "3:1"])
@pytest.mark.parametrize("name", HOSTS)
def test_the_size_that_is_asked_for_covers_the_shape(name: str, ratio: str) -> None:
    host = opened(name)
    width, height = (int(part) for part in ratio.split(":"))
    for tier in host.capabilities.tiers:
        wanted = master_size(_fraction(width, height), tier)
        size = host.capabilities.shapes.nearest(*wanted)
        loss = 1 - min(size.shape, _fraction(width, height)) / max(
            size.shape, _fraction(width, height)
        )
        assert loss < 0.45
        if size.width is not None and size.height is not None:
            assert size.width * size.height >= 921_600 * 0.98
            assert size.width * size.height <= 4096 * 4096


def _fraction(width: int, height: int) -> Any:
    from fractions import Fraction

    return Fraction(width, height)


REPLIES = (Done, Accepted, Running, Ready, Refused)

_json: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                (
                    *(
                        "id",
                        "task_id",
                        "predictionID",
                        "data",
                        "output",
                        "status",
                        "error",
                        "errors",
                    ),
                    *(
                        "code",
                        "message",
                        "detail",
                        "images",
                        "url",
                        "urls",
                        "results",
                        "result_data",
                    ),
                    *("request_id", "status_url", "response_url", "generated"),
                )
            )
            | some.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
_bodies = some.binary(max_size=200) | _json.map(lambda one: json.dumps(one).encode())
_answers = some.builds(
    lambda status, body, kind: httpx.Response(
        status,
        content=body,
        headers={"content-type": kind, "retry-after": "3"},
        request=httpx.Request("GET", "https://example.com/x"),
    ),
    some.integers(200, 599),
    _bodies,
    some.sampled_from(["application/json", "text/html", "text/plain; charset=utf-16", "x"]),
)


@pytest.mark.parametrize("name", HOSTS)
@given(response=_answers)
def test_whatever_a_server_sends_is_a_reply_and_no_key_is_repeated(
    name: str, response: httpx.Response
) -> None:
    host = opened(name)
    replies: list[Reply] = [host.submitted(response, order(host, edit=False))]
    if not host.is_synchronous:
        replies += [host.asked(response, Job(id="x")), host.collected(response, Job(id="x"))]
    for reply in replies:
        assert isinstance(reply, REPLIES)
        if isinstance(reply, Done):
            assert reply.images
            assert all(image.url or image.data for image in reply.images)
    if host.list_jobs(datetime(2026, 1, 1, tzinfo=UTC)) is not None:
        host.listed(response)


def said(reply: Reply) -> RefusalKind | type:
    return reply.kind if isinstance(reply, Refused) else type(reply)


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    request = httpx.Request("POST", "https://example.com/x")
    return httpx.Response(status, content=content, headers=headers, request=request)


@pytest.mark.parametrize("name", HOSTS)
def test_a_create_that_may_have_been_bought_is_unknown(name: str) -> None:
    host = opened(name)
    one = order(host, edit=False)
    for status in (500, 502, 503, 504, 408):
        reply = host.submitted(answer(status, b"<html>Bad gateway</html>"), one)
        assert said(reply) is RefusalKind.UNKNOWN, status
        assert isinstance(reply, Refused)
        assert reply.billed is None
    for body in (b"", b"{", b"<html>", b"[]", b"null", b'{"a": 1}'):
        assert said(host.submitted(answer(200, body), one)) is RefusalKind.UNKNOWN, body


@pytest.mark.parametrize("name", HOSTS)
def test_a_create_that_the_host_turned_away_was_not_bought(name: str) -> None:
    host = opened(name)
    one = order(host, edit=False)
    assert said(host.submitted(answer(401, {"error": "no"}), one)) is RefusalKind.ACCOUNT
    assert said(host.submitted(answer(402, {"error": "no"}), one)) is RefusalKind.ACCOUNT
    busy = host.submitted(answer(429, {"error": "slow"}, **{"retry-after": "7"}), one)
    assert isinstance(busy, Refused)
    assert (busy.kind, busy.retry_after_s, busy.billed) == (RefusalKind.AGAIN, 7.0, False)
    assert said(host.submitted(answer(302, b"", location="https://e.x/"), one)) is (
        RefusalKind.ACCOUNT
    )


@pytest.mark.parametrize("name", POLLED)
def test_a_question_that_fails_is_not_a_job_that_failed(name: str) -> None:
    host = opened(name)
    job = Job(id="x")
    for status in (500, 502, 503, 504, 429):
        assert said(host.asked(answer(status, b"<html>"), job)) is RefusalKind.AGAIN, status
    assert said(host.asked(answer(404, {"error": "no such task"}), job)) is RefusalKind.GONE
    assert said(host.asked(answer(401, {"error": "no"}), job)) is RefusalKind.ACCOUNT


@pytest.mark.parametrize("name", HOSTS)
def test_nothing_that_is_shown_holds_the_key_or_the_secret(name: str) -> None:
    host = opened(name)
    shown = [repr(host), repr(host.account), str(host.account)]
    told = host.submitted(answer(400, {"error": f"bad key {KEY}"}), order(host, edit=False))
    if isinstance(told, Refused):
        shown.append(told.words)
    assert not [one for one in shown if re.search("SECRET|c2VjcmV0", one)]
