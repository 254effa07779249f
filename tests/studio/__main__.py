"""Renders the twelve product photos of the demo catalogue.

    python -m tests.studio                         all twelve, about four minutes on one core
    python -m tests.studio --only mug --size 300   one of them, small, for a try

Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

PHOTOS = Path(__file__).parents[2] / "campaigns" / "data" / "photos"


def main() -> None:
    """Reads the command line, renders what it names and writes one line for each photo."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # has to be said before numpy is loaded
    from tests.studio.catalogue import PRODUCTS
    from tests.studio.picture import photograph, save

    words = argparse.ArgumentParser(
        prog="python -m tests.studio",
        description="Renders the twelve product photos of the demo catalogue.",
    )
    words.add_argument(
        "--only", metavar="NAME", action="append", help="one product; may be given several times"
    )
    words.add_argument("--size", metavar="PX", type=int, help="longest side in pixels, for a try")
    words.add_argument(
        "--out", metavar="FOLDER", type=Path, default=PHOTOS, help="default: campaigns/data/photos"
    )
    given = words.parse_args()
    known = {make.__name__: make for make in PRODUCTS}
    for name in given.only or known:
        if name not in known:
            words.error(f"no product is called {name!r}; known are {', '.join(known)}")
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.only or known:
        begin = time.perf_counter()
        product = known[name]()
        picture = photograph(product, given.size or product.longest)
        path = save(product, picture, given.out)
        took = time.perf_counter() - begin
        sys.stdout.write(
            f"{path.name}  {picture.width} x {picture.height}  "
            f"{path.stat().st_size / 1000:.0f} kB  {took:.1f} s\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
