"""Being told only what is new: a client names the highest mark that it has seen (`urn:heliograph:profile:1`).

XEP-0163, section 4.3.4 sends a client the last item of every contact when it comes. A client that keeps what it was
told needs only what has changed since. Each vCard4 event of this server carries a mark; marks grow in the order in
which the events of a stream come. Before its presence on a new stream such a client sends the highest one that it has
dealt with. Whoever sends none gets all.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza_error import bad_request
from heliograph.xmpp.vcard import NS_PROFILE, read_number

SINCE_TAG = f"{{{NS_PROFILE}}}since"


def since_xml(mark: int) -> str:
    """The payload of the IQ set by which a client names its mark."""
    return f"<since xmlns='{NS_PROFILE}' mark='{mark}'/>"


def parse_since(element: Element) -> int:
    """The mark in such a payload.

    Raises:
        StanzaError: it is no positive number.
    """
    mark = read_number(element.get("mark", ""))
    if mark <= 0:
        raise bad_request("A mark is a positive number")
    return mark
