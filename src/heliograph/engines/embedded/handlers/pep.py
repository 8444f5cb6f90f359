"""Personal eventing (XEP-0163). The nodes of the profile (XEP-0292, XEP-0172) are views of the one record; all others
are `pep_nodes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import limits, profiles
from heliograph.core.profiles import Profile, ProfileChange
from heliograph.engines.embedded.handlers import avatar, pep_nodes, pep_relations
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, check_own, editor
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import pep, pep_owner, vcard
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.pep import (
    CURRENT_ITEM,
    NODE_AVATAR_DATA,
    NODE_AVATAR_METADATA,
    NODE_NICK,
    NODE_VCARD4,
    OWNER_TAG,
    PUBSUB_TAG,
    Publish,
    RelationsRequest,
)
from heliograph.xmpp.pep_relations import parse_relations, parse_subscription
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError, bad_request, item_not_found

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


AVATAR_NODES = (NODE_AVATAR_METADATA, NODE_AVATAR_DATA)


def payloads(profile: Profile) -> dict[str, str]:
    """What each node of a profile holds, for a viewer that the profile was redacted for; an empty node is missing.
    The picture is told of by `Avatars`.
    """
    if profile.version == 0:
        return {}
    card = profiles.card(profile)
    held = {NODE_VCARD4: vcard.to_vcard4(card)}
    if profile.name:
        held[NODE_NICK] = vcard.nick_xml(profile.name)
    return held


async def _get(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    request = pep.parse_get(stanza.element[0])
    if isinstance(request, RelationsRequest):
        await pep_relations.get_own(engine, sender, stanza, target, request)
        return
    if request.node not in pep.PROFILE_NODES:
        await pep_nodes.get_items(engine, sender, stanza, target, request)
        return
    if request.node in AVATAR_NODES:
        await avatar.get_items(engine, sender, stanza, target, request)
        return
    profile = await profiles.get(engine.ports, sender.account, target.bare)
    payload = payloads(profile).get(request.node)
    if payload is None:
        raise item_not_found("The node holds nothing")
    is_wanted = not request.item_ids or CURRENT_ITEM in request.item_ids
    answer(sender, stanza, pep.items_xml(request.node, [(CURRENT_ITEM, payload)] if is_wanted else []))


async def _set(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    subscription = parse_subscription(stanza.element[0])
    if subscription is not None:
        await pep_relations.subscribe(engine, sender, stanza, target, subscription)
        return
    check_own(sender, target)
    creation = pep_owner.parse_create(stanza.element[0])
    if creation is not None:
        await pep_nodes.own(engine, sender, stanza, creation)
        return
    request = pep.parse_set(stanza.element[0])
    if request.node not in pep.PROFILE_NODES:
        if isinstance(request, Publish):
            await pep_nodes.publish(engine, sender, stanza, request)
        else:
            await pep_nodes.retract(engine, sender, stanza, request)
        return
    if not isinstance(request, Publish):
        raise StanzaError("cancel", "not-allowed", "A profile is changed, not retracted")
    if request.node in AVATAR_NODES:
        await avatar.publish(engine, sender, stanza, request)
        return
    known = await profiles.own(engine.ports, sender.account)
    change = _change(request, known)
    await profiles.set_profile(engine.ports, sender.account, change, editor=editor(sender), known=known)
    answer(sender, stanza, pep.published_xml(request.node, CURRENT_ITEM))


def _change(request: Publish, current: Profile) -> ProfileChange:
    payload = request.payload
    if request.node == NODE_NICK and payload.tag == vcard.NICK_TAG:
        return ProfileChange(name=vcard.from_nick(payload))
    if request.node == NODE_VCARD4 and payload.tag == vcard.VCARD4_TAG:
        card = vcard.from_vcard4(payload, limits.VCARD_EXTRA_MAX_BYTES, profiles.card(current))
        return profiles.change_from_card(card)
    raise bad_request("The payload does not belong to the node", pep.pubsub_error("invalid-payload"))


async def _owner_get(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    check_own(sender, target)
    relations = pep_owner.parse_owner_relations(stanza.element[0])
    if relations is not None:
        await pep_relations.get_of_node(engine, sender, stanza, relations)
        return
    await pep_nodes.get_config(engine, sender, stanza)


async def _owner_set(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    change = parse_relations(stanza.element[0])
    if change is not None:
        await pep_relations.change(engine, sender, stanza, change)
        return
    await pep_nodes.own(engine, sender, stanza, pep_owner.parse_owner_set(stanza.element[0]))


OF_OTHERS = frozenset([(Scope.ACCOUNT, "set", PUBSUB_TAG)])
"""Changes that an account may be asked for by others: they subscribe to its nodes."""

HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "get", PUBSUB_TAG): _get,
    (Scope.ACCOUNT, "set", PUBSUB_TAG): _set,
    (Scope.ACCOUNT, "get", OWNER_TAG): _owner_get,
    (Scope.ACCOUNT, "set", OWNER_TAG): _owner_set,
}
