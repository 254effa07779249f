"""What a reader finds in a file's Content Credentials: whether they hold, and who vouches."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from flows.errors import EnvironmentFault
from flows.finish.credentials import mime_of
from flows.pictures import Form

if TYPE_CHECKING:
    from types import ModuleType

    from c2pa import Context

State = Literal["trusted", "valid", "invalid", "unsigned"]

_NO_NETWORK = {"remote_manifest_fetch": False, "ocsp_fetch": False}
"""A manifest is made by strangers: no address that it names is asked."""
USAGES = (
    "1.3.6.1.4.1.62558.2.1",  # signing of claims
    "1.3.6.1.5.5.7.3.4",  # protection of e-mail
    "1.3.6.1.5.5.7.3.36",  # signing of documents
    "1.3.6.1.5.5.7.3.8",  # time stamps
    "1.3.6.1.5.5.7.3.9",  # answers on revocation
)
"""What certificates may be for, by the conformance programme (c2pa-org/conformance-public); left
to itself the library takes the second alone."""
_STATES: dict[str | None, State] = {"Trusted": "trusted", "Valid": "valid"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`trusted`: unchanged since it was signed by somebody whom the anchors vouch for. `valid`:
    unchanged, and nobody vouches. `invalid`: changed, or signed wrongly. `unsigned`: no
    credentials at all.
    """

    state: State
    reason: str = ""
    """Of what is not trusted: the specification's codes, or that there is nothing."""
    source_types: tuple[str, ...] = ()
    """Every source type that its actions and those of its ingredients name, each once."""


def verify(data: bytes, form: Form, trust_anchor: str | None = None) -> Verdict:
    """The verdict on a file; `trust_anchor` is PEM of the roots that are believed.

    Raises:
        EnvironmentFault: the library is not installed.

    """
    c2pa = library()
    mime = mime_of(form)
    if mime is None:
        return Verdict("unsigned", f"a {form} cannot hold credentials")
    try:
        with c2pa.Reader(mime, io.BytesIO(data), context=_context(trust_anchor)) as reader:
            report = json.loads(reader.json())
            found = reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return Verdict("unsigned", "it holds no credentials")
    except c2pa.C2paError as error:
        return Verdict("invalid", str(error))
    state = _STATES.get(found, "invalid")
    reason = "" if state == "trusted" else ", ".join(_failures(report)) or "nothing is wrong"
    return Verdict(state, reason, tuple(dict.fromkeys(_source_types(report))))


def is_installed() -> bool:
    """Whether the library of the extra `c2pa` is there."""
    from importlib.util import find_spec

    return find_spec("c2pa") is not None


def library() -> ModuleType:
    """The C2PA library.

    Raises:
        EnvironmentFault: it is not installed.

    """
    try:
        import c2pa
    except (ImportError, OSError) as error:  # OSError: its binary does not fit this machine
        raise EnvironmentFault(
            "Content Credentials need the extra `c2pa`: pip install 'shotlist[c2pa]'"
        ) from error
    found: ModuleType = c2pa
    return found


@lru_cache(8)
def _context(trust_anchor: str | None) -> Context:
    trust = {"trust_config": "\n".join(USAGES)}
    if trust_anchor:
        trust["user_anchors"] = trust_anchor
    context: Context = library().Context.from_dict({"verify": _NO_NETWORK, "trust": trust})
    return context


def _failures(report: dict[str, object]) -> list[str]:
    """Codes of what failed in the newest manifest and in its ingredients."""
    statuses = report.get("validation_status")
    codes = [str(one.get("code", "")) for one in statuses] if isinstance(statuses, list) else []
    return list(dict.fromkeys(code for code in codes if code))


def _source_types(report: dict[str, object]) -> list[str]:
    found: list[str] = []

    def look(at: object) -> None:
        if isinstance(at, dict):
            said = at.get("digitalSourceType")
            if isinstance(said, str):
                found.append(said)
            for one in at.values():
                look(one)
        elif isinstance(at, list):
            for one in at:
                look(one)

    look(report.get("manifests"))
    return found
