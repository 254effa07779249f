"""An address as other eyes may see it: it may carry a password or a signature."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def shown(address: str) -> str:
    """No user and password, no query (it may be signed), no long `data:`; a path stays itself. Of
    a chain (`zip://a.csv::s3://…`) each link.
    """
    if address.startswith("data:"):
        return f"{address.partition(',')[0]},…"
    if "://" not in address:
        return address
    return "::".join(map(_link, address.split("::")))


def _link(address: str) -> str:
    scheme, there, rest = address.partition("://")
    if not there:
        return address
    host = rest.partition("/")[0]
    port = host.partition(":")[2]
    if "@" in rest and "@" not in host and port and not port.isdecimal():
        # a secret with a slash that should have been written %2F: what stands before it is no host
        address = f"{scheme}://{rest.rpartition('@')[2]}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{scheme}://…"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
