"""What a stream offers at each point (RFC 6120, section 4.3.2): the content of `<stream:features/>`."""

from __future__ import annotations

from heliograph.xmpp.c2s_events import Terms
from heliograph.xmpp.sasl import Negotiation
from heliograph.xmpp.stanza import NS_BIND, NS_SASL, NS_SESSION, NS_TLS

_BINDING = f"<bind xmlns='{NS_BIND}'/><session xmlns='{NS_SESSION}'><optional/></session>"


def before_sign_in(terms: Terms, *, is_secure: bool) -> str:
    """STARTTLS where it can be had, and the mechanisms once the stream is as secure as the server wants it."""
    features = ""
    if terms.has_tls and not is_secure:
        features = f"<starttls xmlns='{NS_TLS}'>{'<required/>' if terms.requires_tls else ''}</starttls>"
    if is_secure or not terms.requires_tls:
        names = "".join(f"<mechanism>{name}</mechanism>" for name in Negotiation.mechanisms(is_secure))
        features += f"<mechanisms xmlns='{NS_SASL}'>{names}</mechanisms>"
    return features


def after_sign_in(terms: Terms) -> str:
    """Binding a resource, and what the server has besides."""
    return _BINDING + terms.features
