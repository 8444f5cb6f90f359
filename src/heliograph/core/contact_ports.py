"""The ports around contacts: rosters, invitations, phone book, block lists. What `ports` says of stores holds here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.invitations import Invitation
from heliograph.core.profiles import Profile


class ContactStore(Protocol):
    """Rosters."""

    async def roster(self, jid: str) -> list[RosterItem]:
        """All items of a user's roster, hidden ones too."""
        ...

    async def version(self, jid: str) -> int:
        """How often a user's roster has changed; 0 where there is no such account."""
        ...

    async def lookup(self, owner: str, contact: str) -> RosterItem | None:
        """One item."""
        ...

    async def change(
        self,
        owner: str,
        contact: str,
        decide: Callable[[RosterItem | None, RosterItem | None, int, int], tuple[RosterItem | None, RosterItem | None]],
    ) -> list[RosterChange]:
        """One atomic change of both sides: the decision gets the owner's item for the contact, the contact's item for
        the owner, the number of items in the owner's roster and in the contact's, hidden ones too, and returns both
        items after the change (`None`: no item).

        Where the contact is no account of this installation, its side is `None` before and is not written. Only the
        sides that changed come back. An item gets a new mark where the owner begins to see the contact (`to` or
        `both`).
        """
        ...

    async def change_many(
        self,
        owner: str,
        contacts: Sequence[str],
        decide: Callable[
            [str, RosterItem | None, RosterItem | None, int, int], tuple[RosterItem | None, RosterItem | None]
        ],
    ) -> list[RosterChange]:
        """The same with many contacts in one transaction; the decision also gets which one it is. Contacts that are no
        account are passed over.
        """
        ...


class InvitationStore(Protocol):
    """Invitations to become a contact."""

    async def add(self, invitation: Invitation, token_hash: bytes) -> None:
        """Store a new invitation; `AccountNotFound` where its owner is gone."""
        ...

    async def lookup(self, token_hash: bytes) -> Invitation | None:
        """The invitation with the token of that SHA-256."""
        ...

    async def of(self, owner: str) -> list[Invitation]:
        """All invitations of a user, those that are over too, oldest first."""
        ...

    async def accept(
        self,
        token_hash: bytes,
        acceptor: str,
        decide: Callable[
            [Invitation, RosterItem | None, RosterItem | None, int, int],
            tuple[Invitation, RosterItem | None, RosterItem | None],
        ],
    ) -> list[RosterChange]:
        """One atomic change of an invitation's uses and of the rosters of the one who accepts (the owner of the first
        item) and of the one who invites, as in `ContactStore.change`. `InvitationInvalid` where there is none,
        `AccountNotFound`, and whatever `decide` raises.
        """
        ...

    async def delete(self, owner: str, invitation_id: str) -> bool:
        """Delete an invitation of a user; whether there was one."""
        ...

    async def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` invitations that were over before a time; how many these were."""
        ...


class PhoneBookStore(Protocol):
    """Who can be found by the hash of a telephone number."""

    async def is_findable(self, jid: str) -> bool | None:
        """Whether a user agreed to be found; `None` where there is no such account."""
        ...

    async def set_findable(self, jid: str, *, is_findable: bool) -> None:
        """Keep whether a user agreed; nothing happens where there is no such account."""
        ...

    async def find(self, hashes: Sequence[bytes]) -> list[tuple[bytes, Profile]]:
        """The profiles of the users who agreed, are not blocked by the administrator and have a number of one of these
        hashes (`phone_book.digest_of`), each with that hash.
        """
        ...


class BlockStore(Protocol):
    """Whom users block (XEP-0191)."""

    async def blocked(self, jid: str) -> frozenset[str]:
        """All entries of a user's list: bare JIDs, full JIDs, domains."""
        ...

    async def blockers(self, forms: tuple[str, str, str, str]) -> frozenset[str]:
        """The bare JIDs of the users whose lists hold one of these entries; they come from `xmpp.blocking.forms`."""
        ...

    async def change(
        self, jid: str, decide: Callable[[frozenset[str]], frozenset[str]]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """One atomic change: the list before it, and after it. `AccountNotFound`, and whatever `decide` raises.

        Where an entry is taken off, the roster items by which the two see each other get a new mark: what they could
        not be told before is news.
        """
        ...
