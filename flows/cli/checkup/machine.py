"""The machine: Python, clock, network, pictures and letters, and who signs."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.checkup.finding import Finding
from flows.errors import EnvironmentFault

if TYPE_CHECKING:
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings, Signing

SOON = dt.timedelta(days=30)


def machine(settings: Settings, workspace: Workspace) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _clock(workspace, dt.datetime.now(dt.UTC))
    yield _network()
    yield _pictures()
    yield _credentials(settings.signing)


def _clock(workspace: Workspace, now: dt.datetime) -> Finding:
    """Whatever lies here was written before now: certificates and time stamps hang on the clock."""
    import flows

    files = [Path(flows.__file__), workspace.state / "ledger.db"]
    latest = max(file.stat().st_mtime for file in files if file.exists())
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    if now.timestamp() < latest - 3600:
        written = dt.datetime.fromtimestamp(latest, dt.UTC)
        return Finding(
            "clock", False, f"{said}, and files here were written on {written:%Y-%m-%d}; set it"
        )
    return Finding("clock", True, said)


def _network() -> Finding:
    from flows.network import Proxies, trust

    try:
        proxies = Proxies.of_environment()
        trust()
    except EnvironmentFault as error:
        return Finding("network", False, str(error))
    through = ", ".join(sorted(proxies.by_scheme))
    way = f"through the proxy for {through}" if through else "no proxy"
    return Finding("network", True, f"{way}; certificates are checked")


def _pictures() -> Finding:
    from PIL import __version__, features

    from flows.lettering import RAQM_REMEDY, has_raqm

    able = [name for name in ("avif", "webp") if features.check(name)]
    said = f"Pillow {__version__} with {', '.join(able) or 'neither AVIF nor WebP'}"
    if len(able) < 2:
        return Finding("pictures", False, f"{said}; pip install --force-reinstall pillow")
    if not has_raqm():
        lacking = f"without Raqm: no Arabic, Hebrew, Thai or Indic letters; {RAQM_REMEDY}"
        return Finding("pictures", None, f"{said}, {lacking}")
    return Finding("pictures", True, f"{said}, raqm")


def _credentials(signing: Signing | None) -> Finding:
    what = "credentials"
    is_here = find_spec("c2pa") is not None
    if signing is None:
        said = "nobody signs: files go out without Content Credentials (SHOTLIST_C2PA_CERT)"
        return Finding(what, None, said if is_here else f"{said}; shotlist[c2pa] is not installed")
    if not is_here:
        return Finding(what, False, "its library is missing: pip install 'shotlist[c2pa]'")
    from flows.jobs.looks import signer_of

    try:
        signer = signer_of(signing)
    except EnvironmentFault as error:
        return Finding(what, False, str(error))
    if signer is None:
        return Finding(what, False, "SHOTLIST_C2PA_TSA is set, and no certificate is")
    said = f"{signer.algorithm}, its certificate is good until {signer.expires:%Y-%m-%d}"
    if signing.callback:
        said = f"{said}; {signing.callback} signs, and was not called"
    if signer.expires - dt.datetime.now(dt.UTC) < SOON:
        return Finding(what, None, f"{said}: renew it")
    return Finding(what, True, said)
