"""The network guard: what was set by hand is asked, of the rest only what is public."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import logging
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.errors import EnvironmentFault
from flows.network import (
    AsyncGuarded,
    Guarded,
    NoHostError,
    NotAskedError,
    Origin,
    Proxies,
    PublicOnly,
    client,
    is_public,
    onward,
    trust,
)
from flows.network.transports import MOST_NAMES

PUBLIC, OTHER = "93.184.215.14", "2606:4700::1111"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def known(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


def unknown(_host: str, _port: int) -> Sequence[str]:
    raise OSError("no such host")


def judged(
    url: str,
    *,
    allowed: Sequence[str] = (),
    resolve: Callable[[str, int], Sequence[str]] | None = None,
    proxies: Proxies | None = None,
) -> str:
    """The address that is connected to, or why none is; the same from both transports."""
    origins = [Origin.of(one) for one in allowed]
    guard = PublicOnly(origins, proxies or Proxies(), resolve or known(PUBLIC))
    wire = httpx.MockTransport(lambda asked: httpx.Response(200, text=str(asked.url)))

    async def later() -> str:
        async with httpx.AsyncClient(transport=AsyncGuarded(guard, inner=wire)) as asking:
            return (await asking.get(url)).text

    def said(ask: Callable[[], str]) -> str:
        try:
            return ask()
        except (NotAskedError, NoHostError) as error:
            return str(error)

    with httpx.Client(transport=Guarded(guard, inner=wire)) as asking:
        at_once = said(lambda: asking.get(url).text)
    assert said(lambda: asyncio.run(later())) == at_once
    return at_once


# Origins


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTP://Acme.Example", Origin("http", "acme.example", 80)),
        ("https://acme.example./a?b", Origin("https", "acme.example", 443)),
        ("https://acme.example:0443/", Origin("https", "acme.example", 443)),
        ("http://[0:0::1]:8000/v1", Origin("http", "::1", 8000)),
        ("https://bücher.example", Origin("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_an_origin_has_one_form(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin


@pytest.mark.parametrize("url", ["ftp://a.example", "/a", "http://", "http://[::1", "data:,x"])
def test_what_has_no_origin_says_so(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|neither"):
        Origin.of(url)


# What is asked and what is not


def test_a_public_name_is_asked_at_its_checked_address() -> None:
    assert judged("https://cdn.example:8443/a?b=c") == f"https://{PUBLIC}:8443/a?b=c"
    assert judged("http://cdn.example/", resolve=known(OTHER)) == f"http://[{OTHER}]/"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "[::]",
        "[::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ],
)
def test_a_numeric_address_that_is_not_public_is_refused_whatever_a_name_server_says(
    host: str,
) -> None:
    shown = str(ipaddress.ip_address(host.strip("[]")))
    for scheme in ("http", "https"):
        assert judged(f"{scheme}://{host}/a") == (
            f"'{shown}' is on a private network and is not asked"
        )


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "0177.1", "127.1", "0x7f000001"])
def test_an_address_in_an_odd_spelling_is_refused_before_anybody_reads_it(host: str) -> None:
    assert judged(f"http://{host}/a") == (
        f"'{host}' is a numeric address in an odd spelling and is not asked;"
        " write it as four plain numbers"
    )


def test_a_name_is_refused_if_one_of_its_addresses_is_private() -> None:
    assert judged("https://x.example", resolve=known(PUBLIC, "10.0.0.1")) == (
        "'x.example' is on a private network and is not asked"
    )
    assert judged("http://localhost:1", resolve=known("127.0.0.1")) == (
        "'localhost' is on a private network and is not asked"
    )


def test_only_http_is_spoken_and_no_password_goes_along() -> None:
    assert judged("ftp://x.example/a") == "leads to 'ftp:', which is not followed"
    assert judged("https://u:p@x.example/a") == "the address holds a password; remove it"


def test_a_name_without_an_address_is_told_apart_from_a_refused_one() -> None:
    assert judged("https://x.example", resolve=unknown) == "there is no host 'x.example'"
    assert judged("https://x.example", resolve=known()) == "there is no host 'x.example'"


def test_a_hand_set_origin_is_asked_as_it_is_and_nothing_beside_it() -> None:
    base = ["http://127.0.0.1:8900/v1"]
    assert judged("http://127.0.0.1:8900/x", allowed=base) == "http://127.0.0.1:8900/x"
    assert judged("http://u:p@127.0.0.1:8900/", allowed=base) == "http://u:p@127.0.0.1:8900/"
    for near in ("http://127.0.0.1:8901/", "https://127.0.0.1:8900/", "http://127.0.0.1/"):
        assert "private network" in judged(near, allowed=base)
    assert "private" in judged("http://localhost:8900/", allowed=base, resolve=known("127.0.0.1"))


def test_every_form_of_a_private_ipv4_address_inside_ipv6_is_private() -> None:
    assert not is_public("::ffff:a00:1")
    assert is_public("::ffff:5db8:d70e")
    assert is_public("64:ff9b::5db8:d70e")
    assert not is_public("")


# Redirects


def test_a_redirect_is_judged_like_a_first_address_and_carries_no_key() -> None:
    asked: list[httpx.Request] = []
    to = {"/1": "http://b.example/2", "/2": "//10.0.0.1/3"}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"Location": to[request.url.path]})

    wire = Guarded(PublicOnly(resolve=known(PUBLIC)), inner=httpx.MockTransport(answer))
    with httpx.Client(transport=wire, headers={"Authorization": "Bearer SECRET"}) as asking:
        first = asking.get("http://a.example/1", headers={"Accept": "image/*"})
        second = asking.send(onward(first), auth=None)
        with pytest.raises(NotAskedError, match=r"'10.0.0.1' is on a private network"):
            asking.send(onward(second), auth=None)
    assert [one.headers.get("authorization") for one in asked] == ["Bearer SECRET", None]
    assert [one.headers["host"] for one in asked] == ["a.example", "b.example"]
    assert asked[1].headers["accept"] == "image/*"


def test_encryption_is_not_given_up_on_the_way() -> None:
    to = {"/1": "https://b.example/2", "/2": "http://c.example/3"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"Location": to[request.url.path]})

    wire = Guarded(PublicOnly(resolve=known(PUBLIC)), inner=httpx.MockTransport(answer))
    with httpx.Client(transport=wire) as asking:
        upgraded = asking.send(onward(asking.get("http://a.example/1")))
        with pytest.raises(NotAskedError, match="leads from https: to http:, which is not"):
            asking.send(onward(upgraded))


# Which address of several


def test_the_next_address_is_tried_where_nothing_could_be_sent() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        raise httpx.ReadError("died")

    guard = PublicOnly(resolve=known(PUBLIC, OTHER, "1.1.1.1"))

    async def post() -> None:
        wire = AsyncGuarded(guard, inner=httpx.MockTransport(answer))
        async with httpx.AsyncClient(transport=wire) as asking:
            await asking.post("https://x.example/", content=b"bought")

    with pytest.raises(httpx.ReadError):
        asyncio.run(post())
    assert asked == [PUBLIC, OTHER], "what was sent is never sent again"


def test_a_name_is_looked_up_once_a_minute_however_many_ask() -> None:
    looked: list[str] = []
    clock = [0.0]

    def resolve(host: str, _port: int) -> Sequence[str]:
        looked.append(host)
        return [PUBLIC]

    async def ask() -> None:
        wire = httpx.MockTransport(lambda _: httpx.Response(200))
        guarded = AsyncGuarded(PublicOnly(resolve=resolve), inner=wire, now=lambda: clock[0])
        async with httpx.AsyncClient(transport=guarded) as asking:
            await asyncio.gather(*(asking.get("https://a.example/") for _ in range(50)))
            await asking.get("https://b.example/")
            clock[0] = 61.0
            await asking.get("https://a.example/")

    asyncio.run(ask())
    assert looked == ["a.example", "b.example", "a.example"]


# Proxies


def environment_proxy(monkeypatch: pytest.MonkeyPatch, url: str, **more: str) -> str | None:
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    return Proxies.of_environment().of(Origin.of(url))


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_proxied"),
    [
        ("", "https://a.example", True),
        ("*", "https://a.example", False),
        ("b.example, a.example", "https://a.example", False),
        (".example", "https://a.example", False),
        ("*.a.example", "https://a.example", False),
        ("a.example", "https://sub.a.example", False),
        ("a.example", "https://nota.example", True),
        ("a.example:8443", "https://a.example:8443", False),
        ("a.example:8443", "https://a.example", True),
        ("10.0.0.0/8", "https://10.2.3.4", False),
        ("10.0.0.0/8", "https://11.2.3.4", True),
        ("fd00::/8", "https://[fd00::1]", False),
        ("", "https://127.0.0.1:9", False),
        ("", "https://localhost:9", False),
    ],
)
def test_a_proxy_leads_everywhere_but_where_it_must_not(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, is_proxied: bool
) -> None:
    proxy = environment_proxy(monkeypatch, url, HTTPS_PROXY="proxy.example:3128", NO_PROXY=no_proxy)
    assert proxy == ("http://proxy.example:3128" if is_proxied else None)


def test_each_scheme_has_its_proxy_and_all_is_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:2"}
    assert environment_proxy(monkeypatch, "http://a.example", **names) == "http://p:1"
    assert environment_proxy(monkeypatch, "https://a.example", **names) == "http://p:2"


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for found in ("gopher://u:SECRET@p:1", "http://u:SECRET@p:port", "http://"):
        monkeypatch.setenv("HTTPS_PROXY", found)
        with pytest.raises(EnvironmentFault) as error:
            client(allowed=(), timeout_s=1)
        assert str(error.value) == (
            "HTTPS_PROXY holds no proxy's address; write it as http://host:port or unset it"
        )
    monkeypatch.setenv("HTTPS_PROXY", "http://u:SECRET@p:1")
    assert "SECRET" not in repr(Proxies.of_environment())


def test_a_socks_proxy_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flows.network.proxies.find_spec", lambda _: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://p:1")
    with pytest.raises(EnvironmentFault, match=r"ALL_PROXY names a SOCKS .* 'httpx\[socks\]'"):
        client(allowed=(), timeout_s=1)


def test_behind_a_proxy_names_are_checked_where_they_can_be() -> None:
    proxies = Proxies({"https": "http://proxy.example:3128"})
    asked = {
        "https://a.example/": known(PUBLIC),
        "https://b.example/": unknown,
    }
    for url, resolve in asked.items():
        assert judged(url, resolve=resolve, proxies=proxies) == url
    refused = {
        "https://c.example/": known("10.0.0.1"),
        "https://intranet/": unknown,
        "https://metadata.google.internal/": unknown,
        "https://x.localhost/": unknown,
        "https://169.254.169.254/": unknown,
    }
    for url, resolve in refused.items():
        assert "private network" in judged(url, resolve=resolve, proxies=proxies)


# Real connections: certificates and proxies


@dataclass
class Authority:
    """A company's own certificate authority, made for this test run."""

    folder: Path
    name: str = "Company CA"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def file(self) -> Path:
        return self.folder / "company.pem"

    def __post_init__(self) -> None:
        certificate = self._signed(self.name, self.key, x509.BasicConstraints(True, None))
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = self._signed(name, key, names)
        path = self.folder / f"{name}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=key is self.key,
            crl_sign=key is self.key,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(own, critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@dataclass
class Wire:
    """A server, and a proxy that leads every name to it; each remembers what it was asked."""

    port: int
    proxy: str
    heads: list[str] = field(default_factory=list)
    tunnels: list[str] = field(default_factory=list)
    connections: int = 0


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


async def _with_wire(
    context: ssl.SSLContext | None, use: Callable[[Wire], Awaitable[None]]
) -> None:
    wire = Wire(0, "")
    open_ones: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def begin(writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones[task] = writer

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begin(writer)
        wire.connections += 1
        while head := await _head(reader):
            wire.heads.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begin(writer)
        head = await _head(reader)
        wire.tunnels.append(head.partition(" HTTP/")[0])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", wire.port)
        if head.startswith("CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            far_writer.write(head.encode())
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    wire.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    try:
        await use(wire)
    finally:
        server.close()
        proxy.close()
        for writer in open_ones.values():
            writer.transport.abort()
        await asyncio.gather(*open_ones, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes what was aborted


def on_wire(context: ssl.SSLContext | None, use: Callable[[Wire], Awaitable[None]]) -> None:
    asyncio.run(_with_wire(context, use))


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public server to connect to is not to be had in a test."""
    monkeypatch.setattr("flows.network.guard.is_public", lambda one: one == "127.0.0.1")


HERE = known("127.0.0.1")


@pytest.mark.usefixtures("loopback_is_public")
def test_a_pinned_connection_still_checks_the_name_of_the_certificate(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def use(wire: Wire) -> None:
        async with client(allowed=(), timeout_s=5, resolve=HERE) as asking:
            for _ in range(2):
                found = await asking.get(f"https://cdn.example:{wire.port}/a?b")
                assert (found.text, found.url.host) == ("ok", "cdn.example")
            # the same address, and a connection that stands open: the name decides
            with pytest.raises(httpx.ConnectError, match=r"not valid for 'evil.example'"):
                await asking.get(f"https://evil.example:{wire.port}/")
        assert [one.splitlines()[:2] for one in wire.heads] == [
            ["GET /a?b HTTP/1.1", f"Host: cdn.example:{wire.port}"]
        ] * 2
        assert wire.connections == 1, "one handshake came through, and was used twice"

    on_wire(authority.server("cdn.example"), use)


@pytest.mark.usefixtures("loopback_is_public")
def test_names_beyond_the_kept_ones_never_share_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flows.network.transports.MOST_NAMES", 1)
    assert MOST_NAMES == 64

    async def use(wire: Wire) -> None:
        async with client(allowed=(), timeout_s=5, resolve=HERE) as asking:
            for name in ("a", "b", "c", "b", "a"):
                await asking.get(f"http://{name}.example:{wire.port}/")
        assert wire.connections == 4, "the first name has its own, the others one each time"

    on_wire(None, use)


@pytest.mark.usefixtures("loopback_is_public")
def test_certificates_of_nobody_known_are_refused_even_at_a_hand_set_address(
    authority: Authority,
) -> None:
    async def use(wire: Wire) -> None:
        base = f"https://cdn.example:{wire.port}"
        async with client(allowed=(), timeout_s=5, resolve=HERE) as asking:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await asking.get(base)
        by_hand = f"https://127.0.0.1:{wire.port}"
        async with client(allowed=[Origin.of(by_hand)], timeout_s=5) as asking:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await asking.get(by_hand)
        assert wire.heads == []

    on_wire(authority.server("cdn.example"), use)


@pytest.mark.usefixtures("loopback_is_public")
def test_a_folder_of_certificates_is_believed_alone_and_beside_a_file(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here, which names the files of such a folder")
    command = [openssl, "x509", "-hash", "-noout", "-in", str(authority.file)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "certs").mkdir()
    shutil.copy(authority.file, tmp_path / "certs" / f"{name}.0")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Other CA")

    async def use(wire: Wire) -> None:
        async with client(allowed=(), timeout_s=5, resolve=HERE) as asking:
            assert (await asking.get(f"https://cdn.example:{wire.port}/")).text == "ok"

    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    on_wire(authority.server("cdn.example"), use)
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    on_wire(authority.server("cdn.example"), use)


def test_certificates_that_are_not_there_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.pem").write_text("no certificate")
    said = {
        ("SSL_CERT_FILE", "none.pem"): "which is no file",
        ("SSL_CERT_FILE", "a.pem"): "which holds no certificates that can be read (PEM)",
        ("SSL_CERT_DIR", "none"): "which is no folder",
    }
    for (variable, name), words in said.items():
        with monkeypatch.context() as environment:
            environment.setenv(variable, str(tmp_path / name))
            with pytest.raises(EnvironmentFault) as error:
                trust()
        assert str(error.value) == f"{variable} names '{tmp_path / name}', {words}"
    assert trust().verify_mode is ssl.CERT_REQUIRED
    assert trust().check_hostname


@pytest.mark.usefixtures("loopback_is_public")
def test_a_proxy_is_given_the_name_and_never_sees_inside(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def use(wire: Wire) -> None:
        monkeypatch.setenv("HTTPS_PROXY", wire.proxy)
        async with client(allowed=(), timeout_s=5, resolve=unknown) as asking:
            assert (await asking.get("https://cdn.example/a")).text == "ok"
            with pytest.raises(httpx.ConnectError, match=r"not valid for 'evil.example'"):
                await asking.get("https://evil.example/a")
        assert wire.tunnels == ["CONNECT cdn.example:443", "CONNECT evil.example:443"]
        monkeypatch.setenv("NO_PROXY", "cdn.example")
        async with client(allowed=(), timeout_s=5, resolve=HERE) as asking:
            assert (await asking.get(f"https://cdn.example:{wire.port}/b")).text == "ok"
        assert len(wire.tunnels) == 2
        assert wire.heads[-1].startswith("GET /b HTTP/1.1")

    on_wire(authority.server("cdn.example"), use)


def test_a_hand_set_address_on_this_machine_is_reached_beside_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def use(wire: Wire) -> None:
        monkeypatch.setenv("HTTP_PROXY", wire.proxy)
        base = f"http://127.0.0.1:{wire.port}"
        async with client(allowed=[Origin.of(base)], timeout_s=5) as asking:
            assert (await asking.get(f"{base}/v1")).text == "ok"
            await asking.get("http://93.184.215.14/x")
        assert wire.tunnels == ["GET http://93.184.215.14/x"]

    on_wire(None, use)


# The client


def test_the_client_follows_nothing_and_keeps_no_cookie() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        headers = {"Location": "/b", "Set-Cookie": "a=b; Path=/"}
        return httpx.Response(302, headers=headers)

    async def ask() -> None:
        async with client(
            allowed=(), transport=httpx.MockTransport(answer), timeout_s=90
        ) as asking:
            assert (await asking.post("https://a.example/a")).status_code == 302
            await asking.get("https://a.example/a")
            assert asking.timeout == httpx.Timeout(90, connect=15)

    asyncio.run(ask())
    assert [(one.method, one.headers.get("cookie")) for one in asked] == [
        ("POST", None),
        ("GET", None),
    ]


def test_a_signed_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def use(wire: Wire) -> None:
        base = f"http://127.0.0.1:{wire.port}"
        async with client(allowed=[Origin.of(base)], timeout_s=5) as asking:
            headers = {"Authorization": "Bearer SECRET"}
            await asking.get(f"{base}/a?signature=SECRET", headers=headers)
        assert "SECRET" in wire.heads[0]

    with caplog.at_level(logging.DEBUG):
        on_wire(None, use)
    assert "SECRET" not in caplog.text
