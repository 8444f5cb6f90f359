"""The message archive (XEP-0313): which messages are kept, what a client asks of them, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from heliograph.xmpp.date_time import parse_us, stamp_us
from heliograph.xmpp.delay import NS_DELAY
from heliograph.xmpp.disco import NS_DATA, Field, field_xml, parse_form
from heliograph.xmpp.forwarding import forwarded
from heliograph.xmpp.hints import NO_PERMANENT_STORE, NO_STORE, STORE
from heliograph.xmpp.jid import Jid, JidMalformed, parse
from heliograph.xmpp.message import message_type
from heliograph.xmpp.result_sets import PageRequest, page_xml, parse_page
from heliograph.xmpp.stanza import NS_CLIENT, Stanza, quote
from heliograph.xmpp.stanza_error import StanzaError, bad_request, feature_not_implemented

NS_ARCHIVE = "urn:xmpp:mam:2"
FEATURES = (NS_ARCHIVE, f"{NS_ARCHIVE}#extended")

QUERY_TAG = f"{{{NS_ARCHIVE}}}query"
METADATA_TAG = f"{{{NS_ARCHIVE}}}metadata"
PREFERENCES_TAG = f"{{{NS_ARCHIVE}}}prefs"

_FORM = f"{{{NS_DATA}}}x"
_FORBIDS = frozenset((NO_STORE, NO_PERMANENT_STORE))
_NS_MARKERS = "urn:xmpp:chat-markers:0"
_TELLS = frozenset(
    (
        f"{{{NS_CLIENT}}}body",
        STORE,
        "{urn:xmpp:receipts}received",
        *(f"{{{_NS_MARKERS}}}{name}" for name in ("received", "displayed", "acknowledged")),
        "{urn:xmpp:reactions:0}reactions",
        "{urn:xmpp:message-retract:1}retract",
        "{eu.siacs.conversations.axolotl}encrypted",
        "{urn:xmpp:omemo:2}encrypted",
    )
)
"""What is worth keeping: text, what a sender wants kept, and what a device that was away needs to show a conversation
as it is: receipts (XEP-0184), markers (XEP-0333), reactions (XEP-0444), retractions (XEP-0424), encrypted content.
"""
_IDS_MAX = 256


def is_archived(message: Stanza) -> bool:
    """Whether a message belongs into the archives of both sides (section 5.1.1; XEP-0334, section 4)."""
    if message_type(message.type) not in ("chat", "normal"):
        return False
    is_told = False
    for child in message.element:
        if child.tag in _FORBIDS:
            return False
        is_told = is_told or child.tag in _TELLS
    return is_told


# ------------------------------------------------------------------------------------------------------------ requests


@dataclass(frozen=True, slots=True)
class Query:
    """What a client wants to see of its archive (section 4).

    Attributes:
        query_id: comes back with each result; `None` for none.
        contact: whom the messages are exchanged with: any resource of a bare JID, or one full JID.
        start, end: microseconds since the epoch, both included.
        after_id, before_id: ids of the archive, neither included.
        ids: only these messages.
        page: which of the messages.
        is_flipped: whether the page comes newest first.
    """

    query_id: str | None = None
    contact: Jid | None = None
    start: int | None = None
    end: int | None = None
    after_id: str | None = None
    before_id: str | None = None
    ids: tuple[str, ...] = ()
    page: PageRequest = field(default_factory=PageRequest)
    is_flipped: bool = False


def parse_query(query: Element) -> Query:
    """Read `<query/>` of an IQ set.

    Raises:
        StanzaError: it is malformed, or filters by what is not known here (section 4.1.7).
    """
    form = query.find(_FORM)
    values = {} if form is None else {each.var: each.values for each in parse_form(form).fields}
    if values.pop("FORM_TYPE", (NS_ARCHIVE,)) != (NS_ARCHIVE,):
        raise bad_request("The form has another type")
    ids = tuple(each for each in values.pop("ids", ()) if each)
    if len(ids) > _IDS_MAX:
        raise bad_request(f"A query names at most {_IDS_MAX} messages")
    filters = {var: each[0] for var, each in values.items() if each and each[0]}
    unknown = filters.keys() - _FILTERS
    if unknown:
        raise feature_not_implemented(f"There is no filter {min(unknown)}")
    return Query(
        query.get("queryid"),
        _contact(filters.get("with")),
        _time(filters.get("start")),
        _time(filters.get("end")),
        filters.get("after-id"),
        filters.get("before-id"),
        ids,
        parse_page(query),
        query.find(f"{{{NS_ARCHIVE}}}flip-page") is not None,
    )


_FILTERS = frozenset(("with", "start", "end", "after-id", "before-id"))


def _contact(text: str | None) -> Jid | None:
    try:
        return None if text is None else parse(text)
    except JidMalformed as error:
        raise StanzaError("modify", "jid-malformed", str(error)) from None


def _time(text: str | None) -> int | None:
    return None if text is None else parse_us(text)


def is_default(preferences: Element) -> bool:
    """Whether preferences (XEP-0441) are those that hold: everything is kept."""
    lists = (preferences.find(f"{{{NS_ARCHIVE}}}{name}") for name in ("always", "never"))
    return preferences.get("default") == "always" and not any(each is not None and len(each) for each in lists)


# ------------------------------------------------------------------------------------------------------------- answers


def form_xml() -> str:
    """The answer that tells how an archive can be filtered (section 4.1.7)."""
    validate = "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>"
    fields = [
        field_xml(Field("FORM_TYPE", (NS_ARCHIVE,), "hidden")),
        field_xml(Field("with", (), "jid-single")),
        *(field_xml(Field(name, (), "text-single")) for name in ("start", "end", "before-id", "after-id")),
        f"<field var='ids' type='list-multi'>{validate}</field>",
    ]
    form = f"<x xmlns='{NS_DATA}' type='form'>{''.join(fields)}</x>"
    return f"<query xmlns='{NS_ARCHIVE}'>{form}</query>"


def result(owner: str, to: str, stanza_id: str, query_id: str | None, archive_id: str, at: int, data: bytes) -> bytes:
    """The message that brings one archived message (section 4.2).

    Args:
        owner: the bare JID of the archive.
        to: the full JID that asked.
        stanza_id: the id of this stanza.
        query_id: what the client called its query.
        archive_id: the message's id in the archive.
        at: when it came, in microseconds since the epoch.
        data: the message as it was passed on, encoded for TCP.
    """
    query = "" if query_id is None else f" queryid={quote(query_id)}"
    start = (
        f"<message from={quote(owner)} to={quote(to)} id={quote(stanza_id)}>"
        f"<result xmlns='{NS_ARCHIVE}'{query} id={quote(archive_id)}>"
    )
    inner = forwarded(data, f"<delay xmlns='{NS_DELAY}' stamp='{stamp_us(at)}'/>")
    return b"%b%b</result></message>" % (start.encode(), inner)


def fin_xml(first: str | None, last: str | None, count: int | None, *, is_complete: bool) -> str:
    """The answer that ends the results of a query (section 4.3.2)."""
    complete = " complete='true'" if is_complete else ""
    return f"<fin xmlns='{NS_ARCHIVE}'{complete}>{page_xml(first, last, count)}</fin>"


def metadata_xml(ends: tuple[tuple[str, int], tuple[str, int]] | None) -> str:
    """The answer that tells the oldest and the newest message (section 4.4): of each its id and its time."""
    if ends is None:
        return f"<metadata xmlns='{NS_ARCHIVE}'/>"
    parts = [
        f"<{name} id={quote(identity)} timestamp='{stamp_us(at)}'/>"
        for name, (identity, at) in zip(("start", "end"), ends, strict=True)
    ]
    return f"<metadata xmlns='{NS_ARCHIVE}'>{''.join(parts)}</metadata>"


def preferences_xml() -> str:
    """The answer that tells what is kept: everything (XEP-0441)."""
    return f"<prefs xmlns='{NS_ARCHIVE}' default='always'><always/><never/></prefs>"
