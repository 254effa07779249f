"""Reference images: found, fetched and looked at once; nothing outside the allowed places is read."""

# ruff: noqa: E501  (a fault stands here on one line, as it is printed)
from __future__ import annotations

import base64
import hashlib
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from flows import read
from flows.errors import BadInput
from flows.nouns.reference import Looked, Reference
from flows.read.web import MOST_BYTES, Public, is_public

PUBLIC = "93.184.215.14"


@dataclass
class Known:
    """Contents that were looked at before, in memory."""

    records: dict[tuple[str, str], Looked] = field(default_factory=dict)

    def stamp(self, location: str) -> str:
        return next((stamp for place, stamp in self.records if place == location), "")

    def recall(self, location: str, stamp: str) -> Looked | None:
        return self.records.get((location, stamp))

    def remember(self, location: str, stamp: str, record: Looked) -> None:
        self.records[location, stamp] = record


def picture(form: str = "PNG", size: tuple[int, int] = (80, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "#0F4C81").save(file, form)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "campaigns/brand").mkdir(parents=True)
    (tmp_path / "photos/mugs").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(picture())
    (tmp_path / "campaigns/brand/style.png").write_bytes(picture())
    (tmp_path / "photos/mug.png").write_bytes(picture())
    return tmp_path


Look = Callable[..., Reference]


def references(folder: Path, known: Known | None = None, **more: object) -> read.References:
    wanted = {
        "spec_folder": str(folder / "campaigns"),
        "image_base": str(folder / "photos"),
        "known": known or Known(),
        "cache": folder / "cache",
        **more,
    }
    return read.References(**wanted)  # type: ignore[arg-type]


def fault_of(looker: read.References, source: str, *, of_row: bool = True) -> str:
    with pytest.raises(BadInput) as error:
        looker.look(source, role="product", of_row=of_row)
    assert len(error.value.faults) == 1
    assert error.value.faults[0].place == ""
    return str(error.value.faults[0])


def test_a_picture_is_described_by_its_contents(folder: Path) -> None:
    data = picture()
    assert references(folder).look("mug.png", role="hero", of_row=True) == Reference(
        role="hero",
        source="mug.png",
        location=str(folder / "photos/mug.png"),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=80,
        height=64,
        format="png",
    )


def test_rows_begin_at_the_image_base_and_specs_at_the_spec(folder: Path) -> None:
    looker = references(folder)
    found = looker.look("brand/style.png", role="style", of_row=False)
    assert found.location == str(folder / "campaigns/brand/style.png")
    above = looker.look("../secret.png", role="style", of_row=False)
    absolute = looker.look(str(folder / "secret.png"), role="style", of_row=False)
    url = looker.look((folder / "secret.png").as_uri(), role="style", of_row=False)
    assert above.location == absolute.location == url.location == str(folder / "secret.png")
    assert fault_of(looker, "brand/style.png") == (
        f"image 'brand/style.png': there is no such file; paths begin at {folder / 'photos'}/"
    )


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "mugs/../../secret.png",
        "%2e%2e/secret.png",
        "..%2Fsecret.png",
        "..\\secret.png",
        "/etc/passwd",
        "~/secret.png",
        "C:\\secret.png",
        "\\\\host\\share\\x.png",
        "nowhere/../../secret.png",
        "{}/secret.png",
        "link.png",
        "linked/secret.png",
    ],
)
def test_a_row_does_not_leave_the_image_base(folder: Path, path: str) -> None:
    (folder / "photos/link.png").symlink_to(folder / "secret.png")
    (folder / "photos/linked").symlink_to(folder, target_is_directory=True)
    path = path.format(folder)
    shown = path if len(path) <= 80 else f"{path[:79]}…"
    assert fault_of(references(folder), path) == (
        f"image '{shown}': leaves the folder {folder / 'photos'}; write a path below image_base"
    )


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "image '': the address is empty"),
        ("a\0b", "image 'a\0b': a name cannot hold a NUL character"),
        ("mgu.png", "image 'mgu.png': there is no such file; did you mean 'mug.png'?"),
        (
            "file:///etc/passwd",
            "image 'file:///etc/passwd': a row may not name files of this machine; write a path below image_base",
        ),
        (
            "s3://bucket/key?sig=secret",
            "image 's3://bucket/key': s3:// is read only where image_base begins with it; write a path, or an http(s) address",
        ),
        (
            "data:image/png;base64,x!",
            "image 'data:image/png;base64,x!': the data: address is not base64",
        ),
        ("data:image/png", "image 'data:image/png': a data: address without a comma"),
    ],
)
def test_an_address_that_is_none_is_told(folder: Path, source: str, fault: str) -> None:
    assert fault_of(references(folder), source) == fault


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "the file is empty (0 bytes); export it again"),
        (b"<!DOCTYPE html><html>no</html>", "a web page, not an image; check the address"),
        (b"<?xml version='1.0'?>\n<svg/>", "SVG is not read as a reference; export a PNG"),
        (b"  <svg xmlns='x'></svg>", "SVG is not read as a reference; export a PNG"),
        (b"%PDF-1.7", "a PDF document; give JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF"),
        (b"hello", "not an image; give JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF"),
        (
            b"\0\0\0\x18ftypheic" + b"\0" * 16,
            "HEIC or a video is not read as a reference; export a JPEG",
        ),
        (
            picture("JPEG", (300, 300))[:-400],
            "the JPEG is damaged or cut off; export or download it again",
        ),
        (picture()[:60], "the PNG is damaged or cut off; export or download it again"),
        (b"BMxxxx", "the BMP is damaged or cut off; export or download it again"),
        (
            picture(size=(63, 900)),
            "63x900 pixels is too small: a side has fewer than 64; give a larger image",
        ),
    ],
)
def test_what_is_no_usable_picture_is_told_by_name(folder: Path, data: bytes, found: str) -> None:
    (folder / "photos/odd.jpg").write_bytes(data)
    assert fault_of(references(folder), "odd.jpg") == f"image 'odd.jpg': {found}"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"])
