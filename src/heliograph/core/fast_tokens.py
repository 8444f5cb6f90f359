"""Tokens with which a client signs in again in one round trip (XEP-0484): bound to a session and one of its clients.

A client has two slots. A new token goes into `next` and leaves `current` alone, since it may never arrive; the first
use of it moves it to `current`. So a client that lost an answer still has a token, and a token that was followed by
another is dead once that one was used.

The database holds no token: one is derived from a secret of the installation and from what stands in its slot. The
mechanism needs the token itself for each check, so a hash would not do.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.errors import TokenExpired, TokenRevoked
from heliograph.xmpp.date_time import stamp

if TYPE_CHECKING:
    from heliograph.core.accounts import Account
    from heliograph.core.ports import Ports

_PREFIX = "hgf_"


@dataclass(frozen=True, slots=True)
class FastToken:
    """What is kept of a token. Times are seconds since the epoch.

    Attributes:
        salt: random, by which it is told from others.
        mechanism: the only one that may use it.
        count: the highest count that came with a use of it.
    """

    salt: bytes
    mechanism: str
    issued_at: float
    expires_at: float
    count: int = 0


@dataclass(frozen=True, slots=True)
class FastSlots:
    """The tokens of one client of a session."""

    current: FastToken | None = None
    next: FastToken | None = None

    @property
    def tokens(self) -> Sequence[FastToken]:
        """Those that it has, the newer first."""
        return tuple(token for token in (self.next, self.current) if token is not None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client that has shown who it is wants of its tokens.

    Attributes:
        used: the salt of the token that it has used, or `None`.
        count: what it counts its uses with (XEP-0484, section 3.4).
        is_last: whether its tokens are to be worth nothing from now on (section 3.6).
        mechanism: what it wants a new token for, or `None`.
    """

    used: bytes | None = None
    count: int | None = None
    is_last: bool = False
    mechanism: str | None = None


def text(secret: bytes, session_id: str, client: str, token: FastToken) -> str:
    """A token as its client has it.

    Args:
        secret: of the installation.
        session_id: whose token it is.
        client: the id of the installation of the client.
        token: what is kept of it.
    """
    said = f"fast\0{session_id}\0{client}\0{token.mechanism}\0".encode() + token.salt
    return _PREFIX + base64.urlsafe_b64encode(hmac.digest(secret, said, "sha256")).rstrip(b"=").decode()


def use(slots: FastSlots, wish: Wish, now: float) -> FastSlots:
    """The slots after a token was used (XEP-0484, sections 3.5 and 5.1).

    Raises:
        TokenRevoked: the token is there no longer, or the use was counted before.
        TokenExpired: its time is over.
    """
    token = next((each for each in slots.tokens if each.salt == wish.used), None)
    if token is None:
        raise TokenRevoked
    if token.expires_at <= now:
        raise TokenExpired
    if wish.count is not None:
        if wish.count <= token.count:
            raise TokenRevoked("This use of the token was counted before")
        token = replace(token, count=wish.count)
    if wish.is_last:
        return FastSlots()
    is_next = slots.next is not None and slots.next.salt == token.salt
    return FastSlots(token) if is_next else replace(slots, current=token)


def settle(slots: FastSlots, wish: Wish, salt: bytes, now: float) -> FastSlots:
    """The slots after a sign-in: its token is used, and a new one is there if it is wanted or due.

    Raises:
        TokenRevoked, TokenExpired: as `use` does.
    """
    mechanism = wish.mechanism
    if wish.used is not None:
        slots = use(slots, wish, now)
        used = slots.current
        if mechanism is None and used is not None and now - used.issued_at >= limits.FAST_ROTATE_S:
            mechanism = used.mechanism
    if mechanism is None:
        return slots
    return replace(slots, next=FastToken(salt, mechanism, now, now + limits.FAST_TOKEN_TTL_S))


async def held(ports: Ports, jid: str, client: str) -> tuple[Account, list[tuple[str, FastSlots]]] | None:
    """The tokens that a client has of the live sessions of a user, with those whose time is over; `None` if none."""
    found = await ports.fast_tokens.lookup(jid, client)
    return None if found is None or found[0].is_expired(ports.clock.now()) else found


async def sign_in(ports: Ports, session_id: str, client: str, wish: Wish) -> FastToken | None:
    """Note a sign-in in the slots of its client, in one transaction; the new token, if there is one.

    Raises:
        TokenRevoked: the token was used up meanwhile, or the session has ended.
        TokenExpired: its time is over.
    """
    salt, now = ports.ids.random(limits.FAST_SALT_BYTES), ports.clock.now()
    slots = await ports.fast_tokens.change(session_id, client, lambda before: settle(before, wish, salt, now))
    return slots.next if slots.next is not None and slots.next.salt == salt else None


def expiry(token: FastToken) -> str:
    """When a token ends, in ISO 8601 and UTC: `2026-01-31T12:00:00Z`."""
    return stamp(token.expires_at)
