"""The hash in a file's path: another picture, another address.

A platform that keeps a picture by its address asks for a new address where the picture changes
(https://support.google.com/merchants/answer/9103186). A plan's paths hold a mark where
`publish.path` says `{{ hash }}`; the file's contents fill it in once they are there.
"""

from __future__ import annotations

DIGITS = 12
"""Of the sha256, in hex."""
MARK = "@@@@hash@@@@"
"""As long as what fills it in, and of characters that every file system takes."""


def filled(path: str, sha256: str) -> str:
    """A planned path with the hash of what lies there."""
    return path.replace(MARK, sha256[:DIGITS])


def shown(path: str) -> str:
    """A planned path for a person."""
    return path.replace(MARK, "{hash}")
