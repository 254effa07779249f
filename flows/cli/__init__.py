"""The command `shotlist`: one file per command.

Here is the one place that prints an error and picks the exit code.
"""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from flows import __version__
from flows.cli import terminal
from flows.errors import ShotlistError

INTERRUPTED = 130

app = App(
    name="shotlist",
    help=(
        "Campaign images in batches: plan before you pay, buy every image once, "
        "publish with a manifest."
    ),
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # told in our own words, below
)
app.meta.suppress_keyboard_interrupt = False  # it does not take this over
_COMMANDS = {
    "init": "Lay out a new workspace that runs as it is.",
    "validate": "Say everything that is wrong with campaigns. Spends nothing.",
    "plan": "Show what a run would make, why, at what cost. Spends nothing.",
    "run": "Plan a campaign, then make and publish what is missing.",
    "publish": "Publish again from the ledger, here or elsewhere. Buys nothing.",
    "prune": "List what no manifest names at a destination; with --yes, remove it.",
    "retake": "Turn pictures down: the next run makes new takes of them.",
    "settle": "Decide a purchase of which no answer is known.",
    "diff": "Say what changed between two manifests, and why.",
    "status": "Say what the ledger knows: takes, money, what is unsettled, hosts, runs.",
    "providers": "List the hosts: configured or not, limits, prices, parameters.",
    "channels": "List the channel presets.",
    "results": "Say which variant of an A/B test does better, and how sure that is.",
    "serve": "Run campaigns on this machine, on their schedule.",
    "deploy": "Register a campaign on a Prefect server, for its workers to run.",
    "sandbox": "Serve all hosts' APIs on this machine, for trials without money.",
    "callbacks": "Receive what hosts call back with, standing alone.",
    "certs": "Make a certificate chain for trials of Content Credentials.",
    "schema": "Print the JSON Schema of a campaign file.",
    "doctor": "Check this machine and workspace, and say what to do.",
}
for _place, (_command, _help) in enumerate(_COMMANDS.items()):
    # by name: a command's file is imported when it is called, and --help stays instant
    app.command(f"flows.cli.{_command}:{_command}", name=_command, help=_help, sort_key=_place)


_EVERYWHERE = Group("Everywhere")


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    quiet: Annotated[bool, Parameter(negative="", group=_EVERYWHERE)] = False,
    verbose: Annotated[bool, Parameter(negative="", group=_EVERYWHERE)] = False,
    log_file: Annotated[Path | None, Parameter(group=_EVERYWHERE)] = None,
) -> int:
    """Plan, make and publish campaign images.

    Args:
        quiet: say nothing but results and errors.
        verbose: let Prefect's own log through.
        log_file: write what is said to this file as well.
    """
    terminal.set_up(quiet=quiet, verbose=verbose, log_file=log_file)
    return int(
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value") or 0
    )


def main() -> None:
    """The console script."""
    # a plan makes a hundred thousand objects that live to its end and form no cycles: looking
    # through them again and again is a tenth of its time
    gc.set_threshold(200_000, 20, 100)
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run_command(sys.argv[1:]))


def _terminated(_number: int, _frame: FrameType | None) -> None:
    """Whoever started it wants it to end: like Ctrl-C. Commands that serve listen by themselves."""
    raise KeyboardInterrupt


def run_command(tokens: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        return int(
            app.meta(tokens, exit_on_error=False, print_error=False, result_action="return_value")
            or 0
        )
    except ShotlistError as error:
        terminal.error(str(error))
        return error.exit_code
    except CycloptsError as error:
        terminal.error(f"{error}\nsee `shotlist --help`")
        return 2
    except KeyboardInterrupt:
        terminal.error(
            "interrupted; nothing is lost: the same command goes on where this one stopped"
        )
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of a pipe (head, less) has seen enough
        sys.stderr.close()
        return 0
