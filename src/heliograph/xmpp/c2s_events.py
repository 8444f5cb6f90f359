"""What happens on a client's stream, seen from the server, as `xmpp.c2s` tells it; and what a server offers.

The questions of `sasl_claims`, `AdmissionWanted`, `BindWanted` and `ResumeWanted` want an answer: what comes behind one
waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from heliograph.xmpp.client_state import ClientState
from heliograph.xmpp.sasl2 import Authenticate
from heliograph.xmpp.sasl_claims import Question
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, StreamError
from heliograph.xmpp.stream_management import Acked, AckWanted, EnableWanted, ResumeWanted


@dataclass(frozen=True, slots=True)
class TlsWanted:
    """Send what is pending, then start TLS and call `tls_established`."""


@dataclass(frozen=True, slots=True)
class AdmissionWanted:
    """The client has shown who it is: do what it asks for besides, and call `admitted`, or `turn_away`.

    Attributes:
        request: what it asks for (XEP-0388).
        token: the name of the token that it has used, if it was one (XEP-0484).
    """

    request: Authenticate
    token: str | None = None


class AuthenticationDone(NamedTuple):
    """A sign-in ended: with the session whose password was used, or with a SASL condition."""

    session_id: str | None
    condition: str | None = None


class BindWanted(NamedTuple):
    """Choose the resource and call `bound` or `refuse_bind`; `None` asks the server to make one."""

    resource: str | None


class StreamClosed(NamedTuple):
    """The client closed its stream, or the stream ended with an error; nothing more is read."""

    error: StreamError | None = None


Managed = EnableWanted | ResumeWanted | AckWanted | Acked | ClientState
"""What a client says about its stream (XEP-0198, XEP-0352)."""

StreamEvent = TlsWanted | Question | AdmissionWanted | AuthenticationDone | BindWanted | Managed | Stanza | StreamClosed


@dataclass(frozen=True, slots=True)
class Terms:
    """What a server offers to every stream.

    Attributes:
        hosts: whether a domain is served here.
        limits: what one stanza may cost once a client is authenticated.
        has_tls: whether STARTTLS can be offered.
        requires_tls: whether a client must secure the stream before it may authenticate.
        features: XML of further stream features after authentication.
        random: so many unpredictable bytes.
        secret: keys what unknown usernames are shown.
        max_attempts: sign-ins that may fail on one stream.
    """

    hosts: Callable[[str], bool]
    limits: Limits
    random: Callable[[int], bytes]
    secret: bytes
    has_tls: bool = True
    requires_tls: bool = True
    features: str = ""
    max_attempts: int = 5
