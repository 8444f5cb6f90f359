"""Profile pictures as avatars: user avatar (XEP-0084) and the hash in a presence (XEP-0153)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.pep import NODE_AVATAR_DATA, NODE_AVATAR_METADATA, pubsub_error
from heliograph.xmpp.stanza import Stanza, quote, serialize_content
from heliograph.xmpp.stanza_error import StanzaError, bad_request
from heliograph.xmpp.vcard import decode_base64

NS_VCARD_UPDATE = "vcard-temp:x:update"
NS_CONVERSION = "urn:xmpp:pep-vcard-conversion:0"

DATA_TYPE = "image/png"
"""What the data node holds, and nothing else (XEP-0084, section 4.1)."""

METADATA_TAG = f"{{{NODE_AVATAR_METADATA}}}metadata"
DATA_TAG = f"{{{NODE_AVATAR_DATA}}}data"
UPDATE_TAG = f"{{{NS_VCARD_UPDATE}}}x"

_INFO_TAG = f"{{{NODE_AVATAR_METADATA}}}info"
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_NUMBER_MAX_CHARS = 9


@dataclass(frozen=True, slots=True)
class AvatarInfo:
    """One form of a picture (XEP-0084, section 4.2.1).

    Attributes:
        id: the SHA-1 of the bytes, in lower-case hexadecimal digits.
        type: its media type.
        byte_count: the size of the bytes.
        url: an http or https URL; `""` where the data node holds the bytes.
        width, height: in pixels; 0 where unknown.
    """

    id: str
    type: str
    byte_count: int
    url: str = ""
    width: int = 0
    height: int = 0


def metadata_xml(infos: Iterable[AvatarInfo]) -> str:
    """The payload of the metadata node; without any form it says that there is no picture (section 3.5)."""
    content = "".join(map(_info_xml, infos))
    start = f"<metadata xmlns='{NODE_AVATAR_METADATA}'"
    return f"{start}>{content}</metadata>" if content else f"{start}/>"


def _info_xml(info: AvatarInfo) -> str:
    height = f" height='{info.height}'" if info.height else ""
    url = f" url={quote(info.url)}" if info.url else ""
    width = f" width='{info.width}'" if info.width else ""
    return f"<info bytes='{info.byte_count}'{height} id={quote(info.id)} type={quote(info.type)}{url}{width}/>"


def parse_metadata(metadata: Element) -> list[AvatarInfo]:
    """Read the payload of the metadata node; an empty list means that there is no picture.

    Raises:
        StanzaError: an `<info/>` lacks what it must have.
    """
    return [_parse_info(info) for info in metadata.iterfind(_INFO_TAG)]


def _parse_info(info: Element) -> AvatarInfo:
    identity, media_type, url = info.get("id", ""), info.get("type", ""), info.get("url", "")
    if not _SHA1.fullmatch(identity) or not media_type or (url and not url.lower().startswith(("http://", "https://"))):
        raise _invalid("The metadata of an avatar has a SHA-1 as its id, a type, and a web address if any")
    byte_count, width, height = (_number(info.get(name, "0")) for name in ("bytes", "width", "height"))
    return AvatarInfo(identity.lower(), media_type, byte_count, url, width, height)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX_CHARS):
        raise _invalid("The sizes of an avatar are numbers")
    return int(text)


def _invalid(text: str) -> StanzaError:
    return bad_request(text, pubsub_error("invalid-payload"))


def data_xml(data: bytes) -> str:
    """The payload of the data node (section 4.1)."""
    return f"<data xmlns='{NODE_AVATAR_DATA}'>{base64.b64encode(data).decode()}</data>"


def parse_data(element: Element) -> bytes:
    """Read the payload of the data node.

    Raises:
        ProfileInvalid: it is not Base64; `details.field` is `image`.
    """
    return decode_base64(element.text or "")


def photo_update_xml(identity: str | None) -> str:
    """What a presence says of the picture in the vCard (XEP-0153, section 4.1).

    Args:
        identity: the picture's SHA-1 in hexadecimal digits; `""` for no picture, `None` for not known yet.
    """
    start = f"<x xmlns='{NS_VCARD_UPDATE}'"
    if identity is None:
        return f"{start}/>"
    return f"{start}><photo>{identity.lower()}</photo></x>" if identity else f"{start}><photo/></x>"


def presence_content(presence: Stanza, identity: str) -> bytes:
    """The content of a presence with what the server says of the picture, in place of what the client says (XEP-0398,
    section 3).

    Args:
        presence: as it came.
        identity: the picture's SHA-1; `""` for no picture, of which nothing is said unless the client does.
    """
    if presence.find(UPDATE_TAG) is None:
        return presence.inner() + photo_update_xml(identity).encode() if identity else presence.inner()
    rest = Element(presence.element.tag)
    rest.text = presence.element.text
    rest.extend(child for child in presence.element if child.tag != UPDATE_TAG)
    return f"{serialize_content(rest)}{photo_update_xml(identity)}".encode()


def with_photo(content: bytes, before: str, identity: str) -> bytes:
    """Such a content with the next picture's SHA-1 in place of the one before; each may be `""`."""
    return content.removesuffix(photo_update_xml(before).encode()) + photo_update_xml(identity).encode()
