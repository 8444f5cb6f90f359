"""Blocking: one list a user, which hides profile and presence both ways and fails messages (XEP-0191)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.core.user_jids import domain_of
from heliograph.errors import AccountNotFound, BlockInvalid, BlockLimit
from heliograph.xmpp import blocking
from heliograph.xmpp.jid import bare_of

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class BlockChange:
    """One change of one user's list.

    Attributes:
        owner: the user's bare JID.
        added, removed: the JIDs that are blocked from now on, or no longer, sorted.
        blocked: the whole list after the change.
        is_all: whether the user asked to unblock everybody.
    """

    owner: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    blocked: frozenset[str]
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Apart:
    """Whom blocking keeps apart from one user.

    Attributes:
        user: the user's bare JID.
        blocked: whom the user blocks: accounts, resources, domains.
        blockers: the bare JIDs of those who block the user.
    """

    user: str
    blocked: frozenset[str] = frozenset()
    blockers: frozenset[str] = frozenset()

    def covers(self, jid: str) -> bool:
        """Whether somebody else's bare JID is kept apart from the user."""
        if jid == self.user:
            return False
        return jid in self.blockers or self.is_blocked(jid)

    def is_blocked(self, jid: str) -> bool:
        """Whether the user blocks somebody else's bare JID."""
        return blocking.matches(self.blocked, jid)


# --------------------------------------------------------------------------------------------------------------- rules


def check(owner: str, jids: Iterable[str]) -> frozenset[str]:
    """The prepared JIDs, if the user can block them.

    Raises:
        BlockInvalid: one of them is the user.
    """
    wanted = frozenset(jids)
    if any(bare_of(jid) == owner for jid in wanted):
        raise BlockInvalid
    return wanted


def add(before: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
    """The list with more on it.

    Raises:
        BlockLimit: it has no room for them.
    """
    after = before | wanted
    if after != before and len(after) > limits.BLOCKED_MAX:
        raise BlockLimit
    return after


def jid_of(owner: str, identifier: str) -> str:
    """The bare JID of another user of the owner's app and environment.

    Raises:
        BlockInvalid: it is the owner.
    """
    jid = f"{identifier}@{domain_of(owner)}"
    check(owner, (jid,))
    return jid


# ----------------------------------------------------------------------------------------------------------- use cases


async def block(ports: Ports, owner: str, jids: Iterable[str]) -> BlockChange:
    """Block accounts, resources or domains.

    Args:
        ports: the node's ports.
        owner: the bare JID of the user who blocks.
        jids: prepared JIDs.

    Raises:
        AccountNotFound: the owner is gone.
        BlockInvalid, BlockLimit: see `check` and `add`; nothing is changed.
    """
    wanted = check(owner, jids)
    before, after = await ports.blocks.change(owner, lambda found: add(found, wanted))
    return _told(ports, owner, before, after, is_all=False)


async def unblock(ports: Ports, owner: str, jids: Iterable[str]) -> BlockChange:
    """Unblock what is on the list; nothing named stands for all of it (section 3.4 of XEP-0191).

    Raises:
        AccountNotFound: the owner is gone.
    """
    wanted = frozenset(jids)
    before, after = await ports.blocks.change(owner, lambda found: found - wanted if wanted else frozenset())
    return _told(ports, owner, before, after, is_all=not wanted)


def _told(ports: Ports, owner: str, before: frozenset[str], after: frozenset[str], *, is_all: bool) -> BlockChange:
    """The change, of which the engine is told after the commit."""
    change = BlockChange(owner, tuple(sorted(after - before)), tuple(sorted(before - after)), after, is_all)
    if before != after:
        ports.engine.blocks_changed(change)
    return change


async def block_user(ports: Ports, owner: str, identifier: str) -> str:
    """Block another user of the same app and environment; gives that user's bare JID.

    Raises:
        AccountNotFound: there is no such user.
        BlockInvalid, BlockLimit: see `check` and `add`.
    """
    jid = jid_of(owner, identifier)
    account = await ports.accounts.lookup(jid)
    if account is None or account.is_deleted:
        raise AccountNotFound
    await block(ports, owner, (jid,))
    return jid


async def unblock_user(ports: Ports, owner: str, identifier: str) -> None:
    """Unblock a user; it is no error if the user was not blocked, or is no longer there.

    Raises:
        BlockInvalid: it is the owner.
    """
    await unblock(ports, owner, (jid_of(owner, identifier),))


async def users(ports: Ports, owner: str) -> list[str]:
    """The bare JIDs of the users whom a user blocks, in order; entries of other kinds are for XMPP clients."""
    domain = domain_of(owner)
    listed = await ports.blocks.blocked(owner)
    return sorted(jid for jid in listed if jid.endswith(f"@{domain}") and "/" not in jid)


async def apart_from(ports: Ports, jid: str) -> Apart:
    """Whom blocking keeps apart from a full or bare JID, both ways."""
    user = bare_of(jid)
    blockers = await ports.blocks.blockers(blocking.forms(jid))
    return Apart(user, await ports.blocks.blocked(user), blockers)


async def blocks(ports: Ports, owner: str, other: str) -> bool:
    """Whether a user blocks a full or bare JID."""
    return owner != bare_of(other) and blocking.matches(await ports.blocks.blocked(owner), other)


async def are_apart(ports: Ports, one: str, other: str) -> bool:
    """Whether one of two bare JIDs blocks the other."""
    return await blocks(ports, one, other) or await blocks(ports, other, one)
