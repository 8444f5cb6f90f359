"""Contacts and the roster: one list, seen as friends by the SDKs and as roster items by XMPP (RFC 6121, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from heliograph.core import blocking, limits, profiles
from heliograph.core.apps import ContactPolicy
from heliograph.core.profiles import Profile
from heliograph.core.user_jids import are_of_one_app, domain_of, identifier_of
from heliograph.errors import AccountNotFound, ContactInvalid, ContactLimit
from heliograph.xmpp import presence, roster
from heliograph.xmpp.presence import Kind
from heliograph.xmpp.roster import Direction, State, state_of

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class RosterItem:
    """One entry of one user's roster (RFC 6121, section 2.1.2).

    Attributes:
        jid: the contact's bare JID.
        subscription: `none`, `to`, `from` or `both`.
        is_pending_out: the user asked for the contact's presence and waits (`ask='subscribe'`).
        is_pending_in: the contact asked for the user's presence and waits; such an item alone is never shown in
            the roster.
        is_approved: the user has pre-approved the contact (RFC 6121, section 3.4).
        is_listed: whether the item stands in the roster that the user sees.
        request: what stands inside the contact's request while it waits, as XML (section 3.1.3).
        mark: numbers, among what the clients of a domain have to hear of, when the user began to see the contact; see
            `profiles.Profile`. The store sets it.
    """

    jid: str
    subscription: str = "none"
    name: str = ""
    groups: tuple[str, ...] = ()
    is_pending_out: bool = False
    is_pending_in: bool = False
    is_approved: bool = False
    is_listed: bool = True
    request: str = ""
    mark: int = field(default=0, compare=False)

    @property
    def is_watched(self) -> bool:
        """Whether the owner sees the contact's presence, and so what the contact shows to contacts."""
        return presence.is_watched(self.subscription)


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One row that an atomic change wrote: whose roster, and the item after the change (`None`: removed).

    Attributes:
        is_shown: whether the owner's roster looks different after it: a request that nobody has answered is not shown.
        version: how often the owner's roster has changed, with this change.
        is_deletion: whether the contact's account was deleted.
        request: what the owner is to be told of a request of the contact that came without a stanza: that it was made
            (`subscribe`) or taken back (`unsubscribe`).
    """

    owner: str
    contact: str
    item: RosterItem | None
    is_shown: bool = True
    version: int = field(default=0, compare=False)
    is_deletion: bool = field(default=False, compare=False)
    request: Kind | None = field(default=None, compare=False)


class FriendState(StrEnum):
    """How far two users have come: friends, or one of them has asked."""

    FRIEND = "friend"
    REQUESTED = "requested"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Friend:
    """A contact as the SDKs see it.

    Attributes:
        state: a mutual contact, one whom the user has asked, or one who has asked the user.
        profile: what the user may see of it.
        is_online: whether a friend is connected; of anyone else nobody is told.
    """

    jid: str
    identifier: str
    state: FriendState
    profile: Profile
    is_online: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What a subscription stanza has done.

    Attributes:
        changes: what was written.
        is_routed: whether the contact's client is to get the stanza.
        is_answered: whether the sender is to get `subscribed` from the contact, who has approved already (RFC 6121,
            sections 3.1.3 and 3.4.2).
    """

    changes: list[RosterChange]
    is_routed: bool
    is_answered: bool = False


# --------------------------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True, slots=True)
class Pair:
    """Two users and what the roster of each says of the other.

    Attributes:
        owner, contact: their bare JIDs; the owner is the one who acts.
        item: in the owner's roster, or `None`.
        mirror: in the contact's roster, or `None`.
    """

    owner: str
    contact: str
    item: RosterItem | None
    mirror: RosterItem | None

    def turned(self) -> Pair:
        """The same pair with the contact as the one who acts."""
        return Pair(self.contact, self.owner, self.mirror, self.item)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A pair after a subscription stanza; see `Subscribed` for the rest."""

    pair: Pair
    is_routed: bool
    is_answered: bool


def exchange(pair: Pair, kind: Kind) -> Exchange:
    """What a subscription stanza from the owner to the contact does on both sides (RFC 6121, section 3)."""
    item, is_routed, _ = _step(pair.item, pair.contact, Direction.OUTBOUND, kind)
    if not is_routed:
        return Exchange(replace(pair, item=item), is_routed=False, is_answered=False)
    mirror, is_delivered, is_answered = _step(pair.mirror, pair.owner, Direction.INBOUND, kind)
    if is_answered:
        item, _, _ = _step(item, pair.contact, Direction.INBOUND, Kind.SUBSCRIBED)
    return Exchange(replace(pair, item=item, mirror=mirror), is_delivered, is_answered)


def _step(item: RosterItem | None, jid: str, direction: Direction, kind: Kind) -> tuple[RosterItem | None, bool, bool]:
    """One side's item after a stanza, whether the stanza goes on, and whether the server answers it."""
    before = item or RosterItem(jid, is_listed=False)
    step = roster.advance(direction, kind, _state(before), before.is_approved)
    return _moved(before, step.state, step.is_approved), step.is_passed, step.is_answered


