"""Storages: what `.env` says of them, handed to their clients, which look at the environment."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from flows.nouns.workspace import Workspace
from flows.settings.env_file import written

STORAGE_PREFIXES: tuple[str, ...] = (
    "AWS_",
    "AZURE_",
    "FSSPEC_",
    "GCLOUD_",
    "GCSFS_",
    "GOOGLE_",
    "STORAGE_EMULATOR_HOST",
)
"""How the variables begin that the storages' own clients read."""

NOT_FROM_FILE: frozenset[str] = frozenset(
    {
        # they may name a program, which is then run:
        # docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html,
        # google.aip.dev/auth/4117
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
        # they lead to other rules for everything
        "AWS_DATA_PATH",
        "AZURE_CONFIG_DIR",
        "FSSPEC_CONFIG_DIR",
        # whom to trust is said by the environment itself, as SSL_CERT_FILE is
        "AWS_CA_BUNDLE",
    }
)
"""What a file that came with somebody's campaign shall not decide."""

_FILES = frozenset(
    {
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
    }
)
"""Names of files, which begin at the workspace."""

HANDED = "HANDED_BY_SHOTLIST"
"""The variables that came from a `.env`, each with a digest of its value. The environment itself
remembers them, for processes that are started with it: theirs may be another workspace.
"""


def hand_to_storages(workspace: Workspace) -> None:
    """Put what `.env` says of storages into the environment, where their clients look for it.

    What the environment says wins, but for what a `.env` said before, of whatever workspace, in
    this process or in the one that started it: that is taken back. To be called before anything is
    read from a storage.

    Raises:
        EnvironmentFault: `.env` cannot be read.

    """
    wanted = {
        name: str(workspace.root / Path(value).expanduser()) if name in _FILES else value
        for name, value in written(workspace).items()
        if name.startswith(STORAGE_PREFIXES) and name not in NOT_FROM_FILE
        if value and name.isidentifier()
    }
    former = _taken_back()
    handed = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(handed)
    if handed:
        os.environ[HANDED] = ",".join(f"{name}:{_digest(value)}" for name, value in handed.items())
    if any(name.startswith("FSSPEC_") for name in (*former, *handed)):
        _tell_fsspec()


def _taken_back() -> list[str]:
    """The variables that were handed and have not been set anew since; they are set no more."""
    said = [one.partition(":") for one in os.environ.pop(HANDED, "").split(",")]
    found = [name for name, _, digest in said if _digest(os.environ.get(name, "")) == digest]
    for name in found:
        os.environ.pop(name, None)
    return found


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _tell_fsspec() -> None:
    """It has read its variables as it was imported, by Prefect for one."""
    if "fsspec" not in sys.modules:
        return
    from fsspec.config import conf, conf_dir, set_conf_env, set_conf_files

    conf.clear()
    set_conf_files(conf_dir, conf)
    set_conf_env(conf, dict(os.environ))


def left_in_file(workspace: Workspace) -> list[str]:
    """The variables of a `.env` that are not taken from there."""
    return sorted(NOT_FROM_FILE & written(workspace).keys())
