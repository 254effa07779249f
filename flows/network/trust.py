"""Whose certificates are believed: those of `certifi`, or of SSL_CERT_FILE and SSL_CERT_DIR."""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path

import httpx

from flows.errors import EnvironmentFault


def trust() -> ssl.SSLContext:
    """Verification is always on. Where the environment names a company's certificates, they stand
    in place of the usual ones, as with OpenSSL.

    Raises:
        EnvironmentFault: they cannot be read.

    """
    return _trust(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache  # reading them takes some 20 ms, and a catalogue may name ten thousand photos
def _trust(file: str, folder: str) -> ssl.SSLContext:
    if file and not Path(file).is_file():
        raise EnvironmentFault(f"SSL_CERT_FILE names '{file}', which is no file")
    if folder and not Path(folder).is_dir():
        raise EnvironmentFault(f"SSL_CERT_DIR names '{folder}', which is no folder")
    try:
        context = httpx.create_ssl_context()
        if file and folder:
            # httpx takes the folder only where no file is named; OpenSSL takes both
            context.load_verify_locations(capath=folder)
    except OSError as error:  # ssl.SSLError is one
        named = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        raise EnvironmentFault(
            f"{named} names '{file or folder}', which holds no certificates that can be read (PEM)"
        ) from error
    return context