def _with_request(before: Pair, after: Pair, request: str) -> Pair:
    """The pair with what stands inside the owner's request, where it begins to wait for the contact."""
    was_waiting = before.mirror is not None and before.mirror.is_pending_in
    if after.mirror is None or not after.mirror.is_pending_in or was_waiting:
        return after
    return replace(after, mirror=replace(after.mirror, request=request))


def _state(item: RosterItem) -> State:
    return state_of(item.subscription, item.is_pending_out, item.is_pending_in)


def _moved(item: RosterItem, state: State, is_approved: bool) -> RosterItem | None:
    """The item in a new state: a request that waits is not listed until it is approved (RFC 6121, section 3.1.3), and
    an item that says nothing is none.
    """
    says_more = state not in (State.NONE, State.NONE_IN) or is_approved
    if state is State.NONE and not is_approved and not item.is_listed:
        return None
    return replace(
        item,
        subscription=state.subscription,
        is_pending_out=state.is_pending_out,
        is_pending_in=state.is_pending_in,
        is_approved=is_approved,
        is_listed=item.is_listed or says_more,
        request=item.request if state.is_pending_in else "",
    )


def befriend(pair: Pair, policy: ContactPolicy) -> Pair:
    """What adding a contact does.

    The owner asks for the contact's presence and approves the contact's: at once if the contact has asked, ahead if
    not. So the one who is asked accepts in the same way, and then both are contacts of each other. Under the policy
    `open` the contact does the same at once.
    """
    after = _ask_and_approve(pair)
    return _ask_and_approve(after.turned()).turned() if policy is ContactPolicy.OPEN else after


def _ask_and_approve(pair: Pair) -> Pair:
    return exchange(exchange(pair, Kind.SUBSCRIBE).pair, Kind.SUBSCRIBED).pair


def part(pair: Pair) -> Pair:
    """What removing a contact does: the owner's item is gone, and neither is subscribed to the other any more (RFC
    6121, section 2.5.2). The contact keeps an item that it has listed.
    """
    after = exchange(exchange(pair, Kind.UNSUBSCRIBE).pair, Kind.UNSUBSCRIBED).pair
    return replace(after, item=None)


def check_room(before: Pair, after: Pair, item_count: int, mirror_count: int) -> Pair:
    """The pair after a change, if both rosters have room for what is new in them.

    Raises:
        ContactLimit: one of them is full.
    """
    sides = ((before.item, after.item, item_count), (before.mirror, after.mirror, mirror_count))
    if any(old is None and new is not None and count >= limits.CONTACTS_MAX for old, new, count in sides):
        raise ContactLimit
    return after


def friend_state(item: RosterItem) -> FriendState | None:
    """What the SDKs call a roster item; `None` where nobody waits and at most one of the two sees the other."""
    if item.subscription == "both":
        return FriendState.FRIEND
    if item.is_pending_in:
        return FriendState.RECEIVED
    if item.is_pending_out or (item.is_approved and presence.is_watched(item.subscription)):
        return FriendState.REQUESTED
    return None


def jid_of(owner: str, identifier: str) -> str:
    """The bare JID of another user of the owner's app and environment.

    Raises:
        ContactInvalid: it is the owner.
    """
    return check_contact(owner, f"{identifier}@{domain_of(owner)}")


def check_contact(owner: str, contact: str) -> str:
    """The contact's bare JID, if it can be a contact of the owner.

    Raises:
        ContactInvalid: it is the owner, or belongs to another app or environment.
    """
    if contact == owner:
        raise ContactInvalid("Nobody is a contact of their own")
    if not are_of_one_app(contact, owner):
        raise ContactInvalid("Contacts belong to the same app and environment")
    return contact


