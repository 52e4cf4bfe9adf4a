"""Fetching a reference from a real server: what comes through, and what is refused on the way."""

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from artifacts.fetch import Fetcher, Refused
from artifacts.intake import Unusable
from artifacts.public_transport import PublicTransport
from artifacts.public_url import Address, is_public_address
from artifacts.resolving import resolve_public, system_resolver

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "png")
    return out.getvalue()


PNG = png()
LOOPBACK = IPv4Address("127.0.0.1")


def only_loopback(address: Address) -> bool:
    """Tests reach the server on this machine; everything else is as forbidden as ever."""
    return address == LOOPBACK


@dataclass
class Site:
    """A server that sends exactly these bytes for a path, and remembers what it was asked."""

    port: int = 0
    answers: dict[str, bytes | Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=lambda: {"pictures.example": ["127.0.0.1"]})
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "pictures.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
        self.answers[path] = head.encode()

    def sends(self, path: str, content: bytes, *headers: str, status: int = 200) -> None:
        lines = [f"HTTP/1.1 {status} OK", f"Content-Length: {len(content)}", *headers, "", ""]
        self.answers[path] = "\r\n".join(lines).encode() + content

    async def resolver(self, host: str) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError(f"{host} is not known")
        return self.names[host]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            answer = self.answers.get(request.split()[1], b"HTTP/1.1 404 Not Found\r\n\r\n")
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Authority:
    """A certificate authority of this test run."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def client_context(self) -> ssl.SSLContext:
        """Trusts this authority only."""
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def server_context(self, host: str, folder: Path) -> ssl.SSLContext:
        """Presents a certificate for this host."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = (
            self._builder(name, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = folder / "server.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .issuer_name(self._name)
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()


@pytest.fixture
async def fetcher(site: Site) -> AsyncIterator[Fetcher]:
    async with Fetcher(
        resolver=site.resolver, allow=only_loopback, max_bytes=10_000, timeout_s=20
    ) as fetcher:
        yield fetcher


async def refusal(fetcher: Fetcher, url: str) -> Refused:
    with pytest.raises(Refused) as refused:
        await fetcher.fetch(url)
    return refused.value


async def test_a_picture_is_fetched_and_inspected(site: Site, fetcher: Fetcher) -> None:
    site.sends("/cat.png?size=2", PNG, "Content-Type: text/html")
    fetched = await fetcher.fetch(site.url("/cat.png?size=2") + "#top")
    assert fetched.content == PNG
    assert (fetched.inspected.content_type, fetched.inspected.width) == ("image/png", 30)


async def test_the_server_learns_the_name_and_nothing_of_ours(site: Site, fetcher: Fetcher) -> None:
    site.sends("/cat.png", PNG, "Set-Cookie: a=b")
    await fetcher.fetch(site.url("/cat.png"))
    await fetcher.fetch(site.url("/cat.png"))
    for request in site.requests:
        assert f"Host: pictures.example:{site.port}\r\n" in request
        assert "Accept-Encoding: identity" in request
        assert "cookie" not in request.lower()
        assert "authorization" not in request.lower()


async def test_no_proxy_is_asked(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.sends("/cat.png", PNG)
    async with Fetcher(resolver=site.resolver, allow=only_loopback) as anew:
        assert (await anew.fetch(site.url("/cat.png"))).content == PNG


async def test_a_picture_without_a_length_is_fetched(site: Site, fetcher: Fetcher) -> None:
    site.answers["/closed"] = b"HTTP/1.1 200 OK\r\n\r\n" + PNG
    size = f"{len(PNG):x}".encode()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.answers["/chunked"] = head + size + b"\r\n" + PNG + b"\r\n0\r\n\r\n"
    assert (await fetcher.fetch(site.url("/closed"))).content == PNG
    assert (await fetcher.fetch(site.url("/chunked"))).content == PNG


async def test_what_is_no_picture_is_unusable(site: Site, fetcher: Fetcher) -> None:
    site.sends("/cat.png", b"<html>secret</html>", "Content-Type: image/png")
    with pytest.raises(Unusable) as refused:
        await fetcher.fetch(site.url("/cat.png"))
    assert refused.value.code == "unsupported_media"
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(site: Site, fetcher: Fetcher, status: int) -> None:
    site.redirect("/old/here", "../cat.png", status)
    site.sends("/cat.png", PNG)
    assert (await fetcher.fetch(site.url("/old/here"))).content == PNG


async def test_five_redirects_are_followed_and_six_are_not(site: Site, fetcher: Fetcher) -> None:
    for hop in range(6):
        site.redirect(f"/{hop}", f"/{hop + 1}")
    site.sends("/6", PNG)
    assert (await fetcher.fetch(site.url("/1"))).content == PNG
    refused = await refusal(fetcher, site.url("/0"))
    assert refused.code == "reference_unreachable"
    assert "more than 5 times" in refused.message


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://inside.example/", "reference_not_public"),
        ("http://127.0.0.1:{port}/secret", "reference_not_public"),
        ("http://localhost:{port}/secret", "reference_not_public"),
        ("http://[::1]:{port}/secret", "reference_not_public"),
        ("http://2130706433:{port}/secret", "reference_not_public"),
        ("http://169.254.169.254/latest/meta-data/", "reference_not_public"),
        ("http://metadata.google.internal/", "reference_not_public"),
        ("file:///etc/passwd", "reference_scheme"),
        ("ftp://pictures.example/", "reference_scheme"),
        ("http://user@pictures.example:{port}/secret", "reference_scheme"),
        ("http://[::1/", "reference_unreachable"),
    ],
)
async def test_no_redirect_leads_inside(
    site: Site, fetcher: Fetcher, target: str, code: str
) -> None:
    site.names["inside.example"] = ["10.0.0.1"]
    site.redirect("/cat.png", target.format(port=site.port))
    site.sends("/secret", PNG)
    assert (await refusal(fetcher, site.url("/cat.png"))).code == code
    assert len(site.requests) == 1


