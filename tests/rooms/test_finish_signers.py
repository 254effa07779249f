"""Who signs: certificates, keys, functions in their place, and what is wrong with each."""

from __future__ import annotations

import datetime as dt
import http.server
import io
import shutil
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from PIL import Image

from flows.errors import EnvironmentFault
from flows.finish import certs
from flows.finish.certs import trial_chain
from flows.finish.credentials import Origin, Story
from flows.finish.sign import check_signer, master, signed
from flows.finish.signer import signer
from flows.finish.verify import verify
from flows.nouns.rendition import AI_GENERATED

pytest.importorskip(
    "c2pa", reason="c2pa-python is not installed (pip install '.[c2pa]'): nothing can be signed"
)

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
TRIAL = trial_chain(NOW)
OURS = signer(TRIAL.chain, TRIAL.key)


def picture(form="PNG"):
    out = io.BytesIO()
    Image.effect_mandelbrot((60, 60), (-3, -2, 2, 2), 50).convert("RGB").save(out, form)
    return out.getvalue()


def signed_by(who, form="png"):
    origin = Origin(
        take=picture(),
        source_type=AI_GENERATED,
        software="Shotlist 0.1.0",
        system="Seedream",
        system_version="seedream-4",
    )
    story = Story(master=master(origin, who), title="Mug", steps=("cropped",))
    return signed(picture(form.upper()), form, story=story, signer=who)


def chain_of(key, **more):
    """PEM of a chain for trials to this key, of the key, and of the root."""
    top, middle = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [certs._name(name) for name in ("Root", "Intermediate", "Signer")]
    until = NOW + dt.timedelta(days=30)
    root = certs._certificate(names[0], top, names[0], top, NOW, until, below=1)
    between = certs._certificate(names[1], middle, names[0], top, NOW, until, below=0)
    leaf = certs._certificate(names[2], key, names[1], middle, NOW, until, below=None)
    pems = [one.public_bytes(Encoding.PEM).decode() for one in (leaf, between, root)]
    return pems[0] + pems[1], pem_of(key), pems[2]


def pem_of(key, cipher=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher or NoEncryption()).decode()


@pytest.mark.parametrize(
    ("key", "algorithm", "is_reproducible"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "es384", True),
        (ec.generate_private_key(ec.SECP521R1()), "es512", True),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519", True),
        (rsa.generate_private_key(65537, 2048), "ps256", False),
    ],
    ids=["P-384", "P-521", "Ed25519", "RSA"],
)
def test_the_algorithm_follows_from_the_certificate(key, algorithm, is_reproducible):
    chain, pem, root = chain_of(key)
    who = signer(chain, pem)
    assert (who.algorithm, who.is_reproducible) == (algorithm, is_reproducible)
    data, again = signed_by(who), signed_by(who)
    assert verify(data, "png", root).state == "trusted"
    assert (data == again) is is_reproducible


def test_nothing_set_is_no_signer():
    assert signer(None, None) is None
    assert signer("", "", callback="", time_stamps="http://a.example") is None


def test_certificate_and_key_come_from_files_or_as_text_in_one_line(tmp_path):
    (tmp_path / "chain.pem").write_text(TRIAL.chain)
    one_line = TRIAL.key.replace("\n", "\\n")
    who = signer(str(tmp_path / "chain.pem"), one_line)
    assert (who.chain, who.expires) == (TRIAL.chain, OURS.expires)


