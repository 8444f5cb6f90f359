"""Finding users by the telephone numbers of a phone book, where they have agreed to be found.

A client sends no number but its hash, under the app's JID domain as the salt, and learns which of them are those of
users who have agreed. Nothing of what it sends is kept. That hides the numbers of people who are no users from what is
stored and logged. It does not hide them from whoever runs the node and wants to know: there are too few telephone
numbers for any hash to hide one from somebody who tries them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import blocking, limits, profiles, rate_limits
from heliograph.core.profile_fields import e164
from heliograph.core.rate_limits import Draw, Rate
from heliograph.core.user_jids import are_of_one_app, domain_of
from heliograph.errors import AccountNotFound, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.ports import Ports
    from heliograph.core.profiles import Profile

NUMBERS_PER_ACCOUNT = Rate(per_minute=10_000 / 1440, burst=10_000)
"""Numbers that one user looks for: 10,000 a day, so that nobody asks through all numbers that there are."""

_LABEL = "heliograph-phone-book"


@dataclass(frozen=True, slots=True)
class Discoverability:
    """Whether a user can be found by telephone number.

    Attributes:
        is_findable: the user has agreed to it.
        has_number: there is a number in the profile to find the user by.
    """

    is_findable: bool
    has_number: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A user who was found: the hash as it was sent, and what the finder may see of the profile."""

    text: str
    profile: Profile


# --------------------------------------------------------------------------------------------------------------- rules


def digest(domain: str, number: str) -> bytes:
    """The hash of a number in E.164 form with its `+`, under the JID domain of the app and environment."""
    return hashlib.sha256(f"{_LABEL}:{domain}:{number}".encode()).digest()


def digest_of(profile: Profile) -> bytes | None:
    """The hash of the number in a profile; `None` where there is none."""
    return digest(domain_of(profile.jid), e164(profile.mobile)) if profile.mobile else None


def text_of(hashed: bytes) -> str:
    """A hash as clients write it: base64url without padding."""
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def parse(text: str) -> bytes:
    """The hash that a client has written.

    Raises:
        RequestInvalid: it is no SHA-256 in base64url without padding.
    """
    try:
        hashed = base64.b64decode(f"{text}=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        hashed = b""
    if len(hashed) != hashlib.sha256().digest_size:
        raise RequestInvalid("A hash is a SHA-256 in base64url without padding", details={"field": "hashes"})
    return hashed


# ----------------------------------------------------------------------------------------------------------- use cases


async def discoverability(ports: Ports, jid: str) -> Discoverability:
    """Whether a user can be found.

    Raises:
        AccountNotFound: there is no such user.
    """
    is_findable, profile = await ports.phone_book.is_findable(jid), await ports.profiles.lookup(jid)
    if is_findable is None or profile is None:
        raise AccountNotFound
    return Discoverability(is_findable, bool(profile.mobile))


async def set_discoverability(ports: Ports, jid: str, *, is_findable: bool) -> Discoverability:
    """Let a user be found by telephone number, or not any more.

    Raises:
        AccountNotFound: there is no such user.
    """
    await ports.phone_book.set_findable(jid, is_findable=is_findable)
    return await discoverability(ports, jid)


async def match(ports: Ports, viewer: str, texts: Sequence[str]) -> list[Match]:
    """The users who can be found by these hashes; not the viewer, and nobody whom blocking keeps apart from the viewer.

    Raises:
        RequestInvalid: there are more than 5,000, or one is no hash.
        RateLimited: the viewer has looked for too many of late.
    """
    asked = {parse(text): text for text in texts}
    if len(asked) > limits.CONTACT_IMPORT_MAX:
        text = f"At most {limits.CONTACT_IMPORT_MAX} numbers are looked for at once"
        raise RequestInvalid(text, details={"field": "hashes", "max": limits.CONTACT_IMPORT_MAX})
    if not asked:
        return []
    rate = rate_limits.weighted(NUMBERS_PER_ACCOUNT, len(asked))
    await rate_limits.check(ports, Draw(f"phone-book:account:{viewer}", rate))
    apart = await blocking.apart_from(ports, viewer)
    watching = {item.jid: item for item in await ports.contacts.roster(viewer)}
    found = []
    for hashed, profile in await ports.phone_book.find(list(asked)):
        is_near = are_of_one_app(profile.jid, viewer)  # a client can hash under the domain of another app
        if is_near and profile.jid != viewer and not apart.covers(profile.jid):
            seen = profiles.redact(profile, profiles.seen_as(watching.get(profile.jid)))
            found.append(Match(asked[hashed], seen))
    return found
