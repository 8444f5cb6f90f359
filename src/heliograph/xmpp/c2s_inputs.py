"""What a client can send on its stream, told apart for the table of `xmpp.c2s`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from heliograph.xmpp import client_state, stream_management
from heliograph.xmpp.sasl2 import AUTHENTICATE_TAG, NS_SASL2
from heliograph.xmpp.stanza import NS_BIND, NS_SASL, NS_TLS, Stanza, split_tag
from heliograph.xmpp.stream import Event, StreamEnd, StreamHeader

_BIND_TAG = f"{{{NS_BIND}}}bind"
_MANAGEMENT = (stream_management.NS_SM, client_state.NS_CSI)
_STARTTLS_TAG = f"{{{NS_TLS}}}starttls"


class Input(Enum):
    """What a client can send."""

    HEADER = "header"
    STARTTLS = "starttls"
    AUTH = "auth"
    AUTHENTICATE = "authenticate"
    RESPONSE = "response"
    ABORT = "abort"
    BIND = "bind"
    STANZA = "stanza"
    MANAGEMENT = "management"
    OTHER = "other"
    END = "end"

    __hash__ = object.__hash__  # by identity: a transition is looked up for each element


def kind_of(event: Event) -> Input:
    """Which input an event is."""
    if isinstance(event, Stanza):
        is_bind = event.name == "iq" and event.type == "set" and event.id and event.find(_BIND_TAG) is event.child()
        return Input.BIND if is_bind and event.child() is not None else Input.STANZA
    if isinstance(event, StreamHeader):
        return Input.HEADER
    if isinstance(event, StreamEnd):
        return Input.END
    known = _NONZAS.get(event.tag)
    if known is not None:
        return known
    return Input.MANAGEMENT if split_tag(event.tag)[0] in _MANAGEMENT else Input.OTHER


_NONZAS: Mapping[str, Input] = {
    _STARTTLS_TAG: Input.STARTTLS,
    f"{{{NS_SASL}}}auth": Input.AUTH,
    AUTHENTICATE_TAG: Input.AUTHENTICATE,
    **{f"{{{profile}}}response": Input.RESPONSE for profile in (NS_SASL, NS_SASL2)},
    **{f"{{{profile}}}abort": Input.ABORT for profile in (NS_SASL, NS_SASL2)},
}
