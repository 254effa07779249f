"""The sandbox, driven by the hosts' official clients; each client is installed on demand.

`pip install shotlist[fidelity]` brings them; without one its tests are skipped and say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.sandbox import started
from tests.rooms.sandbox_client import picture

FAST = 25.0  # slow enough that a busy machine still finds queued and running states


def client_library(name: str):
    """The official client, or a skip with its reason."""
    reason = f"{name} is not installed: pip install 'shotlist[fidelity]'"
    return pytest.importorskip(name, reason=reason)


@pytest.fixture(scope="session")
def sandbox():
    with started(speed=FAST) as running:
        yield running


@pytest.fixture(scope="session")
def address(sandbox):
    """The address of a host's API, by the variable that names it."""
    return sandbox.environment.__getitem__


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> Path:
    """A picture of 512 x 512 pixels to edit."""
    path = tmp_path_factory.mktemp("references") / "cup.png"
    path.write_bytes(picture())
    return path