def test_every_common_format_is_known_by_its_bytes(folder: Path, form: str) -> None:
    (folder / "photos/wrongly-named.xyz").write_bytes(picture(form))
    found = references(folder).look("wrongly-named.xyz", role="product", of_row=True)
    assert (found.format, found.width, found.height) == (form.lower(), 80, 64)


def test_real_odd_pictures_are_read_or_refused_by_name(test_data: Path, tmp_path: Path) -> None:
    images = test_data / "odd-inputs/images"
    looker = references(tmp_path, image_base=str(images))
    refused = {}
    for path in sorted(images.iterdir()):
        try:
            looker.look(path.name, role="product", of_row=True)
        except BadInput as error:
            refused[path.name] = error.faults[0].found.partition("': ")[2]
    assert refused == {
        "5000x1.png": "5000x1 pixels is too small: a side has fewer than 64",
        "bomb-12000x12000-rgb.png": "more than 100 megapixels",
        "bomb-40000x40000-1bit.png": "more than 100 megapixels",
        "html-error-page.jpg": "a web page, not an image",
        "no-end-marker.jpg": "the JPEG is damaged or cut off",
        "one-pixel.png": "1x1 pixels is too small: a side has fewer than 64",
        "truncated-half.jpg": "the JPEG is damaged or cut off",
        "truncated-half.png": "the PNG is damaged or cut off",
        "vector.svg": "SVG is not read as a reference",
        "zero-bytes.jpg": "the file is empty (0 bytes)",
    }


def test_a_name_is_tried_as_written_then_decoded_in_both_forms(folder: Path) -> None:
    photos = folder / "photos"
    (photos / unicodedata.normalize("NFD", "Café.png")).write_bytes(picture())
    (photos / "a b.png").write_bytes(picture())
    (photos / "100%25.png").write_bytes(picture("PNG", (70, 70)))
    (photos / "100%.png").write_bytes(picture("PNG", (90, 90)))
    looker = references(folder)

    def width(name: str) -> int:
        return looker.look(name, role="product", of_row=True).width

    assert width(unicodedata.normalize("NFC", "Café.png")) == 80
    assert width("Caf%C3%A9.png") == 80
    assert width("a%20b.png") == 80
    assert width("100%25.png") == 70


def test_known_contents_are_not_read_again(folder: Path) -> None:
    photo = folder / "photos/mug.png"
    known = Known()
    first = references(folder, known).look("mug.png", role="product", of_row=True)
    status = photo.stat()
    assert list(known.records) == [(str(photo), f"{status.st_size}:{status.st_mtime_ns}")]
    looked = Looked(sha256="f" * 64, size=1, width=64, height=65, format="png")
    known.remember(str(photo), f"{status.st_size}:{status.st_mtime_ns}", looked)
    again = references(folder, known).look("mug.png", role="product", of_row=True)
    assert (again.sha256, again.height) == ("f" * 64, 65)
    photo.write_bytes(picture("JPEG", (100, 100)))
    changed = references(folder, known).look("mug.png", role="product", of_row=True)
    assert (changed.format, changed.width) == ("jpeg", 100)
    assert first.format == "png"


