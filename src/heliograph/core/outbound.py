"""Calls to servers of others, at addresses that users or apps choose: which addresses a node may be sent to.

Whoever names an address could have the node call what stands beside it: its own services, its neighbours, the cloud's
metadata (server-side request forgery, CWE-918). So an address is taken apart strictly here, and where the name in it
leads is judged by number, after the look-up and for the very connection. The ranges come from the IANA registries of
special-purpose addresses (RFC 6890).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urljoin, urlsplit

import idna

from heliograph.errors import RemoteRefused

URL_MAX_BYTES = 2048
PUBLIC_PORTS = frozenset((80, 443))
"""The ports of the web; a call to any other port could speak to another kind of service."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~%]+")
"""The characters of RFC 3986, so no white space, control character, backslash, quotation mark or angle bracket."""
_ASCII = "".join(map(chr, range(128)))
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_LOOKS_LIKE_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
"""A last label that old resolvers read as a number (WHATWG URL, section 3.5, "ends in a number")."""

_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's NAT; Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's platform service
            "169.254.0.0/16",  # link-local, with the metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
"""All that is public; so ::1, mapped and compatible IPv4, NAT64 (64:ff9b::), unique local, link-local and multicast
addresses lie outside.
"""
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "3fff::/20",  # documentation
        ),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)
"""The first half of an interface id that holds an IPv4 address (RFC 5214, section 6.1)."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reach:
    """Where calls may go.

    Attributes:
        ports: the ports that may be called.
        networks: networks that may be called although they are not public, on any port: the operator's own choice.
    """

    ports: frozenset[int] = PUBLIC_PORTS
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart.

    Attributes:
        scheme: `http` or `https`.
        host: a name in its ASCII form, or an IP address without brackets.
        port: the port.
        path: path and query, beginning with a slash.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address as text."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    Attributes:
        method: the HTTP method.
        url: an http or https address, as it was given.
        headers: what to send beside `Host`; no credentials are ever added.
        body: what to send.
        max_bytes: the largest body that is read.
        timeout_s: for all of it, with name look-up and redirects.
        max_redirects: how many redirects are followed, with GET only; 0 for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    max_bytes: int = 64 * 1024
    timeout_s: float = 10.0
    max_redirects: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name; of several with one name the last.
        body: as it was sent, decoded from nothing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def parse(url: str) -> Target:
    """Take an address apart.

    Raises:
        RemoteRefused: it is not http or https, names a user, or writes its host in a form that others read otherwise.
    """
    text = _ascii_form(url)
    if len(text) > URL_MAX_BYTES or not _URL_CHARACTERS.fullmatch(text):
        raise RemoteRefused("The address holds characters that no address has")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RemoteRefused("The address cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise RemoteRefused("Only http and https addresses are called")
    if "@" in parts.netloc:
        raise RemoteRefused("An address with a user in it is not called")
    if parts.netloc.startswith("[") and ":" not in parts.hostname:
        raise RemoteRefused("The IP address is not in its usual form")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, _host(parts.hostname), _DEFAULT_PORTS[parts.scheme] if port is None else port, path)


def _ascii_form(url: str) -> str:
    """The address with letters from anywhere as they travel: the host in its IDNA form (RFC 5891), which is what is
    looked up, the rest percent-encoded (RFC 3987, section 3.1).
    """
    if url.isascii():
        return url
    start, slashes, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host, colon, port = authority.partition(":")
    try:
        host = idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise RemoteRefused("The host of the address is not a name") from None
    return f"{start}{slashes}{host}{colon}{port}{quote(rest[len(authority) :], safe=_ASCII)}"


def _host(host: str) -> str:
    """A host in the one form that everybody reads alike."""
    name = host.lower().removesuffix(".")
    try:
        if ":" in name:
            return str(IPv6Address(name if "%" not in name else ""))
        if _LOOKS_LIKE_A_NUMBER.fullmatch(name):
            return str(IPv4Address(name))  # strict: four decimal numbers without leading zeros
    except AddressValueError:
        raise RemoteRefused("The IP address is not in its usual form") from None
    if not _HOST_NAME.fullmatch(name):
        raise RemoteRefused("The host of the address is not a name")
    return name


def redirected(target: Target, location: str) -> Target:
    """Where a redirect leads.

    Raises:
        RemoteRefused: as for `parse`; or it leads from https to http.
    """
    found = parse(urljoin(target.url, location))
    if target.scheme == "https" and found.scheme == "http":
        raise RemoteRefused("A redirect leads from https to http")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_V4)
    is_isatap = (int(found) >> 32) & 0xFFFFFFFF in _ISATAP
    return found in _GLOBAL_UNICAST_V6 and not is_isatap and not any(found in network for network in _NOT_PUBLIC_V6)


def admitted(addresses: Iterable[str], port: int, reach: Reach) -> list[str]:
    """The IP addresses to connect to, of those that a name stands for, each once.

    One that may not be called spoils all: a name of the public internet has no such address beside it.

    Args:
        addresses: what the look-up gave, or the one that the host is.
        port: the port to be called.
        reach: where calls may go.

    Raises:
        RemoteRefused: there is none, or one of them may not be called.
    """
    found = list(dict.fromkeys(addresses))
    for address in found:
        if any(ip_address(address) in network for network in reach.networks):
            continue
        if not is_public(address):
            raise RemoteRefused("The address does not lead to the public internet")
        if port not in reach.ports:
            raise RemoteRefused("The port is not one of the web")
    if not found:
        raise RemoteRefused("The name stands for no address")
    return found