def _looks(item: RosterItem | None) -> RosterItem | None:
    """An item as its owner's clients see it."""
    return replace(item, is_pending_in=False, request="") if item is not None and item.is_listed else None


# ----------------------------------------------------------------------------------------------------------- use cases


class Decision:
    """A rule over pairs in the form in which stores ask for it.

    Args:
        owner: the bare JID of the one who acts.
        decide: from the pair before to the pair after; it may raise.
        is_stanza: whether the owner says so by a stanza, which goes on to the contact.
    """

    def __init__(self, owner: str, decide: Callable[[Pair], Pair], *, is_stanza: bool = False) -> None:
        self._owner = owner
        self._decide = decide
        self._is_stanza = is_stanza
        self._requests: dict[tuple[str, str], Kind | None] = {}
        self._shown: dict[tuple[str, str], bool] = {}  # whose item of whom has changed for those who see it

    def __call__(
        self,
        contact: str,
        item: RosterItem | None,
        mirror: RosterItem | None,
        item_count: int,
        mirror_count: int,
    ) -> tuple[RosterItem | None, RosterItem | None]:
        """Both items after the change; see `ContactStore.change`."""
        before = Pair(self._owner, contact, item, mirror)
        after = check_room(before, self._decide(before), item_count, mirror_count)
        self._shown[self._owner, contact] = _looks(item) != _looks(after.item)
        self._shown[contact, self._owner] = _looks(mirror) != _looks(after.mirror)
        self._requests[contact, self._owner] = None if self._is_stanza else _request(mirror, after.mirror)
        return after.item, after.mirror

    def tell(self, ports: Ports, written: Sequence[RosterChange]) -> list[RosterChange]:
        """What was written, as the engine is told of it after the commit."""
        sides = [(each, (each.owner, each.contact)) for each in written]
        changes = [replace(each, is_shown=self._shown[of], request=self._requests.get(of)) for each, of in sides]
        if changes:
            ports.engine.contacts_changed(changes)
        return changes


def _request(before: RosterItem | None, after: RosterItem | None) -> Kind | None:
    """What a change of an item tells of the contact's request; one that was granted is told of by the roster."""
    was, is_asked = (item is not None and item.is_pending_in for item in (before, after))
    if was == is_asked or (after is not None and presence.is_watcher(after.subscription)):
        return None
    return Kind.SUBSCRIBE if is_asked else Kind.UNSUBSCRIBE


async def change(
    ports: Ports, owner: str, contact: str, decide: Callable[[Pair], Pair], *, is_stanza: bool = False
) -> list[RosterChange]:
    """One atomic change of both sides, of which the engine is told after the commit; see `Decision`."""
    decision = Decision(owner, decide, is_stanza=is_stanza)
    return decision.tell(ports, await ports.contacts.change(owner, contact, partial(decision, contact)))


async def _check_account(ports: Ports, jid: str) -> None:
    account = await ports.accounts.lookup(jid)
    if account is None or account.is_deleted:
        raise AccountNotFound


async def add(ports: Ports, owner: str, policy: ContactPolicy, identifier: str) -> Friend:
    """Make another user a contact, ask to, or accept one who has asked; see `befriend`.

    Raises:
        AccountNotFound: there is no such user in this app and environment, or that user blocks this one.
        ContactInvalid: it is the user, or somebody whom the user blocks.
        ContactLimit: one of the two rosters is full.
    """
    jid = jid_of(owner, identifier)
    await _check_account(ports, jid)
    if await blocking.blocks(ports, owner, jid):
        raise ContactInvalid("Who is blocked cannot be made a contact")
    if await blocking.blocks(ports, jid, owner):
        raise AccountNotFound
    await change(ports, owner, jid, lambda pair: befriend(pair, policy))
    return await friend(ports, owner, jid)


async def friend(ports: Ports, owner: str, jid: str) -> Friend:
    """One contact, as the owner sees it.

    Raises:
        AccountNotFound: there is none: one of the two was deleted, or the contact was removed, in this very moment.
    """
    item = await ports.contacts.lookup(owner, jid)
    state = None if item is None else friend_state(item)
    if item is None or state is None:
        raise AccountNotFound
    return _friend(ports, item, state, await ports.profiles.lookup(jid))


async def remove(ports: Ports, owner: str, identifier: str) -> None:
    """End a contact, take back a request or decline one; see `part`.

    Raises:
        AccountNotFound: the user has no such contact, and was not asked by one.
        ContactInvalid: it is the user.
    """
    await _remove(ports, owner, jid_of(owner, identifier), lambda _item: True)


