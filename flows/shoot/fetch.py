"""Addresses to bytes: results are fetched before their links die, and looked at before anything is
called done.

A result is paid for, so its download is tried again wherever that may help; a link that has died
is said to be dead at once. No key goes along, not even to the host that made the picture.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import unquote

import httpx

from flows.errors import EnvironmentFault
from flows.network import NotAskedError, onward, url_of
from flows.nouns.address import shown
from flows.pictures import Form, UnreadableError, Why, opening
from flows.providers.base import retry_after_s

if TYPE_CHECKING:
    from PIL import Image as Pillow

MAX_PIXELS = 8192 * 8192
FORMATS: tuple[Form, ...] = ("jpeg", "png", "webp", "avif")
"""What hosts answer with."""
MOST_BYTES = 100_000_000
ROUNDING_PX = 64
"""How far a host's side may be from the one asked for: models round to multiples of 8 to 64."""
ONE_COLOUR = 2
"""Steps of 255 by which a channel of a picture of one colour may still vary: JPEG's own noise."""
MOST_REDIRECTS = 3
SPOOLED_BYTES = 4_000_000
"""Of one download in memory while it runs; the rest waits on disk, for hundreds run at once."""
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LEAST_SECRET = 6
"""Letters; a shorter value (`w=80`) signs nothing and may stand in any sentence."""
_AGAIN = (408, 421, 425, 429)
"""The 4xx that say nothing about the link itself (RFC 9110, RFC 8470, RFC 6585)."""

