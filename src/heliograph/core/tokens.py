"""Access and refresh tokens: opaque, bound to a session, kept as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from heliograph.core import limits, opaque, rate_limits, sessions
from heliograph.core.sessions import EndReason, Session, Verifiers
from heliograph.errors import (
    AdminBlocked,
    AuthenticationFailed,
    SessionNotFound,
    TokenExpired,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
)

if TYPE_CHECKING:
    from heliograph.core.accounts import Account
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ids, Ports


class TokenKind(StrEnum):
    """An access token calls the API; a refresh token gets the next pair."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token at rest.

    Attributes:
        superseded_at: when a refresh token was exchanged; `None` where it was not.
        pair: of an access token, the hash of the refresh token that came with it; of a superseded refresh token, that
            of its successor, for as long as it can still be exchanged for another.
    """

    hash: bytes
    kind: TokenKind
    session_id: str
    expires_at: float
    superseded_at: float | None = None
    pair: bytes | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What the store finds for a rotation, inside its transaction: the refresh token that was shown, and the one that
    took its place, where `pair` names it.
    """

    token: TokenRecord
    successor: TokenRecord | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A decision: the rows that one rotation writes, all or none.

    Attributes:
        changed: refresh tokens with what is new of them.
        added: the new access token and the new refresh token.
        paired: the hash of a refresh token whose access tokens live no longer than `until`.
    """

    changed: tuple[TokenRecord, ...]
    added: tuple[TokenRecord, ...]
    paired: bytes
    until: float


class TokenReused(Exception):
    """A superseded refresh token came again, and it is no reply that was lost: it is in two hands."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets: two opaque strings and the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        return "TokenPair(…)"


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user: the app and environment that the key says, the account, and the session of the token."""

    caller: Caller
    account: Account
    session: Session


_DECOY = (("", Verifiers(b"", b"", b"", b"", bytes(32))),)
"""The verifiers of nobody: no password has this digest."""

_PREFIX = {TokenKind.ACCESS: "hgt_", TokenKind.REFRESH: "hgr_"}
_FORM = {kind: re.compile(prefix + opaque.SECRET_FORM) for kind, prefix in _PREFIX.items()}


def new_pair(ids: Ids, session_id: str, now: float) -> tuple[TokenPair, tuple[TokenRecord, TokenRecord]]:
    """An access and a refresh token for a session: as the client gets them, and as they are stored."""
    access = opaque.encode(_PREFIX[TokenKind.ACCESS], ids.random(limits.TOKEN_BYTES))
    refresh = opaque.encode(_PREFIX[TokenKind.REFRESH], ids.random(limits.TOKEN_BYTES))
    renewal = TokenRecord(opaque.digest(refresh), TokenKind.REFRESH, session_id, now + limits.REFRESH_TOKEN_TTL_S)
    expires_at = now + limits.ACCESS_TOKEN_TTL_S
    records = (
        TokenRecord(opaque.digest(access), TokenKind.ACCESS, session_id, expires_at, pair=renewal.hash),
        renewal,
    )
    return TokenPair(access, refresh, limits.ACCESS_TOKEN_TTL_S), records


def check_form(token: str | None, kind: TokenKind) -> str:
    """What was sent as a token, if it can be one of that kind.

    Raises:
        TokenMissing: there is none.
        TokenMalformed: it is something else.
    """
    if not token:
        raise TokenMissing
    if _FORM[kind].fullmatch(token) is None:
        raise TokenMalformed
    return token


def check_account(account: Account, caller: Caller, now: float) -> None:
    """Check that a token's account may call: of the caller's app and environment, not expired, not blocked.

    Raises:
        TokenRevoked: the account belongs elsewhere, or its time is over.
        AdminBlocked: the administrator has blocked it.
    """
    if (account.app_id, account.environment) != (caller.app.id, caller.environment) or account.is_expired(now):
        raise TokenRevoked
    if account.is_blocked:
        raise AdminBlocked


def decide_rotation(chain: Chain, added: tuple[TokenRecord, TokenRecord], now: float) -> Rotation:
    """Decide one exchange of a refresh token (RFC 9700, section 4.14.2).

    A reply can be lost on its way. So for a minute, and as long as its successor was not used, a superseded token can
    be exchanged once more; the pair of the lost reply is void then, and if somebody holds it after all, its next
    exchange is a re-use. The access token that is replaced lives a minute longer, for calls that are under way.

    Args:
        chain: what the store found.
        added: the new access and refresh token.
        now: seconds since the epoch.

    Raises:
        TokenExpired: the token's time is over.
        TokenReused: it was used before, and more than a reply was lost.
    """
    token, successor = chain.token, chain.successor
    if token.superseded_at is None:
        if token.expires_at <= now:
            raise TokenExpired
        used = replace(token, superseded_at=now, pair=added[1].hash)
        return Rotation((used,), added, token.hash, now + limits.ROTATION_GRACE_S)
    is_late = now - token.superseded_at > limits.ROTATION_GRACE_S
    if is_late or successor is None or successor.superseded_at is not None:
        raise TokenReused
    void = replace(successor, superseded_at=now, pair=None)
    return Rotation((replace(token, pair=None), void), added, successor.hash, now)


def match_password(password: str, verifiers: Iterable[tuple[str, Verifiers]]) -> str | None:
    """The id of the session that a password is of. All are tried, each in constant time, whichever it is."""
    digest = hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
    found: str | None = None
    for session_id, known in verifiers:
        if hmac.compare_digest(digest, known.sha256):
            found = session_id
    return found


async def authenticate(ports: Ports, caller: Caller, bearer: str | None) -> Identity:
    """Say which user and which session is calling, by its access token.

    Raises:
        TokenMissing: there is no token.
        TokenMalformed: what is there cannot be an access token.
        TokenRevoked: the token is unknown, its session has ended, or it is of another app or environment.
        TokenExpired: its hour is over.
        AdminBlocked: the user is blocked.
    """
    found = await ports.tokens.lookup(opaque.digest(check_form(bearer, TokenKind.ACCESS)))
    if found is None:
        raise TokenRevoked
    account, session, record = found
    now = ports.clock.now()
    check_account(account, caller, now)
    if record.expires_at <= now:
        raise TokenExpired
    sessions.touch(ports, session, now)
    return Identity(caller, account, session)


async def holder(ports: Ports, bearer: str, domain: str) -> tuple[Account, Session, TokenRecord] | None:
    """Whose access token that is, to sign in at a JID domain with it; `None` if it signs nobody in there.

    A token whose hour is over is found as well, so that its holder can be told.
    """
    if _FORM[TokenKind.ACCESS].fullmatch(bearer) is None:
        return None
    found = await ports.tokens.lookup(opaque.digest(bearer))
    if found is None:
        return None
    account = found[0]
    is_at_home = account.jid.endswith(f"@{domain}") and not account.is_expired(ports.clock.now())
    return found if is_at_home and not account.is_blocked else None


async def issue(ports: Ports, caller: Caller, username: str, password: str, address: str = "") -> TokenPair:
    """Give new tokens for a session's own password (`getUserToken`).

    Args:
        ports: the node's ports.
        caller: which app and environment.
        username: the user's identifier.
        password: the password of one of the user's live sessions.
        address: the client's network address, for the rate limits; empty for a call from within the process.

    Raises:
        AuthenticationFailed: no live session of such a user has that password.
        AdminBlocked: the user is blocked.
        RateLimited: too many calls, or too many wrong passwords.
    """
    await rate_limits.check(ports, *rate_limits.for_tokens(caller, address))
    is_identifier = re.fullmatch(limits.IDENTIFIER_FORM, username) is not None
    jid = f"{username if is_identifier else ''}@{caller.domain}"  # no identifier is empty, so this fails as others do
    now = ports.clock.now()
    session_id = await _sign_in(ports, jid, password, now)
    if session_id is None:
        await rate_limits.check(ports, *rate_limits.for_failed_sign_in(jid, address))
        raise AuthenticationFailed
    pair, records = new_pair(ports.ids, session_id, now)
    try:
        await ports.tokens.add(records)
    except TokenRevoked as error:  # the session ended in between, and its password with it
        raise AuthenticationFailed from error
    ports.sessions.touch(session_id, now)
    return pair


async def _sign_in(ports: Ports, jid: str, password: str, now: float) -> str | None:
    found = await ports.sessions.verifiers(jid)
    if found is None or found[0].is_expired(now):
        match_password(password, _DECOY)  # so that it takes as long as for a user who is there
        return None
    account, verifiers = found
    if account.is_blocked:
        raise AdminBlocked
    return match_password(password, verifiers)


async def refresh(ports: Ports, caller: Caller, refresh_token: str | None, address: str = "") -> TokenPair:
    """Exchange a refresh token for the next pair; each works once, but for a reply that was lost (`decide_rotation`).

    A token that comes again after that is in two hands, and nothing tells which is the thief's. So its session ends,
    and the user's other sessions are told.

    Args:
        ports: the node's ports.
        caller: which app and environment.
        refresh_token: the token.
        address: as for `issue`.

    Raises:
        TokenMissing: there is no token.
        TokenMalformed: what is there cannot be a refresh token.
        TokenRevoked: the token is unknown, its session has ended (now, if `details.reason` is `token_reused`), or it is
            of another app or environment.
        TokenExpired: its time is over; a new sign-in is needed.
        AdminBlocked: the user is blocked.
        RateLimited: too many calls.
    """
    await rate_limits.check(ports, *rate_limits.for_tokens(caller, address))
    digest = opaque.digest(check_form(refresh_token, TokenKind.REFRESH))
    found = await ports.tokens.lookup(digest)
    if found is None:
        raise TokenRevoked
    account, session, _ = found
    now = ports.clock.now()
    check_account(account, caller, now)
    pair, records = new_pair(ports.ids, session.id, now)
    try:
        await ports.tokens.rotate(digest, lambda chain: decide_rotation(chain, records, now))
    except TokenReused:
        await _end_reused(ports, account, session)
        raise TokenRevoked(
            "The refresh token was used before", details={"reason": EndReason.TOKEN_REUSED.value}
        ) from None
    sessions.touch(ports, session, now)
    return pair


async def _end_reused(ports: Ports, account: Account, session: Session) -> None:
    try:
        await sessions.end(ports, account, session.id, EndReason.TOKEN_REUSED)
    except SessionNotFound:
        return  # it ended while the token was on its way
    ports.engine.announce_session(account.jid, session, EndReason.TOKEN_REUSED)


async def revoke(ports: Ports, caller: Caller, token: str, address: str = "") -> None:
    """End the session that a token is of, with all that belongs to it (after RFC 7009).

    What is no token, or none any more, is no error: its holder wanted it to be worth nothing, and so it is.

    Args:
        ports: the node's ports.
        caller: which app and environment.
        token: an access or a refresh token.
        address: as for `issue`.

    Raises:
        RateLimited: too many calls.
    """
    await rate_limits.check(ports, *rate_limits.for_tokens(caller, address))
    if not any(form.fullmatch(token) for form in _FORM.values()):
        return
    found = await ports.tokens.lookup(opaque.digest(token))
    if found is None or (found[0].app_id, found[0].environment) != (caller.app.id, caller.environment):
        return
    account, session, _ = found
    with suppress(SessionNotFound):  # it ended while the token was on its way
        await sessions.end(ports, account, session.id, EndReason.REVOKED)
