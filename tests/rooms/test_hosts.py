"""Which host makes a run, and that a proof never stands in unasked where it would do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from flows import providers
from flows.errors import BadInput, EnvironmentFault
from flows.jobs import hosts
from flows.nouns.campaign import Campaign
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading
from flows.nouns.take import Realm
from flows.nouns.workspace import Workspace
from flows.settings import KEY_VARIABLES, Settings


def settings(tmp_path: Path, **keys: tuple[str, ...]) -> Settings:
    return Settings(
        ledger_url="sqlite://",
        takes_url=str(tmp_path),
        references_cache=tmp_path,
        staging=tmp_path,
        prefect_api_url=None,
        keys=keys,
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


def choose(tmp_path: Path, **given: Any) -> tuple[providers.Provider, tuple[str, ...]]:
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
    host, notes = choose(tmp_path)
    assert (host.name, host.realm()) == ("proof", Realm.PROOF)
    assert notes == ("no provider named and no key set: drawing proofs, for position only",)


def test_a_named_proof_is_drawn_whatever_keys_are_set(tmp_path: Path) -> None:
    host, notes = choose(tmp_path, named=["proof"], settings=settings(tmp_path, fal=("k",)))
    assert (host.name, notes) == ("proof", ())


def test_the_command_line_wins_over_the_campaign(tmp_path: Path) -> None:
    assert choose(tmp_path, named=["proof"], reading=reading("proof"))[0].name == "proof"


def test_proofs_are_not_put_into_a_remote_place_unasked(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"s3://shop/x.*--provider proof"):
        choose(tmp_path, is_local=False, destination="s3://shop/x")


def test_proofs_do_not_replace_bought_pictures_unasked(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="holds bought pictures"):
        choose(tmp_path, former=cast("Manifest", {"realm": "live"}))


def test_a_key_of_a_host_without_adapter_is_said_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as raised:
        choose(tmp_path, settings=settings(tmp_path, fal=("sk-test-SECRET-123",)))
    assert "FAL_KEY is set" in str(raised.value)
    assert "SECRET" not in str(raised.value)


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


def test_every_provider_is_found_by_its_file(tmp_path: Path) -> None:
    folder = Path(providers.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "base"}
    assert set(providers.names()) == files
    for name in providers.names():
        assert providers.provider(name).name == name