def with_module(monkeypatch, tmp_path, text):
    (tmp_path / "vault_of_ours.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "vault_of_ours", raising=False)
    return signer(TRIAL.chain, None, callback="vault_of_ours:sign")


KEY_IN_A_VAULT = f"""
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
KEY = load_pem_private_key({TRIAL.key.encode()!r}, None)
"""
DER = "def sign(data): return KEY.sign(data, ec.ECDSA(hashes.SHA256()))\n"
RAW = (
    "def sign(data):\n"
    "    two = decode_dss_signature(KEY.sign(data, ec.ECDSA(hashes.SHA256())))\n"
    "    return b''.join(one.to_bytes(32, 'big') for one in two)\n"
)


@pytest.mark.parametrize("way", [DER, RAW], ids=["DER", "raw"])
def test_a_function_signs_in_place_of_a_key(monkeypatch, tmp_path, way):
    who = with_module(monkeypatch, tmp_path, KEY_IN_A_VAULT + way)
    assert not who.is_reproducible
    data = signed_by(who, "jpeg")
    assert verify(data, "jpeg", TRIAL.root).state == "trusted"
    # no 10 kB of zeros, as the library keeps for such a signer
    assert len(data) - len(picture("JPEG")) < 10_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def sign(data): raise RuntimeError('token hunter2 refused')",
            "SHOTLIST_C2PA_SIGNER: signing failed: RuntimeError",
        ),
        (
            "def sign(data): return b'x' * 64",
            (
                "SHOTLIST_C2PA_SIGNER: gave a signature of 64 bytes that the certificate does not "
                "verify; it must be by the certificate's key, over the bytes themselves"
            ),
        ),
        ("def sign(data): return None", "SHOTLIST_C2PA_SIGNER: signing failed: TypeError"),
    ],
)
def test_a_function_that_fails_is_named_without_its_words(monkeypatch, tmp_path, text, said):
    who = with_module(monkeypatch, tmp_path, text)
    for one in (who, replace(who, time_stamps="http://127.0.0.1:9/")):
        with pytest.raises(EnvironmentFault) as refused:
            check_signer(one)
        assert str(refused.value) == said


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere", "'nowhere' is not of the form module:function"),
        (
            "no_such_module_here:sign",
            (
                "no_such_module_here cannot be imported: ModuleNotFoundError; "
                "is it installed here, or its folder in PYTHONPATH?"
            ),
        ),
        ("json:no_such_function", "json has no function no_such_function"),
    ],
)
def test_a_function_that_is_not_there_is_said(place, said):
    with pytest.raises(EnvironmentFault) as refused:
        signer(TRIAL.chain, None, callback=place)
    assert str(refused.value) == f"SHOTLIST_C2PA_SIGNER: {said}"


OTHER = trial_chain(NOW)
SELF_SIGNED = TRIAL.root
LEAF, _, MIDDLE = TRIAL.chain.partition("-----END CERTIFICATE-----\n")
SMALL = ec.generate_private_key(ec.SECP224R1())
CIPHER_OF_TESTS = "never the words of this test"
SECRETS = [line for pem in (TRIAL.key, OTHER.key) for line in pem.splitlines()[1:-1]]


def encrypted(key):
    return pem_of(key, BestAvailableEncryption(CIPHER_OF_TESTS.encode()))


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (TRIAL.chain, OTHER.key, "SHOTLIST_C2PA_KEY: this is not the key of the first certificate"),
        (TRIAL.chain, None, "neither SHOTLIST_C2PA_KEY nor SHOTLIST_C2PA_SIGNER is"),
        (None, TRIAL.key, "SHOTLIST_C2PA_CERT is not set, and a signer is"),
        (SELF_SIGNED, TRIAL.root_key, "has signed its own certificate"),
        (
            f"{MIDDLE}{LEAF}-----END CERTIFICATE-----\n",
            TRIAL.intermediate_key,
            "Signer for trials only,O=Trial chain of Shotlist\\, worth nothing did not issue",
        ),
        (chain_of(SMALL)[0], pem_of(SMALL), "its key is of a kind that C2PA does not take"),
        (
            trial_chain(NOW - dt.timedelta(days=40), leaf_days=30).chain,
            TRIAL.key,
            f"has expired on {NOW - dt.timedelta(days=10):%Y-%m-%d}; renew it",
        ),
        (
            trial_chain(NOW + dt.timedelta(days=4)).chain,
            TRIAL.key,
            "is valid from",
        ),
        ("/no/such/place.pem", TRIAL.key, "can be read: No such file or directory"),
        (TRIAL.chain, "/no/such/place.pem", "can be read: No such file or directory"),
        (TRIAL.chain, "".join(SECRETS[:2]), "SHOTLIST_C2PA_KEY: is neither PEM"),
        (TRIAL.chain, TRIAL.key[:-80], "SHOTLIST_C2PA_KEY: holds no private key"),
        (TRIAL.chain, TRIAL.chain, "SHOTLIST_C2PA_KEY: holds no private key"),
        (TRIAL.key, TRIAL.key, "SHOTLIST_C2PA_CERT: holds no certificate"),
        (
            TRIAL.chain,
            encrypted(SMALL),
            "SHOTLIST_C2PA_KEY: the key is encrypted; decrypt it, or sign by a function",
        ),
    ],
)
def test_what_is_wrong_with_a_signer_is_said_and_no_key_is_shown(certificate, key, said):
    with pytest.raises(EnvironmentFault) as refused:
        signer(certificate, key)
    assert said in str(refused.value)
    shown = f"{refused.value}{refused.value!r}{refused.value.__cause__}"
    assert [line for line in SECRETS if line in shown] == []


