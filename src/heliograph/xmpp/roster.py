"""The roster and presence subscriptions (RFC 6121, sections 2 and 3, and Appendix A).

`TABLE` is Appendix A as one table: what each subscription stanza does in each state, seen from the roster of one user.
An outbound stanza comes from that user, an inbound one from the contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple
from xml.etree.ElementTree import Element

from heliograph.xmpp.presence import Kind, is_watched, is_watcher
from heliograph.xmpp.stanza import escape, quote
from heliograph.xmpp.stanza_error import bad_request, not_acceptable

NS_ROSTER = "jabber:iq:roster"
NS_ROSTER_VERSIONING = "urn:xmpp:features:rosterver"
NS_PRE_APPROVAL = "urn:xmpp:features:pre-approval"

QUERY_TAG = f"{{{NS_ROSTER}}}query"
_ITEM_TAG = f"{{{NS_ROSTER}}}item"
_GROUP_TAG = f"{{{NS_ROSTER}}}group"


class State(Enum):
    """The subscription states of Appendix A.1, as `subscription`, pending out, pending in."""

    NONE = ("none", False, False)
    NONE_OUT = ("none", True, False)
    NONE_IN = ("none", False, True)
    NONE_OUT_IN = ("none", True, True)
    TO = ("to", False, False)
    TO_IN = ("to", False, True)
    FROM = ("from", False, False)
    FROM_OUT = ("from", True, False)
    BOTH = ("both", False, False)

    def __init__(self, subscription: str, is_pending_out: bool, is_pending_in: bool) -> None:
        self.subscription = subscription
        self.is_pending_out = is_pending_out
        self.is_pending_in = is_pending_in


_STATES = {state.value: state for state in State}


def state_of(subscription: str, is_pending_out: bool, is_pending_in: bool) -> State:
    """The state of a roster item; a request for what is there already does not count."""
    asks = is_pending_out and not is_watched(subscription)
    is_asked = is_pending_in and not is_watcher(subscription)
    return _STATES[subscription, asks, is_asked]


class Direction(StrEnum):
    """Whether the owner of the roster sends a stanza or the contact does."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True)
class Step:
    """What a stanza does in a state.

    Attributes:
        state: the state after it.
        is_passed: whether it goes on: an outbound one is routed to the contact, an inbound one is delivered to the
            user.
        is_answered: whether the server answers an inbound request with `subscribed` for the user.
        is_approved: whether the contact is pre-approved after it (section 3.4).
    """

    state: State
    is_passed: bool = False
    is_answered: bool = False
    is_approved: bool = False


def _pass(state: State) -> Step:
    return Step(state, is_passed=True)


def _drop(state: State) -> Step:
    return Step(state)


def _answer(state: State) -> Step:
    return Step(state, is_answered=True)


def _note(state: State) -> Step:
    return Step(state, is_approved=True)


def _row(*steps: Step) -> Mapping[State, Step]:
    return dict(zip(State, steps, strict=True))


_N, _NO, _NI, _NOI, _T, _TI, _F, _FO, _B = State

