"""The profile's picture as an avatar (XEP-0084, XEP-0153, XEP-0398): what it is called, and who is told of a new one.

An avatar is named by the SHA-1 of its bytes. Pictures that are kept here have one: that of the form that clients get,
not of what was brought. Pictures of a foreign address have none: those are seen through vCards alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from heliograph.core import image_headers, limits, media, profiles
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
        """What is to be said of a picture, by its address; `None` where it is not kept here."""
        found = self._infos.get(image)
        if found is not None or not image:
            return found
        data = await media.avatar(self._engine.ports, image)
        if data is None:
            return None
        header = image_headers.read(data)
        info = AvatarInfo(sha1(data), avatar.DATA_TYPE, len(data), width=header.width, height=header.height)
        _keep(self._infos, image, info)
        return info

    async def take(self, jid: str, data: bytes) -> str:
        """Keep a picture that a client has published; its address.

        Clients send back what they have got: the profile's own avatar is no new picture.

        Raises:
            HeliographError: it is refused; see `media.check_rate` and `media.store`.
        """
        profile = await self._engine.ports.profiles.lookup(jid)
        present = None if profile is None else await self.info(profile.image)
        if profile is not None and present is not None and present.id == sha1(data):
            return profile.image
        await media.check_rate(self._engine.ports, jid)
        return self._engine.ports.media.url((await media.store(self._engine.ports, data)).token)

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
        if profile is None or not profile.image:  # most have none, and hiding fields costs more than this look
            return ""
        info = await self.info(profiles.redact(profile, Viewer.CONTACT).image)
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


def sha1(data: bytes) -> str:
    """What an avatar is called (XEP-0084, section 4.2.1)."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


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
