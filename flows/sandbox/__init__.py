"""The sandbox: options and a faults file come in, a local server of eight hosts' APIs goes out.

Imports nothing of what it tests: no adapter, no room; only errors and drawing.
"""

from __future__ import annotations

from flows.sandbox.server import Options, serve, started

__all__ = ["Options", "serve", "started"]
