"""An address as other eyes may see it: it may carry a password or a signature."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def shown(address: str) -> str:
    """No user and password, no query (it may be signed), no long `data:`; a path stays itself."""
    if address.startswith("data:"):
        return f"{address.partition(',')[0]},…"
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{address.partition('://')[0]}://…"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
