"""Results are fetched whole or it is said why not; a real server on this machine plays the host."""

from __future__ import annotations

import asyncio
import io
import os
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from PIL import Image

from flows.errors import EnvironmentFault
from flows.network import Origin, client
from flows.shoot.fetch import Fetched, Unfetched, Whole, fetched, whole_image

Answer = bytes | float
"""What goes over the wire as it stands, or a silence of so many seconds."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def picture(form: str = "PNG", size: tuple[int, int] = (64, 80), mode: str = "RGB") -> bytes:
    grey = Image.radial_gradient("L").resize(size)
    file = io.BytesIO()
    grey.convert(mode).save(file, form)
    return file.getvalue()


def plain(colour: object, mode: str = "RGB", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (64, 80), colour).save(file, form)  # type: ignore[arg-type]
    return file.getvalue()


WHOLE = Whole(width=64, height=80, format="png")


def answer(body: bytes = b"", status: int = 200, length: int | None = None, **more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Host:
    """Gives its answers in turn, the last one for ever."""

    answers: list[Answer]
    heads: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    base: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            given = self.answers[min(len(self.heads), len(self.answers)) - 1]
            if isinstance(given, float):
                await asyncio.sleep(given)
            else:
                writer.write(given)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def with_host(host: Host, use: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
        host.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            async with client(allowed=[Origin.of(host.base)], timeout_s=5) as asking:
                asking.headers["Authorization"] = "Bearer SECRET"
                await use(asking)
        finally:
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


def fetch(
    *answers: Answer,
    path: str = "/a.png?signature=SECRET%2B99&w=80",
    deadline_s: float = 60,
    **more: object,
) -> tuple[Fetched | Unfetched, Host]:
    """What comes of it, with this host's address left out of the words."""
    host = Host(list(answers))
    found: list[Fetched | Unfetched] = []

    async def use(asking: httpx.AsyncClient) -> None:
        url = path if "://" in path else host.base + path
        options = {"deadline_s": deadline_s, "sleep": host.pause, **more}
        found.append(await fetched(url, asking, **options))  # type: ignore[arg-type]

    with_host(host, use)
    (one,) = found
    if isinstance(one, Unfetched):
        assert "SECRET" not in one.words
        one = Unfetched(kind=one.kind, words=one.words.replace(host.base, ""))
    return one, host


def test_a_whole_picture_comes_as_it_is_and_no_key_goes_along() -> None:
    data = picture()
    found, host = fetch(answer(data))
    assert found == Fetched(data=data, whole=WHOLE)
    (head,) = host.heads
    assert head.splitlines()[0] == "GET /a.png?signature=SECRET%2B99&w=80 HTTP/1.1"
    assert "authorization" not in head.lower()
    assert "cookie" not in head.lower()


def test_a_picture_without_a_length_is_taken_too() -> None:
    data = picture("JPEG")
    found, _ = fetch(answer(data, length=-1))
    assert found == Fetched(data=data, whole=Whole(width=64, height=80, format="jpeg"))


@pytest.mark.parametrize(
    "trouble",
    [
        answer(picture()[:200], length=len(picture())),
        answer(picture()[:200]),
        answer(b"", 500),
        answer(b"<html>Bad gateway</html>", 502),
        answer(b"", 429),
        answer(b"<!DOCTYPE html><p>One moment"),
        b"",
        b"HTTP/9 nonsense\r\n\r\n",
    ],
    ids=["truncated", "cut short", "500", "502", "429", "web page", "hung up", "no HTTP"],
)
def test_what_may_pass_is_tried_again_after_a_growing_pause(trouble: bytes) -> None:
    found, host = fetch(trouble, trouble, answer(picture()))
    assert found == Fetched(data=picture(), whole=WHOLE)
    assert len(host.heads) == 3
    first, second = host.pauses
    assert 0.25 <= first <= 0.75
    assert 0.5 <= second <= 1.5


def test_a_host_that_says_when_is_believed() -> None:
    found, host = fetch(answer(b"", 429, Retry_After="7"), answer(picture()))
    assert isinstance(found, Fetched)
    assert host.pauses == [7.0]


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    found, host = fetch(answer(b"", 503, Retry_After="3600"))
    assert found == Unfetched(
        kind="unreachable",
        words="/a.png: not whole within 60 s, after one try; the last: the server answers 503",
    )
    assert (len(host.heads), host.pauses) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_dead_link_is_asked_once_more_and_told(status: int) -> None:
    found, host = fetch(answer(b"<Error>expired SECRET</Error>", status))
    assert found == Unfetched(
        kind="gone", words=f"/a.png: the server answers {status}: the link has died"
    )
    assert len(host.heads) == 2


