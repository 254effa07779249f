"""`shotlist certs`: a chain for trials that nobody mistakes for more and nobody overwrites."""

from __future__ import annotations

import datetime as dt
import os
import stat

import pytest
from cryptography.x509 import (
    ExtendedKeyUsage,
    load_pem_x509_certificate,
    load_pem_x509_certificates,
)

from flows.cli import run_command
from flows.finish.certs import trial_chain
from flows.finish.signer import signer

NOW = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)


def test_the_chain_leads_from_the_signer_to_the_root():
    made = trial_chain(NOW)
    leaf, middle = load_pem_x509_certificates(made.chain.encode())
    root = load_pem_x509_certificate(made.root.encode())
    leaf.verify_directly_issued_by(middle)
    middle.verify_directly_issued_by(root)
    assert (made.expires, leaf.not_valid_after_utc) == (
        dt.date(2027, 11, 21),
        NOW.replace(year=2027),
    )
    usages = leaf.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert [one.dotted_string for one in usages] == ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"]
    assert "for trials only" in leaf.subject.rfc4514_string()
    assert made.chain != trial_chain(NOW).chain


def test_the_chain_shows_no_key():
    made = trial_chain(NOW)
    assert "PRIVATE" not in repr(made)
    assert "PRIVATE" in made.key


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps other rights than these bits")
def test_the_command_writes_keys_for_their_owner_alone(tmp_path, capsys):
    folder = tmp_path / "trial"
    before = os.umask(0)
    try:
        assert run_command(["certs", str(folder)]) == 0
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {
        ".gitignore": 0o644,
        "README.txt": 0o644,
        "chain.pem": 0o644,
        "intermediate.key": 0o600,
        "root.key": 0o600,
        "root.pem": 0o644,
        "signer.key": 0o600,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert "For trials only" in (folder / "README.txt").read_text()
    assert capsys.readouterr().out.splitlines() == [
        f"SHOTLIST_C2PA_CERT={folder / 'chain.pem'}",
        f"SHOTLIST_C2PA_KEY={folder / 'signer.key'}",
    ]


def test_what_the_command_wrote_is_a_signer(tmp_path):
    assert run_command(["certs", str(tmp_path / "trial")]) == 0
    trial = tmp_path / "trial"
    made = signer(str(trial / "chain.pem"), str(trial / "signer.key"))
    assert made is not None
    assert (made.algorithm, made.is_reproducible) == ("es256", True)


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path, capsys):
    (tmp_path / "signer.key").write_text("mine")
    assert run_command(["certs", str(tmp_path)]) == 2
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("signer.key", "mine")
    ]
    assert capsys.readouterr().err == (
        "shotlist: no certificates were made\n"
        f"  - {tmp_path}: is there and not empty; name a new folder\n"
    )


def test_a_place_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run_command(["certs", str(tmp_path / "file" / "trial")]) == 4
    assert capsys.readouterr().err == (
        f"shotlist: {tmp_path / 'file' / 'trial'}: cannot be written: Not a directory\n"
    )
