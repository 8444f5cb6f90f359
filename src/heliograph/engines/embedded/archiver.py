"""Puts messages into the archives of their two sides (XEP-0313), without making anybody wait for the disk.

A message goes on to its receivers at once and is written with the next commit. What tells its sender that the server
has it, the acknowledgement of XEP-0198, waits until that commit is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.core.archive import ArchivedMessage
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.archive import is_archived
from heliograph.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

_CHECK_FRACTION = 16
"""An archive is looked at again when it has grown by this part of what it may hold."""
_GROWTH_BYTES = 8 * 1024
"""A message counts once, and once more for each of so many bytes."""
_GROWTHS_MAX = 10_000
_TOKENS = 256
"""How many unpredictable tokens are taken from the system at a time: each call costs it more than the bytes do."""


class Archiver:
    """Numbers the messages of a node and hands them to the store.

    Args:
        engine: the server.
        is_on: whether there are archives at all.
        max_messages: how many an archive keeps.
    """

    def __init__(self, engine: EmbeddedEngine, *, is_on: bool, max_messages: int) -> None:
        self.is_on = is_on
        self.added = 0
        self.settled = 0
        self._engine = engine
        self._max_messages = max_messages
        self._last = 0
        self._tokens: list[str] = []
        self._growths: dict[int, int] = {}  # since an archive was last looked at

    async def start(self) -> None:
        """Go on behind the newest message, whatever the clock says."""
        self._last = await self._engine.ports.archive.newest()

    def takes(self, message: Stanza) -> bool:
        """Whether a message is to be archived."""
        return self.is_on and is_archived(message)

    def entry(self, sender: Resource, to: str, account_id: int, data: bytes) -> ArchivedMessage:
        """A message with its place in the archives.

        Args:
            sender: who sends it.
            to: the full or bare JID of the receiver.
            account_id: its account.
            data: the message as it is passed on, encoded for TCP.
        """
        if not self._tokens:
            chance = self._engine.ports.ids.random(_TOKENS * limits.ARCHIVE_TOKEN_BYTES).hex()
            size = 2 * limits.ARCHIVE_TOKEN_BYTES
            self._tokens = [chance[at : at + size] for at in range(0, len(chance), size)]
        number = self._last = max(int(self._engine.ports.clock.now() * 1_000_000), self._last + 1)
        receiver_id = None if account_id == sender.account_id else account_id
        return ArchivedMessage(number, self._tokens.pop(), sender.account_id, receiver_id, sender.jid, to, data)

    def add(self, message: ArchivedMessage, sender: Resource) -> bool:
        """Hand a message to the store; `False` where so many wait to be written that the sender has to wait too."""
        self.added += 1
        sender.archived = self.added
        for owner in (message.sender_id, message.receiver_id):
            if owner is None:
                continue
            growth = self._growths.get(owner)
            if growth is None or growth >= self._max_messages // _CHECK_FRACTION:
                self._look_at(owner)
            else:
                self._growths[owner] = growth + 1 + len(message.data) // _GROWTH_BYTES
        return self._engine.ports.archive.add(message)

    async def settle(self) -> None:
        """Wait until all that was handed over is durable."""
        added = self.added
        if self.settled < added:
            await self._engine.ports.archive.flush()
            self.settled = max(self.settled, added)

    def _look_at(self, owner: int) -> None:
        """An archive has grown, or was not seen before: delete what is too much for it."""
        if len(self._growths) >= _GROWTHS_MAX:
            del self._growths[next(iter(self._growths))]
        self._growths[owner] = 0
        self._engine.spawn(self._trim(owner))

    async def _trim(self, owner: int) -> None:
        await self._engine.ports.archive.trim(owner, self._max_messages, limits.ARCHIVE_MAX_BYTES)
