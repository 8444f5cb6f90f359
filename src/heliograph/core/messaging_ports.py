"""The ports of what XMPP clients leave on the server: nodes, messages that wait, archives. What `ports` says of stores
holds here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from heliograph.core import pep_ties as ties
from heliograph.core.archive import ArchivedMessage, Selection
from heliograph.core.pep_nodes import Found, Item, Node, Outcome
from heliograph.core.pep_ties import Tie


class PepStore(Protocol):
    """Nodes of personal eventing, beside those of the profile (XEP-0163)."""

    async def nodes(self, owner: str) -> list[Node]:
        """All nodes of an account, by name."""
        ...

    async def lookup(self, owner: str, name: str) -> Node | None:
        """One node."""
        ...

    async def items(self, owner: str, name: str) -> list[Item]:
        """All items of a node, oldest first."""
        ...

    async def latest(self, owner: str, name: str) -> Item | None:
        """The newest item of a node."""
        ...

    async def nodes_of_contacts(self, jid: str) -> list[Node]:
        """All nodes of all whom this user is subscribed to (`to` or `both`)."""
        ...

    async def change(self, owner: str, name: str, decide: Callable[[Found], Outcome]) -> Outcome:
        """One atomic change. `AccountNotFound`, and whatever `decide` raises."""
        ...


class PepTieStore(Protocol):
    """Who is subscribed to nodes of personal eventing, or named by their owners; gone with the node or the account."""

    async def of_node(self, owner: str, name: str) -> list[Tie]:
        """All ties to a node, by the account."""
        ...

    async def of_account(self, account: str) -> list[Tie]:
        """All ties of an account, by owner and node."""
        ...

    async def change(self, owner: str, name: str, account: str, decide: Callable[[ties.Found], Tie]) -> Tie:
        """One atomic change; an empty tie is not kept. `AccountNotFound` where one of the two JIDs is nobody's, and
        whatever `decide` raises.
        """
        ...


class OfflineStore(Protocol):
    """Messages that wait for users who are not there (XEP-0160)."""

    async def add(self, jid: str, message: bytes, now: float, max_messages: int) -> bool:
        """Keep a message as it will be sent; `False` where as many wait for that user as may. `AccountNotFound`."""
        ...

    async def take(self, jid: str, since: float) -> list[bytes]:
        """All that waits for a user and was kept at `since` or later, the oldest first; nothing waits any longer."""
        ...

    async def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` messages that were kept before a time; how many these were."""
        ...


class ArchiveStore(Protocol):
    """The archives of all accounts (XEP-0313), by the accounts' ids."""

    def add(self, message: ArchivedMessage) -> bool:
        """Take a message into the archives. Never waits: one of the next commits carries it. `False` where so many wait
        to be written that the caller should `flush` before it adds more.
        """
        ...

    async def flush(self) -> None:
        """Wait until all that was added is durable."""
        ...

    async def page(self, owner: int, selection: Selection, limit: int, *, is_backwards: bool) -> list[ArchivedMessage]:
        """The first `limit` selected messages of an archive, oldest first; or backwards the last, newest first."""
        ...

    async def count(self, owner: int, selection: Selection) -> int:
        """How many messages of an archive are selected."""
        ...

    async def find(self, owner: int, numbers: Sequence[int]) -> list[ArchivedMessage]:
        """The messages of those numbers that an archive has."""
        ...

    async def newest(self) -> int:
        """The highest number of all messages; 0 where there is none."""
        ...

    async def trim(self, owner: int, max_messages: int, max_bytes: int) -> int:
        """Delete the oldest messages of an archive that holds more than it may; how many these were."""
        ...

    async def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` messages that came before a time; how many these were."""
        ...
