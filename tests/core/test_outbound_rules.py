"""Which addresses a node may be sent to: every disguise of an address that is not public is seen through."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import outbound
from heliograph.core.outbound import Reach, Target
from heliograph.errors import RemoteRefused

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.167.255.255", "2606:4700::1111", "2a00:1450::1"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.19.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c:0:fbff:f5ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:10.0.0.1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(address: str) -> None:
    assert outbound.admitted([address], 443, Reach()) == [address]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_any_other_address_is_not(address: str) -> None:
    with pytest.raises(RemoteRefused):
        outbound.admitted([address], 443, Reach())


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_an_ipv6_form_is_never_called(address: IPv4Address) -> None:
    number = int(address)
    forms = [number, 0xFFFF << 32 | number, 0x0064FF9B << 96 | number, 0x2002 << 112 | number << 80]
    for form in (*forms, 0x20010000 << 96 | number ^ 0xFFFFFFFF):
        assert not outbound.is_public(str(IPv6Address(form)))


def test_one_address_that_is_not_public_spoils_a_name() -> None:
    with pytest.raises(RemoteRefused):
        outbound.admitted(["1.1.1.1", "10.0.0.1"], 443, Reach())
    with pytest.raises(RemoteRefused):
        outbound.admitted([], 443, Reach())
    assert outbound.admitted(["1.1.1.1", "1.1.1.1", "8.8.8.8"], 80, Reach()) == ["1.1.1.1", "8.8.8.8"]


@pytest.mark.parametrize("port", [0, 22, 25, 6379, 8080, 65535])
def test_only_the_ports_of_the_web_are_called(port: int) -> None:
    with pytest.raises(RemoteRefused):
        outbound.admitted(["1.1.1.1"], port, Reach())


def test_an_operator_may_open_a_network_of_their_own_on_any_port() -> None:
    reach = Reach(networks=(ip_network("10.0.0.0/8"), ip_network("::1/128")))
    assert outbound.admitted(["10.9.8.7", "::1"], 6000, reach) == ["10.9.8.7", "::1"]
    for address in ("127.0.0.1", "::ffff:10.9.8.7", "1.1.1.1"):
        with pytest.raises(RemoteRefused):
            outbound.admitted([address], 6000, reach)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://chat.example", Target("https", "chat.example", 443, "/")),
        ("HTTP://Chat.Example.:80/a.png?x=1#top", Target("http", "chat.example", 80, "/a.png?x=1")),
        ("https://[2606:4700:0::1111]:443/", Target("https", "2606:4700::1111", 443, "/")),
        ("http://1.1.1.1", Target("http", "1.1.1.1", 80, "/")),
        ("https://bücher.example/ü.png", Target("https", "xn--bcher-kva.example", 443, "/%C3%BC.png")),
        ("https://chat.example:8443/%2e%2e", Target("https", "chat.example", 8443, "/%2e%2e")),
    ],
)
def test_an_address_is_taken_apart(url: str, target: Target) -> None:
    assert outbound.parse(url) == target
    assert outbound.parse(target.url) == target


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "127.0.0.1.5",
        "a.0x",
        "1.1.1.256",
        "\uff11\uff12\uff17.1",
        "127\u30021",
        "[::1%25lo]",
        "[::ffff:7f00:1",
        "[127.0.0.1]",
        "[v1.a]",
        "",
        ".",
        "a..b",
        "-a.example",
        "a_.example-",
        "a%2eb",
        "127.0.0.1%00.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "exa\u0000mple",
        "\u2100.example",
        "chat.example:port",
        "chat.example:70000",
    ],
)
def test_a_host_that_others_may_read_otherwise_is_refused(host: str) -> None:
    with pytest.raises(RemoteRefused):
        outbound.parse(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chat.example",
        "//chat.example",
        "ftp://chat.example/",
        "file:///etc/passwd",
        "gopher://chat.example/",
        "data:image/png,x",
        "http:/chat.example",
        "http:chat.example",
        "http://user@chat.example/",
        "http://user:pass@chat.example/",
        "http://chat.example@127.0.0.1/",
        "http://@chat.example/",
        "http://127.0.0.1\\@chat.example/",
        "http://chat.example\\.evil/",
        "http://chat.example/\r\nHost: evil",
        "http://chat.example/ x",
        "http://chat.example/\x7f",
        " http://chat.example/",
        "http://chat.example/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(RemoteRefused):
        outbound.parse(url)


@given(st.text(max_size=60))
def test_a_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://chat.example/{text}"):
        try:
            found = outbound.parse(url)
        except RemoteRefused:
            continue
        assert found.url.isascii()
        assert outbound.parse(found.url) == found


def test_a_redirect_is_judged_like_any_address() -> None:
    start = outbound.parse("https://chat.example/a/b?c")
    assert outbound.redirected(start, "/d").url == "https://chat.example:443/d"
    assert outbound.redirected(start, "e").url == "https://chat.example:443/a/e"
    assert outbound.redirected(start, "//other.example/").host == "other.example"
    for location in ("http://chat.example/", "https://u@chat.example/", "file:///x", "https://0x7f.1/", "javascript:x"):
        with pytest.raises(RemoteRefused):
            outbound.redirected(start, location)
