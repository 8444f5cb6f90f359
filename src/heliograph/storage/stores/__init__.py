"""All stores, over any SQL database.

A look-up is one query. A change is one function over a cursor, which the database's writer runs inside a transaction:
it is written once for all databases.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from heliograph.storage.database import Reader, Writer
from heliograph.storage.stores.accounts import SqlAccounts
from heliograph.storage.stores.apps import SqlApps
from heliograph.storage.stores.archive import SqlArchive
from heliograph.storage.stores.audit import SqlAudit
from heliograph.storage.stores.blocks import SqlBlocks
from heliograph.storage.stores.contacts import SqlContacts
from heliograph.storage.stores.directory import SqlDirectory
from heliograph.storage.stores.fast_tokens import SqlFastTokens
from heliograph.storage.stores.invitations import SqlInvitations
from heliograph.storage.stores.offline import SqlOffline
from heliograph.storage.stores.pep import SqlPep
from heliograph.storage.stores.pep_ties import SqlPepTies
from heliograph.storage.stores.phone_book import SqlPhoneBook
from heliograph.storage.stores.profiles import SqlProfiles
from heliograph.storage.stores.qr_links import SqlQrLinks
from heliograph.storage.stores.remote_server import SqlRemoteServer
from heliograph.storage.stores.sessions import SqlSessions
from heliograph.storage.stores.sign_ins import SqlSignIns
from heliograph.storage.stores.tokens import SqlTokens
from heliograph.storage.stores.webhooks import SqlWebhooks


@dataclass(frozen=True, slots=True)
class Stores:
    """Each store, over one database."""

    apps: SqlApps
    accounts: SqlAccounts
    directory: SqlDirectory
    sessions: SqlSessions
    tokens: SqlTokens
    fast_tokens: SqlFastTokens
    sign_ins: SqlSignIns
    profiles: SqlProfiles
    contacts: SqlContacts
    invitations: SqlInvitations
    phone_book: SqlPhoneBook
    blocks: SqlBlocks
    pep: SqlPep
    pep_ties: SqlPepTies
    offline: SqlOffline
    archive: SqlArchive
    qr_links: SqlQrLinks
    audit: SqlAudit
    webhooks: SqlWebhooks
    remote_server: SqlRemoteServer

    async def settle(self) -> None:
        """Write what stores have held back for a later commit, before the database is closed."""
        await self.archive.flush()

    def by_name(self) -> dict[str, Any]:
        """Each store under the name that it has among the ports."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def over(cls, reader: Reader, writer: Writer) -> Self:
        """All stores of a database."""
        return cls(
            apps=SqlApps(reader, writer),
            accounts=SqlAccounts(reader, writer),
            directory=SqlDirectory(reader, writer),
            sessions=SqlSessions(reader, writer),
            tokens=SqlTokens(reader, writer),
            fast_tokens=SqlFastTokens(reader, writer),
            sign_ins=SqlSignIns(reader),
            profiles=SqlProfiles(reader, writer),
            contacts=SqlContacts(reader, writer),
            invitations=SqlInvitations(reader, writer),
            phone_book=SqlPhoneBook(reader, writer),
            blocks=SqlBlocks(reader, writer),
            pep=SqlPep(reader, writer),
            pep_ties=SqlPepTies(reader, writer),
            offline=SqlOffline(reader, writer),
            archive=SqlArchive(reader, writer),
            qr_links=SqlQrLinks(reader, writer),
            audit=SqlAudit(reader, writer),
            webhooks=SqlWebhooks(reader, writer),
            remote_server=SqlRemoteServer(reader, writer),
        )
