"""The nodes of user avatar (XEP-0084) as views of the profile's picture, both ways (XEP-0398)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.core import media, profiles
from heliograph.core.profiles import ProfileChange
from heliograph.engines.embedded.avatars import sha1
from heliograph.engines.embedded.handlers.addressing import answer, editor
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import avatar, pep
from heliograph.xmpp.avatar import AvatarInfo
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.pep import NODE_AVATAR_DATA, ItemsRequest, Publish
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import bad_request, item_not_found

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


async def get_items(
    engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid, request: ItemsRequest
) -> None:
    """Answer with the picture, or with what it is, as the sender may see it."""
    profile = await profiles.get(engine.ports, sender.account, target.bare)
    info = await engine.avatars.info(profile.image)
    if info is None:
        raise item_not_found("There is no avatar")
    payload = avatar.metadata_xml((info,))
    if request.node == NODE_AVATAR_DATA:
        data = await media.avatar(engine.ports, profile.image)
        if data is None:
            raise item_not_found("There is no avatar")
        payload = avatar.data_xml(data)
    is_wanted = not request.item_ids or info.id in request.item_ids
    answer(sender, stanza, pep.items_xml(request.node, [(info.id, payload)] if is_wanted else []))


async def publish(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, request: Publish) -> None:
    """Take a picture, or make one that was taken the profile's (XEP-0084, sections 3.1 and 3.2)."""
    tag = avatar.DATA_TAG if request.node == NODE_AVATAR_DATA else avatar.METADATA_TAG
    if request.payload.tag != tag:
        raise bad_request("The payload does not belong to the node", pep.pubsub_error("invalid-payload"))
    if request.node == NODE_AVATAR_DATA:
        item_id = await _take(engine, sender, request)
    else:
        infos = avatar.parse_metadata(request.payload)
        image = await _image(engine, sender, infos) if infos else ""
        await profiles.set_profile(engine.ports, sender.account, ProfileChange(image=image), editor=editor(sender))
        item_id = infos[0].id if infos else request.item_id or pep.CURRENT_ITEM
    answer(sender, stanza, pep.published_xml(request.node, item_id))


async def _take(engine: EmbeddedEngine, sender: Resource, request: Publish) -> str:
    data = avatar.parse_data(request.payload)
    identity = sha1(data)
    if request.item_id is not None and request.item_id.lower() != identity:
        raise bad_request("The id of a picture is the SHA-1 of its bytes", pep.pubsub_error("invalid-payload"))
    image = await engine.avatars.take(sender.account, data)
    account = engine.router.accounts.get(sender.account)
    if account is not None:
        account.taken_avatar = identity, image
    return identity


async def _image(engine: EmbeddedEngine, sender: Resource, infos: list[AvatarInfo]) -> str:
    """The URL of the picture that metadata speaks of: the one just taken, the present one, or one elsewhere."""
    account = engine.router.accounts.get(sender.account)
    taken_id, taken_image = ("", "") if account is None else account.taken_avatar
    identities = {info.id for info in infos}
    if taken_id in identities:
        return taken_image
    profile = await profiles.own(engine.ports, sender.account)
    present = await engine.avatars.info(profile.image)
    if present is not None and present.id in identities:
        return profile.image
    for info in infos:
        if info.url:
            return info.url
    raise item_not_found("The picture comes before its metadata")