def test_one_run_looks_once_and_says_the_same_of_a_fault(folder: Path) -> None:
    looker = references(folder)
    before = looker.look("mug.png", role="product", of_row=True)
    missing = fault_of(looker, "more.png")
    (folder / "photos/mug.png").unlink()
    (folder / "photos/more.png").write_bytes(picture())
    assert looker.look("mug.png", role="product", of_row=True) == before
    assert fault_of(looker, "more.png") == missing


def test_a_data_address_is_kept_beside_fetched_bytes(folder: Path) -> None:
    data = picture()
    source = "data:image/png;base64," + base64.b64encode(data).decode()
    found = references(folder).look(source, role="style", of_row=False)
    assert found.location == str(folder / "cache" / found.sha256)
    assert Path(found.location).read_bytes() == data


def test_an_image_base_may_be_an_fsspec_address(folder: Path) -> None:
    import fsspec

    base = f"memory://{folder.name}/photos"
    with fsspec.open(f"{base}/mug.png", "wb") as file:
        file.write(picture())
    looker = references(folder, image_base=base)
    found = looker.look("mug.png", role="product", of_row=True)
    assert (found.location, found.width) == (f"{base}/mug.png", 80)
    assert looker.look(f"{base}/mug.png", role="product", of_row=True).sha256 == found.sha256
    for path in ("../x.png", "/x.png", f"memory://{folder.name}/other.png", f"{base}/../x.png"):
        assert fault_of(looker, path).endswith(f"leaves {base}; write a path below image_base")
    assert fault_of(looker, "none.png") == "image 'none.png': there is no such file"


# Over http: a transport stands in for the network, a table for the name server.

Answer = Callable[[httpx.Request], httpx.Response]


def fetching(answer: Answer, addresses: Sequence[str] = (PUBLIC,)) -> Public:
    return Public(resolve=lambda _host, _port: addresses, transport=httpx.MockTransport(answer))


def test_an_image_is_fetched_from_the_address_that_was_checked(folder: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=picture(), headers={"ETag": '"1"'})

    known = Known()
    url = "https://cdn.acme.example:8443/mug.png?size=2"
    looker = references(folder, known, fetch=fetching(answer))
    found = looker.look(url, role="product", of_row=True)
    looker.look(url, role="style", of_row=True)
    assert [(str(one.url), one.headers["Host"]) for one in asked] == [
        (f"https://{PUBLIC}:8443/mug.png?size=2", "cdn.acme.example:8443")
    ]
    assert asked[0].extensions["sni_hostname"] == "cdn.acme.example"
    assert found.source == url
    assert found.location == str(folder / "cache" / found.sha256)
    assert Path(found.location).read_bytes() == picture()
    assert list(known.records) == [(url, '"1"')]


def test_unchanged_bytes_are_not_downloaded_again(folder: Path) -> None:
    class Body(httpx.SyncByteStream):
        read = 0

        def __iter__(self):
            Body.read += 1
            yield picture()

    known = Known()
    for _ in range(2):
        fetch = fetching(lambda _: httpx.Response(200, stream=Body(), headers={"ETag": "a"}))
        looker = references(folder, known, fetch=fetch)
        looker.look("http://acme.example/a.png", role="product", of_row=True)
    assert Body.read == 1
    for kept in (folder / "cache").iterdir():
        kept.unlink()
    references(folder, known, fetch=fetch).look(
        "http://acme.example/a.png", role="product", of_row=True
    )
    assert Body.read == 2


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "x",
    ],
)
def test_private_addresses_are_not_asked(folder: Path, address: str) -> None:
    assert not is_public(address)
    fetch = fetching(lambda _: pytest.fail("asked"), (PUBLIC, address))
    assert fault_of(references(folder, fetch=fetch), "http://intern.example/a.png") == (
        "image 'http://intern.example/a.png': 'intern.example' is on a private network and is not asked; copy the image beside the campaign"
    )


def test_public_addresses_are_asked() -> None:
    assert is_public(PUBLIC)
    assert is_public("2606:4700::1111")