# A step for each state, in the order of `State`.
TABLE: Mapping[tuple[Direction, Kind], Mapping[State, Step]] = {
    (Direction.OUTBOUND, Kind.SUBSCRIBE): _row(  # A.2.1
        _pass(_NO), _pass(_NO), _pass(_NOI), _pass(_NOI), _pass(_T), _pass(_TI), _pass(_FO), _pass(_FO), _pass(_B)
    ),
    (Direction.OUTBOUND, Kind.UNSUBSCRIBE): _row(  # A.2.2
        _pass(_N), _pass(_N), _pass(_NI), _pass(_NI), _pass(_N), _pass(_NI), _pass(_F), _pass(_F), _pass(_F)
    ),
    (Direction.OUTBOUND, Kind.SUBSCRIBED): _row(  # A.2.3; where nobody has asked it is a pre-approval (3.4.2)
        _note(_N), _note(_NO), _pass(_F), _pass(_FO), _note(_T), _pass(_B), _drop(_F), _drop(_FO), _drop(_B)
    ),
    (Direction.OUTBOUND, Kind.UNSUBSCRIBED): _row(  # A.2.4; it also ends a pre-approval (3.4.2)
        _drop(_N), _drop(_NO), _pass(_N), _pass(_NO), _drop(_T), _pass(_T), _pass(_N), _pass(_NO), _pass(_T)
    ),
    (Direction.INBOUND, Kind.SUBSCRIBE): _row(  # A.3.1; whoever is subscribed already is told so (3.1.3)
        _pass(_NI), _pass(_NOI), _drop(_NI), _drop(_NOI), _pass(_TI), _drop(_TI), _answer(_F), _answer(_FO), _answer(_B)
    ),
    (Direction.INBOUND, Kind.UNSUBSCRIBE): _row(  # A.3.2
        _drop(_N), _drop(_NO), _pass(_N), _pass(_NO), _drop(_T), _pass(_T), _pass(_N), _pass(_NO), _pass(_T)
    ),
    (Direction.INBOUND, Kind.SUBSCRIBED): _row(  # A.3.3
        _drop(_N), _pass(_T), _drop(_NI), _pass(_TI), _drop(_T), _drop(_TI), _drop(_F), _pass(_B), _drop(_B)
    ),
    (Direction.INBOUND, Kind.UNSUBSCRIBED): _row(  # A.3.4
        _drop(_N), _pass(_N), _drop(_NI), _pass(_NI), _pass(_N), _pass(_NI), _drop(_F), _pass(_F), _pass(_F)
    ),
}

APPROVED_REQUEST: Mapping[State, Step] = {
    _N: _answer(_F),
    _NO: _answer(_FO),
    _T: _answer(_B),
}
"""What an inbound `subscribe` does where the contact is pre-approved (section 3.4.2). An approval serves one
request.
"""

_LEAVES_APPROVAL = frozenset((Kind.SUBSCRIBE, Kind.UNSUBSCRIBE))


def advance(direction: Direction, kind: Kind, state: State, is_approved: bool = False) -> Step:
    """What a subscription stanza does.

    Args:
        direction: who sends it.
        kind: its type, one of the four of a subscription.
        state: the state before it.
        is_approved: whether the contact is pre-approved before it.
    """
    is_request = direction is Direction.INBOUND and kind is Kind.SUBSCRIBE
    if is_request and is_approved and state in APPROVED_REQUEST:
        return APPROVED_REQUEST[state]
    step = TABLE[direction, kind][state]
    is_kept = is_approved and (direction is Direction.INBOUND or kind in _LEAVES_APPROVAL)
    if is_kept and not is_watcher(step.state.subscription):
        return Step(step.state, step.is_passed, step.is_answered, is_approved=True)
    return step


# ---------------------------------------------------------------------------------------------------------- on the wire


@dataclass(frozen=True, slots=True)
class Item:
    """A roster item as it is sent (section 2.1.2).

    Attributes:
        subscription: `none`, `to`, `from`, `both`, or `remove` in a push.
        is_pending_out: shown as `ask='subscribe'`.
        is_approved: shown as `approved='true'`.
    """

    jid: str
    subscription: str = "none"
    name: str = ""
    groups: tuple[str, ...] = ()
    is_pending_out: bool = False
    is_approved: bool = False


class RosterGet(NamedTuple):
    """A request for the roster; `ver` is the version the client has, `None` if it knows no versions (section 2.6)."""

    ver: str | None


@dataclass(frozen=True, slots=True)
class RosterSet:
    """A wish to add, change or remove one item. `jid` stands as the client wrote it."""

    jid: str
    name: str = ""
    groups: tuple[str, ...] = ()
    is_removal: bool = False


@dataclass(frozen=True, slots=True)
class ItemLimits:
    """What an item may cost: bytes of its name and of each group's name, and the number of groups."""

    name_max_bytes: int
    groups_max: int


