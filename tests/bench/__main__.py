"""The benchmarks, as ratios in one run each: `python -m tests.bench [a] [b] [c]`; none: all."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime

from tests.bench import overhead, throughput, unchanged

PARTS = {"a": throughput.main, "b": overhead.main, "c": unchanged.main}


def main() -> None:
    """Run the parts that are named, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; none: all")
    named = parser.parse_args().parts or list(PARTS)
    if unknown := set(named) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    busy = os.getloadavg()[0]
    sys.stdout.write(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, load before: {busy:.1f}\n"
    )
    if busy > 1:
        sys.stdout.write("others use this machine: what follows is worse than it can do alone\n")
    for name in named:
        PARTS[name]()


if __name__ == "__main__":
    main()
