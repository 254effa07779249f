"""Foreign errors to words: what a store said, without what its client repeats of keys and URLs."""

from __future__ import annotations

import os
from collections.abc import Iterator

LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may well be served
(docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
cloud.google.com/storage/docs/retry-strategy)."""

OVERTAKEN = frozenset({409, 412})
_REFUSED = frozenset({401, 403})
_NO_KEY = frozenset(
    {
        "CredentialUnavailableError",
        "DefaultCredentialsError",
        "NoCredentialsError",
        "PartialCredentialsError",
    }
)
_KEY = frozenset({"AuthenticationException", "ClientAuthenticationError", "RefreshError"})
_UNREACHED = frozenset(
    {
        "ClientConnectorError",
        "ConnectTimeoutError",
        "ConnectionRefusedError",
        "EndpointConnectionError",
        "NoValidConnectionsError",
        "ServiceRequestError",
        "gaierror",
    }
)
REFUSED = "the store refused the key, or the key may not do this here"
NO_BUCKET = "the store has no such bucket or container"
_UNKNOWN_HOST = (
    "the server's host key is not among the known hosts, or is another one; "
    "connect once with sftp and check it"
)
_HOST_KEY = frozenset({"BadHostKeyException", "UnknownHostKeyError"})


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error tells of, looked for in what caused it as well."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        else:
            status = getattr(one, "status_code", None) or getattr(one, "code", None)
            status = status or getattr(one, "status", None)
        if isinstance(status, str) and status.isdecimal():
            status = int(status)
        if isinstance(status, int) and 100 <= status < 600:
            return status
    return None


def is_overtaken(error: BaseException) -> bool:
    """Whether a condition on a write did not hold.

    Stores say it in several ways, and s3fs makes of it what the body names: FileExistsError or a
    bare OSError (github.com/fsspec/s3fs, errors.py).
    """
    return isinstance(error, FileExistsError) or status_of(error) in OVERTAKEN


def may_pass(error: BaseException) -> bool:
    """Whether the same request may be served in a moment."""
    if isinstance(error, (PermissionError, FileNotFoundError, FileExistsError)):
        return False
    if isinstance(error, (IsADirectoryError, NotADirectoryError)):
        return False
    status = status_of(error)
    if status is not None:
        return status in LATER
    names = {type(one).__name__ for one in _chain(error)}
    return not names & (_NO_KEY | _KEY | _HOST_KEY)


def why(error: BaseException) -> str:
    """What happened, in our words or the system's alone: a client's own may repeat an address."""
    names = {type(one).__name__ for one in _chain(error)}
    status = status_of(error) or 0
    is_refused = status in _REFUSED or (status > 0 and isinstance(error, PermissionError))
    told = (
        (bool(names & _NO_KEY), "no key was found for this store"),
        (bool(names & _HOST_KEY), _UNKNOWN_HOST),
        (is_refused or bool(names & _KEY), REFUSED),
        (status == 404, NO_BUCKET),
        (status >= 400, f"the store answered {status}"),
        (bool(names & _UNREACHED), "the store cannot be reached"),
    )
    number: object = getattr(error, "errno", None)
    # fsspec puts text there for names with wildcards
    system = os.strerror(number) if isinstance(number, int) else type(error).__name__
    return next((words for is_so, words in told if is_so), system)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
