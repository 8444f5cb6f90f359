"""Result set management (XEP-0059): one page of a long list."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import escape
from heliograph.xmpp.stanza_error import bad_request, feature_not_implemented

NS_RSM = "http://jabber.org/protocol/rsm"

RSM_TAG = f"{{{NS_RSM}}}set"
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted.

    Attributes:
        max: how many items at most; 0 asks for their number alone (section 2.7), `None` leaves it to the server.
        after: the item before the page.
        before: the item behind the page; `""` asks for the last page (section 2.5).
    """

    max: int | None = None
    after: str | None = None
    before: str | None = None

    @property
    def is_backwards(self) -> bool:
        """Whether the page is counted from its end."""
        return self.before is not None


def parse_page(parent: Element) -> PageRequest:
    """Read the `<set/>` inside a request; none asks for the first page.

    Raises:
        StanzaError: it is malformed, or asks for a page by its number.
    """
    found = parent.find(RSM_TAG)
    if found is None:
        return PageRequest()
    if found.find(f"{{{NS_RSM}}}index") is not None:
        raise feature_not_implemented("A page is not asked for by its number")
    after = found.findtext(f"{{{NS_RSM}}}after")
    before = found.findtext(f"{{{NS_RSM}}}before")
    if before is not None and after is not None:
        raise bad_request("A page is after an item or before one")
    return PageRequest(_parse_max(found.findtext(f"{{{NS_RSM}}}max")), after or None, before)


def _parse_max(text: str | None) -> int | None:
    if text is None:
        return None
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise bad_request("max is a number")
    return int(text)


def page_xml(first: str | None, last: str | None, count: int | None, index: int | None = None) -> str:
    """The `<set/>` inside an answer (sections 2.1 and 2.6).

    Args:
        first: the id of the page's first item, `None` where the page is empty.
        last: of its last item.
        count: how many items there are on all pages, if that is known.
        index: how many of them are before the page, if that is known.
    """
    at = "" if index is None else f" index='{index}'"
    ends = "" if first is None or last is None else f"<first{at}>{escape(first)}</first><last>{escape(last)}</last>"
    counted = "" if count is None else f"<count>{count}</count>"
    return f"<set xmlns='{NS_RSM}'>{ends}{counted}</set>"
