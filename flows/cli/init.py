from __future__ import annotations

import shutil
from pathlib import Path

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault
from flows.settings import KEY_VARIABLES

KEPT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


def init(folder: Path, /) -> int:
    """Lay out a new workspace that runs as it is: a campaign, templates, a small catalogue.

    Args:
        folder: where; it must be empty or not there yet.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(
            "the workspace was not made",
            [Fault(str(folder), "is there and not empty", remedy="name a new folder")],
        )
    starter = _starter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("campaigns", "templates"):
            shutil.copytree(starter / name, folder / name, ignore=KEPT_OUT)
        (folder / "outputs").mkdir()
        (folder / ".env.example").write_text(_example_environment(), encoding="utf-8")
        (folder / ".gitignore").write_text(".env\n.shotlist/\noutputs/\n", encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror}") from error
    campaign = folder / "campaigns" / "demo.yaml"
    terminal.result(f"a workspace is in {folder}; try\n")
    terminal.result(f"  shotlist plan {campaign}")
    terminal.result(f"  shotlist run {campaign}")
    return 0


def _starter() -> Path:
    """Where the wheel carries the starter, or a checkout has it."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "starter", package.parent):
        if (place / "campaigns" / "demo.yaml").is_file():
            return place
    raise EnvironmentFault(
        "this installation carries no starter workspace; install the wheel of a release again"
    )


def _example_environment() -> str:
    from flows.providers import host

    keys = [
        line
        for name, variable in sorted(KEY_VARIABLES.items())
        for line in (f"# {host(name).title}", f"#{variable}=")
    ]
    lines = [
        "# Copy to .env and fill in the keys of the hosts that you have an account at.",
        "# Several keys of one host are separated by commas. Never commit the copy.",
        "# What the environment itself says wins. `shotlist doctor` says what is set.",
        "",
        *keys,
        "",
        "# What differs from the published limits and prices at your accounts, beside this file:",
        "#SHOTLIST_ACCOUNTS=accounts.yaml",
        "",
        "# Where the ledger and the bought pictures are kept, if not in .shotlist/:",
        "#SHOTLIST_LEDGER_URL=sqlite:////var/lib/shotlist/ledger.db",
        "#SHOTLIST_TAKES_URL=s3://bucket/takes",
        "",
    ]
    return "\n".join(lines)