def test_a_link_that_is_not_there_yet_is_found_the_second_time() -> None:
    found, _ = fetch(answer(b"", 404), answer(picture()))
    assert found == Fetched(data=picture(), whole=WHOLE)


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (answer(b"", 503), "unreachable", "the server answers 503"),
        (answer(b"", 204, length=-1), "unreachable", "the server answers 204"),
        (answer(b""), "broken", "no bytes came"),
        (
            answer(b"<html>see http://x/?sig=SECRET%2B99 now</html>"),
            "broken",
            "the answer is not an image (it begins with '<html>see http://x/?… now</html>')",
        ),
        (
            answer(b'{"error": "SECRET+99"}'),
            "broken",
            'the answer is not an image (it begins with \'{"error": "…"}\')',
        ),
    ],
)
def test_what_never_comes_whole_is_told_after_five_tries(
    trouble: bytes, kind: str, words: str
) -> None:
    found, host = fetch(trouble)
    assert found == Unfetched(kind=kind, words=f"/a.png: {words}")  # type: ignore[arg-type]
    assert len(host.heads) == 5


def test_a_picture_that_is_always_cut_short_is_broken() -> None:
    found, host = fetch(answer(picture("JPEG", (640, 800))[:3000]), tries=3)
    assert isinstance(found, Unfetched)
    assert found.kind == "broken"
    assert found.words.startswith("/a.png: the image is broken: ")
    assert len(host.heads) == 3


@pytest.mark.parametrize(
    ("length", "found"),
    [
        (len(picture()), Fetched(data=picture(), whole=WHOLE)),
        (
            len(picture()) + 1,
            Unfetched(
                kind="broken",
                words=f"https://x.example/a: {len(picture())} bytes came of {len(picture()) + 1}",
            ),
        ),
    ],
)
def test_the_length_is_compared_whatever_carries_the_bytes(
    length: int, found: Fetched | Unfetched
) -> None:
    headers = {"Content-Length": str(length)}
    wire = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=picture()))

    async def ask() -> Fetched | Unfetched:
        async with client(allowed=(), transport=wire, timeout_s=5) as asking:
            return await fetched("https://x.example/a?b", asking, deadline_s=5, tries=1)

    assert asyncio.run(ask()) == found


@pytest.mark.parametrize("sent", [answer(b"x" * 300_001), answer(b"", length=10**12)])
def test_more_bytes_than_agreed_are_not_read(sent: bytes) -> None:
    found, host = fetch(sent, most_bytes=300_000)
    assert found == Unfetched(kind="broken", words="/a.png: more than 0.3 MB")
    assert len(host.heads) == 1


def test_an_endless_answer_is_cut_off() -> None:
    found, _ = fetch(answer(b"x" * 400_000, length=-1), most_bytes=300_000)
    assert found == Unfetched(kind="broken", words="/a.png: more than 0.3 MB")


def test_silence_ends_at_the_deadline() -> None:
    found, host = fetch(1.0, deadline_s=0.1)
    assert found == Unfetched(kind="unreachable", words="/a.png: not whole within 0.1 s")
    assert len(host.heads) == 1


def test_silence_after_a_broken_answer_tells_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.shoot.fetch.PAUSE_S", 0.0)
    found, host = fetch(answer(b"oops"), answer(b"", 500), 1.0, deadline_s=0.15)
    assert found == Unfetched(
        kind="unreachable",
        words="/a.png: not whole within 0.15 s, after 2 tries; the last: the server answers 500",
    )
    assert len(host.heads) == 3


# Redirects


def test_redirects_are_followed_three_times() -> None:
    on = answer(b"", 302, Location="/b.png?token=SECRET")
    found, host = fetch(on, on, on, answer(picture()))
    assert found == Fetched(data=picture(), whole=WHOLE)
    assert [one.split()[1] for one in host.heads[1:]] == ["/b.png?token=SECRET"] * 3
    found, host = fetch(on)
    assert found == Unfetched(kind="unreachable", words="/a.png: more than 3 redirects")
    assert len(host.heads) == 4


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://127.0.0.1:1/", "'127.0.0.1' is on a private network and is not asked"),
        ("http://[::1]/", "'::1' is on a private network and is not asked"),
        ("http://169.254.169.254/", "'169.254.169.254' is on a private network and is not asked"),
        ("file:///etc/passwd", "leads to 'file:', which is not followed"),
    ],
)
def test_a_redirect_into_a_private_place_is_refused_at_once(location: str, words: str) -> None:
    found, host = fetch(answer(b"", 302, Location=location))
    assert found == Unfetched(kind="unreachable", words=f"/a.png: {words}")
    assert len(host.heads) == 1


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (
            "http://10.0.0.1/a.png?key=SECRET",
            Unfetched(
                kind="unreachable",
                words="http://10.0.0.1/a.png: '10.0.0.1' is on a private network and is not asked",
            ),
        ),
        (
            "https://u:SECRET@x.example/a.png",
            Unfetched(
                kind="unreachable",
                words="https://x.example/a.png: the address holds a password; remove it",
            ),
        ),
        (
            "http://x.example:port/?key=SECRET",
            Unfetched(kind="gone", words="http://x.example:port/: the link is not a valid address"),
        ),
    ],
)
def test_a_link_that_is_not_asked_is_told_without_what_signs_it(
    link: str, found: Unfetched
) -> None:
    assert fetch(path=link)[0] == found


