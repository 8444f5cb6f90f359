"""Which properties of a vCard tell which field of a profile: vCard4 (RFC 6350, RFC 6351) and vcard-temp (XEP-0054)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import escape

NS_VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0"
NS_VCARD_TEMP = "vcard-temp"

VCARD4_TAG = f"{{{NS_VCARD4}}}vcard"
VCARD_TEMP_TAG = f"{{{NS_VCARD_TEMP}}}vCard"

_SEPARATORS = re.compile(r"[\s().\-]+")  # the visual separators of RFC 3966, section 5.1.1, and spaces
_WEB = ("http://", "https://")


class Property(NamedTuple):
    """How one field stands in one kind of vCard.

    Attributes:
        field: the field of `Card`.
        tag: the element's tag in Clark notation.
        read: gives the field's value of such an element, or `""`.
        write: gives the element, as XML inside the vCard, that says just this value.
    """

    field: str
    tag: str
    read: Callable[[Element], str]
    write: Callable[[str], str]


class Dialect(NamedTuple):
    """One kind of vCard.

    Attributes:
        ns: its namespace.
        formal_name: the property that each such vCard has.
        properties: one for each field.
        kindred: by field, further tags that tell something of it.
    """

    ns: str
    formal_name: Property
    properties: tuple[Property, ...]
    kindred: Mapping[str, tuple[str, ...]]

    def tags(self, field: str) -> frozenset[str]:
        """All tags that tell something of a field."""
        return frozenset(known.tag for known in self.of(field)) | set(self.kindred.get(field, ()))

    def of(self, field: str) -> list[Property]:
        """The properties that may have the field's value."""
        return [known for known in (*self.properties, self.formal_name) if known.field == field]


def text_of(element: Element | None) -> str:
    """An element's character data without white space around it; `""` for no element."""
    return (element.text or "").strip() if element is not None else ""


def web_url(text: str) -> str:
    """The text if it is an http or https URL, else `""`."""
    return text if text.lower().startswith(_WEB) else ""


def phone_number(text: str) -> str:
    """A telephone number without separators; of a `tel:` URI (RFC 3966), the number alone."""
    scheme, colon, rest = text.partition(":")
    number = rest.partition(";")[0] if colon and scheme.lower() == "tel" else text
    return _SEPARATORS.sub("", number)


def _vcard4_tel(element: Element) -> str:
    uri = text_of(element.find(f"{{{NS_VCARD4}}}uri"))
    if uri:
        return phone_number(uri) if uri[:4].lower() == "tel:" else ""
    return phone_number(text_of(element.find(f"{{{NS_VCARD4}}}text")))


def _write_vcard4_tel(number: str) -> str:
    """A global number is a URI; a local one would need a context there (RFC 3966, section 5.1.5), so it is text."""
    value = f"<uri>tel:{escape(number)}</uri>" if number.startswith("+") else f"<text>{escape(number)}</text>"
    return f"<tel>{value}</tel>"


def _reader(child: str, normal: Callable[[str], str]) -> Callable[[Element], str]:
    return lambda element: normal(text_of(element.find(child)))


def _writer(*names: str) -> Callable[[str], str]:
    """A writer of a value inside nested elements of those names."""
    start = "".join(f"<{name}>" for name in names)
    end = "".join(f"</{name}>" for name in reversed(names))
    return lambda value: f"{start}{escape(value)}{end}"


def _vcard4(field: str, name: str, kind: str, normal: Callable[[str], str] = str) -> Property:
    """A property whose value is the first one of that type (RFC 6351, section 5)."""
    return Property(field, f"{{{NS_VCARD4}}}{name}", _reader(f"{{{NS_VCARD4}}}{kind}", normal), _writer(name, kind))


def _temp(field: str, name: str, child: str, normal: Callable[[str], str] = str) -> Property:
    tag = f"{{{NS_VCARD_TEMP}}}{name}"
    return Property(field, tag, _reader(f"{{{NS_VCARD_TEMP}}}{child}", normal), _writer(name, child))


def _temp_text(field: str, name: str) -> Property:
    return Property(field, f"{{{NS_VCARD_TEMP}}}{name}", text_of, _writer(name))


VCARD4 = Dialect(
    NS_VCARD4,
    _vcard4("name", "fn", "text"),
    (
        _vcard4("name", "nickname", "text"),
        _vcard4("image", "photo", "uri", web_url),
        _vcard4("status", "note", "text"),
        Property("mobile", f"{{{NS_VCARD4}}}tel", _vcard4_tel, _write_vcard4_tel),
        _vcard4("email", "email", "text"),
    ),
    {"name": (f"{{{NS_VCARD4}}}n",)},
)
VCARD_TEMP = Dialect(
    NS_VCARD_TEMP,
    _temp_text("name", "FN"),
    (
        _temp_text("name", "NICKNAME"),
        _temp("image", "PHOTO", "EXTVAL", web_url),
        _temp_text("status", "DESC"),
        _temp("mobile", "TEL", "NUMBER", phone_number),
        _temp("email", "EMAIL", "USERID"),
    ),
    {"name": (f"{{{NS_VCARD_TEMP}}}N",)},
)
DIALECTS = (VCARD4, VCARD_TEMP)
FIELDS = ("name", "image", "status", "mobile", "email")
