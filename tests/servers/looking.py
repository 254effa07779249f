"""What lies at a place, asked in a process of its own: clients keep the environment that they were
opened in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

LOOK = """\
import hashlib, json, sys
from flows.storage import Place
place = Place(sys.argv[1])
print(json.dumps({
    path: [hashlib.sha256(place.read(path)).hexdigest(), file.written_at]
    for path, file in sorted(place.lying().items())
}))
"""
READ = """\
import sys
from flows.storage import Place
sys.stdout.buffer.write(Place(sys.argv[1]).read(sys.argv[2]))
"""


def lying(url: str, environment: Mapping[str, str]) -> dict[str, tuple[str, float]]:
    """All files at a place: sha256 and when each was written."""
    found = json.loads(_said(LOOK, environment, url))
    return {path: (sha256, at) for path, (sha256, at) in found.items()}


def contents(url: str, path: str, environment: Mapping[str, str]) -> bytes:
    """A file's bytes."""
    return _said(READ, environment, url, path)


def manifest_at(url: str, environment: Mapping[str, str]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(contents(url, "manifest.json", environment))
    return manifest


def named(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The files that a manifest names, with their sha256."""
    return {row["path"]: row["sha256"] for row in manifest["renditions"]}


def _said(code: str, environment: Mapping[str, str], *words: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=dict(environment),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