def test_bytes_that_cannot_be_kept_are_this_machines_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> io.BytesIO:
        class Full(io.BytesIO):
            def write(self, _: object) -> int:
                raise OSError(28, "No space left on device")

        return Full()

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", full)
    with pytest.raises(EnvironmentFault, match="temporary files: No space left on device"):
        fetch(answer(picture()))


# What counts as a whole picture


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_every_format_of_the_hosts_is_read(form: str) -> None:
    assert whole_image(picture(form)) == Whole(width=64, height=80, format=form.lower())


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "PPM"])
def test_no_other_format_is(form: str) -> None:
    assert str(whole_image(picture(form))).startswith("the answer is not an image (it begins with")


@pytest.mark.parametrize(
    ("expected", "note"),
    [
        (None, ""),
        ((64, 80), ""),
        ((128, 16), ""),
        ((129, 80), "64x80 came where 129x80 was asked for"),
        ((64, 1024), "64x80 came where 64x1024 was asked for"),
    ],
)
def test_another_size_than_expected_is_a_note_beyond_the_hosts_rounding(
    expected: tuple[int, int] | None, note: str
) -> None:
    assert whole_image(picture(), expected) == Whole(width=64, height=80, format="png", note=note)
    found, _ = fetch(answer(picture()), expected=expected)
    assert isinstance(found, Fetched)
    assert found.whole.note == note


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (plain("black"), "#000000 throughout"),
        (plain("black", form="JPEG"), "#000000 throughout"),
        (plain((200, 30, 90), form="WEBP"), None),
        (plain("white", "L"), "#ffffff throughout"),
        (plain(1, "1"), "#ffffff throughout"),
        (plain("black", "P"), "#000000 throughout"),
        (plain((9, 9, 9, 255), "RGBA"), "#090909 throughout"),
        (plain(40_000, "I;16"), "one grey throughout"),
        (plain("black", "CMYK", "JPEG"), "#000000 throughout"),
    ],
)
def test_a_picture_of_one_colour_is_a_refusal_and_not_asked_for_again(
    data: bytes, seen: str | None
) -> None:
    found, host = fetch(answer(data))
    assert isinstance(found, Unfetched)
    assert found.kind == "blank"
    assert len(host.heads) == 1
    if seen is not None:
        assert found.words == f"/a.png: the picture is {seen}: a refusal in disguise"
        assert whole_image(data) == f"the picture is {seen}: a refusal in disguise"


def test_sixteen_bits_have_the_noise_of_eight() -> None:
    image = Image.new("I;16", (64, 80), 40_000)
    image.putpixel((5, 5), 40_500)
    file = io.BytesIO()
    image.save(file, "PNG")
    assert whole_image(file.getvalue()) == (
        "the picture is one grey throughout: a refusal in disguise"
    )


def test_a_picture_that_nobody_can_see_is_a_refusal_too() -> None:
    image = Image.radial_gradient("L").convert("RGBA")
    image.putalpha(0)
    file = io.BytesIO()
    image.save(file, "PNG")
    assert whole_image(file.getvalue()) == (
        "the picture is wholly transparent: a refusal in disguise"
    )


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16"])
def test_three_steps_of_one_channel_are_something_to_see(mode: str) -> None:
    steps = {"I;16": 40_000}.get(mode, 100)
    image = Image.new("I;16" if mode == "I;16" else "L", (64, 80), steps)
    image.putpixel((5, 5), steps + (3 * 257 if mode == "I;16" else 3))
    file = io.BytesIO()
    (image if mode == "I;16" else image.convert(mode)).save(file, "PNG")
    assert whole_image(file.getvalue()) == WHOLE


def test_a_bomb_is_not_decoded() -> None:
    data = bytearray(picture())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert whole_image(bytes(data)) == "20000x20000 pixels are more than any host makes"


def test_a_picture_with_a_mark_too_faint_for_its_means_is_not_of_one_colour() -> None:
    grey = Image.new("L", (640, 640), 128)
    for n in range(64):  # one block of JPEG's, whose mean is that of all others
        grey.putpixel((320 + n % 8, 320 + n // 8), 112 if (n + n // 8) % 2 else 144)
    out = io.BytesIO()
    grey.save(out, "JPEG", quality=95)
    assert whole_image(out.getvalue()) == Whole(width=640, height=640, format="jpeg")


@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_jpeg_is_read_to_its_end(is_progressive: bool) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 160), 30).save(out, "JPEG", quality=90, progressive=is_progressive)
    data = out.getvalue()
    assert whole_image(data) == Whole(width=200, height=160, format="jpeg")
    for missing in (100, len(data) // 10, len(data) // 2):
        said = whole_image(data[:-missing])
        assert isinstance(said, str)
        assert said.startswith("the image is broken: image file is truncated")
