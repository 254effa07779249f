"""(d) One large take to all its files: ours, the plain script, libvips, ImageMagick and sharp.

All make the same outputs from the same bytes: centre cut, Lanczos, sRGB, JPEG progressive with
optimised tables, WebP at method 4. Each runs in a process of its own; rounds are interleaved and
the best of each counts. A tool that is not installed is named and left out.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from flows.presets import channels
from tests.bench import finishers

EDGE = 4096
ROUNDS = 3
SIZES = (2048, 1600, 1200, 800, 400, 200)
PRESETS = (
    "meta-feed-1x1", "meta-feed-4x5", "meta-feed-191x1", "meta-story-9x16", "meta-carousel-1x1",
    "google-pmax-landscape", "google-pmax-square", "google-pmax-portrait",
    "google-demandgen-vertical", "google-banner-300x250", "shopify-product-square",
    "shopify-banner",
)  # fmt: skip
WAYS = ("shotlist", "plain", "pyvips", "sharp", "imagemagick")


@dataclass(frozen=True, slots=True)
class Best:
    """The best of some rounds. `codec_share` is None where nobody measured it."""

    seconds: float
    peak_mib: float
    codec_share: float | None


def take() -> bytes:
    """A JPEG of soft shapes, edges and some grain, about as hard to encode as a photo."""
    dice = np.random.default_rng(4)
    coarse = Image.fromarray(dice.integers(0, 256, (24, 24, 3), np.uint8))
    picture = coarse.resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    fine = Image.fromarray(dice.integers(96, 160, (EDGE // 4, EDGE // 4, 3), np.uint8))
    grain = fine.resize((EDGE, EDGE), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    out = io.BytesIO()
    Image.blend(picture, grain, 0.35).save(out, "JPEG", quality=92)
    return out.getvalue()


def cases() -> Mapping[str, list[finishers.File]]:
    """What is made of the take, by the name of the case."""
    presets = [channels()[name] for name in PRESETS]
    return {
        f"{len(SIZES)} sizes x JPEG+WebP": [
            finishers.File(edge, edge, form) for edge in SIZES for form in ("jpeg", "webp")
        ],
        f"{len(presets)} presets, JPEG": [
            finishers.File(one.width, one.height, "jpeg") for one in presets
        ],
    }


def best(way: str, files: Sequence[finishers.File], folder: Path) -> finishers.Said:
    """What one round says, in a process of its own."""
    errand = finishers.Errand(way=way, take=str(folder / "take.jpg"), files=list(files))
    command = [sys.executable, "-m", "tests.bench.finishers", json.dumps(asdict(errand))]
    if way == "sharp":
        script = Path(__file__).with_name("finish.cjs")
        command = [shutil.which("node") or "node", str(script), json.dumps(asdict(errand))]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    if said.returncode:
        raise finishers.MissingError(said.stderr.strip().splitlines()[-1])
    return finishers.Said(**json.loads(said.stdout.splitlines()[-1]))


def main(*, rounds: int = ROUNDS) -> None:
    """Print seconds, peak memory and ratios, case by case."""
    say = sys.stdout.write
    say(f"(d) finishing a take of {EDGE} x {EDGE}, best of {rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "take.jpg").write_bytes(take())
        for case, files in cases().items():
            say(f"{case}\n")
            found: dict[str, list[finishers.Said]] = {}
            missing: dict[str, str] = {}
            for _ in range(rounds):
                for way in WAYS:
                    if way in missing:
                        continue
                    try:
                        found.setdefault(way, []).append(best(way, files, folder))
                    except finishers.MissingError as error:
                        missing[way] = str(error)
            for way, words in missing.items():
                say(f"    {way:12} not here: {words}\n")
            ours = min(one.seconds for one in found["shotlist"])
            for way in WAYS:
                if not found.get(way):
                    continue
                seconds = min(one.seconds for one in found[way])
                peak = min(one.peak_mib for one in found[way])
                share = found[way][0].codec_share
                told = "" if share is None else f"  {share:.0%} of CPU in codecs"
                say(
                    f"    {way:12} {seconds:6.2f} s  {seconds / len(files):6.3f} s a file  "
                    f"{peak:5.0f} MiB  {seconds / ours:5.2f} x ours{told}\n"
                )


if __name__ == "__main__":
    main()
