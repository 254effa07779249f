"""What the HTTP library writes to logs: whole addresses, and a signed one is a secret."""

from __future__ import annotations

import logging


def hush() -> None:
    """Nothing below a warning from httpx (addresses with their queries, at INFO) and httpcore
    (headers of answers: `Location`, cookies, at DEBUG). Called wherever a connection is made;
    whoever configures logging afterwards calls it again.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