Kind = Literal["gone", "broken", "blank", "unreachable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A picture that decodes to its end. `note` says where it is not as it was asked for."""

    width: int
    height: int
    format: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The bytes as they came, and what they show."""

    data: bytes
    whole: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfetched:
    """Why there are no bytes, in words that hold no query of the link.

    gone: the link has died, or never lived. broken: bytes come, but never a whole picture.
    blank: a whole picture of one colour, which is how some models refuse in silence
    (https://github.com/gokayfem/ComfyUI-fal-API/issues/4). unreachable: nothing came in time, or
    the link leads where nothing is asked.
    """

    kind: Kind
    words: str


def whole_image(
    data: bytes,
    expected: tuple[int, int] | None = None,
    *,
    rounding_px: int = ROUNDING_PX,
) -> Whole | str:
    """What the picture is, or the reason why it is none. Takes CPU time.

    `expected` is the width and height that were asked for; another size is a note, not a fault.
    """
    found = _looked_at(data, expected, rounding_px)
    return found if isinstance(found, Whole) else found.words


async def fetched(
    url: str,
    client: httpx.AsyncClient,
    *,
    deadline_s: float,
    most_bytes: int = MOST_BYTES,
    tries: int = 5,
    expected: tuple[int, int] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Fetched | Unfetched:
    """The whole picture at an address, within `deadline_s` seconds from now.

    Where the address may lead is decided by the client: give one of `flows.network.client`.
    Transport errors, 5xx, 429 and pictures that are not whole are tried again, after pauses that
    grow and differ; a dead link once more; a refused address and a picture of one colour never.

    Raises:
        EnvironmentFault: this machine cannot hold the bytes.

    """
    now = asyncio.get_running_loop().time
    end = now() + deadline_s
    flaw = _Flaw("unreachable", "there was no time to ask")
    for attempt in range(tries):
        try:
            async with asyncio.timeout_at(end):
                found = await _bytes(url, client, most_bytes)
        except TimeoutError:
            flaw = _Flaw(flaw.kind if attempt else "unreachable", _late(deadline_s, attempt, flaw))
            break
        if isinstance(found, bytes):
            seen = await asyncio.to_thread(_looked_at, found, expected, ROUNDING_PX)
            if isinstance(seen, Whole):
                return Fetched(data=found, whole=seen)
            found = seen
        flaw = found
        if attempt + 1 >= min(tries, flaw.tries):
            break
        pause_s = min(PAUSE_S * 2**attempt, LONGEST_PAUSE_S) * random.uniform(0.5, 1.5)  # noqa: S311  (spreads load, keeps no secret)
        pause_s = max(pause_s, flaw.pause_s)
        if now() + pause_s >= end:
            flaw = _Flaw(flaw.kind, _late(deadline_s, attempt + 1, flaw))
            break
        await sleep(pause_s)
    return Unfetched(kind=flaw.kind, words=_without_query(f"{shown(url)}: {flaw.words}", url))


@dataclass(frozen=True, slots=True)
class _Flaw:
    """What was wrong with one try, and how many tries it is worth."""

    kind: Kind
    words: str
    tries: int = 1_000
    pause_s: float = 0.0


async def _bytes(url: str, client: httpx.AsyncClient, most_bytes: int) -> bytes | _Flaw:
    """One try. The request is made here and not by the client, whose headers may hold a key."""
    try:
        request = httpx.Request(
            "GET",
            url_of(url),
            # compressed pictures gain nothing, and lengths can be compared where none is unpacked
            headers={
                "User-Agent": "shotlist",
                "Accept": "image/*",
                "Accept-Encoding": "identity",
            },
            extensions={"timeout": client.timeout.as_dict()},
        )
        for _ in range(MOST_REDIRECTS + 1):
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                if not response.has_redirect_location:
                    return await _answer(response, most_bytes)
                request = onward(response)
            finally:
                await response.aclose()
    except NotAskedError as error:
        return _Flaw("unreachable", str(error), tries=1)
    except httpx.InvalidURL:
        return _Flaw("gone", "the link is not a valid address", tries=1)
    except (httpx.HTTPError, ssl.SSLError) as error:
        return _of_transport(error)
    return _Flaw("unreachable", f"more than {MOST_REDIRECTS} redirects", tries=1)


def _of_transport(error: httpx.HTTPError | ssl.SSLError) -> _Flaw:
    """ssl.SSLError: a record spoilt in the middle of an answer comes through httpx as it is."""
    if isinstance(error, httpx.TimeoutException):
        return _Flaw("unreachable", f"no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.DecodingError):
        return _Flaw("broken", f"cannot be unpacked: {error}")
    return _Flaw("unreachable", str(error) or type(error).__name__)


async def _answer(response: httpx.Response, most_bytes: int) -> bytes | _Flaw:
    status = response.status_code
    if status != 200:
        words = f"the server answers {status}"
        if 400 <= status < 500 and status not in _AGAIN:
            return _Flaw("gone", f"{words}: the link has died", tries=2)
        return _Flaw("unreachable", words, pause_s=retry_after_s(response) or 0.0)
    promised = response.headers.get("content-length", "")
    length = int(promised) if promised.isascii() and promised.isdigit() else None
    too_large = _Flaw("broken", f"more than {most_bytes / 1_000_000:g} MB", tries=1)
    if length is not None and length > most_bytes:
        return too_large
    with tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as file:
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > most_bytes:
                return too_large
            _spool(file, part)
        came = response.num_bytes_downloaded or size  # 0 where a transport had it all at once
        if length is not None and came != length:
            return _Flaw("broken", f"{came} bytes came of {length}")
        file.seek(0)
        return file.read()


def _spool(file: tempfile.SpooledTemporaryFile[bytes], part: bytes) -> None:
    try:
        file.write(part)
    except OSError as error:
        raise EnvironmentFault(
            f"a result cannot be kept in the folder for temporary files: {error.strerror}"
        ) from error


def _looked_at(data: bytes, expected: tuple[int, int] | None, rounding_px: int) -> Whole | _Flaw:
    try:
        with opening(data, most_pixels=MAX_PIXELS, formats=FORMATS) as image:
            width, height = image.size
            form = (image.format or "").lower()
            # JPEG: every byte is still read, but for each 8 x 8 pixels their mean is made alone,
            # at a fraction of the time
            is_reduced = image.draft(None, (1, 1)) is not None
            image.load()
            colour = _only_colour(image)
        if colour and is_reduced:  # a mean may hide what is faint and small
            with opening(data, most_pixels=MAX_PIXELS, formats=FORMATS) as image:
                image.load()
                colour = _only_colour(image)
    except UnreadableError as error:
        return _unreadable(error, data)
    if colour:
        return _Flaw("blank", f"the picture is {colour}: a refusal in disguise", tries=1)
    note = ""
    if expected and max(abs(width - expected[0]), abs(height - expected[1])) > rounding_px:
        note = f"{width}x{height} came where {expected[0]}x{expected[1]} was asked for"
    return Whole(width=width, height=height, format=form, note=note)


def _unreadable(error: UnreadableError, data: bytes) -> _Flaw:
    match error.why:
        case Why.EMPTY:
            return _Flaw("broken", "no bytes came")
        case Why.FOREIGN:
            words = f"the answer is not an image (it begins with {_first_words(data)!r})"
            return _Flaw("broken", words)
        case Why.TOO_LARGE:
            claimed = "{}x{} pixels are".format(*error.size) if error.size else "its pixels are"
            return _Flaw("broken", f"{claimed} more than any host makes", tries=1)
        case _:
            return _Flaw("broken", f"the image is broken: {error.detail or error}")


def _only_colour(image: Pillow.Image) -> str:
    """`#000000 throughout`, `wholly transparent`, or nothing where there is something to see."""
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[1] == 0:
            return "wholly transparent"
    if image.mode.startswith(("I", "F")):
        # more than 8 bits: made 8 first, all but the darkest would be clipped to one white
        low, high = cast("tuple[float, float]", image.getextrema())
        return "" if high - low > ONE_COLOUR * 257 else "one grey throughout"
    extrema = cast("tuple[tuple[int, int], ...]", image.convert("RGB").getextrema())
    if any(high - low > ONE_COLOUR for low, high in extrema):
        return ""
    return "#{:02x}{:02x}{:02x} throughout".format(*(low for low, _ in extrema))


def _first_words(data: bytes) -> str:
    """The beginning of what is no picture, without anything that may sign a link."""
    text = " ".join(data[:200].decode("latin-1", "replace").split())
    return re.sub(r"\?\S*", "?…", text)[:40]


def _without_query(words: str, url: str) -> str:
    """No value of the link's query, wherever a server or a library has repeated it."""
    query = url.partition("?")[2].partition("#")[0]
    values = [one.partition("=")[2] for one in query.split("&")]
    for secret in sorted({query, *values, *map(unquote, values)}, key=len, reverse=True):
        if len(secret) >= LEAST_SECRET:
            words = words.replace(secret, "…")
    return re.sub(r"\?[^\s'\"]*=[^\s'\"]*", "?…", words)


def _late(deadline_s: float, tries: int, flaw: _Flaw) -> str:
    words = f"not whole within {deadline_s:g} s"
    if not tries:
        return words
    after = "one try" if tries == 1 else f"{tries} tries"
    return f"{words}, after {after}; the last: {flaw.words}"
