"""`shotlist doctor`: what it finds of hosts, keys and network, without asking any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import run_command
from flows.ledger import open_ledger
from flows.settings import ADDRESS_VARIABLES, KEY_VARIABLES

SECRET = "sk-test-SECRET-123"
HERE = "http://127.0.0.1:9"

Checkup = Callable[..., tuple[int, dict[str, tuple[bool | None, str]]]]
"""The exit code, and what is said by the thing that it is said of."""


@pytest.fixture
def checkup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Checkup:
    """Runs the doctor in an empty workspace with nothing set but what is given."""
    proxies = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
    ours = ("PREFECT_API_URL", "SHOTLIST_ACCOUNTS", "SHOTLIST_CALLBACK_URL", "SHOTLIST_LEDGER_URL")
    foreign = (*KEY_VARIABLES.values(), *ADDRESS_VARIABLES, *ours, "SHOTLIST_TAKES_URL")
    for name in (*foreign, *proxies, *(one.lower() for one in proxies)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(**given: str) -> tuple[int, dict[str, tuple[bool | None, str]]]:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        code = run_command(["doctor", "--json"])
        out = capsys.readouterr().out
        assert SECRET not in out
        return code, {one["what"]: (one["ok"], one["said"]) for one in json.loads(out)["findings"]}

    return run


def test_every_host_without_a_key_is_told_with_the_variable_to_set(checkup: Checkup) -> None:
    code, found = checkup()
    assert code == 0
    for host, variable in KEY_VARIABLES.items():
        ok, said = found[host]
        assert (ok, said.startswith(f"no key: write {variable}=... into .env")) == (None, True)
    assert found["fal"] == (
        None,
        (
            "no key: write FAL_KEY=... into .env to use it; live at https://queue.fal.run; "
            "$0.03 an image; 10 requests in 1 s, 2 running"
        ),
    )
    assert found["no host named"] == (
        None,
        "no key is set: a run draws proofs, into a local folder alone",
    )


def test_keys_are_counted_and_never_shown(checkup: Checkup) -> None:
    code, found = checkup(FAL_KEY=f"{SECRET},{SECRET}-2", EACHLABS_API_KEY=SECRET)
    assert code == 0
    assert found["fal"][0] is True
    assert found["fal"][1].startswith("2 keys; live at https://queue.fal.run; $0.03 an image; ")
    assert "price not known (say usd_per_image" in found["eachlabs"][1]
    assert found["no host named"] == (True, "a run uses eachlabs, fal (live)")


def test_what_differs_at_an_account_is_told_as_it_is(checkup: Checkup, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "eachlabs: {windows: [{creates: 5, per_s: 2.5}], running: 3, usd_per_image: 0.04}\n",
        "utf-8",
    )
    _, found = checkup(EACHLABS_API_KEY=SECRET, SHOTLIST_ACCOUNTS="mine.yaml")
    assert found["eachlabs"] == (
        True,
        "1 key; live at https://api.eachlabs.ai/v1; $0.04 an image; 5 creates in 2.5 s, 3 running",
    )


def test_a_local_address_is_told_as_a_sandbox(checkup: Checkup) -> None:
    _, found = checkup(REPLICATE_API_TOKEN=SECRET, REPLICATE_BASE_URL=f"{HERE}/v1")
    assert found["replicate"][1].startswith(f"1 key; sandbox at {HERE}/v1; ")
    assert found["no host named"] == (True, "a run uses replicate (sandbox)")


def test_keys_that_lead_to_different_realms_are_told(checkup: Checkup) -> None:
    given = {"REPLICATE_API_TOKEN": SECRET, "REPLICATE_BASE_URL": HERE, "FAL_KEY": SECRET}
    code, found = checkup(**given)
    assert code == 0
    assert found["no host named"] == (
        None,
        (
            "a run stops: the keys lead to different realms (fal live, replicate sandbox); "
            "name hosts by --provider"
        ),
    )


@pytest.mark.parametrize(
    ("host", "variable", "address", "said"),
    [
        ("evolink", "EVOLINK_BASE_URL", "ftp://x", "EVOLINK_BASE_URL is not an http(s) address"),
        ("freepik", "FREEPIK_BASE_URL", "http://8.8.8.8", "sends a key over plain http"),
        ("fal", "FAL_REST_URL", HERE, "set FAL_QUEUE_URL too, or none"),
    ],
)
def test_an_address_that_cannot_be_used_is_the_hosts_own_fault_and_ends_with_4(
    checkup: Checkup, host: str, variable: str, address: str, said: str
) -> None:
    code, found = checkup(**{variable: address})
    assert (code, found[host][0], said in found[host][1]) == (4, False, True), found[host]
    others = {name: found[name][0] for name in KEY_VARIABLES if name != host}
    assert set(others.values()) == {None}


def test_proxy_and_certificates_are_looked_at(checkup: Checkup) -> None:
    _, direct = checkup()
    _, proxied = checkup(HTTPS_PROXY=f"http://me:{SECRET}@proxy.example:3128")
    code, broken = checkup(SSL_CERT_FILE="not-there.pem")
    assert direct["network"] == (True, "no proxy; certificates are checked")
    assert proxied["network"] == (True, "through the proxy for https; certificates are checked")
    assert (code, broken["network"]) == (
        4,
        (False, "SSL_CERT_FILE names 'not-there.pem', which is no file"),
    )


def test_it_is_said_who_calls_back_where_and_who_is_not_believed(checkup: Checkup) -> None:
    public = "https://hooks.acme.example/shotlist"
    _, silent = checkup(FAL_KEY=SECRET, LUMENFALL_API_KEY=SECRET)
    _, good = checkup(SHOTLIST_CALLBACK_URL=public)
    code, doubtful = checkup(FREEPIK_API_KEY=SECRET)
    assert "callbacks" not in silent
    heard = "heard at 127.0.0.1:8787 by a run, or by `shotlist callbacks`"
    assert good["callbacks"] == (True, f"fal call {public}; {heard}")
    assert (code, doubtful["callbacks"][0]) == (0, None)
    assert doubtful["callbacks"][1] == (
        f"fal, freepik call {public}; {heard}; freepik: FREEPIK_WEBHOOK_SECRET is not set: its "
        f"callbacks cannot be verified and are refused"
    )


def test_a_callback_address_that_nobody_calls_or_that_is_none_is_told(checkup: Checkup) -> None:
    code, unused = checkup(SHOTLIST_CALLBACK_URL="https://hooks.acme.example")
    assert (code, unused["callbacks"][0]) == (0, None)
    assert unused["callbacks"][1].startswith("no key of a host that calls back is set")
    code, wrong = checkup(SHOTLIST_CALLBACK_URL="hooks.acme.example")
    assert (code, wrong["callbacks"]) == (
        4,
        (False, "SHOTLIST_CALLBACK_URL is not an http(s) address"),
    )


def test_the_pace_beside_the_ledger_is_looked_at(checkup: Checkup, tmp_path: Path) -> None:
    (tmp_path / ".shotlist").mkdir()
    file = tmp_path / ".shotlist" / "ledger.db"
    with open_ledger(f"sqlite:///{file}") as book:
        _, before = checkup()
        book.begin_dispatch("r1/fal", run="r1", account="f1", host="fal")
        _, found = checkup()
    assert ("pace" in before, found["ledger"][0]) == (False, True)
    ok, said = found["pace"]
    assert (ok, said.startswith(f"{file.with_name('ledger-pace.db')}, ")) == (True, True)
    assert said.endswith(" MB, 1 account at work now; needs no backup")


def test_accounts_that_cannot_be_read_are_told_instead(checkup: Checkup) -> None:
    code, found = checkup(SHOTLIST_ACCOUNTS="gone.yaml")
    assert (code, list(found)) == (4, ["settings"])
    assert "gone.yaml" in found["settings"][1]
