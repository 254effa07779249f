"""When in its talk with a host a request happens: the word for the bill and the faults file."""

from __future__ import annotations

from typing import Literal

At = Literal["create", "poll", "result", "link", "upload", "list", "cancel", "webhook", "other"]