def test_a_certificate_that_the_standard_does_not_take_is_said_before_work_begins():
    top = ec.generate_private_key(ec.SECP256R1())
    name, until = certs._name("Root"), NOW + dt.timedelta(days=30)
    # an authority's certificate is nobody's to sign pictures with
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = certs._certificate(certs._name("CA"), key, name, top, NOW, until, below=0)
    who = signer(leaf.public_bytes(Encoding.PEM).decode(), pem_of(key))
    with pytest.raises(EnvironmentFault, match=r"could not be signed: .*certificate"):
        check_signer(who)
    check_signer(OURS)


@pytest.mark.parametrize(
    ("usages", "is_taken"),
    [
        (["1.3.6.1.4.1.62558.2.1"], True),
        (["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.36"], True),
        (["1.3.6.1.5.5.7.3.4"], True),
        (["1.3.6.1.5.5.7.3.1"], False),
    ],
    ids=["claims", "documents", "e-mail", "servers"],
)
def test_a_certificate_is_taken_for_what_it_may_be_used_for(monkeypatch, usages, is_taken):
    wished = x509.ExtendedKeyUsage([x509.ObjectIdentifier(one) for one in usages])
    monkeypatch.setattr(x509, "ExtendedKeyUsage", lambda _: wished)
    chain, pem, root = chain_of(ec.generate_private_key(ec.SECP256R1()))
    who = signer(chain, pem)
    if is_taken:
        check_signer(who)
        assert verify(signed_by(who), "png", root).state == "trusted"
    else:
        with pytest.raises(EnvironmentFault, match="the certificate is invalid"):
            check_signer(who)


def test_a_signer_shows_no_key():
    assert repr(OURS) == (
        f"Signer(algorithm='es256', expires={OURS.expires!r}, signature_bytes=64, "
        "time_stamps=None, is_reproducible=True)"
    )


def test_a_time_stamp_address_is_one_and_shows_no_password():
    with pytest.raises(EnvironmentFault, match="does not begin with http"):
        signer(TRIAL.chain, TRIAL.key, time_stamps="ftp://a.example")
    who = signer(TRIAL.chain, TRIAL.key, time_stamps="http://me:hunter2@127.0.0.1:9/ts")
    assert not who.is_reproducible
    with pytest.raises(EnvironmentFault) as refused:
        check_signer(who)
    assert "hunter2" not in str(refused.value)
    assert "SHOTLIST_C2PA_TSA: http://127.0.0.1:9/ts" in str(refused.value)


def test_a_signature_by_rfc_6979_verifies_as_any_other():
    made = OURS.sign(b"claim")
    assert made == OURS.sign(b"claim")
    assert len(made) == 64


# Time stamps, by an authority on this machine


@pytest.fixture
def authority(tmp_path):
    """An RFC 3161 authority that openssl plays: its address and its root."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: nobody here gives time stamps")
    top, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    until = NOW + dt.timedelta(days=30)
    names = [certs._name("Root of time"), certs._name("Time")]
    root = certs._certificate(names[0], top, names[0], top, NOW, until, below=0)
    stamping = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
    usage = x509.KeyUsage(True, True, *[False] * 7)
    public = key.public_key()
    leaf = (
        x509.CertificateBuilder(names[0], names[1], public, 7, root.not_valid_before_utc, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(stamping, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(top.public_key()), critical=False
        )
        .sign(top, hashes.SHA256())
    )
    pems = [one.public_bytes(Encoding.PEM).decode() for one in (root, leaf)]
    settings = "default_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\n"
    for name, text in {
        "root.pem": pems[0],
        "leaf.pem": pems[1],
        "leaf.key": pem_of(key),
        "ts.cnf": f"[tsa]\ndefault_tsa = here\n[here]\nserial = serial\n{settings}",
        "serial": "01\n",
    }.items():
        (tmp_path / name).write_text(text)
    command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query"]
    command += ["-signer", "leaf.pem", "-inkey", "leaf.key", "-chain", "root.pem", "-out", "reply"]

    class Authority(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            (tmp_path / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((tmp_path / "reply").read_bytes())

        def log_message(self, *args):
            """Nothing: the test's output is its own."""

    with http.server.HTTPServer(("127.0.0.1", 0), Authority) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", pems[0]
        server.shutdown()
        thread.join()


def test_a_time_stamp_is_asked_for_and_holds(authority):
    address, root = authority
    who = signer(TRIAL.chain, TRIAL.key, time_stamps=address)
    data = signed_by(who)
    assert verify(data, "png", TRIAL.root + root).state == "trusted"
    assert signed_by(who) != data
