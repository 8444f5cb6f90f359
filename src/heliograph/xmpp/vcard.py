"""Profiles as vCards: vCard4 (RFC 6351, XEP-0292), vcard-temp (XEP-0054), and the nickname (XEP-0172).

A `Card` holds the fields that a profile has. Whatever else a client writes into its vCard is kept and written again, so
a plain client loses nothing; `vcard_extra` says how.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from xml.etree.ElementTree import Element

from heliograph.errors import ProfileInvalid
from heliograph.xmpp import vcard_extra
from heliograph.xmpp.stanza import escape, quote, serialize
from heliograph.xmpp.vcard_extra import Kept
from heliograph.xmpp.vcard_properties import (
    FIELDS,
    NS_VCARD4,
    NS_VCARD_TEMP,
    VCARD4,
    VCARD4_TAG,
    VCARD_TEMP,
    VCARD_TEMP_TAG,
    Dialect,
    text_of,
    web_url,
)

__all__ = [
    "NICK_TAG",
    "NS_NICK",
    "NS_PROFILE",
    "NS_VCARD4",
    "NS_VCARD_TEMP",
    "VCARD4_TAG",
    "VCARD_TEMP_TAG",
    "Card",
    "Photo",
    "decode_base64",
    "from_nick",
    "from_vcard4",
    "from_vcard_temp",
    "nick_xml",
    "read_number",
    "to_vcard4",
    "to_vcard_temp",
    "with_facts",
]

NS_NICK = "http://jabber.org/protocol/nick"
NS_PROFILE = "urn:heliograph:profile:1"

NICK_TAG = f"{{{NS_NICK}}}nick"
_FACTS_TAG = f"{{{NS_PROFILE}}}profile"
_PHOTO_TAG = f"{{{NS_VCARD_TEMP}}}PHOTO"
_BINVAL_TAG = f"{{{NS_VCARD_TEMP}}}BINVAL"
_NUMBER_MAX_CHARS = 18


@dataclass(frozen=True, slots=True)
class Card:
    """A profile as vCards show it. An unset field is `""`.

    Attributes:
        image, thumb_image: http or https URLs.
        mobile: digits with or without a leading `+`, no separators.
        extra: serialized further properties; see `vcard_extra`.
        version, mark, is_admin_blocked, thumb_image: Heliograph's own facts, which a client cannot publish. The mark
            is what a client names to be told only of what is newer (`profile_news`); 0 for none.
    """

    name: str = ""
    image: str = ""
    thumb_image: str = ""
    status: str = ""
    mobile: str = ""
    email: str = ""
    extra: str = ""
    version: int = 0
    mark: int = 0
    is_admin_blocked: bool = False

    @property
    def says_anything(self) -> bool:
        """Whether there is anything in it that its owner has set."""
        return bool(self.name or self.image or self.status or self.mobile or self.email or self.extra)


class Photo(NamedTuple):
    """A picture that came inside a vcard-temp: the type that the client names (do not trust it) and the bytes."""

    type: str
    data: bytes


def _write(dialect: Dialect, card: Card, kept: Sequence[Element]) -> str:
    """The content of a vCard. One has at least one formal name (RFC 6350, section 6.2.1)."""
    has_formal_name = any(element.tag == dialect.formal_name.tag for element in kept)
    parts = [] if has_formal_name else [dialect.formal_name.write(card.name)]
    for known in dialect.properties:
        value = getattr(card, known.field)
        values = (known.read(element) for element in kept if element.tag == known.tag)
        if value and next(filter(None, values), "") != value:
            parts.append(known.write(value))
    return "".join((*parts, *(serialize(element, dialect.ns) for element in kept)))


def _read(dialect: Dialect, elements: Iterable[Element]) -> tuple[Card, list[Element]]:
    """The fields, and the properties that are to be kept: of each field the first one with a value counts."""
    known_by_tag = {known.tag: known for known in dialect.properties}
    fields: dict[str, str] = {}
    formal_name: Element | None = None
    kept = []
    for found in elements:
        known = known_by_tag.get(found.tag)
        value = known.read(found) if known and known.field not in fields else ""
        plain = known.write(value) if known and value else ""
        if known and value:
            fields[known.field] = value
            if serialize(found, dialect.ns) == plain:
                continue  # most are so; what is below takes as long again
        element = vcard_extra.compact(found)
        is_formal_name = element.tag == dialect.formal_name.tag
        if (known or is_formal_name) and not "".join(element.itertext()).strip():
            continue
        if is_formal_name and formal_name is None:
            formal_name = element
        if not plain or serialize(element, dialect.ns) != plain:
            kept.append(element)
    name, image, status, mobile, email = (fields.get(field, "") for field in FIELDS)
    card = Card(name=name, image=image, status=status, mobile=mobile, email=email)
    return (card, kept) if formal_name is None else _with_formal_name(dialect, card, formal_name, kept)


def _with_formal_name(
    dialect: Dialect, card: Card, formal_name: Element, kept: list[Element]
) -> tuple[Card, list[Element]]:
    """The name is the nickname if there is one, else the formal name, which is kept where it says more."""
    name = card.name or dialect.formal_name.read(formal_name)
    if serialize(formal_name, dialect.ns) == dialect.formal_name.write(name):
        kept = [element for element in kept if element is not formal_name]
    return replace(card, name=name), kept


def to_vcard4(card: Card) -> str:
    """The vCard4 of a profile, with Heliograph's own facts in one further element."""
    thumb = f" thumb={quote(card.thumb_image)}" if card.thumb_image else ""
    blocked = " blocked='true'" if card.is_admin_blocked else ""
    mark = f" mark='{card.mark}'" if card.mark else ""
    facts = f"<profile xmlns='{NS_PROFILE}' version='{card.version}'{mark}{thumb}{blocked}/>"
    content = _write(VCARD4, card, vcard_extra.parse(card.extra).vcard4)
    return f"<vcard xmlns='{NS_VCARD4}'>{content}{facts}</vcard>"


