"""XMPP addresses, JIDs: `localpart@domainpart/resourcepart` (RFC 7622).

Most addresses are ASCII and are read by one regular expression. The others go through PRECIS (RFC 8265) and IDNA2008
(RFC 5891), whose tables are loaded when the first of them comes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

PART_MAX_BYTES = 1023
_DOMAIN_MAX_BYTES = 253  # RFC 1034, section 3.1, without the trailing dot and the root's length
_CACHED_TEXT_MAX_CHARS = 256  # longer texts are not kept, so the cache's memory has a bound

_LOCAL = r"[!#-%(-.0-9;=?A-Z\[-~]{1,1023}"  # printable ASCII but for the exclusions of section 3.3.1
_LABEL = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_RESOURCE = r"[ -~]{1,1023}"
_ASCII_JID = re.compile(rf"(?:({_LOCAL})@)?({_DOMAIN})(?:/({_RESOURCE}))?")
_ASCII_LOCAL = re.compile(_LOCAL)
_ASCII_DOMAIN = re.compile(_DOMAIN)
_ASCII_RESOURCE = re.compile(_RESOURCE)
_EXCLUDED_IN_LOCAL = re.compile("[\"&'/:<>@]")


class JidMalformed(ValueError):
    """The text is no JID; the stanza error is `jid-malformed` (RFC 6120, section 8.3.3.8)."""


class Jid(NamedTuple):
    """A JID whose parts are prepared: two of them are the same address exactly when they are equal.

    Attributes:
        local: the localpart, or `""`.
        domain: the domainpart with U-labels, or an IP address.
        resource: the resourcepart, or `""`.
    """

    local: str
    domain: str
    resource: str = ""

    @property
    def bare(self) -> str:
        """The text of the bare JID: without the resourcepart."""
        return f"{self.local}@{self.domain}" if self.local else self.domain

    def __str__(self) -> str:
        return f"{self.bare}/{self.resource}" if self.resource else self.bare


def parse(text: str) -> Jid:
    """Read a JID and prepare its parts (RFC 7622, section 3).

    Raises:
        JidMalformed: the text is no JID.
    """
    return _parse_cached(text) if len(text) <= _CACHED_TEXT_MAX_CHARS else _parse(text)


def bare_of(jid: str) -> str:
    """The bare JID of a JID that was read before, as text. A resourcepart may hold a slash, so the first one counts
    (section 3.1).
    """
    return jid.partition("/")[0]


def _parse(text: str) -> Jid:
    match = _ASCII_JID.fullmatch(text)
    if match and match.end(2) - match.start(2) <= _DOMAIN_MAX_BYTES:
        local, domain, resource = match.groups(default="")
        return Jid(local.lower(), domain.lower(), resource)
    before, slash, resource = text.partition("/")  # the slash goes first: a resourcepart may hold "@" (section 3.1)
    local, at, domain = before.partition("@")
    return Jid(
        local=prepare_local(local) if at else "",
        domain=prepare_domain(domain if at else before),
        resource=prepare_resource(resource) if slash else "",
    )


_parse_cached = lru_cache(maxsize=8192)(_parse)


def prepare_local(text: str) -> str:
    """A localpart in its one canonical form (RFC 7622, section 3.3).

    Raises:
        JidMalformed: it cannot be a localpart.
    """
    if _ASCII_LOCAL.fullmatch(text):
        return text.lower()
    local = _enforce("UsernameCaseMapped", text, "localpart")
    if _EXCLUDED_IN_LOCAL.search(local):  # looked for last, because width mapping can make one of them
        raise JidMalformed("A localpart holds none of \" & ' / : < > @")
    return local


def prepare_resource(text: str) -> str:
    """A resourcepart in its one canonical form (RFC 7622, section 3.4).

    Raises:
        JidMalformed: it cannot be a resourcepart.
    """
    return text if _ASCII_RESOURCE.fullmatch(text) else _enforce("OpaqueString", text, "resourcepart")


def prepare_domain(text: str) -> str:
    """A domainpart in its one canonical form: lower case, U-labels, no trailing dot (RFC 7622, section 3.2).

    Raises:
        JidMalformed: it is neither an internationalised domain name nor an IP address.
    """
    if _ASCII_DOMAIN.fullmatch(text) and len(text) <= _DOMAIN_MAX_BYTES:
        return text.lower()
    if text.startswith("["):
        return _prepare_ipv6(text)
    if not 0 < len(text) <= PART_MAX_BYTES:
        raise JidMalformed("The domainpart has a wrong length")
    mapped = unicodedata.normalize("NFC", "".join(map(_narrow, text.lower())))  # RFC 5895, section 2
    return _decode_domain(mapped)


def _prepare_ipv6(text: str) -> str:
    try:
        if not text.endswith("]") or "%" in text:  # a zone means something on one host alone
            raise AddressValueError
        return f"[{IPv6Address(text[1:-1])}]"
    except AddressValueError:
        raise JidMalformed("The domainpart is no IPv6 address") from None


def _narrow(character: str) -> str:
    """The usual form of a fullwidth or halfwidth character."""
    kind, _, code_point = unicodedata.decomposition(character).partition(" ")
    return chr(int(code_point, 16)) if kind in ("<wide>", "<narrow>") else character


def _decode_domain(text: str) -> str:
    import idna  # noqa: PLC0415 - its tables are large and seldom needed

    try:
        domain = idna.decode(text)
        domain = domain.removesuffix(".")
        idna.encode(domain)  # checks the lengths of labels and name in their encoded form
    except UnicodeError:
        raise JidMalformed("The domainpart is no internationalised domain name") from None
    return domain


@lru_cache(maxsize=2)
def _profile(name: str) -> Profile:
    from precis_i18n import get_profile  # noqa: PLC0415 - its tables are large and seldom needed

    return get_profile(name)


def _enforce(profile: str, text: str, part: str) -> str:
    if not 0 < len(text) <= PART_MAX_BYTES:
        raise JidMalformed(f"The {part} has a wrong length")
    try:
        prepared = _profile(profile).enforce(text)
    except UnicodeError:
        raise JidMalformed(f"The {part} holds characters that it may not") from None
    if len(prepared.encode()) > PART_MAX_BYTES:
        raise JidMalformed(f"The {part} has more than {PART_MAX_BYTES} bytes")
    return prepared
