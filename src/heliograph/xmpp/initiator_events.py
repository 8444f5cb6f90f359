"""What happens on a client's stream (RFC 6120), as `xmpp.initiator` tells it.

Exactly one of `StreamFailed`, `AuthenticationRefused` and `Closed` is a stream's last event.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class TlsWanted:
    """Send what is pending, then start TLS, check that the certificate is the domain's and call `tls_established`."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The password was right."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The stream is now that full JID, and stanzas may be sent; or it still is, where an older stream goes on."""

    jid: str
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class StanzaReceived:
    """The server sent a stanza."""

    stanza: Stanza


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """The stream has ended with an error (RFC 6120, section 4.9), or the server did not let us bind a resource.

    Attributes:
        condition: the defined condition.
        text: a sentence for a person, or `None`.
        error: the element that the server sent, with its application-specific condition if it has one: a
            `<stream:error/>`, or the `<error/>` that refused to bind; `None` where the error was found on this side.
    """

    condition: str
    text: str | None = None
    error: Element | None = None


@dataclass(frozen=True, slots=True)
class AuthenticationRefused:
    """Signing in failed: with a condition of RFC 6120, section 6.5, and a sentence for a person, or `None`."""

    condition: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The stream was closed without an error."""


InitiatorEvent = TlsWanted | Authenticated | Bound | StanzaReceived | StreamFailed | AuthenticationRefused | Closed
