"""What a host is, apart from its paths: keys, prices, limits, latencies, error bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.sandbox.limits import Limits

if TYPE_CHECKING:
    from starlette.responses import Response

    from flows.sandbox.call import Call
    from flows.sandbox.refused import Refused

DAY_S = 86_400.0
NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Host:
    """The top of a host's file. Times in sandbox seconds.

    `refuse` shapes every refusal as the host would, whatever its status (faults inject any), and
    must not raise; the desk adds `Retry-After`. `keys` are the headers that may carry the key, in
    lower case, each with the prefix to take off. `queues`: what does not find a running slot waits
    for one (fal); else it is refused with 429. `files` is the prefix of result links. `headers`
    come with every answer. `says_retry_after`: whether a 429 over a limit carries `Retry-After`.
    """

    name: str
    usd: float
    refuse: Callable[[Call, Refused], Response]
    keys: tuple[tuple[str, str], ...] = (("authorization", "Bearer "),)
    limits: Limits = NO_LIMITS
    queues: bool = False
    prefixes: tuple[str, ...] = ()
    files: str = ""
    latency_s: float = 20.0
    latency_cv: float = 0.3
    links_live_s: float = DAY_S
    dead_link_status: int = 403
    uploads_most_bytes: int = 100_000_000
    body_most_bytes: int = 64_000_000
    no_key: tuple[str, str] = ("missing API key", "")
    bad_key: tuple[str, str] = ("invalid API key", "")
    broke: tuple[int, str, str] = (402, "not enough credit", "")
    too_many_requests: tuple[str, str] = ("too many requests", "")
    too_many_running: tuple[str, str] = ("too many running", "")
    says_retry_after: bool = True
    headers: Callable[[Call], Mapping[str, str]] | None = None

    @property
    def all_prefixes(self) -> tuple[str, ...]:
        return self.prefixes or (self.name,)

    @property
    def files_prefix(self) -> str:
        return self.files or self.all_prefixes[0]
