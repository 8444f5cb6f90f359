"""An XMPP server outside the process asks who may sign in, and is told what changes.

Such a server knows a user and a password, and nothing of device sessions. So each sign-in is written down with the
session whose password was right, and a connection is traced back to its sign-in: one sign-in binds one resource, within
`limits.SIGN_IN_BINDS_S`. Where more than one session may have made a connection, it counts as nobody's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from heliograph.core import limits

if TYPE_CHECKING:
    from heliograph.core.ports import AccountStore, SessionStore


@dataclass(frozen=True, slots=True)
class SignIn:
    """A password was right.

    Attributes:
        number: the sign-in's own.
        session_id: the device session of that password.
        at: when it was checked.
        resource: what its connection bound, once that was seen.
        bound_at: when that was.
    """

    number: int
    session_id: str
    at: float
    resource: str | None = None
    bound_at: float | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A connection, as the server tells of it.

    Attributes:
        resource: its name.
        at: when it was bound.
    """

    resource: str
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """What the server was last told of an account."""

    roster_version: int = 0
    blocked: frozenset[str] = frozenset()


class RemoteServerStore(Protocol):
    """What a server outside the process did and was told."""

    async def signed_in(self, jid: str, session_id: str, now: float) -> None:
        """Write a sign-in down. Of an account's, the newest `limits.SIGN_INS_KEPT` are kept."""
        ...

    async def sign_ins(self, jid: str) -> list[SignIn]:
        """An account's sign-ins, oldest first."""
        ...

    async def claim(self, number: int, resource: str, bound_at: float) -> bool:
        """Note which resource a sign-in has bound; earlier sign-ins that had it lose it. False where the sign-in is
        claimed already.
        """
        ...

    async def told(self, jid: str) -> Told:
        """What the server was last told of an account."""
        ...

    async def tell(self, jid: str, told: Told) -> None:
        """Note what it was told. Of an account that is gone, nothing is noted."""
        ...

    async def untold(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Numbers and bare JIDs of accounts, behind that number, whose roster has another version than the server was
        told, or who block or have blocked somebody.
        """
        ...

    async def marks(self) -> dict[str, int]:
        """By JID domain, the highest mark that was taken (see `core.profiles.Profile`)."""
        ...


# --------------------------------------------------------------------------------------------------------------- rules


def attribute(connections: Iterable[Bound], sign_ins: Sequence[SignIn]) -> Mapping[str, str | None]:
    """The session of each connection by its resource; `None` where it cannot be told for certain.

    Args:
        connections: those of one account.
        sign_ins: the account's, oldest first.
    """
    return {each.resource: _session(each, sign_ins) for each in connections}


def _session(bound: Bound, sign_ins: Sequence[SignIn]) -> str | None:
    free = {each.session_id for each in open_sign_ins(bound.at, sign_ins)}
    for each in sign_ins:
        if each.resource == bound.resource and each.bound_at is not None and _is_close(each.bound_at, bound.at):
            return each.session_id if free <= {each.session_id} else None
    return free.pop() if len(free) == 1 else None


def open_sign_ins(bound_at: float, sign_ins: Iterable[SignIn]) -> list[SignIn]:
    """The sign-ins that may have bound a resource at that time: they were there, and have bound none."""
    earliest, latest = bound_at - limits.SIGN_IN_BINDS_S, bound_at + limits.SIGN_IN_CLOCKS_DIFFER_S
    return [each for each in sign_ins if each.resource is None and earliest <= each.at <= latest]


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= limits.SIGN_IN_CLOCKS_DIFFER_S


# ----------------------------------------------------------------------------------------------------------- use cases


@dataclass(frozen=True, slots=True)
class PasswordPorts:
    """What checking passwords takes."""

    accounts: AccountStore
    sessions: SessionStore
    remote_server: RemoteServerStore


async def check_password(ports: PasswordPorts, jid: str, password: str, now: float) -> bool:
    """Whether this is the password of a live session of an account that is not blocked; the sign-in is written down.

    The SHA-256 of a password is enough to check it: passwords are random.
    """
    found = await ports.sessions.verifiers(jid)
    if found is None:
        return False
    account, verifiers = found
    if account.is_blocked or account.is_deleted or account.is_expired(now):
        return False
    digest = hashlib.sha256(password.encode()).digest()
    right = [session_id for session_id, each in verifiers if hmac.compare_digest(each.sha256, digest)]
    if not right:
        return False
    await ports.remote_server.signed_in(jid, right[0], now)
    return True


async def exists(ports: PasswordPorts, jid: str, now: float) -> bool:
    """Whether there is such a user."""
    account = await ports.accounts.lookup(jid)
    return account is not None and not account.is_deleted and not account.is_expired(now)


async def claim(store: RemoteServerStore, jid: str, resource: str, now: float) -> str | None:
    """A connection was seen for the first time, when it began or later: note whose it is, if nobody has. The session,
    or `None` where that is not certain.
    """
    sign_ins = await store.sign_ins(jid)
    free = open_sign_ins(now, sign_ins)
    if not free:  # it was seen before, by another node or before a restart
        known = [each.session_id for each in sign_ins if each.resource == resource]
        return known[-1] if known else None
    session_id = _session(Bound(resource, now), sign_ins)
    if session_id is not None:
        await store.claim(free[0].number, resource, now)
    return session_id
