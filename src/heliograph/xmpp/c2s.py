"""The receiving side of a client-to-server stream (RFC 6120, sections 4 to 7), as a state machine without I/O.

The shell feeds bytes to `receive` and sends what `data_to_send` gives. The machine asks it questions, as events: what
is known of a client (`CredentialsWanted`, `BearerWanted` and `TokensWanted`, answered with `credentials`), and which
resource a stream may have (`BindWanted`, answered with `bound` or `refuse_bind`; `ResumeWanted`, with `resumed` or
`refuse_resume`; all that a client asks for in one request, `AdmissionWanted`, with `admitted` or `turn_away`). Input
that arrives while a question is open waits.
`TRANSITIONS` is the whole machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from xml.etree.ElementTree import Element

from heliograph.xmpp import client_state, sasl2, stream_features, stream_management
from heliograph.xmpp.c2s_events import (
    AdmissionWanted,
    AuthenticationDone,
    BindWanted,
    Managed,
    StreamClosed,
    StreamEvent,
    Terms,
    TlsWanted,
)
from heliograph.xmpp.c2s_inputs import Input, kind_of
from heliograph.xmpp.framing import Framing
from heliograph.xmpp.sasl import Challenge, Failure, Negotiation, Step, Success
from heliograph.xmpp.sasl2 import Authenticate, ExtensibleProfile
from heliograph.xmpp.sasl_claims import Answer, Hints, Offer, Refused
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.sasl_profile import CoreProfile, Profile
from heliograph.xmpp.scram import ChannelBinding
from heliograph.xmpp.stanza import NS_BIND, NS_TLS, XML_LANG, Stanza, escape, iq_result, quote, split_tag, stanza_error
from heliograph.xmpp.stream import Event, StreamError, StreamHeader, is_header, is_one_element
from heliograph.xmpp.stream_management import EnableWanted, ResumeWanted
from heliograph.xmpp.stream_opening import check_header, claimed_bare, stream_error_xml

_STREAM_ID_BYTES = 15
_CORE = CoreProfile()
_EXTENSIBLE = ExtensibleProfile()


class State(Enum):
    """Where a stream stands."""

    OPENING = "opening"
    NEGOTIATING = "negotiating"
    SECURING = "securing"
    ASKING = "asking"
    CHALLENGED = "challenged"
    ADMITTING = "admitting"
    REOPENING = "reopening"
    BINDING = "binding"
    ASKING_BIND = "asking_bind"
    BOUND = "bound"
    CLOSED = "closed"
    __hash__ = object.__hash__  # by identity: a transition is looked up for each element


_WAITING = (State.ASKING, State.ADMITTING, State.ASKING_BIND)
"""Where a question is open; a tuple, as it is asked for each tag, and comparing members costs less than hashing one."""


@dataclass(slots=True)
class ServerStream:
    """One client's stream, seen from the server.

    Args:
        framing: how the stream stands on its transport; its limits are those before authentication.
        terms: what the server offers.
        is_secure: whether the transport is encrypted already.
        binding: what ties a sign-in to the transport's own TLS connection, once that stands (RFC 5056).
    """

    framing: Framing
    terms: Terms
    is_secure: bool
    binding: ChannelBinding | None = None
    state: State = State.OPENING
    host: str = ""
    username: str = ""
    session_id: str = ""
    jid: str = ""
    lang: str | None = None
    claimed: str | None = None
    _output: list[bytes] = field(default_factory=list)
    _events: list[StreamEvent] = field(default_factory=list)
    _waiting: list[bytes] = field(default_factory=list)
    _offer: Offer = field(default_factory=Offer)
    _sasl: Negotiation | None = None
    _profile: Profile = _CORE
    _request: Authenticate | None = None
    _message: bytes | None = None
    _attempts: int = 0
    _bind: Stanza | None = None
    _is_open: bool = False

    # ------------------------------------------------------------------------------------------------ what goes out

    def data_to_send(self) -> list[bytes]:
        """What has to be sent now, in order; on a WebSocket each piece is one message."""
        output, self._output = self._output, []
        return output

    def offers_token_for(self, mechanism: str | None) -> bool:
        """Whether the client was offered that mechanism for tokens (XEP-0484, section 3.1)."""
        return mechanism in self._offer.token_mechanisms

    # ------------------------------------------------------------------------------------------------- what comes in

    def receive(self, data: bytes) -> list[StreamEvent]:
        """Read bytes as they came from the wire, in pieces of any size (on a WebSocket: one message)."""
        if self.state is State.BOUND:
            return self._receive_bound(data)
        if self.state is State.CLOSED:
            return []
        if self.state in _WAITING:
            self._wait(data)
        elif self.framing.is_document_per_message:
            self._step(data)
        else:
            self._negotiate(data)
        events, self._events = self._events, []
        return events

    def _receive_bound(self, data: bytes) -> list[StreamEvent]:
        try:
            events = self.framing.read(data)
        except StreamError as error:
            return self._take_until(error)
        for event in events:
            if type(event) is not Stanza:
                return self._take_other(events)
        return events  # type: ignore[return-value]

    def _take_other(self, events: Sequence[Event]) -> list[StreamEvent]:
        for event in events:
            self._take(event)
        taken, self._events = self._events, []
        return taken

    def _take_until(self, error: StreamError) -> list[StreamEvent]:
        """What came in the same bytes before the error still counts."""
        taken = self._take_other(error.completed)
        if self.state is not State.CLOSED:
            self.close(error)
            taken.append(StreamClosed(error))
        return taken

    def _negotiate(self, data: bytes) -> None:
        """Read tag by tag, since any of them may end the stream that the bytes behind it belong to."""
        is_whole = is_one_element(data) if self._is_open else is_header(data)
        start = 0
        while start < len(data):
            end = (0 if is_whole else data.find(b">", start) + 1) or len(data)
            self._step(data[start:end])
            start = end
            if self.state in (State.SECURING, State.CLOSED):
                return  # what was sent in the clear before TLS is never read after it
            if self.state in _WAITING and start < len(data):
                self._wait(data[start:])
                return

    def _wait(self, data: bytes) -> None:
        """Keep what is sent ahead of an answer: all that a session begins with, up to the size of one stanza."""
        if self._waiting and not self.framing.is_document_per_message:
            data = self._waiting.pop() + data
        self._waiting.append(data)
        if sum(len(piece) + 1 for piece in self._waiting) > self.terms.limits.max_bytes + 1:
            self._end(StreamError("policy-violation", "Too much was sent ahead of an answer"))

    def _resume(self) -> list[StreamEvent]:
        """Read what arrived while a question was open."""
        waiting, self._waiting = self._waiting, []
        events, self._events = self._events, []
        return events + [event for data in waiting for event in self.receive(data)] if waiting else events

    def _step(self, data: bytes) -> None:
        try:
            for event in self.framing.read(data):
                self._take(event)
        except StreamError as error:
            self._end(error)

    def _take(self, event: Event) -> None:
        if self.state is State.CLOSED:
            return
        kind = kind_of(event)
        action = TRANSITIONS.get((self.state, kind))
        try:
            if action is None:
                raise _unexpected(self.state, kind)
            action(self, event)
        except StreamError as error:
            self._end(error)

    # --------------------------------------------------------------------------------------------------- the answers

    def tls_established(self) -> None:
        """TLS is up: the client opens its stream anew (RFC 6120, section 5.4.3.3)."""
        self.is_secure = True
        self._reopen(State.OPENING)

    def credentials(self, known: Answer | None) -> list[StreamEvent]:
        """Answer `CredentialsWanted`, `BearerWanted` or `TokensWanted`: what is known, or `None`."""
        if self.state is State.ASKING and self._sasl is not None:
            try:
                self._sasl_step(self._sasl.answer(known))
            except StreamError as error:
                self._end(error)
        return self._resume()

    def admitted(self, jid: str | None, results: str) -> list[StreamEvent]:
        """Answer `AdmissionWanted`: the client is in (XEP-0388, section 2.6.1).

        Args:
            jid: the full JID that the stream is bound to, or goes on with; `None` where none is bound yet.
            results: XML of what came of the rest that was asked for.
        """
        if self.state is State.ADMITTING:
            self.jid = jid or ""
            self.state = State.BINDING if jid is None else State.BOUND
            self.framing.limits = self.terms.limits
            identifier = f"{self.username}@{self.host}" if jid is None else jid
            self._output.append(sasl2.success(identifier, self._message, results).encode())
            self._output.append(self.framing.stream_element("features", self._features()))
            self._sasl = self._request = self._message = None
        return self._resume()

    def turn_away(self, condition: str, text: str | None = None) -> list[StreamEvent]:
        """Answer `AdmissionWanted` with why not; the client may try again."""
        if self.state in (State.ASKING, State.ADMITTING):
            try:
                self._fail(Failure(condition, text))
            except StreamError as error:
                self._end(error)
        return self._resume()

    def unanswered(self, text: str, kind: str = "cancel", name: str = "internal-server-error") -> list[StreamEvent]:
        """Answer any question: it cannot be found out (RFC 6120, sections 4.9.3, 6.5.10 and 8.3.3)."""
        if self.state in (State.ASKING, State.ADMITTING):
            return self.turn_away("temporary-auth-failure", text)
        if self.state is not State.ASKING_BIND:
            self._end(StreamError(name, text))
            return self._resume()
        if self._bind is None:
            return self.refuse_resume(stream_management.failed(name))
        return self.refuse_bind(kind, name, text)

    def bound(self, jid: str) -> list[StreamEvent]:
        """Answer `BindWanted`: the stream is now that full JID (RFC 6120, section 7)."""
        if self.state is State.ASKING_BIND and self._bind is not None:
            self.jid = jid
            self.state = State.BOUND
            self._send_stanza(iq_result(self._bind, jid, f"<bind xmlns='{NS_BIND}'><jid>{escape(jid)}</jid></bind>"))
            self._bind = self._sasl = None
        return self._resume()

    def refuse_bind(self, kind: str, condition: str, text: str | None = None) -> list[StreamEvent]:
        """Answer `BindWanted` with a stanza error; the client may try another resource (RFC 6120, section 7.7.2.2)."""
        if self.state is State.ASKING_BIND and self._bind is not None:
            self.state = State.BINDING
            self._send_stanza(stanza_error(self._bind, f"{self.username}@{self.host}", kind, condition, text) or b"")
            self._bind = None
        return self._resume()

    def resumed(self, jid: str, answer: bytes) -> list[StreamEvent]:
        """Answer `ResumeWanted`: the stream takes the place of an older one (XEP-0198, section 5)."""
        if self.state is State.ASKING_BIND:
            self.jid = jid
            self.state = State.BOUND
            self._output.append(answer)
            self._sasl = None
        return self._resume()

    def refuse_resume(self, answer: bytes) -> list[StreamEvent]:
        """Answer `ResumeWanted` with why not; the client may bind a resource."""
        if self.state is State.ASKING_BIND:
            self.state = State.BINDING
            self._output.append(answer)
        return self._resume()

    def close(self, error: StreamError | None = None) -> None:
        """End the stream from this side, with or without an error (RFC 6120, sections 4.4 and 4.9)."""
        if self.state is State.CLOSED:
            return
        if not self._is_open:
            self._send_header()
        if error is not None:
            self._output.append(self.framing.stream_element("error", stream_error_xml(error)))
        self._output.append(self.framing.close_tag())
        self.state = State.CLOSED
        self.framing.close()

    # --------------------------------------------------------------------------------------------------- transitions

    def _end(self, error: StreamError | None) -> None:
        self.close(error)
        self._events.append(StreamClosed(error))

    def _on_header(self, header: Event) -> None:
        assert isinstance(header, StreamHeader)  # noqa: S101 - TRANSITIONS pairs inputs with their events
        to = header.attrib.get("to")
        self.lang = header.attrib.get(XML_LANG)
        if to and self.terms.hosts(to.lower()) and self.host in ("", to.lower()):
            self.host = to.lower()
        self.claimed = claimed_bare(header.attrib.get("from"))
        self._send_header(self.claimed)
        check_header(header)
        if not to or self.host != to.lower():
            raise StreamError("host-unknown", "This domain is not served here")
        self.state = State.NEGOTIATING if self.state is State.OPENING else State.BINDING
        self._output.append(self.framing.stream_element("features", self._features()))

    def _features(self) -> str:
        if self.state is State.NEGOTIATING:
            self._offer = offer(is_secure=self.is_secure, binding=self.binding if self.is_secure else None)
            return stream_features.before_sign_in(self.terms, self._offer)
        return stream_features.after_sign_in(self.terms, is_bound=self.state is State.BOUND)

    def _on_starttls(self, _event: Event) -> None:
        if self.is_secure or not self.terms.has_tls:
            self._output.append(f"<failure xmlns='{NS_TLS}'/>".encode())
            self._end(None)
            return
        self._output.append(f"<proceed xmlns='{NS_TLS}'/>".encode())
        self.state = State.SECURING
        self._events.append(TlsWanted())

    def _on_auth(self, element: Event) -> None:
        assert isinstance(element, Element)  # noqa: S101 - as above
        self._profile, self._request = _CORE, None
        self._begin(lambda: (element.get("mechanism", ""), _CORE.initial(element), Hints()))

    def _on_authenticate(self, element: Event) -> None:
        assert isinstance(element, Element)  # noqa: S101 - as above
        self._profile = _EXTENSIBLE

        def read() -> tuple[str, bytes | None, Hints]:
            self._request = request = sasl2.parse(element)
            return request.mechanism, request.message, Hints(self.claimed, request.client, request.use is not None)

        self._begin(read, needs_tls=True)  # XEP-0388, section 5

    def _begin(self, read: Callable[[], tuple[str, bytes | None, Hints]], *, needs_tls: bool = False) -> None:
        """Begin an attempt with the mechanism, the first message and the hints that were read."""
        if not self.is_secure and (needs_tls or self.terms.requires_tls):
            self._fail(Failure("encryption-required"))
            return
        try:
            mechanism, message, hints = read()
        except Refused as error:
            self._fail(Failure(error.condition, error.text))
            return
        self._sasl = Negotiation(self._offer, self.host, self.terms.random, self.terms.secret, hints)
        self._sasl_step(self._sasl.begin(mechanism, message))

    def _on_response(self, element: Event) -> None:
        assert self._sasl is not None  # noqa: S101 - CHALLENGED is only entered with a negotiation
        try:
            message = self._profile.read(self._own(element))
        except Refused as error:
            self._fail(Failure(error.condition, error.text))
            return
        self._sasl_step(self._sasl.respond(message))

    def _on_abort(self, element: Event) -> None:
        self._own(element)
        self._fail(Failure("aborted"))

    def _own(self, element: Event) -> Element:
        """An element of the profile that the attempt has begun with; the other's is as out of place as any other."""
        assert isinstance(element, Element)  # noqa: S101 - as above
        if split_tag(element.tag)[0] != self._profile.namespace:
            raise _unexpected(self.state, Input.OTHER)
        return element

    def _sasl_step(self, step: Step) -> None:
        match step:
            case Challenge(message):
                self.state = State.CHALLENGED
                self._output.append(self._profile.challenge(message).encode())
            case Success():
                self._succeed(step)
            case Failure():
                self._fail(step)
            case _:
                self.state = State.ASKING
                self._events.append(step)

    def _succeed(self, success: Success) -> None:
        self.username, self.session_id = success.username, success.session_id
        self._events.append(AuthenticationDone(success.session_id))
        if self._request is not None:
            self._message = success.message
            self.state = State.ADMITTING
            self._events.append(AdmissionWanted(self._request, success.token))
            return
        self._output.append(_CORE.success(success.message).encode())
        self.framing.limits = self.terms.limits
        self._reopen(State.REOPENING)

    def _fail(self, failure: Failure) -> None:
        self._sasl = self._request = self._message = None
        self.state = State.NEGOTIATING
        self._output.append(self._profile.failure(failure.condition, failure.text).encode())
        self._events.append(AuthenticationDone(None, failure.condition))
        self._attempts += 1
        if self._attempts >= self.terms.max_attempts:  # RFC 6120, section 6.4.5
            raise StreamError("policy-violation", "Too many sign-ins failed")

    def _reopen(self, state: State) -> None:
        self.state = state
        self._is_open = False
        self.framing.restart()

    def _on_bind(self, stanza: Event) -> None:
        assert isinstance(stanza, Stanza)  # noqa: S101 - as above
        self._bind = stanza
        self.state = State.ASKING_BIND
        self._events.append(BindWanted(stanza.element[0].findtext(f"{{{NS_BIND}}}resource") or None))

    def _on_stanza(self, stanza: Event) -> None:
        assert isinstance(stanza, Stanza)  # noqa: S101 - as above
        self._events.append(stanza)

    def _on_resume(self, element: Event) -> None:
        assert isinstance(element, Element)  # noqa: S101 - as above
        request = stream_management.parse(element)
        if isinstance(request, ResumeWanted):
            self.state = State.ASKING_BIND
            self._events.append(request)
        elif isinstance(request, EnableWanted):  # before a resource is bound (XEP-0198, section 3)
            self._output.append(stream_management.failed("unexpected-request"))
        else:
            raise _unexpected(self.state, Input.OTHER)

    def _on_early_management(self, element: Event) -> None:
        """Stream management comes after the sign-in (XEP-0198, section 3)."""
        assert isinstance(element, Element)  # noqa: S101 - as above
        if not isinstance(stream_management.parse(element), EnableWanted | ResumeWanted):
            raise _unexpected(self.state, Input.OTHER)
        self._output.append(stream_management.failed("unexpected-request"))

    def _on_management(self, element: Event) -> None:
        assert isinstance(element, Element)  # noqa: S101 - as above
        request = stream_management.parse(element) or client_state.parse(element)
        if not isinstance(request, Managed):
            raise _unexpected(self.state, Input.OTHER)
        self._events.append(request)

    def _on_end(self, _event: Event) -> None:
        self._end(None)

    def _send_header(self, to: str | None = None) -> None:
        """Open our direction; `to` is whom the client says it is (RFC 6120, section 4.7.2). To somebody who asks for an
        unknown host or for none, `from` is empty (section 4.9.1.3).
        """
        self._is_open = True
        named = "" if to is None else f" to={quote(to)}"
        names = f" from={quote(self.host)}{named} id='{self.terms.random(_STREAM_ID_BYTES).hex()}'"
        self._output.append(self.framing.open(f"{names} version='1.0' xml:lang='en'"))

    def _send_stanza(self, data: bytes) -> None:
        self._output.append(self.framing.stanza(data))


