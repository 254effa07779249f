"""One round of finishing by one tool: `python -m tests.bench.finishers '{"way": ...}'`."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

QUALITY = 82


class MissingError(Exception):
    """A tool that is not installed."""


@dataclass(frozen=True, slots=True)
class File:
    """What is to be made: pixels and format."""

    width: int
    height: int
    form: str


@dataclass(slots=True)
class Errand:
    """One round: the tool, the take's place, and the files."""

    way: str
    take: str
    files: list[Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What it took."""

    seconds: float
    peak_mib: float
    codec_share: float | None = None


def part_of(width: int, height: int, file: File) -> tuple[float, float, float, float]:
    """The largest centred part of the file's shape: left, top, width, height."""
    shape = file.width / file.height
    wide = min(width, height * shape)
    tall = wide / shape
    return (width - wide) / 2, (height - tall) / 2, wide, tall


def plain(data: bytes, files: Sequence[File]) -> None:
    """What people write: open, resize, save, once for each file."""
    from PIL import Image

    for file in files:
        with Image.open(io.BytesIO(data)) as picture:
            left, top, wide, tall = part_of(*picture.size, file)
            cut = picture.convert("RGB").resize(
                (file.width, file.height),
                Image.Resampling.LANCZOS,
                box=(left, top, left + wide, top + tall),
            )
            more = {"method": 4} if file.form == "webp" else {"optimize": True, "progressive": True}
            cut.save(io.BytesIO(), file.form.upper(), quality=QUALITY, **more)


def pyvips(data: bytes, files: Sequence[File]) -> None:
    """libvips: decoded once, each file shrunk and encoded from it."""
    try:
        import pyvips as vips
    except (ImportError, OSError) as error:
        raise MissingError(f"pyvips: {error}") from error
    whole = vips.Image.new_from_buffer(data, "").copy_memory()
    for file in files:
        left, top, wide, tall = map(round, part_of(whole.width, whole.height, file))
        cut = whole.crop(left, top, wide, tall).thumbnail_image(
            file.width, height=file.height, size="force"
        )
        if file.form == "webp":
            cut.webpsave_buffer(Q=QUALITY, effort=4)
        else:
            cut.jpegsave_buffer(Q=QUALITY, interlace=True, optimize_coding=True)


def imagemagick(data: bytes, files: Sequence[File]) -> None:
    """ImageMagick in one command: read once, a clone a file."""
    program = shutil.which("magick") or shutil.which("convert")
    said = subprocess.run([program or "convert", "-version"], capture_output=True, check=False)
    if not program or b"ImageMagick" not in said.stdout or b"Copyright" not in said.stdout:
        raise MissingError("ImageMagick is not installed")
    command = [program, "-"]
    for file in files:
        size = f"{file.width}x{file.height}"
        command += [
            "(",
            "+clone",
            "-filter",
            "Lanczos",
            "-resize",
            f"{size}^",
            "-gravity",
            "center",
        ]
        command += ["-extent", size, "-quality", str(QUALITY), "-interlace", "JPEG"]
        command += ["-write", f"{file.form}:{os.devnull}", "+delete", ")"]
    subprocess.run([*command, "null:"], input=data, check=True)


def shotlist(data: bytes, files: Sequence[File]) -> None:
    """Ours, tags and all."""
    from flows.finish import Lineage, Look, renditions
    from flows.nouns.campaign import Finish
    from flows.nouns.output import Output
    from flows.nouns.rendition import AI_GENERATED, Words

    sizes: dict[tuple[int, int], list[Any]] = {}
    for file in files:
        sizes.setdefault((file.width, file.height), []).append(file.form)
    outputs = [
        Output(
            name=f"{width}x{height}",
            aspect_ratio="1:1",
            shape=Fraction(width, height),
            formats=tuple(forms),
            quality=QUALITY,
            width=width,
            height=height,
        )
        for (width, height), forms in sizes.items()
    ]
    made = renditions(
        data,
        outputs,
        look=Look(finish=Finish(quality=QUALITY), focus="center"),
        words=Words(title="A take", description="A take", alt="A take"),
        source_type=AI_GENERATED,
        lineage=Lineage(document_id="0" * 64, software="bench"),
    )
    assert [(one.width, one.height) for one in made] == [(one.width, one.height) for one in files]


@contextmanager
def codecs(spent: list[float]) -> Any:
    """CPU time of this process's decoders and encoders, added up over all threads."""
    from PIL import Image, ImageFile

    decode, encode = ImageFile.ImageFile.load, Image.Image.save

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*args, **options)
            finally:
                spent.append(time.thread_time() - began)

        return run

    ImageFile.ImageFile.load, Image.Image.save = timed(decode), timed(encode)  # type: ignore[method-assign]
    try:
        yield
    finally:
        ImageFile.ImageFile.load, Image.Image.save = decode, encode  # type: ignore[method-assign]


WAYS: dict[str, Callable[[bytes, Sequence[File]], None]] = {
    "plain": plain,
    "pyvips": pyvips,
    "imagemagick": imagemagick,
    "shotlist": shotlist,
}


def _round(errand: Errand) -> Said:
    data = Path(errand.take).read_bytes()
    files = [File(**one) for one in errand.files]
    small = [File(16, 16, "jpeg"), File(16, 16, "webp")]
    WAYS[errand.way](data, small)  # imports and first-time tables are not what is measured
    spent: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()
    if errand.way == "shotlist":
        with codecs(spent):
            shotlist(data, files)
    else:
        WAYS[errand.way](data, files)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Said(seconds, _peak_mib(errand.way), sum(spent) / cpu if spent else None)


def _peak_mib(way: str) -> float:
    own = Path("/proc/self/status")
    if way != "imagemagick" and own.exists():
        # Linux hands on the parent's peak to what it starts, but for this one
        line = next(one for one in own.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    who = resource.RUSAGE_CHILDREN if way == "imagemagick" else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    try:
        said = _round(Errand(**json.loads(sys.argv[1])))
    except MissingError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(asdict(said)) + "\n")
