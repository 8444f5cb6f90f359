"""What is kept of a client's vCards besides the fields of a profile, as XML in `Card.extra`.

- A property that tells a field and says no more than the field is the field, and nothing of it is kept. One that says
  more (a telephone number with a type, say) is kept, and stands for the field as long as it has the field's value.
- All other properties, a second telephone number among them, are kept as they are.
- The two kinds of vCard keep their own: what is kept of a vcard-temp stands inside one `<vCard xmlns='vcard-temp'/>`
  behind what is kept of a vCard4.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from heliograph.errors import ProfileInvalid
from heliograph.xmpp.stanza import serialize
from heliograph.xmpp.vcard_properties import DIALECTS, NS_VCARD4, NS_VCARD_TEMP, VCARD_TEMP_TAG

_FIELD = {"field": "vcard_extra"}
_TEMP_START = f"<vCard xmlns='{NS_VCARD_TEMP}'>"


class Kept(NamedTuple):
    """What is kept of each kind of vCard."""

    vcard4: list[Element]
    temp: list[Element]

    def xml(self) -> str:
        """As `Card.extra`: under the namespace of vCard4."""
        temp = "".join(serialize(element, NS_VCARD_TEMP) for element in self.temp)
        behind = f"{_TEMP_START}{temp}</vCard>" if temp else ""
        return "".join(serialize(element, NS_VCARD4) for element in self.vcard4) + behind


def may_keep_temp(extra: str) -> bool:
    """Whether it is worth reading what is kept of a vcard-temp: mostly there is nothing."""
    return _TEMP_START in extra


def parse(extra: str) -> Kept:
    """Read what `Kept.xml` has written."""
    if not extra:
        return Kept([], [])
    root = fromstring(f"<vcard xmlns='{NS_VCARD4}'>{extra}</vcard>")  # noqa: S314 - `check` lets no document type pass
    vcard4 = [element for element in root if element.tag != VCARD_TEMP_TAG]
    return Kept(vcard4, [element for found in root.iterfind(VCARD_TEMP_TAG) for element in found])


def bounded(extra: str, max_bytes: int) -> str:
    """The text itself.

    Raises:
        ProfileInvalid: it is longer than `max_bytes`; `details.field` is `vcard_extra`.
    """
    if len(extra.encode()) > max_bytes:
        raise ProfileInvalid(f"The further properties of a vCard have at most {max_bytes} bytes", details=_FIELD)
    return extra


def check(extra: str, max_bytes: int) -> str:
    """Further properties in the form in which they are kept.

    Args:
        extra: elements in the namespace of vCard4, or with one of their own.
        max_bytes: bound of the result.

    Raises:
        ProfileInvalid: it is no plain XML, or too long; `details.field` is `vcard_extra`.
    """
    bounded(extra, max_bytes)
    if "<!" in extra or "<?" in extra:
        raise ProfileInvalid("The further properties of a vCard are elements", details=_FIELD)
    try:
        kept = parse(extra)
    except ParseError:
        raise ProfileInvalid("The further properties of a vCard are not well-formed", details=_FIELD) from None
    return bounded(Kept(list(map(compact, kept.vcard4)), list(map(compact, kept.temp))).xml(), max_bytes)


def hide(extra: str, fields: Collection[str]) -> str:
    """Further properties without those that tell something of the fields named, such as a second telephone number."""
    if not extra or not fields:
        return extra
    tags = {tag for dialect in DIALECTS for field in fields for tag in dialect.tags(field)}
    return _filtered(extra, lambda element: not any(inner.tag in tags for inner in element.iter()))


def supersede(extra: str, field: str, old: str, new: str) -> str:
    """Further properties after a field has changed elsewhere.

    Those that stood for the old value are gone. Where the field is cleared, all that tell something of it are gone;
    so are all pictures where the picture changes.
    """
    if not extra or old == new:
        return extra
    if not new or field == "image":
        return hide(extra, (field,))
    readers = {known.tag: known.read for dialect in DIALECTS for known in dialect.of(field)}
    return _filtered(
        extra, lambda element: element.tag not in readers or readers[element.tag](element) != (old or None)
    )


def _filtered(extra: str, is_kept: Callable[[Element], bool]) -> str:
    kept = parse(extra)
    return Kept(list(filter(is_kept, kept.vcard4)), list(filter(is_kept, kept.temp))).xml()


def compact(element: Element) -> Element:
    """A copy of an element without the white space that only indents."""
    copy = Element(element.tag, element.attrib)
    copy.text = element.text if not len(element) or (element.text or "").strip() else None
    for child in element:
        inner = compact(child)
        inner.tail = child.tail if (child.tail or "").strip() else None
        copy.append(inner)
    return copy
