"""SQLite: all stores of a node in one file, with one writer thread and look-ups on the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from heliograph.storage.sqlite.accounts import SqliteAccounts
from heliograph.storage.sqlite.apps import SqliteApps
from heliograph.storage.sqlite.audit import SqliteAudit
from heliograph.storage.sqlite.blocks import SqliteBlocks
from heliograph.storage.sqlite.connection import Reader, open_writer
from heliograph.storage.sqlite.contacts import SqliteContacts
from heliograph.storage.sqlite.fast_tokens import SqliteFastTokens
from heliograph.storage.sqlite.invitations import SqliteInvitations
from heliograph.storage.sqlite.offline import SqliteOffline
from heliograph.storage.sqlite.pep import SqlitePep
from heliograph.storage.sqlite.phone_book import SqlitePhoneBook
from heliograph.storage.sqlite.profiles import SqliteProfiles
from heliograph.storage.sqlite.qr_links import SqliteQrLinks
from heliograph.storage.sqlite.sessions import SqliteSessions
from heliograph.storage.sqlite.tokens import SqliteTokens
from heliograph.storage.sqlite.webhooks import SqliteWebhooks
from heliograph.storage.sqlite.writer import CommitFailed, Writer

__all__ = ["CommitFailed", "SqliteStores", "open"]


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """All stores over one database; closed by `close()` or by leaving `async with`."""

    apps: SqliteApps
    accounts: SqliteAccounts
    sessions: SqliteSessions
    tokens: SqliteTokens
    fast_tokens: SqliteFastTokens
    profiles: SqliteProfiles
    contacts: SqliteContacts
    invitations: SqliteInvitations
    phone_book: SqlitePhoneBook
    blocks: SqliteBlocks
    pep: SqlitePep
    offline: SqliteOffline
    qr_links: SqliteQrLinks
    audit: SqliteAudit
    webhooks: SqliteWebhooks
    _reader: Reader
    _writer: Writer

    async def close(self) -> None:
        """Write all that waits, then close the database. Calls that come later raise `RuntimeError`."""
        await self._writer.close()
        self._reader.close()

    async def __aenter__(self) -> SqliteStores:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def open(path: Path) -> SqliteStores:  # noqa: A001 - called as `sqlite.open`
    """Open a database, made or brought to the present version where need be.

    Args:
        path: the database file; its folder is there. SQLite keeps `-wal` and `-shm` files beside it.

    Raises:
        SettingsInvalid: the file cannot be opened, is no database, or comes from a newer Heliograph.
    """
    writer = Writer(await asyncio.to_thread(open_writer, path))
    reader = Reader(path)
    return SqliteStores(
        apps=SqliteApps(reader, writer),
        accounts=SqliteAccounts(reader, writer),
        sessions=SqliteSessions(reader, writer),
        tokens=SqliteTokens(reader, writer),
        fast_tokens=SqliteFastTokens(reader, writer),
        profiles=SqliteProfiles(reader, writer),
        contacts=SqliteContacts(reader, writer),
        invitations=SqliteInvitations(reader, writer),
        phone_book=SqlitePhoneBook(reader, writer),
        blocks=SqliteBlocks(reader, writer),
        pep=SqlitePep(reader, writer),
        offline=SqliteOffline(reader, writer),
        qr_links=SqliteQrLinks(reader, writer),
        audit=SqliteAudit(reader),
        webhooks=SqliteWebhooks(reader, writer),
        _reader=reader,
        _writer=writer,
    )
