from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault

_README = """\
A certificate chain for trials of Content Credentials (C2PA), made by `shotlist certs`.

For trials only: nobody vouches for it. A reader that is given root.pem as a trust anchor calls what
it signs trusted; every other reader says that it does not know the signer. It ends on {expires}.

  chain.pem          the signer's certificate and the one above it   SHOTLIST_C2PA_CERT
  signer.key         its key                                         SHOTLIST_C2PA_KEY
  root.pem           what a reader is given to trust
  root.key, intermediate.key   what would issue further certificates

Keep the keys to yourself and out of version control (the .gitignore beside this file does that).
To sign for others to see, have a certificate issued by somebody on the C2PA Trust List.
"""


def certs(folder: Path, /) -> int:
    """Make a certificate chain for trials of Content Credentials, and say how to use it.

    Args:
        folder: where; it must be empty or not there yet.
    """
    from flows.finish.certs import trial_chain

    chain = trial_chain(dt.datetime.now(dt.UTC).replace(microsecond=0))
    public = {
        ".gitignore": "*\n",
        "README.txt": _README.format(expires=chain.expires.isoformat()),
        "root.pem": chain.root,
        "chain.pem": chain.chain,
    }
    secret = {
        "root.key": chain.root_key,
        "intermediate.key": chain.intermediate_key,
        "signer.key": chain.key,
    }
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            fault = Fault(str(folder), "is there and not empty", remedy="name a new folder")
            raise BadInput("no certificates were made", [fault])
        folder.mkdir(0o700, parents=True, exist_ok=True)
        for texts, mode in ((public, 0o644), (secret, 0o600)):
            for name, text in texts.items():
                _write_new(folder / name, text, mode)
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror}") from error
    place = folder.resolve()
    terminal.result(f"SHOTLIST_C2PA_CERT={place / 'chain.pem'}")
    terminal.result(f"SHOTLIST_C2PA_KEY={place / 'signer.key'}")
    terminal.say(
        f"for trials only, until {chain.expires}: put these two lines into .env; "
        f"a reader that is given {place / 'root.pem'} trusts what is signed"
    )
    return 0


def _write_new(path: Path, text: str, mode: int) -> None:
    """Never through a link and never over a file: a key must not land where somebody waits."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
