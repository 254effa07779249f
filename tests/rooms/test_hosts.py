"""Which host makes a run, and that a proof never stands in unasked where it would do harm."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from flows import providers
from flows.errors import BadInput, EnvironmentFault
from flows.jobs import hosts
from flows.jobs.accounts import accounts
from flows.nouns.campaign import Campaign
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading
from flows.nouns.take import Realm
from flows.nouns.workspace import Workspace
from flows.providers.base import Limits, Window
from flows.settings import ADDRESS_VARIABLES, KEY_VARIABLES, SECRET_VARIABLES, Settings


def settings(
    tmp_path: Path, addresses: dict[str, str] | None = None, **keys: tuple[str, ...]
) -> Settings:
    return Settings(
        ledger_url="sqlite://",
        takes_url=str(tmp_path),
        references_cache=tmp_path,
        staging=tmp_path,
        prefect_api_url=None,
        keys=keys,
        addresses=addresses or {},
    )


def reading(*use: str) -> Reading:
    campaign = Campaign.model_validate(
        {"campaign": "mugs", "providers": {"use": list(use)}} if use else {"campaign": "mugs"}
    )
    return Reading(
        campaign=campaign,
        products=(),
        rows=None,
        spec_path="mugs.yaml",
        spec_sha256="0" * 64,
        image_base=".",
        places={"providers.use.0": "mugs.yaml:3:19"},
    )


def choose(tmp_path: Path, **given: Any) -> tuple[tuple[providers.Account, ...], tuple[str, ...]]:
    asked: dict[str, Any] = {
        "named": (),
        "reading": reading(),
        "settings": settings(tmp_path),
        "is_local": True,
        "former": None,
        "destination": "outputs/demo",
        **given,
    }
    return hosts.choose(**asked)


def test_with_nothing_named_and_no_key_proofs_are_drawn_and_it_is_said(tmp_path: Path) -> None:
    (account,), notes = choose(tmp_path)
    assert (account.host, account.realm) == ("proof", Realm.PROOF)
    assert notes == ("no provider named and no key set: drawing proofs, for position only",)


def test_a_named_proof_is_drawn_whatever_keys_are_set(tmp_path: Path) -> None:
    (account,), notes = choose(tmp_path, named=["proof"], settings=settings(tmp_path, fal=("k",)))
    assert (account.host, notes) == ("proof", ())


def test_the_command_line_wins_over_the_campaign(tmp_path: Path) -> None:
    (account,), _ = choose(tmp_path, named=["proof"], reading=reading("fal"))
    assert account.host == "proof"


def test_proofs_are_not_put_into_a_remote_place_unasked(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"s3://shop/x.*--provider proof"):
        choose(tmp_path, is_local=False, destination="s3://shop/x")


def test_proofs_do_not_replace_bought_pictures_unasked(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="holds bought pictures"):
        choose(tmp_path, former=cast("Manifest", {"realm": "live"}))


def test_every_host_with_a_key_may_make_the_images_each_key_an_account(tmp_path: Path) -> None:
    keys = {"fal": ("sk-test-SECRET-123", "b"), "replicate": ("c",)}
    accounts, notes = choose(tmp_path, settings=settings(tmp_path, **keys))
    assert [(one.name, one.key, one.realm) for one in accounts] == [
        ("fal 1", "sk-test-SECRET-123", Realm.LIVE),
        ("fal 2", "b", Realm.LIVE),
        ("replicate", "c", Realm.LIVE),
    ]
    assert notes == ()
    assert "SECRET" not in repr(accounts)


def test_a_host_without_a_key_can_be_planned_with_and_not_run(tmp_path: Path) -> None:
    accounts, _ = choose(tmp_path, named=["freepik", "fal"])
    assert [one.host for one in accounts] == ["freepik", "fal"]
    with pytest.raises(EnvironmentFault) as raised:
        hosts.require_keys(accounts)
    assert str(raised.value) == (
        "no key: set FREEPIK_API_KEY (for freepik), FAL_KEY (for fal) in the environment or in the "
        "workspace's .env"
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/evolink",
        "http://localhost:8000",
        "https://10.1.2.3",
        "http://[::1]:80/x",
        "http://169.254.169.254",
    ],
)
def test_takes_made_on_this_machine_or_a_private_network_count_in_the_sandbox(
    tmp_path: Path, address: str
) -> None:
    by_hand = {"EVOLINK_BASE_URL": address}
    (account,), _ = choose(tmp_path, named=["evolink"], settings=settings(tmp_path, by_hand))
    assert account.realm is Realm.SANDBOX
    # the sibling was not set: nothing of a trial may be sent to the published one
    assert account.addresses == by_hand


def test_a_host_half_here_and_half_elsewhere_is_refused(tmp_path: Path) -> None:
    by_hand = {
        "EVOLINK_BASE_URL": "http://127.0.0.1:8000",
        "EVOLINK_FILES_URL": "https://93.184.215.14",
    }
    with pytest.raises(EnvironmentFault, match=r"EVOLINK_BASE_URL lead.* EVOLINK_FILES_URL else"):
        choose(tmp_path, named=["evolink"], settings=settings(tmp_path, by_hand))


def test_a_key_is_not_sent_over_plain_http_to_a_public_host(tmp_path: Path) -> None:
    by_hand = {"FREEPIK_BASE_URL": "http://93.184.215.14"}
    with pytest.raises(EnvironmentFault, match="FREEPIK_BASE_URL sends a key over plain http"):
        choose(tmp_path, named=["freepik"], settings=settings(tmp_path, by_hand))


def test_hosts_of_different_realms_do_not_run_together(tmp_path: Path) -> None:
    by_hand = {"FREEPIK_BASE_URL": "http://127.0.0.1:1"}
    with pytest.raises(EnvironmentFault, match=r"sandbox: freepik; live: fal"):
        choose(tmp_path, named=["freepik", "fal"], settings=settings(tmp_path, by_hand))


def test_what_differs_from_the_published_limits_is_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTLIST_ACCOUNTS", "accounts.yaml")
    (tmp_path / "accounts.yaml").write_text(
        "eachlabs: {windows: [{requests: 100, per_s: 0.5}, {creates: 5, per_s: 1}], running: 3,\n"
        "  usd_per_image: 0.05, auth: bearer, latency_s: 0.3}\n"
        "byteplus: {windows: [{images: 500, per_s: 60}]}\n"
    )
    loaded = Settings.load(Workspace(tmp_path))
    (account,) = accounts(providers.host("eachlabs"), loaded)
    assert account.limits == Limits(
        windows=(
            Window(amount=100, per_s=0.5, counts="requests"),
            Window(amount=5, per_s=1, counts="creates"),
        ),
        running=3,
    )
    assert (account.usd_per_image, account.auth) == (Decimal("0.05"), "bearer")
    (other,) = accounts(providers.host("byteplus"), loaded)
    assert other.limits.windows == (Window(amount=500, per_s=60, counts="images"),)
    assert other.limits.running == providers.host("byteplus").limits.running


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("eachlab: {}", "no host 'eachlab'"),
        ("fal: {runing: 3}", "did you mean 'running'?"),
        ("fal: {windows: [{per_s: 60}]}", "exactly one of"),
        ("fal: {windows: [{requests: 1, creates: 1, per_s: 60}]}", "exactly one of"),
        ("fal: {running: 0}", "greater than 0"),
        ("- fal", "not a mapping"),
        ("fal: {", "expected"),
    ],
)
def test_a_faulty_accounts_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setenv("SHOTLIST_ACCOUNTS", "accounts.yaml")
    (tmp_path / "accounts.yaml").write_text(text)
    with pytest.raises(BadInput) as raised:
        Settings.load(Workspace(tmp_path))
    assert told in str(raised.value)


def test_a_way_to_authenticate_that_the_host_does_not_have_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTLIST_ACCOUNTS", "accounts.yaml")
    (tmp_path / "accounts.yaml").write_text("freepik: {auth: bearer}")
    with pytest.raises(BadInput, match=r"freepik\.auth: 'bearer'"):
        accounts(providers.host("freepik"), Settings.load(Workspace(tmp_path)))


@pytest.mark.parametrize(
    ("given", "place"),
    [({"named": ["prof"]}, "--provider"), ({"reading": reading("prof")}, "mugs.yaml:3:19")],
)
def test_an_unknown_host_is_told_with_the_nearest(
    tmp_path: Path, given: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput) as raised:
        choose(tmp_path, **given)
    (fault,) = raised.value.faults
    assert (fault.place, fault.found, fault.remedy) == (
        place,
        "no provider 'prof'",
        "did you mean 'proof'?",
    )


def test_keys_come_from_the_environment_and_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (*KEY_VARIABLES.values(), "SHOTLIST_LEDGER_URL", "SHOTLIST_TAKES_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("FAL_KEY", "one, two")
    (tmp_path / ".env").write_text("FAL_KEY=three\nARK_API_KEY=four\nSHOTLIST_TAKES_URL=s3://b/t\n")
    loaded = Settings.load(Workspace(tmp_path))
    assert loaded.keys == {"fal": ("one", "two"), "byteplus": ("four",)}
    assert loaded.takes_url == "s3://b/t"
    assert loaded.ledger_url == f"sqlite:///{tmp_path}/.shotlist/ledger.db"
    assert "four" not in repr(loaded)


@pytest.mark.parametrize("key", ["sk SECRET", "sk-SECRET\x00", "ключ-SECRET"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(
    tmp_path: Path, key: str
) -> None:
    (tmp_path / ".env").write_text(f"FAL_KEY='ok, {key} ,x'\n", "utf-8")
    with pytest.raises(EnvironmentFault) as raised:
        Settings.load(Workspace(tmp_path))
    assert "FAL_KEY" in str(raised.value)
    assert "SECRET" not in str(raised.value)


def test_every_provider_is_found_by_its_file() -> None:
    folder = Path(providers.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert set(providers.names()) == files
    for name in providers.names():
        assert providers.host(name).name == name


def test_settings_know_the_variables_of_every_host() -> None:
    hosts_ = [providers.host(name) for name in providers.names() if name != "proof"]
    assert {one.name: one.key_variable for one in hosts_} == KEY_VARIABLES
    assert {one.name: one.secret_variable for one in hosts_ if one.secret_variable} == (
        SECRET_VARIABLES
    )
    assert {name for one in hosts_ for name in one.addresses} == set(ADDRESS_VARIABLES)