def test_redirects_are_checked_like_first_addresses(folder: Path) -> None:
    to = {"/a": "/b", "/b": "http://intern.example/c", "/loop": "/loop", "/f": "file:///etc/passwd"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": to[request.url.path]})

    def resolve(host: str, _port: int) -> Sequence[str]:
        return ["10.0.0.1"] if host == "intern.example" else [PUBLIC]

    looker = references(folder, fetch=Public(resolve, httpx.MockTransport(answer)))
    start = "https://acme.example"
    assert fault_of(looker, f"{start}/a").startswith(
        f"image '{start}/a': 'intern.example' is on a private network"
    )
    assert fault_of(looker, f"{start}/loop") == f"image '{start}/loop': more than 3 redirects"
    assert fault_of(looker, f"{start}/f") == (
        f"image '{start}/f': leads to 'file:', which is not followed"
    )


def test_a_relative_redirect_goes_on_at_the_same_host(folder: Path) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.headers["Host"])
        if request.url.path == "/a":
            return httpx.Response(301, headers={"Location": "b.png"})
        return httpx.Response(200, content=picture())

    looker = references(folder, fetch=fetching(answer))
    assert looker.look("https://acme.example/a", role="hero", of_row=False).width == 80
    assert hosts == ["acme.example", "acme.example"]


def _fails(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda _: httpx.Response(404), "the server answers 404"),
        (
            lambda _: httpx.Response(200, content=b"<html>"),
            "a web page, not an image; check the address",
        ),
        (
            lambda _: httpx.Response(200, content=b"x" * (MOST_BYTES + 1)),
            "more than 30 MB; give a smaller image",
        ),
        (
            _fails(httpx.ReadTimeout("slow")),
            "no answer within 20 s; try again, or copy the image here",
        ),
        (_fails(httpx.ConnectError("refused")), "cannot be fetched: refused"),
    ],
)
def test_what_cannot_be_fetched_says_why(folder: Path, answer: Answer, found: str) -> None:
    looker = references(folder, fetch=fetching(answer))
    url = "https://acme.example/a.png?key=secret"
    assert fault_of(looker, url) == f"image 'https://acme.example/a.png': {found}"


def test_a_host_that_is_not_there_and_a_password_are_told(folder: Path) -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such host")

    looker = references(
        folder, fetch=Public(resolve, httpx.MockTransport(lambda _: pytest.fail("asked")))
    )
    assert fault_of(looker, "http://acme.example/a.png") == (
        "image 'http://acme.example/a.png': there is no host 'acme.example'"
    )
    assert fault_of(looker, "http://user:pw@acme.example/a.png") == (
        "image 'http://acme.example/a.png': the address holds a password; remove it"
    )


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["..", "/", "%2e", "\\", "a", "mug.png", "~", ":", "data:", ",", "file:", "%"]
            )
        ).map("".join),
    )
)
@example("mugs/" * 2000)
@example("\ud800")
def test_no_path_of_a_row_reaches_outside(folder: Path, path: str) -> None:
    fetch = fetching(lambda _: httpx.Response(404))
    try:
        found = references(folder, fetch=fetch).look(path, role="product", of_row=True)
    except BadInput:
        return
    assert Path(found.location).is_relative_to(folder / "photos")


def test_of_very_many_new_images_only_the_first_are_decoded_and_all_must_be_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.read.references.MOST_DECODED", 1)
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    for form, mark in (("jpeg", b"\xff\xda"), ("png", b"IDAT"), ("webp", b"VP8 ")):
        buffer = io.BytesIO()
        noise.save(buffer, form)
        data = buffer.getvalue()
        at = data.index(mark) + len(data) // 3
        (tmp_path / f"whole.{form}").write_bytes(data)
        (tmp_path / f"half.{form}").write_bytes(data[: len(data) // 2])
        (tmp_path / f"hurt.{form}").write_bytes(data[:at] + b"\xff\xd8" * 40 + data[at + 80 :])
    reader = references(tmp_path, image_base=str(tmp_path))
    reader.look("whole.jpeg", role="product", of_row=True)
    for form in ("jpeg", "png", "webp"):
        assert reader.look(f"whole.{form}", role="product", of_row=True).width == 200
        assert reader.look(f"hurt.{form}", role="product", of_row=True).width == 200
        with pytest.raises(BadInput, match="damaged or cut off"):
            reader.look(f"half.{form}", role="product", of_row=True)
