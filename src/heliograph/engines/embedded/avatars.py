"""The profile's picture as an avatar (XEP-0084, XEP-0153, XEP-0398): what it is called, and who is told of a new one.

An avatar is named by the SHA-1 of its bytes, so pictures that are stored here have one, and pictures of a foreign
address have none: those are seen through vCards alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, TypeVar

from heliograph.core import limits, media, profiles
from heliograph.core.profiles import Profile, Viewer
from heliograph.xmpp import avatar, pep
from heliograph.xmpp.avatar import AvatarInfo
from heliograph.xmpp.pep import NODE_AVATAR_METADATA
from heliograph.xmpp.stanza import Template

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine

Value = TypeVar("Value")


class Avatars:
    """Knows the avatars of profiles, and brings changes of them to those who want to know."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._infos: dict[str, AvatarInfo] = {}
        self._told: dict[str, str] = {}

    async def info(self, image: str) -> AvatarInfo | None:
        """What is to be said of a picture, by its URL; `None` where it is not stored here."""
        found = self._infos.get(image)
        if found is not None or not image:
            return found
        stored = await self.stored(image)
        if stored is None:
            return None
        picture, data = stored
        identity = (await asyncio.to_thread(hashlib.sha1, data, usedforsecurity=False)).hexdigest()
        url = image if picture.size > limits.AVATAR_DATA_MAX_BYTES else ""
        _keep(self._infos, image, AvatarInfo(identity, picture.mime_type, picture.size, url))
        return self._infos[image]

    async def stored(self, image: str) -> tuple[media.Picture, bytes] | None:
        """The picture of that URL with its bytes, where it is stored here."""
        return await media.fetch(self._engine.ports, image.removeprefix(self._engine.media_url("")))

    async def sendable(self, image: str) -> tuple[media.Picture, bytes] | None:
        """The same, unless it is too large to be sent inside a stanza: then it is not even read."""
        info = await self.info(image)
        return None if info is None or info.url else await self.stored(image)

    async def event(self, profile: Profile, viewer: Viewer) -> Template | None:
        """The event of the metadata node for that viewer; `None` where the node holds nothing."""
        info = await self.info(profiles.redact(profile, viewer).image)
        if info is None:
            return None
        _keep(self._told, profile.jid, _shown(profile))
        return _event(profile.jid, info)

    async def photo(self, jid: str) -> str:
        """What an account's presence says of its picture: the SHA-1, or `""` for none that contacts may see."""
        profile = await self._engine.ports.profiles.lookup(jid)
        info = None if profile is None else await self.info(profiles.redact(profile, Viewer.CONTACT).image)
        return "" if info is None else info.id

    def changed(self, profile: Profile) -> None:
        """A profile was stored: tell of its picture, unless that is the one that was told of last."""
        shown = _shown(profile)
        if self._told.get(profile.jid, "") != shown:
            _keep(self._told, profile.jid, shown)
            self._engine.spawn(self._tell(profile.jid))

    async def _tell(self, jid: str) -> None:
        """Read the newest picture, as another change may have come meanwhile, and tell of it."""
        ports = self._engine.ports
        while (profile := await ports.profiles.lookup(jid)) is not None:
            views = {viewer: profiles.redact(profile, viewer).image for viewer in (Viewer.SELF, Viewer.CONTACT)}
            infos = {viewer: await self.info(image) for viewer, image in views.items()}
            newest = await ports.profiles.lookup(jid)
            if newest is None or newest.version != profile.version:
                continue
            for viewer, info in infos.items():
                await self._engine.fan_out.notify(jid, NODE_AVATAR_METADATA, _event(jid, info), viewer)
            contact_info = infos[Viewer.CONTACT]
            self._engine.show_photo(jid, contact_info.id if contact_info else "")
            return


def _shown(profile: Profile) -> str:
    """A picture and who sees it, as one text; `""` for no picture."""
    return f"{profile.visibility.get('image', '')} {profile.image}" if profile.image else ""


def _event(jid: str, info: AvatarInfo | None) -> Template:
    payload = avatar.metadata_xml(() if info is None else (info,))
    return pep.notification(jid, NODE_AVATAR_METADATA, pep.CURRENT_ITEM if info is None else info.id, payload)


def _keep(kept: dict[str, Value], key: str, value: Value) -> None:
    """Keep a value, and no more values than are allowed: the oldest makes room."""
    if key not in kept and len(kept) >= limits.AVATARS_KNOWN_MAX:
        del kept[next(iter(kept))]
    kept[key] = value