def _unexpected(state: State, kind: Input) -> StreamError:
    """What to say to an input that a state does not take."""
    if kind in (Input.STANZA, Input.BIND) or (kind in (Input.OTHER, Input.MANAGEMENT) and state is not State.BOUND):
        return StreamError("not-authorized", "Authenticate and bind a resource first")
    if kind is Input.HEADER:
        return StreamError("bad-format", "The stream is open already")
    return StreamError("unsupported-stanza-type")


Action = Callable[[ServerStream, Event], None]

TRANSITIONS: Mapping[tuple[State, Input], Action] = {
    (State.OPENING, Input.HEADER): ServerStream._on_header,
    (State.NEGOTIATING, Input.STARTTLS): ServerStream._on_starttls,
    (State.NEGOTIATING, Input.AUTH): ServerStream._on_auth,
    (State.NEGOTIATING, Input.AUTHENTICATE): ServerStream._on_authenticate,
    (State.NEGOTIATING, Input.MANAGEMENT): ServerStream._on_early_management,
    (State.CHALLENGED, Input.RESPONSE): ServerStream._on_response,
    (State.CHALLENGED, Input.ABORT): ServerStream._on_abort,
    (State.REOPENING, Input.HEADER): ServerStream._on_header,
    (State.BINDING, Input.BIND): ServerStream._on_bind,
    (State.BINDING, Input.MANAGEMENT): ServerStream._on_resume,
    (State.BOUND, Input.MANAGEMENT): ServerStream._on_management,
    (State.BOUND, Input.STANZA): ServerStream._on_stanza,
    (State.BOUND, Input.BIND): ServerStream._on_stanza,
    **{(state, Input.END): ServerStream._on_end for state in State if state not in (State.SECURING, State.CLOSED)},
}
"""Every input that a state takes, and what it does; any other ends the stream with an error."""
