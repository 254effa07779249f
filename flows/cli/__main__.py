"""`python -m flows.cli` is the command `shotlist`."""

from flows.cli import main

main()
