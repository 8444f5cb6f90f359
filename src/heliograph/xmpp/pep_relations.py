"""What ties others to a node: affiliations and subscriptions (XEP-0060, sections 4.1, 5.6, 5.7, 6.1, 6.2, 8.8, 8.9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from heliograph.xmpp.jid import Jid, JidMalformed, parse
from heliograph.xmpp.pep import (
    NS_PUBSUB,
    NS_PUBSUB_OWNER,
    Relation,
    RelationsRequest,
    node_of,
    pubsub_error,
    unsupported,
)
from heliograph.xmpp.stanza import quote
from heliograph.xmpp.stanza_error import StanzaError, bad_request, not_acceptable

_ENTRIES_MAX = 64
_SUBSCRIBED = "subscribed"


class Affiliation(StrEnum):
    """What somebody is to a node: its owner, named by the owner as one who may see it or may not, or nothing of that.

    The owner alone publishes, so nobody is a publisher.
    """

    OWNER = "owner"
    MEMBER = "member"
    OUTCAST = "outcast"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """A request to subscribe to a node, or to end that (sections 6.1 and 6.2).

    Attributes:
        jid: who is to be told, prepared.
        is_end: whether to end it.
    """

    node: str
    jid: Jid
    is_end: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a request of the owner: for whom, and what it is to be.

    Attributes:
        value: an affiliation, or of a subscription `none`.
    """

    jid: Jid
    value: str


@dataclass(frozen=True, slots=True)
class RelationsChange:
    """A request of the owner to change affiliations or to end subscriptions (sections 8.8.2 and 8.9.2)."""

    relation: Relation
    node: str
    entries: tuple[Entry, ...]


# ------------------------------------------------------------------------------------------------------------- requests


def parse_subscription(pubsub: Element) -> SubscriptionRequest | None:
    """Read a request to subscribe or to unsubscribe; `None` if it is something else.

    Raises:
        StanzaError: it is malformed, or comes with options.
    """
    action = pubsub.find(f"{{{NS_PUBSUB}}}subscribe")
    is_end = action is None
    if action is None:
        action = pubsub.find(f"{{{NS_PUBSUB}}}unsubscribe")
    if action is None:
        return None
    if pubsub.find(f"{{{NS_PUBSUB}}}options") is not None:
        raise unsupported("subscription-options")
    return SubscriptionRequest(node_of(action), _jid(action), is_end)


def _jid(element: Element) -> Jid:
    text = element.get("jid")
    if not text:
        raise bad_request("The request names no JID", pubsub_error("jid-required"))
    try:
        return parse(text)
    except JidMalformed as error:
        raise bad_request(str(error), pubsub_error("invalid-jid")) from None


def check_own(request: SubscriptionRequest, account: str) -> None:
    """Let everybody subscribe for themselves alone (sections 6.1.3.1 and 6.2.3.3).

    Raises:
        StanzaError: the JID is somebody else's.
    """
    if request.jid.bare == account:
        return
    if request.is_end:
        raise StanzaError("auth", "forbidden")
    raise bad_request("The JID is not your own", pubsub_error("invalid-jid"))


def parse_relations(pubsub: Element) -> RelationsChange | None:
    """Read a request of the owner to change affiliations or to end subscriptions; `None` if it is something else.

    Raises:
        StanzaError: it is malformed, or wants what no node has here.
    """
    action = pubsub[0] if len(pubsub) == 1 else None
    name = "" if action is None else action.tag.removeprefix(f"{{{NS_PUBSUB_OWNER}}}")
    if action is None or name not in set(Relation):
        return None
    relation = Relation(name)
    if len(action) > _ENTRIES_MAX:
        raise bad_request(f"A request names at most {_ENTRIES_MAX} users")
    return RelationsChange(relation, node_of(action), tuple(_entry(relation, each) for each in action))


def _entry(relation: Relation, element: Element) -> Entry:
    jid = _jid(element)
    if relation is Relation.SUBSCRIPTIONS:
        value = element.get("subscription", "")
        if value != "none":  # nobody is told of what they did not ask for
            raise not_acceptable("An owner ends subscriptions; everybody begins their own")
        return Entry(jid, value)
    value = element.get("affiliation", "")
    if value not in (Affiliation.MEMBER, Affiliation.OUTCAST, Affiliation.NONE):
        raise not_acceptable("An affiliation is member, outcast or none: the owner alone publishes")
    return Entry(jid, value)


# -------------------------------------------------------------------------------------------------------------- answers


def subscribed_xml(node: str, jid: str) -> str:
    """The answer to the one who has subscribed (section 6.1.2)."""
    return f"<pubsub xmlns='{NS_PUBSUB}'>{_subscription(node, jid)}</pubsub>"


def _subscription(node: str, jid: str) -> str:
    named = f" node={quote(node)}" if node else ""
    return f"<subscription{named} jid={quote(jid)} subscription='{_SUBSCRIBED}'/>"


def own_relations_xml(relation: Relation, entries: Iterable[tuple[str, str]]) -> str:
    """The answer to a request for one's relations to nodes (sections 5.6 and 5.7).

    Args:
        relation: which.
        entries: a node, and the affiliation to it or the JID that is subscribed to it.
    """
    if relation is Relation.AFFILIATIONS:
        content = "".join(f"<affiliation node={quote(node)} affiliation='{value}'/>" for node, value in entries)
    else:
        content = "".join(_subscription(node, jid) for node, jid in entries)
    return f"<pubsub xmlns='{NS_PUBSUB}'><{relation}>{content}</{relation}></pubsub>"


def relations_xml(request: RelationsRequest, entries: Iterable[tuple[str, str]]) -> str:
    """The answer to the owner who asks for the relations to a node (sections 8.8.1 and 8.9.1).

    Args:
        request: the request.
        entries: a JID, and its affiliation; for subscriptions the JID that is subscribed, and nothing.
    """
    if request.relation is Relation.AFFILIATIONS:
        content = "".join(f"<affiliation jid={quote(jid)} affiliation='{value}'/>" for jid, value in entries)
    else:
        content = "".join(_subscription("", jid) for jid, _ in entries)
    start = f"<{request.relation} node={quote(request.node or '')}>"
    return f"<pubsub xmlns='{NS_PUBSUB_OWNER}'>{start}{content}</{request.relation}></pubsub>"
