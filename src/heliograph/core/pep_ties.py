"""What ties others to a user's nodes (XEP-0060, section 4): who may see a node, and who is told of it unasked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from heliograph.core import blocking, limits
from heliograph.core.profiles import Viewer, viewer_of
from heliograph.xmpp import pep
from heliograph.xmpp.pep_config import AccessModel, NodeConfig
from heliograph.xmpp.pep_relations import Affiliation
from heliograph.xmpp.stanza_error import StanzaError, item_not_found

if TYPE_CHECKING:
    from heliograph.core.contacts import RosterItem
    from heliograph.core.ports import Ports

__all__ = ["Affiliation", "Found", "Tie", "Visitor"]


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties an account to a node.

    Attributes:
        owner: the bare JID of the node's owner.
        node: the node's name.
        account: the bare JID of the one who is tied to it.
        affiliation: as the owner has named the account.
        subscriptions: the JIDs of the account, bare or full, that are told of the node.
    """

    owner: str
    node: str
    account: str
    affiliation: Affiliation = Affiliation.NONE
    subscriptions: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return self.affiliation is Affiliation.NONE and not self.subscriptions


@dataclass(frozen=True, slots=True)
class Found:
    """What a change of a tie is decided over.

    Attributes:
        config: of the node; `None` where it does not exist.
        tie: as it is; an empty one is not kept yet.
        node_ties: how many accounts are tied to the node.
        subscribed_nodes: to how many nodes the account is subscribed.
    """

    config: NodeConfig | None
    tie: Tie
    node_ties: int
    subscribed_nodes: int


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who comes to a user's nodes.

    Attributes:
        viewer: what they are to the user.
        groups: those of the user's roster that they are in.
        affiliations: as the user has named them, by the node.
    """

    viewer: Viewer
    groups: frozenset[str] = frozenset()
    affiliations: Mapping[str, Affiliation] = field(default_factory=dict)

    def sees(self, node: str, config: NodeConfig) -> bool:
        """Whether a node is for them (section 4.5)."""
        affiliation = self.affiliations.get(node, Affiliation.NONE)
        if self.viewer is Viewer.SELF or affiliation is Affiliation.MEMBER:
            return True
        if affiliation is Affiliation.OUTCAST:
            return False
        if config.access_model is AccessModel.OPEN:
            return True
        if self.viewer is not Viewer.CONTACT:
            return False
        is_in_group = not self.groups.isdisjoint(config.roster_groups)
        return config.access_model is AccessModel.PRESENCE or (
            config.access_model is AccessModel.ROSTER and is_in_group
        )

    def check(self, node: str, config: NodeConfig) -> None:
        """Refuse who may not see a node (sections 6.1.3 and 6.5.9).

        Raises:
            StanzaError: it is not for them.
        """
        if self.sees(node, config):
            return
        if self.affiliations.get(node) is Affiliation.OUTCAST:
            raise StanzaError("auth", "forbidden")
        if config.access_model is AccessModel.WHITELIST:
            raise StanzaError("cancel", "not-allowed", application=pep.pubsub_error("closed-node"))
        is_presence = config.access_model is AccessModel.PRESENCE
        condition = "presence-subscription-required" if is_presence else "not-in-roster-group"
        raise StanzaError("auth", "not-authorized", application=pep.pubsub_error(condition))


def visitor_of(item: RosterItem | None, ties: Iterable[Tie]) -> Visitor:
    """Somebody else.

    Args:
        item: for them in the owner's roster.
        ties: theirs, to the owner's nodes.
    """
    groups = frozenset() if item is None else frozenset(item.groups)
    return Visitor(viewer_of(item), groups, {tie.node: tie.affiliation for tie in ties})


# --------------------------------------------------------------------------------------------------------------- rules


def decide_subscribe(found: Found, visitor: Visitor, jid: str) -> Tie:
    """Tell a JID of a node from now on (section 6.1).

    Raises:
        StanzaError: there is no such node, it is not for them, or there are as many as may be.
    """
    tie = found.tie
    replace(visitor, affiliations={tie.node: tie.affiliation}).check(tie.node, _existing(found))
    if jid in tie.subscriptions:
        return tie
    if len(tie.subscriptions) >= limits.PEP_SUBSCRIPTIONS_MAX:
        raise _too_many()
    return _bounded(found, replace(tie, subscriptions=(*tie.subscriptions, jid)))


def decide_unsubscribe(found: Found, jid: str) -> Tie:
    """Tell a JID of a node no more (section 6.2).

    Raises:
        StanzaError: there is no such node, or no such subscription.
    """
    _existing(found)
    if jid not in found.tie.subscriptions:
        raise StanzaError("cancel", "unexpected-request", application=pep.pubsub_error("not-subscribed"))
    return replace(found.tie, subscriptions=tuple(each for each in found.tie.subscriptions if each != jid))


def decide_affiliation(found: Found, visitor: Visitor, affiliation: Affiliation) -> Tie:
    """Name an account as one who may see a node, or may not, or neither (section 8.9.2); who does not see it any more
    is not told of it either.

    Raises:
        StanzaError: there is no such node, or there are as many as may be.
    """
    config, tie = _existing(found), replace(found.tie, affiliation=affiliation)
    if not replace(visitor, affiliations={tie.node: affiliation}).sees(tie.node, config):
        tie = replace(tie, subscriptions=())
    return _bounded(found, tie)


def decide_end(found: Found) -> Tie:
    """All subscriptions of an account to a node are over, as it does not see it any more."""
    return replace(found.tie, subscriptions=())


def _existing(found: Found) -> NodeConfig:
    if found.config is None:
        raise item_not_found("There is no such node")
    return found.config


def _bounded(found: Found, tie: Tie) -> Tie:
    is_tied = found.tie.is_empty and not tie.is_empty
    is_subscribed = bool(tie.subscriptions) and not found.tie.subscriptions
    if is_tied and found.node_ties >= limits.PEP_NODE_TIES_MAX:
        raise _too_many()
    if is_subscribed and found.subscribed_nodes >= limits.PEP_SUBSCRIBED_NODES_MAX:
        raise _too_many()
    return tie


def _too_many() -> StanzaError:
    return StanzaError("wait", "policy-violation", application=pep.pubsub_error("too-many-subscriptions"))


# ----------------------------------------------------------------------------------------------------------- use cases


async def visitor(ports: Ports, viewer_jid: str, owner: str) -> Visitor:
    """Somebody who comes to a user's nodes, the user too.

    Raises:
        StanzaError: one of the two blocks the other.
    """
    if viewer_jid == owner:
        return Visitor(Viewer.SELF)
    if await blocking.are_apart(ports, viewer_jid, owner):
        raise StanzaError("cancel", "service-unavailable")
    ties = await ports.pep_ties.of_account(viewer_jid)
    return visitor_of(await ports.contacts.lookup(owner, viewer_jid), [tie for tie in ties if tie.owner == owner])
