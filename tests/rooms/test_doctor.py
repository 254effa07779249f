"""`shotlist doctor`: what it finds of hosts, keys and network, without asking any of them."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.x509 import load_pem_x509_certificates

from flows.cli import run_command
from flows.cli.checkup import prefect_server
from flows.ledger import open_ledger
from flows.lettering import RAQM_REMEDY
from flows.settings import ADDRESS_VARIABLES, KEY_VARIABLES

checks = importlib.import_module("flows.cli.checkup.machine")
needs = importlib.import_module("flows.cli.checkup.campaigns")
SECRET = "sk-test-SECRET-123"
NO_SCHEDULE = "the scheduler of Prefect's server fails with it, and no schedule fires"
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
    signing = ("SHOTLIST_C2PA_CERT", "SHOTLIST_C2PA_KEY", "SHOTLIST_C2PA_SIGNER")
    foreign = (*KEY_VARIABLES.values(), *ADDRESS_VARIABLES, *ours, *signing, "SHOTLIST_TAKES_URL")
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


# The machine


def campaign(folder: Path, name: str, said: str) -> None:
    (folder / "campaigns").mkdir(exist_ok=True)
    head = f"campaign: {name}\nprompt_text: A picture\naspect_ratios: ['1:1']\n"
    (folder / "campaigns" / f"{name}.yaml").write_text(head + said, "utf-8")


@pytest.mark.parametrize(
    ("package", "version", "said"),
    [
        (
            "sqlalchemy",
            "2.1.0b1",
            f"sqlalchemy 2.1.0b1: {NO_SCHEDULE}; pip install 'sqlalchemy<2.1'",
        ),
        (
            "fastapi",
            "0.155.0",
            "fastapi 0.155.0: Prefect's server does not start with it; pip install 'fastapi<0.151'",
        ),
    ],
)
def test_what_breaks_prefect_is_told_with_what_mends_it(
    checkup: Checkup, monkeypatch: pytest.MonkeyPatch, package: str, version: str, said: str
) -> None:
    real = prefect_server.version
    monkeypatch.setattr(
        prefect_server, "version", lambda name: version if name == package else real(name)
    )
    code, found = checkup()
    assert (code, found["prefect"]) == (4, (False, said))


def test_versions_pictures_room_and_clock_are_told(checkup: Checkup, tmp_path: Path) -> None:
    code, found = checkup()
    prefect, sqlalchemy = version("prefect"), version("sqlalchemy")
    assert code == 0
    assert found["prefect"] == (
        True,
        f"{prefect} with SQLAlchemy {sqlalchemy}, its own local server for each run",
    )
    assert found["pictures"][1].startswith(f"Pillow {version('pillow')} with avif, webp")
    assert re.fullmatch(rf"[0-9,.]+ GB free at {tmp_path}", found["disk"][1])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", found["clock"][1])
    assert "fonts" not in found


def test_a_clock_behind_its_own_files_and_a_full_disk_are_told(
    checkup: Checkup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".shotlist").mkdir()
    file = tmp_path / ".shotlist" / "ledger.db"
    open_ledger(f"sqlite:///{file}").close()
    os.utime(file, (4102444800, 4102444800))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2e8))
    code, found = checkup()
    assert (code, found["clock"][0], found["disk"]) == (
        4,
        False,
        (False, f"0.2 GB free at {tmp_path}; a run needs 1 GB or more"),
    )
    assert found["clock"][1].endswith(" UTC, and files here were written on 2100-01-01; set it")


def test_a_pillow_that_sets_no_arabic_is_told(
    checkup: Checkup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.lettering.has_raqm", lambda: False)
    _, found = checkup()
    ok, said = found["pictures"]
    assert (ok, said.partition(", without Raqm: ")[2]) == (
        None,
        f"no Arabic, Hebrew, Thai or Indic letters; {RAQM_REMEDY}",
    )


# Who signs


def test_who_signs_is_told_with_the_day_on_which_the_certificate_ends(
    checkup: Checkup, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("c2pa", reason="pip install 'shotlist[c2pa]'")
    _, nobody = checkup()
    assert nobody["credentials"][0] is None
    assert run_command(["certs", str(tmp_path / "certs")]) == 0
    capsys.readouterr()
    chain = next((tmp_path / "certs").glob("*chain*"))
    key = next((tmp_path / "certs").glob("*key*"))
    code, found = checkup(SHOTLIST_C2PA_CERT=str(chain), SHOTLIST_C2PA_KEY=str(key))
    assert code == 0
    ends = load_pem_x509_certificates(chain.read_bytes())[0].not_valid_after_utc
    is_soon = ends - datetime.now(UTC) < timedelta(days=30)
    said = f"es256, its certificate is good until {ends:%Y-%m-%d}{': renew it' if is_soon else ''}"
    assert found["credentials"] == (None if is_soon else True, said)

    code, found = checkup(SHOTLIST_C2PA_CERT=str(tmp_path / "gone.pem"))
    assert (code, found["credentials"][0]) == (4, False)
    assert found["credentials"][1].startswith("SHOTLIST_C2PA_CERT: is neither PEM")


def test_a_signer_without_its_library_is_told(
    checkup: Checkup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    _, unsigned = checkup()
    ok, said = unsigned["credentials"]
    assert (ok, said.partition("; ")[2]) == (None, "shotlist[c2pa] is not installed")
    code, found = checkup(SHOTLIST_C2PA_CERT="x")
    told = (False, "its library is missing: pip install 'shotlist[c2pa]'")
    assert (code, found["credentials"]) == (4, told)


# What the workspace's campaigns need


def test_clients_of_the_storages_that_campaigns_name_are_looked_for(
    checkup: Checkup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign(tmp_path, "a", "products: {from: 's3://b/p.csv'}\npublish: {to: 'gs://b/out'}\n")
    campaign(tmp_path, "b", "products: {from: 'zip://p.csv::abfs://b/p.zip'}\n")
    real = needs.find_spec
    monkeypatch.setattr(needs, "find_spec", lambda name: real(name) if name != "gcsfs" else None)
    code, found = checkup(SHOTLIST_TAKES_URL=str(tmp_path / "takes"))
    told = {what: one for what, one in found.items() if what.startswith("storage")}
    assert (code, told) == (
        4,
        {
            "storage gs": (False, "its client is missing: pip install 'shotlist[gs]'"),
            "storage s3": (True, "s3fs is installed"),
            "storage az": (True, "adlfs is installed"),
        },
    )


def test_letters_of_a_campaigns_languages_are_looked_for(checkup: Checkup, tmp_path: Path) -> None:
    campaign(
        tmp_path,
        "a",
        "products: {items: [{sku: A, title: A}]}\noverlays: [{text: '{{ line }}'}]\n"
        "locales: {en: {vars: {line: Hello}}, de: {vars: {line: \U0010fffd}}}\n",
    )
    campaign(tmp_path, "b", "products: {items: [{sku: A, title: A}]}\nlocales: [th]\n")
    code, found = checkup()
    assert (code, found["fonts"][0]) == (4, False)
    assert found["fonts"][1].startswith("de: no font has ")
    assert "\U0010fffd" in found["fonts"][1]

    campaign(
        tmp_path,
        "a",
        "products: {items: [{sku: A, title: A}]}\noverlays: [{text: X}]\nlocales: [en, de]\n",
    )
    assert checkup() == (0, {**checkup()[1], "fonts": (True, "there are letters for en, de")})


def test_a_font_that_a_campaign_names_and_nobody_has_is_told(
    checkup: Checkup, tmp_path: Path
) -> None:
    lettered = "products: {items: [{sku: A, title: A}]}\noverlays: [{text: X}]\n"
    campaign(tmp_path, "a", f"{lettered}brand: {{fonts: [No Such Grotesk]}}\n")
    code, found = checkup()
    assert (code, found["fonts"][0]) == (4, False)
    assert "no font 'No Such Grotesk' on this machine" in found["fonts"][1]


def test_a_campaign_with_faults_is_told_with_the_command_that_tells_them(
    checkup: Checkup, tmp_path: Path
) -> None:
    campaign(tmp_path, "a", "product: []\nlocale: []\n")
    code, found = checkup()
    said = "2 faults; shotlist validate campaigns/a.yaml"
    assert (code, found["campaigns/a.yaml"]) == (0, (None, said))


def test_names_that_are_not_taken_from_the_env_file_are_told(
    checkup: Checkup, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"AWS_CONFIG_FILE={SECRET}\n", "utf-8")
    code, found = checkup()
    said = "AWS_CONFIG_FILE: not taken from there; set it in the environment itself"
    assert (code, found[".env"]) == (0, (None, said))


def test_a_person_reads_a_table_that_ends_with_what_is_to_be_mended(
    checkup: Checkup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkup(FAL_KEY=SECRET)
    assert run_command(["doctor"]) == 0
    out = capsys.readouterr().out
    rows = {line[5:].partition("  ")[0]: line[:4].strip() for line in out.splitlines()}
    assert (rows["fal"], rows["no key"], rows["ledger"]) == ("ok", "-", "-")
    assert not {"eachlabs", "freepik"} & rows.keys()
    assert out.splitlines()[-1] == "nothing is to be mended"
    monkeypatch.setenv("EVOLINK_BASE_URL", "ftp://x")
    assert run_command(["doctor"]) == 4
    assert capsys.readouterr().out.splitlines()[-1] == "to be mended: evolink"


def test_takes_of_this_machine_beside_a_ledger_of_several_are_told(
    checkup: Checkup, tmp_path: Path
) -> None:
    takes = tmp_path / "takes"
    _, found = checkup(
        SHOTLIST_LEDGER_URL="postgresql+psycopg://shop@127.0.0.1:9/ledger",
        SHOTLIST_TAKES_URL=str(takes),
    )
    assert found["takes"] == (
        None,
        (
            f"{takes}, 0 files, 0.0 MB; only this machine has them, and others share its ledger: "
            "set SHOTLIST_TAKES_URL if they are on other machines"
        ),
    )
