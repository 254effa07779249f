"""Which numeric addresses and which names may be asked by somebody who got them from data."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to numeric addresses; raises OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Well-known prefix whose last 32 bits are an IPv4 address (RFC 6052)."""
_NOT_PUBLIC = (
    # local-use translation prefix, RFC 8215; known to `ipaddress` as private only since 3.11.10
    ipaddress.ip_network("64:ff9b:1::/48"),
    # the platform's own address inside every Azure network, in a public range:
    # https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
    ipaddress.ip_network("168.63.129.16/32"),
)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_PRIVATE_NAMES = (
    ".localhost",  # RFC 6761
    ".local",  # RFC 6762
    ".home.arpa",  # RFC 8375
    ".internal",  # reserved by ICANN for private use; cloud platforms serve their metadata there
)


def resolved(host: str, port: int) -> Sequence[str]:
    """Every numeric address of a host.

    Raises:
        OSError: the name server knows none, or does not answer.

    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_public(address: str) -> bool:
    """Whether a numeric address may be asked: nothing local, private, shared or multicast, also
    not inside an IPv6 address that leads to an IPv4 one.
    """
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        inner = one.ipv4_mapped or one.sixtofour
        if one in _NAT64:
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if one.teredo is not None or one.is_site_local:
            return False
    if any(one in network for network in _NOT_PUBLIC):
        return False
    return one.is_global and not one.is_multicast and not one.is_reserved


def is_numeric(host: str) -> bool:
    """Whether a host is an address already, in its usual spelling."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_oddly_spelt(host: str) -> bool:
    """Whether some resolvers would read this host as a number though it is not written as four
    plain ones: `0x7f.1`, `2130706433`, `0177.1` (https://url.spec.whatwg.org/#ends-in-a-number-checker).
    """
    last = host.removesuffix(".").rpartition(".")[2]
    return _NUMBER.fullmatch(last) is not None and not is_numeric(host)


def is_private_name(host: str) -> bool:
    """Whether a name can only mean something on a private network, wherever it is looked up."""
    name = host.removesuffix(".").lower()
    return ("." not in name and ":" not in name) or name.endswith(_PRIVATE_NAMES)