def parse_get(query: Element) -> RosterGet:
    """Read `<query xmlns='jabber:iq:roster'/>` of an IQ get (section 2.1.3).

    Raises:
        StanzaError: `bad-request` if something stands in it.
    """
    if len(query):
        raise bad_request("A request for the roster is empty")
    return RosterGet(query.get("ver"))


def parse_set(query: Element, limits: ItemLimits) -> RosterSet:
    """Read `<query xmlns='jabber:iq:roster'/>` of an IQ set (section 2.1.5). What a client says of its subscription is
    not read, but for `remove`.

    Raises:
        StanzaError: the conditions of section 2.3.3.
    """
    if len(query) != 1 or query[0].tag != _ITEM_TAG:
        raise bad_request("A roster set has exactly one item")
    item = query[0]
    jid = item.get("jid")
    if not jid:
        raise bad_request("A roster item has a jid")
    if item.get("subscription") == "remove":
        return RosterSet(jid, is_removal=True)
    name = item.get("name", "")
    if len(name.encode()) > limits.name_max_bytes:
        raise not_acceptable(f"The name of a roster item has at most {limits.name_max_bytes} bytes")
    return RosterSet(jid, name, _parse_groups(item, limits))


def _parse_groups(item: Element, limits: ItemLimits) -> tuple[str, ...]:
    groups = tuple(group.text or "" for group in item.iterfind(_GROUP_TAG))
    if len(set(groups)) != len(groups):
        raise bad_request("A roster item names each group once")
    if "" in groups:
        raise not_acceptable("The name of a group is not empty")
    if len(groups) > limits.groups_max:
        raise not_acceptable(f"A roster item has at most {limits.groups_max} groups")
    if any(len(group.encode()) > limits.name_max_bytes for group in groups):
        raise not_acceptable(f"The name of a group has at most {limits.name_max_bytes} bytes")
    return groups


def parse_items(query: Element) -> list[Item]:
    """Read the items of a roster result or of a push, as a client gets them (sections 2.1.4 and 2.1.6)."""
    return [
        Item(
            jid=item.get("jid", ""),
            subscription=item.get("subscription", "none"),
            name=item.get("name", ""),
            groups=tuple(group.text or "" for group in item.iterfind(_GROUP_TAG)),
            is_pending_out=item.get("ask") == "subscribe",
            is_approved=item.get("approved") in ("true", "1"),
        )
        for item in query.iterfind(_ITEM_TAG)
    ]


def item_xml(item: Item) -> str:
    """`<item/>` inside a roster query (section 2.1.2)."""
    approved = " approved='true'" if item.is_approved else ""
    ask = " ask='subscribe'" if item.is_pending_out else ""
    named = f" name={quote(item.name)}" if item.name else ""
    start = f"<item jid={quote(item.jid)}{named}{approved}{ask} subscription='{item.subscription}'"
    content = "".join(f"<group>{escape(group)}</group>" for group in item.groups)
    return f"{start}>{content}</item>" if content else f"{start}/>"


def query_xml(items: Iterable[Item], ver: str | None = None) -> str:
    """The roster for a result, or one item for a push (sections 2.1.4 and 2.1.6)."""
    version = "" if ver is None else f" ver={quote(ver)}"
    content = "".join(item_xml(item) for item in items)
    start = f"<query xmlns='{NS_ROSTER}'{version}"
    return f"{start}>{content}</query>" if content else f"{start}/>"


def push_xml(item: Item, identity: str, to: str, ver: str | None = None) -> str:
    """A whole roster push (section 2.1.6): an IQ set from the account itself, so without `from`.

    Args:
        item: the item after the change; its subscription is `remove` where it is gone.
        identity: the `id` of the IQ.
        to: the full JID of an interested resource.
        ver: the roster's version after the change, if versions are kept.
    """
    return f"<iq id={quote(identity)} to={quote(to)} type='set'>{query_xml((item,), ver)}</iq>"