async def test_a_name_is_refused_when_one_of_its_addresses_is_inside(
    site: Site, fetcher: Fetcher
) -> None:
    site.names["pictures.example"] = ["127.0.0.1", "10.0.0.1"]
    site.sends("/cat.png", PNG)
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_not_public"
    assert not site.requests


async def test_a_name_that_changes_its_address_is_asked_once_for_each_hop(
    site: Site, fetcher: Fetcher
) -> None:
    """DNS rebinding: the address that was checked is the one that is connected to."""

    async def rebind(writer: asyncio.StreamWriter) -> None:
        site.names["pictures.example"] = ["10.0.0.1"]
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(PNG)}\r\n\r\n"
        writer.write(head.encode() + PNG)

    site.answers["/cat.png"] = rebind
    await fetcher.fetch(site.url("/cat.png"))
    assert site.asked == ["pictures.example"]
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_not_public"


async def test_by_default_this_machine_is_out_of_reach(site: Site) -> None:
    async with Fetcher(resolver=site.resolver) as careful:
        refused = await refusal(careful, site.url("/cat.png"))
    assert refused.code == "reference_not_public"
    assert not site.requests


async def test_the_next_address_is_tried_when_one_does_not_answer(site: Site) -> None:
    site.names["pictures.example"] = ["::1", "127.0.0.1"]
    site.sends("/cat.png", PNG)
    async with Fetcher(resolver=site.resolver, allow=lambda _: True) as fetcher:
        assert (await fetcher.fetch(site.url("/cat.png"))).content == PNG


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 404, 500])
async def test_any_other_answer_is_no_picture(site: Site, fetcher: Fetcher, status: int) -> None:
    site.answers["/cat.png"] = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()
    refused = await refusal(fetcher, site.url("/cat.png"))
    assert refused.code == "reference_unreachable"
    assert f"it answered {status}" in refused.message


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_no_picture(site: Site, fetcher: Fetcher, answer: bytes) -> None:
    site.answers["/cat.png"] = answer
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_unreachable"


async def test_a_compressed_answer_is_refused(site: Site, fetcher: Fetcher) -> None:
    site.sends("/cat.png", gzip.compress(bytes(9_000_000)), "Content-Encoding: gzip")
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_unreachable"


async def test_too_much_is_refused_by_its_declared_length(site: Site, fetcher: Fetcher) -> None:
    site.answers["/cat.png"] = b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n"
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_too_large"


async def test_an_endless_answer_is_left_at_the_cap(site: Site, fetcher: Fetcher) -> None:
    hung_up = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(4096))
                await writer.drain()
        finally:
            hung_up.set()

    site.answers["/cat.png"] = endless
    assert (await refusal(fetcher, site.url("/cat.png"))).code == "reference_too_large"
    await asyncio.wait_for(hung_up.wait(), 10)


