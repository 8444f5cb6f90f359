"""Private XML storage (XEP-0049): elements that a client keeps on the server for its user alone.

Each lies in a node of the user's own that is named after its namespace and shown to nobody else, where newer clients
keep such things themselves (XEP-0223). So what one kind of client stores the other kind finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from heliograph.xmpp.pep import PROFILE_NODES
from heliograph.xmpp.stanza import serialize, split_tag
from heliograph.xmpp.stanza_error import bad_request, not_acceptable

NS_PRIVATE = "jabber:iq:private"
QUERY_TAG = f"{{{NS_PRIVATE}}}query"

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "pubsub#access_model": ("whitelist",),
    "pubsub#persist_items": ("true",),
}
"""What a node must be, so that what lies in it is private (XEP-0223, section 4)."""

_RESERVED = ("jabber:", "http://jabber.org/", "vcard-temp")


def parse(query: Element) -> tuple[str, Element]:
    """Read a request: the node, and the element that is to be kept or that names the one wanted.

    Raises:
        StanzaError: it has none or several, or the namespace is none that a client may use (section 2.3).
    """
    if len(query) != 1:
        raise bad_request("A request of private storage has exactly one element")
    namespace = split_tag(query[0].tag)[0]
    if not namespace or namespace.startswith(_RESERVED) or namespace in PROFILE_NODES:
        raise not_acceptable("Nothing can be kept under that namespace")
    return namespace, query[0]


def result_xml(wanted: Element, kept: Element | None) -> str:
    """The answer to a request: what is kept, or the element as it was asked for, which is empty (section 2.2)."""
    found = kept if kept is not None and kept.tag == wanted.tag else Element(wanted.tag)
    return f"<query xmlns='{NS_PRIVATE}'>{serialize(found, NS_PRIVATE)}</query>"
