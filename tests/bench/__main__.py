"""The benchmarks, one run each: `python -m tests.bench [a] [b] …`; none: all."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime

from tests.bench import finishing, null_sets, overhead, throughput, unchanged

PARTS = {
    "a": (throughput.main, "how near to the best possible throughput a host's limits are used"),
    "b": (overhead.main, "what a shot costs besides waiting, beside Prefect's mapped tasks"),
    "c": (unchanged.main, "100,000 shots that are run again unchanged: time and memory"),
    "d": (finishing.main, "one large take to all its files, beside Pillow, libvips, sharp, …"),
    "e": (
        null_sets.main,
        "how often `shotlist results` names a false winner, and finds a true one",
    ),
}


def main() -> None:
    """Run the parts that are named, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name}  {shows}" for name, (_, shows) in PARTS.items()),
    )
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
        measure, _ = PARTS[name]
        measure()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
