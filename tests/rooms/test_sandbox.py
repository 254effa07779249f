"""The sandbox's core: clock, limits, bill, links, faults, drawing, the server itself."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

from flows.errors import BadInput, EnvironmentFault
from flows.sandbox import Options, pictures, serve, started
from flows.sandbox.bill import Bill
from flows.sandbox.clock import Clock
from flows.sandbox.faults import Faults
from flows.sandbox.hosts import eachlabs, names
from flows.sandbox.limits import Gate, Limits, Window
from flows.sandbox.pictures import Picture
from flows.sandbox.refused import Refused
from tests.rooms.sandbox_client import OPEN, Client, picture, size_of, until

FAST = 400.0
ROOM = Limits((Window(100_000, 60),), running=1000)


def sandbox(faults=None, speed=FAST, limits=ROOM, form="seed"):
    return started(
        speed=speed,
        faults=faults,
        form=form,
        speaking=[eachlabs],
        limits=None if limits is None else {"eachlabs": limits},
    )


@pytest.fixture(autouse=True)
def _connections_are_closed():
    yield
    while OPEN:
        OPEN.pop().close()


# drawing


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("size", [(2048, 2048), (1365, 768), (33, 512), (1, 1)])
def test_a_picture_is_true_to_its_size_and_format(kind, size):
    data = Picture(*size, "task 1", kind).draw()
    assert size_of(data) == (kind.upper(), size)


def test_the_same_picture_has_the_same_bytes_and_another_label_has_others():
    assert Picture(640, 480, "a 1").draw() == Picture(640, 480, "a 1").draw()
    assert Picture(640, 480, "a 1").draw() != Picture(640, 480, "a 2").draw()


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_picture_is_not_uniform(kind):
    with Image.open(io.BytesIO(Picture(1024, 1024, "a 1", kind).draw())) as image:
        low, high = image.convert("L").getextrema()
    assert high - low > 60


def test_pictures_of_different_tasks_look_different():
    def small(label):
        with Image.open(io.BytesIO(Picture(1024, 1024, label).draw())) as image:
            return image.convert("RGB").resize((8, 8), Image.Resampling.BOX).tobytes()

    assert len({small(f"task {number}") for number in range(30)}) == 30


def test_what_is_no_image_is_told_apart():
    assert pictures.look(picture(300, 200)) == pictures.Look(
        "PNG", 300, 200, len(picture(300, 200))
    )
    with pytest.raises(pictures.NotAPicture, match="not a readable image"):
        pictures.look(b"<html></html>")
    with pytest.raises(pictures.NotAPicture, match="not base64"):
        pictures.from_base64("no base64!")
    assert pictures.from_data_uri("data:image/png;base64,QUJD") == ("image/png", b"ABC")


# clock and limits


class StillClock(Clock):
    """Goes on when it is told to."""

    at = 1_000.0

    def now(self):
        return self.at


def test_a_clock_runs_faster_and_shows_moments_in_the_machines_time():
    clock = Clock(3600)
    later = clock.now() + 7200
    assert clock.real(7200) == 2.0
    assert clock.wall(later) - clock.wall(clock.now()) == pytest.approx(2, abs=0.2)
    assert clock.iso(later).endswith("Z")


def test_a_window_slides_and_what_is_refused_does_not_count():
    clock = StillClock()
    gate = Gate("eachlabs", Limits((Window(2, 60),)), clock, Bill())
    assert gate.admit("a", "create") == 0
    clock.at += 10
    assert gate.admit("a", "other") == 0
    assert gate.admit("b", "other") == 0, "each account has its own window"
    assert gate.admit("a", "other") == 50
    clock.at += 49
    assert gate.admit("a", "other") == 1
    clock.at += 1
    assert gate.admit("a", "other") == 0
    assert gate.admit("a", "other") == 10


def test_a_window_of_creates_does_not_count_polls_and_one_of_images_counts_images():
    gate = Gate(
        "x", Limits((Window(1, 60, "create"), Window(5, 60, "image"))), StillClock(), Bill()
    )
    assert [gate.admit("a", "other") for _ in range(9)] == [0.0] * 9
    assert gate.admit("a", "create") == 0
    assert gate.admit("a", "create") == 60
    assert gate.admit("a", "image", 4) == 0
    assert gate.admit("a", "image", 2) == 60
    assert gate.admit("a", "image", 1) == 0


# the bill


def test_the_bill_counts_what_was_made_and_names_no_key():
    bill = Bill()
    for _ in range(2):
        bill.created("fal", "fal-secret-key", b"{}")
    bill.made(
        "fal", "fal-secret-key", task="t", prompt="p", size="8x8", n=2, usd=0.06, at="2026-01-01"
    )
    bill.delivered("fal", "t", 0)
    bill.delivered("fal", "t", 0)
    bill.refused("fal", "POST", "/x", Refused(429, "slow", reason="limit"), "2026-01-01")
    bill.refused("fal", "POST", "/x", Refused(503, "down", reason="injected"), "2026-01-01")
    report = bill.report()
    page = report["hosts"]["fal"]
    assert (page["creates"], page["duplicates"], page["made"], page["usd"]) == (2, 1, 2, 0.06)
    assert (page["delivered"], page["downloads"]) == (1, 2)
    assert (page["over_limit"], page["client_faults"]) == (1, 1)
    assert [line["whose"] for line in page["refused"]] == ["client", "injected"]
    assert report["images"]["fal"][0]["prompt_sha256"] == hashlib.sha256(b"p").hexdigest()
    assert "secret" not in json.dumps(report)


# faults


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([{"host": "eachlab", "at": "poll", "kind": "drop"}], "did you mean 'eachlabs'?"),
        ([{"host": "*", "at": "poll", "kind": "explode"}], "'explode'"),
        ([{"host": "*", "at": "poll"}], "no 'kind'"),
        ([{"host": "*", "at": "poll", "kind": "truncated"}], "cannot happen at 'poll'"),
        ([{"host": "*", "at": "poll", "kind": "drop", "frist": 1}], "did you mean 'first'?"),
        ([{"host": "*", "at": "poll", "kind": "drop", "first": 0}], "whole, 1 or more"),
        ([{"host": "*", "at": "poll", "kind": "drop", "share": 2}], "0 to 1"),
        ([{"host": "*", "at": "poll", "kind": "drop", "nth": 1, "every": 2}], "together"),
        ([{"host": "*", "at": "poll", "kind": "status", "status": 20}], "400 to 599"),
        ({"rules": []}, "unknown key 'rules'"),
        ("nothing", "a list of rules"),
        ([3], "a int"),
    ],
)
def test_a_bad_faults_file_is_refused_in_words(rules, found):
    with pytest.raises(BadInput) as error:
        Faults.of(rules, names(), "faults.yaml")
    assert found in str(error.value)
    assert "faults.yaml" in str(error.value)


def test_a_faults_file_that_is_no_yaml_is_refused_with_its_place(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("- {host: [}\n")
    with pytest.raises(BadInput, match=r"faults.yaml:1:\d+: is neither YAML nor JSON"):
        Faults.read(path, names())
    with pytest.raises(BadInput, match="No such file"):
        Faults.read(tmp_path / "none.yaml", names())


@pytest.mark.parametrize(
    ("often", "struck"),
    [
        ({"first": 2}, [1, 2]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"share": 0.0}, []),
        ({"share": 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_fault_strikes_as_often_as_its_rule_says_and_each_host_is_counted_alone(often, struck):
    faults = Faults.of([{"host": "*", "at": "poll", "kind": "drop", **often}], names())
    hits = [count for count in range(1, 7) if faults.strike("eachlabs", "poll")]
    assert hits == struck
    assert [count for count in range(1, 7) if faults.strike("fal", "poll")] == struck
    assert not faults.strike("fal", "create")


def test_shares_follow_from_the_seed():
    def struck(seed):
        rule = {"host": "*", "at": "poll", "kind": "drop", "share": 0.3}
        faults = Faults.of({"seed": seed, "faults": [rule]}, names())
        return [bool(faults.strike("fal", "poll")) for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


# faults acted out, at one host


def test_a_create_that_is_accepted_and_dropped_is_made_and_billed():
    with sandbox(
        [{"host": "eachlabs", "at": "create", "kind": "accept_then_drop", "first": 1}]
    ) as s:
        client = Client(s.url)
        with pytest.raises(httpx.TransportError):
            client.predict()
        page = until(lambda: (page := client.page("eachlabs"))["made"] and page, "the image")
        assert (page["creates"], page["made"], page["usd"], page["client_faults"]) == (
            1,
            1,
            0.03,
            0,
        )
        assert page["injected"] == {"accept_then_drop": 1}
        assert client.predict().status_code == 200


def test_a_create_that_is_dropped_makes_nothing():
    with sandbox([{"host": "eachlabs", "at": "create", "kind": "drop", "first": 1}]) as s:
        client = Client(s.url)
        with pytest.raises(httpx.TransportError):
            client.predict()
        assert client.page("eachlabs")["creates"] == 0


def test_an_injected_status_comes_with_its_wait_and_is_not_the_clients_fault():
    rule = {
        "host": "*",
        "at": "create",
        "kind": "status",
        "status": 429,
        "retry_after": 4000,
        "first": 1,
    }
    with sandbox([rule]) as s:
        client = Client(s.url)
        answer = client.predict()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
        page = client.page("eachlabs")
        assert (page["creates"], page["client_faults"], page["over_limit"]) == (0, 0, 0)
        assert page["refused"][0]["whose"] == "injected"


def test_a_slow_create_is_answered_after_it_was_done():
    rule = {"host": "*", "at": "create", "kind": "slow", "s": 4000, "first": 1}
    with sandbox([rule], speed=4000) as s:
        client = Client(s.url)
        with pytest.raises(httpx.ReadTimeout):
            client.http.post(
                "/eachlabs/v1/prediction",
                headers=client.bearer(),
                json={"model": "seedream-v4-edit", "version": "0.0.1", "input": {"prompt": "x"}},
                timeout=0.3,
            )
        assert client.page("eachlabs")["refused"][0]["status"] == 400
        assert client.predict().status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "starts"), [("html", 502, "<!doctype html>"), ("malformed", 200, "{")]
)
def test_polls_may_bring_html_or_broken_json(kind, status, starts):
    with sandbox([{"host": "*", "at": "poll", "kind": kind, "first": 1}]) as s:
        client = Client(s.url)
        task = client.predict().json()["predictionID"]
        answer = client.request("GET", f"/eachlabs/v1/prediction/{task}")
        assert answer.status_code == status
        assert answer.text.startswith(starts)
        with pytest.raises(json.JSONDecodeError):
            answer.json()
        assert client.predicted(task)["status"] == "success"


def test_a_poll_may_bring_an_unknown_state():
    with sandbox([{"host": "*", "at": "poll", "kind": "unknown_state", "first": 1}]) as s:
        client = Client(s.url)
        task = client.predict().json()["predictionID"]
        assert client.prediction(task)["status"] == "reticulating"


@pytest.mark.parametrize(("kind", "billed"), [("moderation", 0), ("failure", 0)])
def test_a_task_fails_by_the_faults_file_and_is_not_billed(kind, billed):
    with sandbox([{"host": "*", "at": "create", "kind": kind, "nth": 1}]) as s:
        client = Client(s.url)
        refused = client.predicted(client.predict().json()["predictionID"])
        assert refused["status"] == "error"
        assert client.page("eachlabs")["made"] == billed
        assert client.predicted(client.predict().json()["predictionID"])["status"] == "success"


@pytest.mark.parametrize(("kind", "came"), [("partial", 2), ("empty", 0)])
def test_a_set_may_be_partial_or_empty_and_is_billed_by_what_came(kind, came):
    with sandbox([{"host": "*", "at": "create", "kind": kind}], form="present") as s:
        client = Client(s.url)
        done = client.predicted(client.predict(num_images=4).json()["predictionID"])
        assert len(done["output"]) == came
        assert client.page("eachlabs")["usd"] == pytest.approx(came * 0.03)


def link_of(client: Client) -> str:
    return client.predicted(client.predict().json()["predictionID"])["output"]


@pytest.mark.parametrize(
    ("kind", "status", "media"),
    [
        ("html", 200, "text/html; charset=utf-8"),
        ("wrong_bytes", 200, "image/jpeg"),
        ("short", 200, "image/jpeg"),
        ("expired", 403, "application/json"),
    ],
)
def test_a_link_may_bring_what_is_not_the_image(kind, status, media):
    with sandbox([{"host": "*", "at": "link", "kind": kind, "first": 1}]) as s:
        client = Client(s.url)
        link = link_of(client)
        answer = client.http.get(link)
        assert (answer.status_code, answer.headers["content-type"]) == (status, media)
        with pytest.raises((OSError, SyntaxError)):
            size_of(answer.content)
        assert client.page("eachlabs")["delivered"] == 0
        assert size_of(client.http.get(link).content) == ("JPEG", (2048, 2048))
        assert client.page("eachlabs")["delivered"] == 1


def test_a_truncated_download_ends_before_its_length_and_is_not_delivered():
    with sandbox([{"host": "*", "at": "link", "kind": "truncated", "first": 1}]) as s:
        client = Client(s.url)
        link = link_of(client)
        with pytest.raises(httpx.RemoteProtocolError):
            client.http.get(link)
        assert client.page("eachlabs")["delivered"] == 0
        assert client.http.get(link).status_code == 200


# links


def test_a_link_dies_when_its_life_is_over():
    with sandbox() as s:
        client = Client(s.url)
        link = link_of(client)
        assert client.http.head(link).status_code == 200
        assert client.page("eachlabs")["delivered"] == 0, "a HEAD brings no image"
        s.world.links.find(httpx.URL(link).path).dies_at = s.world.clock.now()
        answer = client.http.get(link)
        assert (answer.status_code, answer.json()) == (403, {"error": "the link has expired"})


def test_links_follow_the_name_by_which_the_client_came():
    with sandbox() as s:
        other = Client(s.url.replace("127.0.0.1", "localhost"))
        assert link_of(other).startswith(other.url + "/eachlabs/files/")


# the server


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/eachlabs/v1/prediction", b"{", 400),
        ("POST", "/eachlabs/v1/prediction", b"[" * 100_000, 400),
        ("POST", "/eachlabs/v1/prediction", b"\xff\xfe\x00", 400),
        ("POST", "/eachlabs/v1/prediction", b"[1]", 400),
        ("POST", "/eachlabs/v1/prediction", b'{"model": NaN}', 400),
        ("POST", "/eachlabs/v1/prediction", b'{"model": {"a": 1}}', 400),
        ("POST", "/eachlabs/v1/prediction", b'{"model": [], "version": 1, "input": 3}', 400),
        ("DELETE", "/eachlabs/v1/prediction", b"", 404),
        ("GET", "/eachlabs/nowhere", b"", 404),
        ("GET", "/eachlabs/files/../../etc/passwd", b"", 404),
        ("PUT", "/eachlabs/put/unknown", b"x", 403),
        ("GET", "/nobody/here", b"", 404),
    ],
)
def test_a_bad_request_is_refused_in_json_and_never_breaks_the_server(
    method, path, content, status
):
    with sandbox() as s:
        headers = {**Client(s.url).bearer(), "content-type": "application/json"}
        answer = httpx.request(method, s.url + path, content=content, headers=headers)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
        faults = [line["whose"] for line in s.report()["hosts"]["eachlabs"]["refused"]]
        assert "sandbox" not in faults


def test_two_hundred_tasks_at_once_are_each_made_and_delivered_once():
    with sandbox(speed=100) as s:

        async def one(client, number):
            answer = await client.post(
                "/eachlabs/v1/prediction",
                json={
                    "model": "seedream-v4-text-to-image",
                    "version": "0.0.1",
                    "input": {"prompt": f"cup {number}", "image_size": "square"},
                },
            )
            path = f"/eachlabs/v1/prediction/{answer.json()['predictionID']}"
            done = {}
            for pause in itertools.repeat(0.2):
                done = (await client.get(path)).json()
                if done["status"] == "success":
                    break
                await asyncio.sleep(pause)
            return len((await client.get(done["output"])).content)

        async def twenty(group):
            # the pool of one httpx client gets slow with many connections; ten are quick
            headers = Client(s.url).bearer()
            async with httpx.AsyncClient(base_url=s.url, headers=headers, timeout=60) as client:
                return await asyncio.gather(
                    *(one(client, 20 * group + number) for number in range(20))
                )

        async def all_at_once():
            groups = await asyncio.gather(*(twenty(group) for group in range(10)))
            return [size for group in groups for size in group]

        sizes = asyncio.run(all_at_once())
        page = s.report()["hosts"]["eachlabs"]
        counts = [page[name] for name in ("creates", "made", "billed", "delivered", "duplicates")]
        assert min(sizes) > 5000
        assert counts == [200, 200, 200, 200, 0]
        assert (page["usd"], page["refused"]) == (6.0, [])


def test_a_fast_clock_writes_the_windows_that_a_client_must_keep(tmp_path):
    with started(speed=60, accounts=tmp_path / "accounts.yaml") as s:
        assert s.environment["SHOTLIST_ACCOUNTS"] == str(tmp_path / "accounts.yaml")
        text = (tmp_path / "accounts.yaml").read_text()
    assert "eachlabs:\n  latency_s: 0.3333\n  running: 10\n" in text
    assert "- per_s: 1.0\n    requests: 100\n" in text
    with started(speaking=[eachlabs]) as s:
        assert s.environment == {
            "EACHLABS_BASE_URL": f"{s.url}/eachlabs/v1",
            "EACHLABS_API_KEY": "sandbox-eachlabs",
            "EACHLABS_WEBHOOK_SECRET": "sandbox-eachlabs-webhook",
        }


def test_serving_is_refused_in_words(tmp_path):
    with pytest.raises(BadInput, match="--speed"):
        serve(Options(speed=0), print)
    with pytest.raises(BadInput, match="--port"):
        serve(Options(port=70000), print)
    with pytest.raises(EnvironmentFault, match="report"):
        serve(Options(report=Path(tmp_path / "none" / "report.json")), print)
    with sandbox() as s, pytest.raises(EnvironmentFault, match="choose another by --port"):
        serve(Options(port=int(s.url.rpartition(":")[2])), print)


def test_the_server_prints_its_lines_serves_and_writes_the_report_when_it_is_stopped(tmp_path):
    path = tmp_path / "report.json"
    code = (
        "from pathlib import Path; from flows import sandbox;"
        f"sandbox.serve(sandbox.Options(speed=60, report=Path({str(path)!r})),"
        " lambda lines: print(lines, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = {}
        while "SHOTLIST_ACCOUNTS" not in lines:
            name, _, value = process.stdout.readline().strip().partition("=")
            lines[name] = value
        answer = httpx.post(
            f"{lines['AIMLAPI_BASE_URL']}/v1/images/generations",
            json={"model": "bytedance/seedream-v4-text-to-image", "prompt": "x"},
            headers={"authorization": f"Bearer {lines['AIMLAPI_API_KEY']}"},
            timeout=30,
        )
        assert answer.is_success
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, err) == (0, "")
    assert lines["SHOTLIST_ACCOUNTS"] == str(tmp_path / "report-accounts.yaml")
    assert {name.partition("_")[0] for name in lines} >= {
        "EACHLABS",
        "FREEPIK",
        "AIMLAPI",
        "EVOLINK",
    }
    assert json.loads(path.read_text())["totals"]["made"] == 1