async def test_a_server_that_takes_its_time_is_left(site: Site) -> None:
    done = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await done.wait()

    site.answers["/cat.png"] = silent
    async with Fetcher(resolver=site.resolver, allow=only_loopback, timeout_s=0.2) as hasty:
        refused = await refusal(hasty, site.url("/cat.png"))
    done.set()
    assert refused.code == "reference_unreachable"
    assert "within 0.2 s" in refused.message


async def test_a_server_that_trickles_does_not_stretch_the_time(site: Site) -> None:
    """A timeout for each read alone would never end: every read gets something."""

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    site.answers["/cat.png"] = trickle
    async with Fetcher(resolver=site.resolver, allow=only_loopback, timeout_s=0.3) as hasty:
        assert (await refusal(hasty, site.url("/cat.png"))).code == "reference_unreachable"


async def test_a_resolver_that_hangs_does_not_stretch_the_time() -> None:
    async def hanging(host: str) -> list[str]:
        await asyncio.Event().wait()
        return [host]

    async with Fetcher(resolver=hanging, timeout_s=0.05) as hasty:
        refused = await refusal(hasty, "http://pictures.example/cat.png")
    assert refused.code == "reference_unreachable"


async def test_nobody_listening_is_unreachable(fetcher: Fetcher) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    refused = await refusal(fetcher, f"http://pictures.example:{port}/cat.png")
    assert refused.code == "reference_unreachable"
    assert "can't be connected to" in refused.message


async def test_an_unknown_name_is_unreachable(site: Site, fetcher: Fetcher) -> None:
    refused = await refusal(fetcher, site.url("/cat.png", host="nowhere.example"))
    assert refused.code == "reference_unreachable"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.mark.parametrize(
    ("certified", "reached"), [("pictures.example", True), ("other.example", False)]
)
async def test_the_certificate_must_be_for_the_name_though_the_address_is_pinned(
    authority: Authority, tmp_path: Path, certified: str, reached: bool
) -> None:
    heard: list[str | None] = []
    site = Site()
    site.sends("/cat.png", PNG)
    tls = authority.server_context(certified, tmp_path)
    tls.sni_callback = lambda _, name, __: heard.append(name)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    async with Fetcher(
        resolver=site.resolver, allow=only_loopback, tls=authority.client_context()
    ) as fetcher:
        url = site.url("/cat.png", scheme="https")
        if reached:
            assert (await fetcher.fetch(url)).content == PNG
        else:
            assert (await refusal(fetcher, url)).code == "reference_unreachable"
    server.close()
    assert heard == ["pictures.example"]


async def test_a_literal_address_is_resolved_to_itself() -> None:
    assert await resolve_public("1.1.1.1") == [ip_address("1.1.1.1")]
    with pytest.raises(Refused) as refused:
        await resolve_public("10.0.0.1")
    assert refused.value.code == "reference_not_public"


@pytest.mark.parametrize(
    ("addresses", "code"),
    [
        ([], "reference_unreachable"),
        (["fe80::1%eth0"], "reference_not_public"),
        (["8.8.8.8", "::ffff:127.0.0.1"], "reference_not_public"),
        (["nonsense"], "reference_not_public"),
    ],
)
async def test_only_public_addresses_come_out(addresses: list[str], code: str) -> None:
    async def resolver(_: str) -> list[str]:
        return addresses

    with pytest.raises(Refused) as refused:
        await resolve_public("pictures.example", resolver=resolver, allow=is_public_address)
    assert refused.value.code == code


async def test_the_operating_systems_answer_is_checked_too() -> None:
    assert "127.0.0.1" in await system_resolver("127.0.0.1")
    for host in ("localhost", "2130706433", "0x7f.1"):
        with pytest.raises(Refused):
            await resolve_public(host)


async def test_a_connection_that_is_kept_serves_the_name_that_it_was_made_for(site: Site) -> None:
    """One address has many names: what was certified for one says nothing of another."""
    site.names["others.example"] = ["127.0.0.1"]
    asked: list[list[str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard: list[str] = []
        asked.append(heard)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while request := (await reader.readuntil(b"\r\n\r\n")).decode():
                heard.append(request.partition("Host: ")[2].partition(":")[0])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    transport = PublicTransport(
        tls=httpx2.create_ssl_context(),
        limits=httpx2.Limits(),
        resolver=site.resolver,
        allow=only_loopback,
    )
    async with httpx2.AsyncClient(transport=transport) as client:
        for host in ("pictures.example", "pictures.example", "others.example"):
            assert (await client.get(site.url("/", host))).text == "ok"
    server.close()
    assert asked == [["pictures.example"] * 2, ["others.example"]]
    assert site.asked == ["pictures.example", "others.example"]
