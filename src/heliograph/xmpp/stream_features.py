"""What a stream offers at each point (RFC 6120, section 4.3.2; XEP-0440): the content of `<stream:features/>`."""

from __future__ import annotations

from functools import cache

from heliograph.xmpp import sasl2
from heliograph.xmpp.c2s_events import Terms
from heliograph.xmpp.sasl_claims import Offer
from heliograph.xmpp.stanza import NS_BIND, NS_SASL, NS_SESSION, NS_TLS

NS_CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"

_BINDING = f"<bind xmlns='{NS_BIND}'/><session xmlns='{NS_SESSION}'><optional/></session>"


def before_sign_in(terms: Terms, offer: Offer) -> str:
    """STARTTLS where it can be had, and the mechanisms once the stream is as secure as the server wants it."""
    features = ""
    if terms.has_tls and not offer.is_secure:
        features = f"<starttls xmlns='{NS_TLS}'>{'<required/>' if terms.requires_tls else ''}</starttls>"
    if offer.is_secure or not terms.requires_tls:
        features += _mechanisms(offer)
    return features


@cache  # as many as offers
def _mechanisms(offer: Offer) -> str:
    """The mechanisms, for both profiles, and beside them the type of channel binding (XEP-0440, section 2).

    The extensible profile is offered on secure streams alone (XEP-0388, section 5).
    """
    names = "".join(f"<mechanism>{name}</mechanism>" for name in offer.mechanisms)
    features = f"<mechanisms xmlns='{NS_SASL}'>{names}</mechanisms>"
    if offer.is_secure:
        features += sasl2.feature(offer)
    if offer.binding is not None:
        binding = f"<channel-binding type='{offer.binding.type}'/>"
        features += f"<sasl-channel-binding xmlns='{NS_CHANNEL_BINDING}'>{binding}</sasl-channel-binding>"
    return features


def after_sign_in(terms: Terms, *, is_bound: bool) -> str:
    """Binding a resource, unless that is done, and what the server has besides."""
    return terms.features if is_bound else _BINDING + terms.features