async def _remove(ports: Ports, owner: str, contact: str, is_there: Callable[[RosterItem], bool]) -> RosterItem:
    removed: list[RosterItem] = []

    def decide(pair: Pair) -> Pair:
        if pair.item is None or not is_there(pair.item):
            raise AccountNotFound("There is no such contact")
        removed[:] = [pair.item]
        return part(pair)

    await change(ports, owner, contact, decide)
    return removed[0]


async def friends(ports: Ports, owner: str) -> list[Friend]:
    """The user's friends, those whom the user has asked, and those who have asked the user, in the roster's order. Of
    whom blocking keeps apart from the user, nothing but the name of the entry is shown.
    """
    apart = await blocking.apart_from(ports, owner)
    known = {profile.jid: profile for profile in await ports.profiles.of_contacts(owner)}
    found = []
    for item in await ports.contacts.roster(owner):
        state = friend_state(item)
        if state is not None and apart.covers(item.jid):
            found.append(Friend(item.jid, identifier_of(item.jid), state, Profile(item.jid), is_online=False))
        elif state is not None:
            is_watched = presence.is_watched(item.subscription)
            profile = known.get(item.jid) if is_watched else await ports.profiles.lookup(item.jid)
            found.append(_friend(ports, item, state, profile))
    return found


def _friend(ports: Ports, item: RosterItem, state: FriendState, profile: Profile | None) -> Friend:
    return Friend(
        jid=item.jid,
        identifier=identifier_of(item.jid),
        state=state,
        profile=profiles.redact(profile or Profile(item.jid), profiles.seen_as(item)),
        is_online=state is FriendState.FRIEND and bool(ports.engine.online(item.jid)),
    )


async def set_item(ports: Ports, owner: str, contact: str, name: str, groups: Sequence[str]) -> None:
    """Add an item to the roster, or change its name and groups (RFC 6121, sections 2.3 and 2.4).

    An item may name anybody, also somebody who does not exist or lives elsewhere: it is the user's own address book.

    Raises:
        ContactInvalid: it is the owner.
        ContactLimit: the roster is full.
    """
    if contact == owner:
        raise ContactInvalid("Nobody is a contact of their own")

    def decide(pair: Pair) -> Pair:
        item = pair.item or RosterItem(contact)
        return replace(pair, item=replace(item, name=name, groups=tuple(groups), is_listed=True))

    await change(ports, owner, contact, decide)


async def remove_item(ports: Ports, owner: str, contact: str) -> list[Kind]:
    """Remove an item from the roster, with both subscriptions (RFC 6121, section 2.5).

    Returns:
        The subscription stanzas that tell the contact of what has ended (section 2.5.2).

    Raises:
        AccountNotFound: the roster shows no such item.
    """
    item = await _remove(ports, owner, contact, lambda item: item.is_listed)
    has_asked = presence.is_watched(item.subscription) or item.is_pending_out
    was_asked = presence.is_watcher(item.subscription) or item.is_pending_in
    return [Kind.UNSUBSCRIBE] * has_asked + [Kind.UNSUBSCRIBED] * was_asked


async def subscription(ports: Ports, sender: str, contact: str, kind: Kind, request: str = "") -> Subscribed:
    """Carry out a subscription stanza on both sides (RFC 6121, section 3). Whether the contact exists is not told
    (section 8.5.1): a request to nobody stays unanswered.

    Args:
        ports: the node's ports.
        sender: the bare JID of the sender.
        contact: the bare JID of the contact.
        kind: `subscribe`, `subscribed`, `unsubscribe` or `unsubscribed`.
        request: what stands inside a request, as XML, to be there when it is delivered later; too much of it is not
            kept.

    Raises:
        ContactInvalid: the contact is the sender, or belongs to another app or environment.
        ContactLimit: one of the two rosters is full.
    """
    check_contact(sender, contact)
    done: list[Exchange] = []

    def decide(pair: Pair) -> Pair:
        done[:] = [exchange(pair, kind)]
        return _with_request(pair, done[0].pair, kept)

    kept = request if len(request.encode()) <= limits.SUBSCRIPTION_REQUEST_MAX_BYTES else ""
    changes = await change(ports, sender, contact, decide, is_stanza=True)
    return Subscribed(changes, done[0].is_routed, done[0].is_answered)
