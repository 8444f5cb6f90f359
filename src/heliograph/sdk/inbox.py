"""What received stanzas mean to the app: stanzas in, events out, no I/O. One inbox serves one user over all the
connections of the SDK's life, so what was told before a connection was lost is not told again after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from heliograph.errors import ProfileInvalid
from heliograph.sdk.events import (
    AdminBlockUpdate,
    BlockUpdate,
    Event,
    FriendsListUpdate,
    MessageReceived,
    NewSession,
    PresenceUpdate,
    ProfileUpdate,
    SessionEnded,
)
from heliograph.wire import FriendState
from heliograph.xmpp import blocking, pep, presence, roster, vcard
from heliograph.xmpp.jid import Jid, JidMalformed, parse
from heliograph.xmpp.message import message_type
from heliograph.xmpp.new_session import find_ended_session, find_new_session
from heliograph.xmpp.presence import Kind
from heliograph.xmpp.stable_ids import origin_id
from heliograph.xmpp.stanza import NS_CLIENT, Stanza
from heliograph.xmpp.stanza_error import StanzaError

_BODY_TAG = f"{{{NS_CLIENT}}}body"
_EXTRA_MAX_BYTES = 64 * 1024  # what a stanza can hold; the SDK shows the fields and drops the rest

_MESSAGES_MAX = 10_000
"""How many messages are remembered by their ids."""


class Inbox:
    """What one user was told of profiles and contacts.

    Args:
        user: the bare JID of the signed-in user.

    Attributes:
        mark: the highest mark of the profile events that came; 0 before the first (`xmpp.profile_news`).
    """

    def __init__(self, user: Jid) -> None:
        self._user = user
        self._profiles: dict[str, ProfileUpdate] = {}
        self._friends: dict[str, FriendState] = {}
        self._has_roster = False
        self._blocked: frozenset[str] | None = None
        self._messages: dict[tuple[str, str], None] = {}  # the newest, by sender and origin id
        self.mark = 0

    def take(self, stanza: Stanza) -> list[Event]:
        """The events of a message or a presence; none of what this SDK does not understand."""
        try:
            sender = parse(stanza.get("from") or self._user.bare)
        except JidMalformed:
            return []
        if stanza.name == "presence":
            return list(self._presence(stanza, sender))
        return list(self._message(stanza, sender))

    # -------------------------------------------------------------------------------------------------------- roster

    def take_roster(self, items: Sequence[roster.Item]) -> list[Event]:
        """The whole contact list, as it was fetched. The first one is what later changes are told against."""
        found = {item.jid: state for item in items if (state := _friend_state(item)) is not None}
        if not self._has_roster:
            self._has_roster = True
            self._friends |= found
            return []
        gone = [jid for jid, state in self._friends.items() if state != "received" and jid not in found]
        changes = [self._set_friend(jid, None) for jid in gone]
        changes += [self._set_friend(jid, state) for jid, state in found.items()]
        return [change for change in changes if change is not None]

    def take_push(self, stanza: Stanza) -> list[Event] | None:
        """The events of a push of the roster (RFC 6121, section 2.1.6) or of the block list (XEP-0191, sections 3.3
        and 3.4); `None` if the IQ is none, or is not from the user's own account.
        """
        query = stanza.child()
        if stanza.type != "set" or query is None or stanza.get("from") not in (None, self._user.bare):
            return None
        if query.tag in (blocking.BLOCK_TAG, blocking.UNBLOCK_TAG):
            return self._take_block_push(query)
        if query.tag != roster.QUERY_TAG:
            return None
        events = [self._set_friend(item.jid, _friend_state(item)) for item in roster.parse_items(query)]
        return [event for event in events if event is not None]

    def _set_friend(self, jid: str, state: FriendState | None) -> FriendsListUpdate | None:
        if state is None:
            self._profiles.pop(jid, None)  # should the contact come back, the profile is news again
        if self._friends.get(jid) == state:
            return None
        if state is None:
            del self._friends[jid]
        else:
            self._friends[jid] = state
        return FriendsListUpdate(user_id=jid.partition("@")[0], user_jid=jid, state=state or "removed")

    # ------------------------------------------------------------------------------------------------------ blocking

    def take_blocks(self, element: Element) -> list[Event]:
        """The whole block list, as it was fetched. The first one is what later changes are told against."""
        try:
            found = frozenset(blocking.parse_items(element))
        except StanzaError:
            return []
        before, self._blocked = self._blocked, found
        return [] if before is None else list(_block_updates(before, found))

    def _take_block_push(self, element: Element) -> list[Event]:
        try:
            named = frozenset(blocking.parse_items(element))
        except StanzaError:
            return []
        before = self._blocked or frozenset()
        if element.tag == blocking.BLOCK_TAG:
            self._blocked = before | named
        else:
            self._blocked = before - named if named else frozenset()
        return list(_block_updates(before, self._blocked))

    # ------------------------------------------------------------------------------------------------------ presence

    def _presence(self, stanza: Stanza, sender: Jid) -> Iterator[Event]:
        try:
            found = presence.parse(stanza.element)
        except StanzaError:
            return
        if found.kind in (Kind.AVAILABLE, Kind.UNAVAILABLE):
            if stanza.get("from") != stanza.to:  # one's own presence comes back to oneself (RFC 6121, section 4.2.2)
                yield _presence_update(sender, found)
        elif change := self._request(found.kind, sender.bare):
            yield change

    def _request(self, kind: Kind, jid: str) -> FriendsListUpdate | None:
        """Somebody asks to become a contact, or no longer does. A roster push tells all else."""
        known = self._friends.get(jid)
        if kind is Kind.SUBSCRIBE and known is None:
            return self._set_friend(jid, "received")
        if kind is Kind.UNSUBSCRIBE and known == "received":
            return self._set_friend(jid, None)
        return None

    # ------------------------------------------------------------------------------------------------------- message

    def _message(self, stanza: Stanza, sender: Jid) -> Iterator[Event]:
        event = stanza.find(pep.EVENT_TAG)
        body = stanza.element.findtext(_BODY_TAG)
        kind = message_type(stanza.type)
        if kind == "headline" and sender == self._user:
            yield from _session_notice(stanza)
        if event is not None and kind == "headline" and not sender.resource:
            # Only a server speaks for a bare JID (XEP-0163, section 4.3.1): a client could forge its own version here.
            found = pep.parse_event(event)
            yield from self._profile(found, sender) if found is not None else ()
        elif body and kind in ("chat", "normal") and not self._is_known(stanza, sender):
            yield MessageReceived(message_id=stanza.id or "", user_id=sender.local, user_jid=sender.bare, text=body)

    def _is_known(self, message: Stanza, sender: Jid) -> bool:
        """Whether a message came before: its sender sends it again where it cannot know (XEP-0359, section 3.2)."""
        identity = origin_id(message)
        if not identity:
            return False
        key = (sender.bare, identity)
        if key in self._messages:
            return True
        self._messages[key] = None
        if len(self._messages) > _MESSAGES_MAX:
            del self._messages[next(iter(self._messages))]
        return False

    def _profile(self, event: pep.Event, owner: Jid) -> Iterator[Event]:
        payload = event.items[-1][1] if event.items else None
        if event.node != pep.NODE_VCARD4 or payload is None or payload.tag != vcard.VCARD4_TAG:
            return
        try:
            card = vcard.with_facts(vcard.from_vcard4(payload, _EXTRA_MAX_BYTES), payload)
        except ProfileInvalid:
            return
        self.mark = max(self.mark, card.mark)
        update = _update(owner, card)
        known = self._profiles.get(owner.bare)
        if known == update or (known is not None and known.version > update.version):
            return
        self._profiles[owner.bare] = update
        yield update
        if update.is_admin_blocked != (known is not None and known.is_admin_blocked):
            yield AdminBlockUpdate(user_id=owner.local, user_jid=owner.bare, is_admin_blocked=update.is_admin_blocked)


def _session_notice(stanza: Stanza) -> Iterator[Event]:
    """Another device was let in, or lost its session, as the account itself says."""
    facts = find_new_session(stanza)
    if facts is not None:
        yield NewSession(**_of_session(facts))
    ended = find_ended_session(stanza)
    if ended is not None:
        yield SessionEnded(**_of_session(ended[0]), reason=ended[1])


def _of_session(facts: Mapping[str, str]) -> dict[str, str]:
    return {
        "session_id": facts["id"],
        "device": facts["device"],
        "browser": facts["browser"],
        "os": facts["os"],
        "ip": facts["ip"],
        "created_at": facts["createdAt"],
        "via": facts["via"],
    }


def _block_updates(before: frozenset[str], after: frozenset[str]) -> Iterator[BlockUpdate]:
    """One event for each user who came to the list or left it; entries of other kinds are for XMPP clients."""
    for jid in sorted(before ^ after):
        local, at, domain = jid.partition("@")
        if at and "/" not in domain:
            yield BlockUpdate(user_id=local, user_jid=jid, is_blocked=jid in after)


def _update(owner: Jid, card: vcard.Card) -> ProfileUpdate:
    return ProfileUpdate(
        user_id=owner.local,
        user_jid=owner.bare,
        from_user=owner.local,
        nick_name=card.name,
        image=card.image,
        thumb_image=card.thumb_image,
        status=card.status,
        user_status=card.status,
        mobile_number=card.mobile,
        email=card.email,
        is_admin_blocked=card.is_admin_blocked,
        version=card.version,
    )


def _friend_state(item: roster.Item) -> FriendState | None:
    """What a roster item is to the user; `None` for one that is no contact."""
    if item.subscription == "both":
        return "friend"
    return "requested" if item.is_pending_out and item.subscription != "remove" else None


def _presence_update(sender: Jid, found: presence.Presence) -> PresenceUpdate:
    return PresenceUpdate(
        user_id=sender.local,
        user_jid=sender.bare,
        resource=sender.resource,
        is_online=found.kind is Kind.AVAILABLE,
        show=found.show,
        status=found.status,
    )
