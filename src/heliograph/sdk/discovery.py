"""What the SDK says of itself (XEP-0030, XEP-0115), and its answers to requests."""

from __future__ import annotations

from heliograph.xmpp import caps, disco, pep
from heliograph.xmpp.stanza import Stanza, iq_result, stanza_error

NS_PING = "urn:xmpp:ping"

_PING_TAG = f"{{{NS_PING}}}ping"
_IDENTITIES = (disco.Identity("client", "bot", "Heliograph SDK"),)
_FEATURES = (caps.NS_CAPS, disco.NS_DISCO_INFO, NS_PING, f"{pep.NODE_VCARD4}+notify")
_INFO = disco.Info(_IDENTITIES, _FEATURES)
_HASH = "sha-1"  # the one that every server knows (XEP-0115, section 10)
_CAPS = caps.Caps(_HASH, "urn:heliograph:sdk:python", caps.verification_string(_INFO, _HASH) or "")

INITIAL_PRESENCE = f"<presence>{caps.caps_xml(_CAPS)}</presence>".encode()
"""Announces that this client wants the profile events of its contacts (XEP-0163, section 4.2)."""


def answer(request: Stanza, own_jid: str) -> bytes | None:
    """The answer to an IQ of type get or set (RFC 6120, section 8.2.3); `None` to one that is itself an answer.

    Args:
        request: the IQ.
        own_jid: where a request without `from` comes from: the user's own account.
    """
    if request.type not in ("get", "set"):
        return None
    to = request.get("from") or own_jid
    child = request.child()
    if child is None:
        return stanza_error(request, to, "modify", "bad-request")
    if request.type == "get" and child.tag == _PING_TAG:
        return iq_result(request, to)
    query = disco.parse_query(child) if request.type == "get" else None
    if query is None:
        return stanza_error(request, to, "cancel", "service-unavailable")
    return _answer_query(request, to, query)


def _answer_query(request: Stanza, to: str, query: disco.Query) -> bytes | None:
    if query.node not in (None, _CAPS.query_node):
        return stanza_error(request, to, "cancel", "item-not-found")
    if query.is_info:
        return iq_result(request, to, disco.info_xml(_IDENTITIES, _FEATURES, query.node))
    return iq_result(request, to, disco.items_xml((), query.node))
