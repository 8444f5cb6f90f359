"""The older vCard (XEP-0054) as a view of the profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from heliograph.core import limits, media, profiles
from heliograph.engines.embedded.handlers.addressing import Handler, Scope, answer, editor
from heliograph.engines.embedded.router import Resource
from heliograph.errors import AccountNotFound
from heliograph.xmpp import avatar
from heliograph.xmpp.jid import Jid
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.vcard import VCARD_TEMP_TAG, Photo, from_vcard_temp, to_vcard_temp

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


async def _get(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, target: Jid) -> None:
    profile = await profiles.get(engine.ports, sender.account, target.bare)
    card = profiles.card(profile)
    if target.bare != sender.account and not card.says_anything:  # nobody learns from it who exists (section 3.3)
        raise AccountNotFound
    found = await media.avatar(engine.ports, profile.image)
    photo = None if found is None else Photo(avatar.DATA_TYPE, found)
    answer(sender, stanza, to_vcard_temp(card, photo))


async def _set(engine: EmbeddedEngine, sender: Resource, stanza: Stanza, _target: Jid) -> None:
    ports = engine.ports
    known = await profiles.own(ports, sender.account)
    card, photo = from_vcard_temp(stanza.element[0], limits.VCARD_EXTRA_MAX_BYTES, profiles.card(known))
    if photo is not None:
        card = replace(card, image=await engine.avatars.take(sender.account, photo.data))
    change = profiles.change_from_card(card)
    await profiles.set_profile(ports, sender.account, change, editor=editor(sender), known=known)
    answer(sender, stanza)


HANDLERS: dict[tuple[Scope, str, str], Handler] = {
    (Scope.ACCOUNT, "get", VCARD_TEMP_TAG): _get,
    (Scope.ACCOUNT, "set", VCARD_TEMP_TAG): _set,
}
