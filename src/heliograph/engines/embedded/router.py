"""Who is connected, and how a stanza gets to them (RFC 6120, section 10; RFC 6121, section 8).

The router holds one `Resource` for each bound stream and one `Presence` for each account that has any. It writes to
connections and decides nothing about the contents of what it writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from heliograph.engines.embedded.allowance import Allowance
from heliograph.xmpp.blocking import matches
from heliograph.xmpp.caps import Caps
from heliograph.xmpp.jid import bare_of
from heliograph.xmpp.stanza import Template
from heliograph.xmpp.stream import StreamError


class Outlet(Protocol):
    """Where a resource's stanzas go out: its connection."""

    def send(self, data: bytes) -> None:
        """Send a stanza, encoded for TCP."""
        ...

    def end(self, error: StreamError) -> None:
        """End the stream with an error and close."""
        ...


@dataclass(slots=True, eq=False)
class Resource:
    """One bound stream.

    Attributes:
        outlet: its connection.
        jid: the full JID.
        account: the bare JID.
        account_id: the account's id.
        mark: of the account's archive, for messages that stand there.
        host: the domain.
        to: the attribute `to='…'` of stanzas for this resource, encoded once.
        session_id: the device session that signed in.
        client: the id of the client's installation, if it told one (XEP-0388).
        lang: the language of the stream, if its client named one (RFC 6120, section 4.7.4).
        archived: how many messages the node had archived with the last one of this resource.
        presence: the last broadcast presence as XML content, or `None` while unavailable (RFC 6121, section 4).
        presence_lang: its language, where one is named.
        priority: of that presence.
        is_interested: whether the roster was asked for (RFC 6121, section 2.2).
        interests: the PEP nodes that the client's capabilities ask to be notified of (XEP-0163, section 4.2).
        caps: the capabilities that `interests` stand for.
        caps_query: the id of the request for them that is on its way.
        directed: full or bare JIDs that got directed presence (RFC 6121, section 4.6).
        touch_due: on the event loop's clock, when the session's activity is to be noted next.
        watchers_at_end: who watched the account when this stream ended, as it may have been the account's last.
        blocks_at_end: whom the account blocked then.
        is_told_of_blocks: whether the block list was asked for (XEP-0191, section 3.3).
        since: the mark that the client has named as the highest that it has seen, or -1 (`xmpp.profile_news`).
        caught_up: the mark up to which the client was told of profiles when it came; what is published later is told.
        missed: the highest mark that was published and not told since then.
        has_status: whether what the user said on going away may be kept in the store.
        answered: how many requests were begun at once that look into the stores.
    """

    outlet: Outlet
    jid: str
    account: str
    account_id: int
    mark: bytes
    host: str
    to: bytes
    session_id: str
    client: str | None = None
    lang: str | None = None
    archived: int = 0
    presence: bytes | None = None
    presence_lang: str | None = None
    priority: int = 0
    is_interested: bool = False
    interests: frozenset[str] = frozenset()
    caps: Caps | None = None
    caps_query: str | None = None
    directed: set[str] | None = None
    touch_due: float = 0.0
    watchers_at_end: Collection[str] = ()
    blocks_at_end: frozenset[str] = frozenset()
    is_told_of_blocks: bool = False
    since: int = -1
    caught_up: int = -1
    missed: int = -1
    has_status: bool = True
    answered: int = 0

    @property
    def is_available(self) -> bool:
        """Whether presence was sent and not taken back."""
        return self.presence is not None


@dataclass(slots=True, eq=False)
class Presence:
    """An account that is connected.

    Attributes:
        resources: its bound streams by resource.
        watchers: bare JIDs that may see this account's presence (subscription `from` or `both`).
        watched: bare JIDs whose presence this account sees (subscription `to` or `both`).
        has_contacts: whether the two sets have been loaded.
        changes: counts the roster changes since the account is connected.
        loaded_for: the stream that got the roster just now, when the two sets were loaded, if no request waits in it.
        blocks: whom the account blocks (XEP-0191).
        photo: what its presence says of its picture: a SHA-1, or `""` for none (XEP-0153).
        taken_avatar: the SHA-1 and the address of a picture whose metadata is to come (XEP-0084), or both empty.
        allowance: what all its connections together may still send, once one of them has sent much.
        carbons: the streams that get copies of the others' messages (XEP-0280), and since when on the loop's clock.
    """

    resources: dict[str, Resource] = field(default_factory=dict)
    watchers: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    has_contacts: bool = False
    changes: int = 0
    loaded_for: Resource | None = None
    blocks: frozenset[str] = frozenset()
    photo: str = ""
    taken_avatar: tuple[str, str] = ("", "")
    allowance: Allowance | None = None
    carbons: dict[Resource, float] = field(default_factory=dict)


def send_each(receivers: Iterable[Resource], template: Template) -> None:
    """Send each of the resources a stanza that was encoded once."""
    prefix, suffix = template.prefix, template.suffix
    for receiver in receivers:
        receiver.outlet.send(prefix + receiver.to + suffix)


class Router:
    """The tables of what is connected."""

    def __init__(self) -> None:
        self.block_changes = 0  # of all accounts, so that one that is read while it changes is read again
        self.full: dict[str, Resource] = {}
        self.accounts: dict[str, Presence] = {}

    def bind(self, resource: Resource) -> None:
        """Add a bound stream; its JID must be free."""
        name = resource.jid.partition("/")[2]
        self.full[resource.jid] = resource
        self.accounts.setdefault(resource.account, Presence()).resources[name] = resource

    def unbind(self, resource: Resource) -> None:
        """Take a stream out; harmless if another has taken its place."""
        if self.full.get(resource.jid) is not resource:
            return
        del self.full[resource.jid]
        presence = self.accounts[resource.account]
        del presence.resources[resource.jid.partition("/")[2]]
        presence.carbons.pop(resource, None)
        if presence.loaded_for is resource:
            presence.loaded_for = None
        if not presence.resources:
            del self.accounts[resource.account]

    def resources(self, account: str) -> list[Resource]:
        """All bound streams of an account."""
        presence = self.accounts.get(account)
        return list(presence.resources.values()) if presence else []

    def available(self, account: str) -> list[Resource]:
        """The available resources of an account."""
        presence = self.accounts.get(account)
        return [r for r in presence.resources.values() if r.presence is not None] if presence else []

    def blocks(self, account: str, other: str) -> bool:
        """Whether a connected account blocks somebody else's full or bare JID."""
        presence = self.accounts.get(account)
        return presence is not None and bool(presence.blocks) and matches(presence.blocks, other)

    def receivers(self, accounts: Iterable[str], sender: str, blocks: frozenset[str]) -> Iterator[Resource]:
        """The available resources of those accounts, without those whom blocking keeps apart from the sender.

        Args:
            accounts: bare JIDs.
            sender: the full or bare JID of which they are to be told.
            blocks: whom its account blocks.
        """
        get = self.accounts.get
        own = bare_of(sender)
        for account in accounts:
            presence = get(account)
            if presence is None or (presence.blocks and account != own and matches(presence.blocks, sender)):
                continue
            for resource in presence.resources.values():
                if resource.presence is not None and not (blocks and account != own and matches(blocks, resource.jid)):
                    yield resource

    def interested(self, accounts: Iterable[str], node: str, sender: str, blocks: frozenset[str]) -> Iterator[Resource]:
        """Those of the `receivers` that want to be notified of a PEP node."""
        for resource in self.receivers(accounts, sender, blocks):
            if node in resource.interests:
                yield resource
