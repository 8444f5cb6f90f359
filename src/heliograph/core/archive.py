"""The archive of each account: the one-to-one messages that it sent and received (XEP-0313)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from heliograph.core import limits
from heliograph.xmpp.archive import Query
from heliograph.xmpp.stanza_error import item_not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.core.ports import Ports

_NUMBER_CHARS = 14


class ArchivedMessage(NamedTuple):
    """One message in the archives of its sender and its receiver.

    Attributes:
        number: when it came, in microseconds since the epoch; no two messages have the same.
        token: unpredictable hexadecimal digits, so that nobody can guess an id.
        sender_id, receiver_id: the accounts in whose archives it stands; `None` where it stands there no more, and for
            the receiver of a message to oneself.
        sender, receiver: bare or full JIDs as the message names them.
        data: the message as it was passed on, encoded for TCP.
    """

    number: int
    token: str
    sender_id: int | None
    receiver_id: int | None
    sender: str
    receiver: str
    data: bytes

    @property
    def id(self) -> str:
        """Its id in both archives; later ones are greater."""
        return f"{self.number:0{_NUMBER_CHARS}x}{self.token}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Some messages of an archive.

    Attributes:
        contact: the other side: a bare JID for all its resources, a full JID for one, `None` for everybody.
        contact_id: its account, where there is one.
        above, below: their numbers are greater and less than these.
    """

    contact: str | None = None
    contact_id: int | None = None
    above: int = 0
    below: int = 2**62


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a query.

    Attributes:
        messages: oldest first, unless the query wants them flipped.
        first, last: the ids of the oldest and of the newest of them.
        is_complete: whether there are no more in the direction of the query.
        count: how many the query selects on all pages.
    """

    messages: Sequence[ArchivedMessage]
    first: str | None
    last: str | None
    is_complete: bool
    count: int


def number_of(identity: str) -> int | None:
    """The number of the message of that id; `None` if it is no such id."""
    digits = identity[:_NUMBER_CHARS]
    is_id = len(identity) > _NUMBER_CHARS and all(digit in "0123456789abcdef" for digit in digits)
    return int(digits, 16) if is_id else None


# --------------------------------------------------------------------------------------------------------------- rules


def cut(found: Sequence[ArchivedMessage], size: int, max_bytes: int) -> Sequence[ArchivedMessage]:
    """As many of the messages, from the first on, as fit into a page: at least one."""
    total = 0
    for index, message in enumerate(found[:size]):
        total += len(message.data)
        if total > max_bytes and index:
            return found[:index]
    return found[:size]


# ----------------------------------------------------------------------------------------------------------- use cases


async def query(ports: Ports, owner: int, wanted: Query) -> Page:
    """One page of an account's archive.

    Args:
        ports: the node's ports.
        owner: the account's id.
        wanted: the query.

    Raises:
        StanzaError: the query names a message that is not there (sections 4.1.3 and 4.3.2).
    """
    await ports.archive.flush()
    if wanted.ids:
        return _page(await _named(ports, owner, wanted.ids), wanted, is_complete=True, count=len(wanted.ids))
    selection = await _selection(ports, owner, wanted)
    size = limits.ARCHIVE_PAGE_MAX if wanted.page.max is None else min(wanted.page.max, limits.ARCHIVE_PAGE_MAX)
    count = await ports.archive.count(owner, selection)
    if size == 0:
        return _page((), wanted, is_complete=count == 0, count=count)
    anchored = await _anchored(ports, owner, wanted, selection)
    found = await ports.archive.page(owner, anchored, size + 1, is_backwards=wanted.page.is_backwards)
    kept = cut(found, size, limits.ARCHIVE_PAGE_MAX_BYTES)
    return _page(sorted(kept, key=_by_number), wanted, is_complete=len(kept) == len(found), count=count)


def _by_number(message: ArchivedMessage) -> int:
    return message.number


def _page(messages: Sequence[ArchivedMessage], wanted: Query, *, is_complete: bool, count: int) -> Page:
    """The page, from messages oldest first."""
    first, last = (messages[0].id, messages[-1].id) if messages else (None, None)
    shown = tuple(reversed(messages)) if wanted.is_flipped else messages
    return Page(shown, first, last, is_complete, count)


async def _selection(ports: Ports, owner: int, wanted: Query) -> Selection:
    """What the query's filters select."""
    selection = Selection()
    if wanted.contact is not None:
        account = await ports.accounts.lookup(wanted.contact.bare)
        selection = Selection(str(wanted.contact), None if account is None else account.id)
    if wanted.start is not None:
        selection = replace(selection, above=max(selection.above, wanted.start - 1))
    if wanted.end is not None:
        selection = replace(selection, below=min(selection.below, wanted.end + 1))
    return await _between(ports, owner, selection, wanted.after_id, wanted.before_id)


async def _anchored(ports: Ports, owner: int, wanted: Query, selection: Selection) -> Selection:
    """What remains of a selection before or after the item that the page request names."""
    return await _between(ports, owner, selection, wanted.page.after, wanted.page.before or None)


async def _between(ports: Ports, owner: int, selection: Selection, after: str | None, before: str | None) -> Selection:
    if after is not None:
        (message,) = await _named(ports, owner, (after,))
        selection = replace(selection, above=max(selection.above, message.number))
    if before is not None:
        (message,) = await _named(ports, owner, (before,))
        selection = replace(selection, below=min(selection.below, message.number))
    return selection


async def _named(ports: Ports, owner: int, ids: Sequence[str]) -> list[ArchivedMessage]:
    """The messages of those ids, oldest first."""
    numbers = [number for identity in ids if (number := number_of(identity)) is not None]
    found = {message.id: message for message in await ports.archive.find(owner, numbers)}
    if any(identity not in found for identity in ids):
        raise item_not_found("The archive has no such message")
    return sorted({found[identity] for identity in ids}, key=_by_number)


async def ends(ports: Ports, owner: int) -> tuple[ArchivedMessage, ArchivedMessage] | None:
    """The oldest and the newest message of an archive (section 4.4); `None` if it is empty."""
    await ports.archive.flush()
    oldest = await ports.archive.page(owner, Selection(), 1, is_backwards=False)
    newest = await ports.archive.page(owner, Selection(), 1, is_backwards=True)
    return (oldest[0], newest[0]) if oldest and newest else None
