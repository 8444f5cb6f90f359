"""The initiating side of a client-to-server stream (RFC 6120, sections 4 to 7), as a state machine without I/O.

`start`, then feed what the server sends to `receive_data` and send what `data_to_send` gives. The machine secures the
stream, signs in with the best mechanism that is offered, binds a resource and then passes stanzas on. It never shows
the password to a server on a stream without TLS, and with SCRAM it insists that the server proves to know it too.

Exactly one of `StreamFailed`, `AuthenticationRefused` and `Closed` is a stream's last event: send what is pending then,
and close the transport. `Initiator.TRANSITIONS` is the whole machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from heliograph.xmpp import jid, stream_management
from heliograph.xmpp.framing import STREAM_TAG, Framing
from heliograph.xmpp.initiator_events import (
    Authenticated,
    AuthenticationRefused,
    Bound,
    Closed,
    InitiatorEvent,
    StanzaReceived,
    StreamFailed,
    TlsWanted,
)
from heliograph.xmpp.jid import JidMalformed
from heliograph.xmpp.sasl_claims import Refused
from heliograph.xmpp.sasl_initiator import Claimant, Offered
from heliograph.xmpp.saslprep import Unpreparable
from heliograph.xmpp.scram import ChannelBinding, ClientExchange, ScramError, decode_base64, encode_base64
from heliograph.xmpp.stanza import (
    NS_BIND,
    NS_CLIENT,
    NS_SASL,
    NS_STANZAS,
    NS_STREAM_ERRORS,
    NS_STREAMS,
    NS_TLS,
    Stanza,
    escape,
    quote,
    split_tag,
)
from heliograph.xmpp.stream import Event, StreamEnd, StreamError, StreamHeader
from heliograph.xmpp.stream_management import Acked, AckWanted, Continuation, Enabled, Failed, Resumed

_BIND_ID = "bind"


class State(Enum):
    """Where a stream stands."""

    NEW = "new"
    OPENING = "opening"
    NEGOTIATING = "negotiating"
    STARTING_TLS = "starting_tls"
    SECURING = "securing"
    AUTHENTICATING = "authenticating"
    PROVING = "proving"
    CONFIRMING = "confirming"
    REOPENING = "reopening"
    CHOOSING = "choosing"
    RESUMING = "resuming"
    BINDING = "binding"
    BOUND = "bound"
    CLOSING = "closing"
    CLOSED = "closed"


class Input(Enum):
    """What a server can send."""

    HEADER = "header"
    FEATURES = "features"
    PROCEED = "proceed"
    TLS_FAILURE = "tls_failure"
    CHALLENGE = "challenge"
    SUCCESS = "success"
    FAILURE = "failure"
    STANZA = "stanza"
    MANAGEMENT = "management"
    ERROR = "error"
    OTHER = "other"
    END = "end"


@dataclass(slots=True)
class Initiator:
    """One stream, seen from the client.

    Args:
        domain: the domain to connect to.
        username: the localpart to sign in as.
        password: as the person typed it.
        framing: how the stream stands on its transport.
        nonce: at least 16 unpredictable bytes, never used before.
        is_secure: whether the transport is encrypted already.
        resource: the resource to ask for; `None` lets the server make one.
        continuation: what is kept of a managed stream (XEP-0198); it is gone on with where it can be, otherwise begun
            anew. `None` leaves the stream unmanaged.
        allow_plaintext: whether SCRAM may be used where the server offers no TLS. PLAIN never is.
    """

    domain: str
    username: str
    password: str = field(repr=False)
    framing: Framing
    nonce: bytes = field(repr=False)
    is_secure: bool
    resource: str | None = None
    allow_plaintext: bool = False
    continuation: Continuation | None = None
    state: State = field(default=State.NEW, init=False)
    _output: list[bytes] = field(default_factory=list, init=False, repr=False)
    _events: list[InitiatorEvent] = field(default_factory=list, init=False, repr=False)
    _exchange: ClientExchange | None = field(default=None, init=False, repr=False)
    _binding: ChannelBinding | None = field(default=None, init=False, repr=False)

    # ------------------------------------------------------------------------------------------------ what goes out

    def start(self, binding: ChannelBinding | None = None) -> None:
        """Open the stream, once the transport stands; with direct TLS, with what ties the sign-in to it (RFC 5056)."""
        if self.state is State.NEW:
            self._binding = binding
            self._open(State.OPENING)

    def data_to_send(self) -> list[bytes]:
        """What has to be sent now, in order; on a WebSocket each piece is one message."""
        output, self._output = self._output, []
        return output

    def send(self, stanza: bytes) -> bool:
        """Queue a stanza; `False` (and nothing queued) where the stream is not bound, or `is_clogged`.

        Args:
            stanza: its XML, with `jabber:client` as the default namespace.
        """
        if self.state is not State.BOUND or self.is_clogged:
            return False
        self._output.append(self.framing.stanza(stanza))
        if self.continuation is not None:
            self.continuation.ledger.add(stanza)
            self._ask()
        return True

    @property
    def is_clogged(self) -> bool:
        """Whether the server has left too much unacknowledged for more to be sent."""
        return self.continuation is not None and self.continuation.ledger.is_full

    def _ask(self) -> None:
        kept = self.continuation
        if kept is not None and kept.is_enabled and kept.ledger.ask():
            self._output.append(stream_management.REQUEST)

    def close(self) -> None:
        """Close the stream from this side (RFC 6120, section 4.4); `Closed` comes when the server has done so too.

        Before the stream was started and while TLS starts, it is over at once and no event comes.
        """
        if self.state in (State.NEW, State.SECURING):
            self._finish()
        elif self.state not in (State.CLOSING, State.CLOSED):
            if self.continuation is not None and self.continuation.is_enabled:
                self._output.append(stream_management.ack(self.continuation.ledger.handled))
                self.continuation.reset()
            self._output.append(self.framing.close_tag())
            self.state = State.CLOSING

    # ------------------------------------------------------------------------------------------------- what comes in

    def receive_data(self, data: bytes) -> list[InitiatorEvent]:
        """Read bytes as they came from the wire, in pieces of any size (on a WebSocket: one message)."""
        if self.state is State.BOUND or self.framing.is_document_per_message:
            self._step(data)
        else:
            self._negotiate(data)
        events, self._events = self._events, []
        return events

    def tls_established(self, binding: ChannelBinding | None = None) -> None:
        """TLS is up: open the stream anew (RFC 6120, section 5.4.3.3). The binding is as for `start`."""
        if self.state is State.SECURING:
            self.is_secure = True
            self._binding = binding
            self.framing.restart()
            self._open(State.OPENING)

    def _negotiate(self, data: bytes) -> None:
        """Read tag by tag, since any of them may end the stream that the bytes behind it belong to."""
        start = 0
        while start < len(data):
            end = data.find(b">", start) + 1 or len(data)
            self._step(data[start:end])
            start = end

    def _step(self, data: bytes) -> None:
        if self.state in (State.NEW, State.SECURING, State.CLOSED):
            return  # above all, what was sent in the clear behind <proceed/> is never read
        try:
            for event in self.framing.read(data):
                self._take(event)
        except StreamError as error:
            self._fail(error)

    def _take(self, event: Event) -> None:
        if self.state is State.CLOSED:
            return
        kind = _kind(event)
        action = self.TRANSITIONS.get((self.state, kind))
        if action is None:
            raise StreamError("unsupported-stanza-type", f"The server sent what is out of place: {kind.value}")
        try:
            action(self, event)
        except Refused as error:
            self._refuse(error.condition, error.text)
        except (ScramError, Unpreparable) as error:
            self._refuse("not-authorized", str(error))

    # --------------------------------------------------------------------------------------------------- transitions

    def _open(self, state: State) -> None:
        self._output.append(self.framing.open(f" to={quote(self.domain)} version='1.0' xml:lang='en'"))
        self.state = state

    def _on_header(self, header: StreamHeader) -> None:
        if header.tag != STREAM_TAG:
            raise StreamError("invalid-namespace", "This is not the header of a stream")
        if header.attrib.get("version", "0.9").partition(".")[0] in ("", "0"):
            raise StreamError("unsupported-version", "The server does not speak XMPP 1.0")
        self.state = State.NEGOTIATING if self.state is State.OPENING else State.CHOOSING

    def _on_features(self, features: Element) -> None:
        has_starttls = features.find(f"{{{NS_TLS}}}starttls") is not None
        if has_starttls and not self.is_secure and not self.framing.is_document_per_message:  # RFC 7395, section 3.9
            self._output.append(f"<starttls xmlns='{NS_TLS}'/>".encode())
            self.state = State.STARTING_TLS
            return
        if not self.is_secure and not self.allow_plaintext:
            raise Refused("encryption-required", "The server offers no encryption")
        self._authenticate(Offered.read(features))

    def _authenticate(self, offered: Offered) -> None:
        """Choose the best mechanism and send its first message (RFC 6120, section 6.4.2)."""
        claimant = Claimant(self.username, self.password, self.nonce.hex(), self.is_secure, self._binding)
        attempt = claimant.choose(offered)
        self._exchange = attempt.exchange
        self._send_sasl("auth", attempt.first, f" mechanism='{attempt.mechanism}'")
        self.state = State.CONFIRMING if attempt.exchange is None else State.AUTHENTICATING

    def _send_sasl(self, local: str, message: bytes, attributes: str = "") -> None:
        self._output.append(f"<{local} xmlns='{NS_SASL}'{attributes}>{encode_base64(message)}</{local}>".encode())

    def _on_proceed(self, _element: Element) -> None:
        self.state = State.SECURING
        self._events.append(TlsWanted())

    def _on_tls_failure(self, _element: Element) -> None:
        raise Refused("encryption-required", "The server could not start encryption")

    def _on_challenge(self, element: Element) -> None:
        assert self._exchange is not None  # noqa: S101 - SCRAM alone enters AUTHENTICATING
        self._send_sasl("response", self._exchange.final(_content(element)))
        self.state = State.PROVING

    def _on_signature(self, element: Element) -> None:
        assert self._exchange is not None  # noqa: S101 - as above
        self._exchange.verify(_content(element))
        self._send_sasl("response", b"")
        self.state = State.CONFIRMING

    def _on_signed_success(self, element: Element) -> None:
        assert self._exchange is not None  # noqa: S101 - as above
        self._exchange.verify(_content(element))
        self._on_success(element)

    def _on_unproved_success(self, _element: Element) -> None:
        raise Refused("not-authorized", "The server did not ask for the proof that it knows the password")

    def _on_success(self, _element: Element) -> None:
        self._exchange = None
        self._events.append(Authenticated())
        self.framing.restart()
        self._open(State.REOPENING)

    def _on_failure(self, element: Element) -> None:
        condition, text = _condition(element, NS_SASL)
        raise Refused(condition or "not-authorized", text)

    def _on_bind_features(self, features: Element) -> None:
        if features.find(f"{{{NS_BIND}}}bind") is None:
            raise StreamError("undefined-condition", "The server does not let clients bind a resource")
        if features.find(stream_management.FEATURE_TAG) is None:
            self._unmanage()
        kept = self.continuation
        if kept is not None and kept.id is not None and kept.is_settled:
            self._output.append(stream_management.resume(kept.id, kept.ledger.handled))
            self.state = State.RESUMING
        else:
            self._bind()

    def _unmanage(self) -> None:
        if self.continuation is not None:
            self.continuation.reset()
            self.continuation = None

    def _bind(self) -> None:
        wish = f"<resource>{escape(self.resource)}</resource>" if self.resource else ""
        request = f"<iq type='set' id='{_BIND_ID}'><bind xmlns='{NS_BIND}'>{wish}</bind></iq>"
        self._output.append(self.framing.stanza(request.encode()))
        self.state = State.BINDING

    def _on_bind_answer(self, stanza: Stanza) -> None:
        if stanza.name != "iq" or stanza.id != _BIND_ID:
            raise StreamError("unsupported-stanza-type", "The server sent a stanza before it bound a resource")
        if stanza.type != "result":
            self._refuse_bind(stanza.find(f"{{{NS_CLIENT}}}error"))
            return
        try:
            bound = jid.parse(stanza.element.findtext(f"{{{NS_BIND}}}bind/{{{NS_BIND}}}jid", ""))
        except JidMalformed:
            raise StreamError("undefined-condition", "The server bound what is no JID") from None
        self.state = State.BOUND
        self._events.append(Bound(str(bound)))
        if self.continuation is not None:
            self.continuation.reset()
            self.continuation.jid = str(bound)
            self._output.append(stream_management.enable())

    def _on_resumption(self, element: Element) -> None:
        """Whether the older stream goes on (XEP-0198, section 5); if not, a resource is bound after all."""
        kept = self.continuation
        match stream_management.parse(element):
            case Resumed(handled=handled) if kept is not None:
                self._output += [self.framing.stanza(stanza) for stanza in kept.ledger.resume(handled)]
                self.state = State.BOUND
                self._ask()
                self._events.append(Bound(kept.jid, is_resumed=True))
            case Failed():
                self._bind()
            case _:
                raise StreamError("unsupported-stanza-type", "The server did not say whether the stream goes on")

    def _on_management(self, element: Element) -> None:
        """XEP-0198, sections 3 and 4."""
        kept = self.continuation
        said = stream_management.parse(element)
        if kept is None:
            raise StreamError("unsupported-stanza-type", "The stream is not managed")
        match said:
            case AckWanted():
                self._output.append(stream_management.ack(kept.ledger.handled))
            case Acked(handled):
                if kept.ledger.acknowledge(handled):
                    self._ask()
            case Enabled(id=stream_id):
                kept.id, kept.is_enabled = stream_id, True
                self._ask()
            case Failed():
                self._unmanage()
            case _:
                raise StreamError("unsupported-stanza-type", "The server said what only a client says")

    def _refuse_bind(self, error: Element | None) -> None:
        condition, text = _condition(error, NS_STANZAS) if error is not None else (None, None)
        self._events.append(StreamFailed(condition or "undefined-condition", text, error))
        self._finish(self.framing.close_tag())

    def _on_stanza(self, stanza: Stanza) -> None:
        if self.continuation is not None and self.continuation.is_enabled:
            self.continuation.ledger.count()
        self._events.append(StanzaReceived(stanza))

    def _on_error(self, element: Element) -> None:
        condition, text = _condition(element, NS_STREAM_ERRORS)
        self._events.append(StreamFailed(condition or "undefined-condition", text, element))
        self._finish(self.framing.close_tag())

    def _on_end(self, _event: StreamEnd) -> None:
        self._events.append(Closed())
        self._finish(b"" if self.state is State.CLOSING else self.framing.close_tag())

    def _ignore(self, _event: Event) -> None:
        """What comes while the stream closes concerns nobody."""

    # ----------------------------------------------------------------------------------------------------- the end

    def _fail(self, error: StreamError) -> None:
        """End the stream with an error found on this side; tell the server unless our end of it is closed already."""
        if self.state is not State.CLOSING:
            self._output.append(
                self.framing.stream_element("error", f"<{error.condition} xmlns='{NS_STREAM_ERRORS}'/>")
            )
        self._events.append(StreamFailed(error.condition, error.text))
        self._finish(b"" if self.state is State.CLOSING else self.framing.close_tag())

    def _refuse(self, condition: str, text: str | None) -> None:
        self._events.append(AuthenticationRefused(condition, text))
        self._finish(self.framing.close_tag())

    def _finish(self, last: bytes = b"") -> None:
        if last:
            self._output.append(last)
        if self.continuation is not None and self.state in (State.RESUMING, State.BOUND):
            self.continuation.reset()
        self.state = State.CLOSED
        self._exchange = None
        self.framing.close()

    TRANSITIONS: ClassVar[Mapping[tuple[State, Input], Callable[[Initiator, Any], None]]] = {
        (State.OPENING, Input.HEADER): _on_header,
        (State.NEGOTIATING, Input.FEATURES): _on_features,
        (State.STARTING_TLS, Input.PROCEED): _on_proceed,
        (State.STARTING_TLS, Input.TLS_FAILURE): _on_tls_failure,
        (State.AUTHENTICATING, Input.CHALLENGE): _on_challenge,
        (State.AUTHENTICATING, Input.SUCCESS): _on_unproved_success,
        (State.AUTHENTICATING, Input.FAILURE): _on_failure,
        (State.PROVING, Input.CHALLENGE): _on_signature,
        (State.PROVING, Input.SUCCESS): _on_signed_success,
        (State.PROVING, Input.FAILURE): _on_failure,
        (State.CONFIRMING, Input.SUCCESS): _on_success,
        (State.CONFIRMING, Input.FAILURE): _on_failure,
        (State.REOPENING, Input.HEADER): _on_header,
        (State.CHOOSING, Input.FEATURES): _on_bind_features,
        (State.BINDING, Input.STANZA): _on_bind_answer,
        (State.RESUMING, Input.MANAGEMENT): _on_resumption,
        (State.BOUND, Input.STANZA): _on_stanza,
        (State.BOUND, Input.MANAGEMENT): _on_management,
        **dict.fromkeys(((State.CLOSING, kind) for kind in Input), _ignore),
        (State.CLOSING, Input.STANZA): _on_stanza,
        **dict.fromkeys(((state, Input.ERROR) for state in State), _on_error),
        **dict.fromkeys(((state, Input.END) for state in State), _on_end),
    }
    """Every input that a state takes; any other ends the stream with an error."""


def _kind(event: Event) -> Input:
    if isinstance(event, Stanza):
        return Input.STANZA
    if isinstance(event, StreamHeader):
        return Input.HEADER
    if isinstance(event, StreamEnd):
        return Input.END
    if split_tag(event.tag)[0] == stream_management.NS_SM:
        return Input.MANAGEMENT
    return _ELEMENTS.get(event.tag, Input.OTHER)


def _content(element: Element) -> bytes:
    """What a SASL element carries."""
    text = element.text or ""
    try:
        return b"" if text == "=" else decode_base64(text)
    except ValueError:
        raise Refused("incorrect-encoding", "The server sent what is not base64") from None


def _condition(error: Element, namespace: str) -> tuple[str | None, str | None]:
    """The defined condition and the text of an error or failure."""
    names = [split_tag(child.tag)[1] for child in error if split_tag(child.tag)[0] == namespace]
    return next((name for name in names if name != "text"), None), error.findtext(f"{{{namespace}}}text") or None


_ELEMENTS: Mapping[str, Input] = {
    f"{{{NS_STREAMS}}}features": Input.FEATURES,
    f"{{{NS_STREAMS}}}error": Input.ERROR,
    f"{{{NS_TLS}}}proceed": Input.PROCEED,
    f"{{{NS_TLS}}}failure": Input.TLS_FAILURE,
    f"{{{NS_SASL}}}challenge": Input.CHALLENGE,
    f"{{{NS_SASL}}}success": Input.SUCCESS,
    f"{{{NS_SASL}}}failure": Input.FAILURE,
}
