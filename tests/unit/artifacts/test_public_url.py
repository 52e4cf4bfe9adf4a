"""Which URLs may be fetched at all, told from their text."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.public_url import Refused, check_public_url, is_public_address

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"]


def refusal(url: str) -> str | None:
    """The code a URL is refused with, None when it may be fetched."""
    try:
        check_public_url(url)
    except Refused as refused:
        return refused.code
    return None


def host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public_address(ip_address(address))
    assert refusal(f"http://{host(address)}/cat.png") == "reference_not_public"
    assert refusal(f"https://{host(address)}:8443/cat.png") == "reference_not_public"


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public_address(ip_address(address))
    assert refusal(f"http://{host(address)}:8080/cat.png") is None


@given(st.ip_addresses(v=4))
def test_nat64_is_as_public_as_the_address_behind_it(address: IPv4Address) -> None:
    wrapped = IPv6Address((0x64FF9B << 96) | int(address))
    assert is_public_address(wrapped) == is_public_address(address)


@given(st.ip_addresses())
def test_what_is_public_is_also_global(address: IPv4Address | IPv6Address) -> None:
    assert address.is_global or not is_public_address(address)


@given(st.ip_addresses(v=4))
def test_an_address_in_disguise_is_refused_whatever_it_stands_for(address: IPv4Address) -> None:
    number = int(address)
    first, second, third, fourth = address.packed
    disguises = [
        f"{number}",
        f"0x{number:x}",
        f"0{number:o}",
        f"{first}.{number & 0xFFFFFF}",
        f"{first}.{second}.{number & 0xFFFF}",
        f"0x{first:x}.{second}.{third}.{fourth}",
        f"{first:#06x}.1",
        f"{first:04o}.{second}.{third}.{fourth}",
        f"{first}.{second}.{third}.0{fourth}",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"{first}.{second}.{third}.{fourth}.5",
    ]
    for disguise in disguises:
        assert refusal(f"http://{disguise}/") is not None, disguise
        assert refusal(f"http://{disguise}.:80/") is not None, disguise


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
        "http://localhost/",
        "http://LOCALHOST:8400/",
        "http://localhost./",
        "http://a.localhost/",
        "http://metadata/computeMetadata/v1/",
        "http://metadata.google.internal/",
        "http://nats:8222/",
        "http://printer.local/",
        "http://router.lan/",
        "http://nas.home.arpa/",
        "http://%31%32%37.0.0.1/",
        "http://pictures..example/",
        "http://-a.example/",
        "http://pictures\u3002internal/",
        "http://" + "a." * 127 + "example/",
        "http://pictures.example%00/",
        "http://[fe80::1%25eth0]/",
    ],
)
def test_a_name_that_only_means_something_inside_is_refused(url: str) -> None:
    assert refusal(url) == "reference_not_public"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cat.png",
        "//pictures.example/cat.png",
        "ftp://pictures.example/cat.png",
        "file:///etc/passwd",
        "gopher://pictures.example/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///cat.png",
        "http://user@pictures.example/",
        "http://user:secret@pictures.example/",
        "http://pictures.example\\@127.0.0.1/",
        "http://127.0.0.1\\.pictures.example/",
        "http://pictures.example:0/",
        "http://pictures.example:65536/",
        "http://pictures.example:port/",
        "http://[::1/",
        "http://pictures.example/\r\nHost: x",
        "http://①②⑦.0.0.1/",
        "https://pictures.example/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_http_address_is_refused(url: str) -> None:
    assert refusal(url) == "reference_scheme"


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example/cat.png",
        "HTTPS://Pictures.Example/cat.png?size=2#top",
        "https://pictures.example.:8443/",
        "https://bücher.example/ü.png",
        "https://xn--bcher-kva.example/",
        "https://my_bucket.pictures.example/a%20b.png",
        "https://3.pictures.example/",
        "https://localhost.pictures.example/",
    ],
)
def test_a_public_name_may_be_fetched(url: str) -> None:
    assert refusal(url) is None


def test_a_refusal_says_what_to_do() -> None:
    for url in ("http://10.0.0.1/", "ftp://pictures.example/"):
        with pytest.raises(Refused, match="or upload the file"):
            check_public_url(url)


@given(st.text(max_size=60))
def test_any_text_is_accepted_or_refused_and_nothing_else(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}.example/", f"http://a.example/{text}"):
        refusal(url)