def from_vcard4(vcard: Element, max_extra_bytes: int, current: Card = Card()) -> Card:
    """Read a vCard4. Heliograph's own facts are not read: a client cannot publish them.

    Args:
        vcard: `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>`.
        max_extra_bytes: bound of all that is kept besides the fields.
        current: the profile until now; what it keeps of a vcard-temp stays.

    Raises:
        ProfileInvalid: too much is to be kept; `details.field` is `vcard_extra`.
    """
    card, kept = _read(VCARD4, (element for element in vcard if element.tag not in (_FACTS_TAG, VCARD_TEMP_TAG)))
    is_temp_kept = vcard_extra.may_keep_temp(current.extra)
    temp = vcard_extra.parse(_superseded(current, card)).temp if is_temp_kept else []
    return replace(card, extra=vcard_extra.bounded(Kept(kept, temp).xml(), max_extra_bytes))


def with_facts(card: Card, vcard: Element) -> Card:
    """The card with Heliograph's own facts, as the SDKs read them of a vCard4 that their server sent."""
    facts = vcard.find(_FACTS_TAG)
    if facts is None:
        return card
    return replace(
        card,
        version=read_number(facts.get("version", "")),
        mark=read_number(facts.get("mark", "")),
        thumb_image=web_url(facts.get("thumb", "")),
        is_admin_blocked=facts.get("blocked") == "true",
    )


def read_number(text: str) -> int:
    """A count as it stands on the wire; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX_CHARS else 0


def to_vcard_temp(card: Card, photo: Photo | None = None) -> str:
    """The vcard-temp of a profile.

    Args:
        card: the profile.
        photo: the picture itself, where it is known; else the card's URL stands for it.
    """
    kept = vcard_extra.parse(card.extra).temp
    if photo is None:
        return f"<vCard xmlns='{NS_VCARD_TEMP}'>{_write(VCARD_TEMP, card, kept)}</vCard>"
    binval = base64.b64encode(photo.data).decode()
    picture = f"<PHOTO><TYPE>{escape(photo.type)}</TYPE><BINVAL>{binval}</BINVAL></PHOTO>"
    return f"<vCard xmlns='{NS_VCARD_TEMP}'>{_write(VCARD_TEMP, replace(card, image=''), kept)}{picture}</vCard>"


def from_vcard_temp(vcard: Element, max_extra_bytes: int, current: Card = Card()) -> tuple[Card, Photo | None]:
    """Read a vcard-temp. A picture inside it comes back beside the card, for the caller to store and name in `image`.

    Args:
        vcard: `<vCard xmlns='vcard-temp'/>`.
        max_extra_bytes: bound of all that is kept besides the fields.
        current: the profile until now; what it keeps of a vCard4 stays.

    Raises:
        ProfileInvalid: the picture is not Base64, or too much is to be kept; `details.field` says which.
    """
    pictures = [element for element in vcard if element.tag == _PHOTO_TAG and element.find(_BINVAL_TAG) is not None]
    card, kept = _read(VCARD_TEMP, (element for element in vcard if element not in pictures))
    vcard4 = vcard_extra.parse(_superseded(current, card)).vcard4
    card = replace(card, extra=vcard_extra.bounded(Kept(vcard4, kept).xml(), max_extra_bytes))
    return card, _photo(pictures[0]) if pictures else None


def _photo(element: Element) -> Photo | None:
    data = decode_base64(text_of(element.find(_BINVAL_TAG)))
    return Photo(text_of(element.find(f"{{{NS_VCARD_TEMP}}}TYPE")), data) if data else None


def decode_base64(text: str) -> bytes:
    """A picture's bytes; white space does not count (XEP-0054, XEP-0084).

    Raises:
        ProfileInvalid: it is not Base64; `details.field` is `image`.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ProfileInvalid("The picture is not Base64", details={"field": "image"}) from None


def _superseded(current: Card, card: Card) -> str:
    """What the current profile keeps, once its fields are those of another card. A missing name leaves the name."""
    extra = current.extra
    for field in FIELDS:
        old, new = getattr(current, field), getattr(card, field)
        if new or field != "name":
            extra = vcard_extra.supersede(extra, field, old, new)
    return extra


def nick_xml(name: str) -> str:
    """The nickname (XEP-0172)."""
    return f"<nick xmlns='{NS_NICK}'>{escape(name)}</nick>"


def from_nick(nick: Element) -> str:
    """Read `<nick xmlns='http://jabber.org/protocol/nick'/>`."""
    return text_of(nick)
