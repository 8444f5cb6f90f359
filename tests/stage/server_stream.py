"""The server's stream machine, and a shell around it that knows two users and answers at once."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from heliograph.xmpp.c2s import ServerStream, State
from heliograph.xmpp.c2s_events import (
    BindWanted,
    StreamClosed,
    StreamEvent,
    Terms,
    TlsWanted,
)
from heliograph.xmpp.framing import TcpFraming, WebSocketFraming
from heliograph.xmpp.sasl_claims import CredentialsWanted, Known, Verifier
from heliograph.xmpp.scram import derive
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, ReaderPool

HOST = "example.com"
STRANGER_LIMITS = Limits(max_bytes=1_000, max_depth=8, max_elements=64)
LIMITS = Limits(max_bytes=4_000, max_depth=16, max_elements=256)
POOL = ReaderPool()
SALT = bytes(16)
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"


def verifier(session_id: str, password: str) -> Verifier:
    keys = (*derive(password, SALT, 4096, "sha1"), *derive(password, SALT, 4096, "sha256"))
    return Verifier(session_id, *keys, hashlib.sha256(password.encode()).digest())


KNOWN = {
    "ada": Known(SALT, 4096, [verifier("phone", "pw-phone"), verifier("laptop", "pw-laptop")]),
    "eve": Known(SALT, 4096, (), is_blocked=True),
}

OPEN = "OPEN"  # the header of a stream, and its end: each framing has its own
END = "END"
TCP_HEADER = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
SESSION = "<iq type='set' id='s1' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
CHAT = "<message to='bob@example.com' xmlns='jabber:client'><body>a &gt; b</body></message>"
CREDENTIALS = CredentialsWanted("ada", HOST, "PLAIN")


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def plain(username: str = "ada", password: str = "pw-phone") -> str:
    return f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{base64(f'{chr(0)}{username}{chr(0)}{password}')}</auth>"


def authenticate(mechanism: str, message: bytes, wishes: str = "") -> str:
    initial = f"<initial-response>{b64encode(message).decode()}</initial-response>"
    return f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>{initial}{wishes}</authenticate>"


SCRAM_FIRST = f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{base64('n,,n=ada,r=abc')}</auth>"


def bind(resource: str | None = "home") -> str:
    wanted = "" if resource is None else f"<resource>{resource}</resource>"
    payload = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wanted}</bind>"
    return f"<iq type='set' id='b1' xmlns='jabber:client'>{payload}</iq>"


def told(event: StreamEvent) -> object:
    """An event in a form that can be compared."""
    if isinstance(event, Stanza):
        return event.encode("ada@example.com/home").decode()
    if isinstance(event, StreamClosed):
        return ("closed", event.error and event.error.condition)
    return event


@dataclass
class Talk:
    """A server's stream and the shell around it, which answers its questions at once."""

    is_websocket: bool = False
    piece_bytes: int = 100_000
    is_secure: bool = True
    has_tls: bool = True
    requires_tls: bool = True
    header: str = "to='example.com' version='1.0'"
    is_answered: bool = True
    events: list[object] = field(default_factory=list)
    output: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        draws = count(1)
        framing = WebSocketFraming(STRANGER_LIMITS) if self.is_websocket else TcpFraming(STRANGER_LIMITS, POOL)
        self.stream = ServerStream(
            framing,
            Terms(
                HOST.__eq__,
                LIMITS,
                lambda size: next(draws).to_bytes(size),
                b"secret",
                has_tls=self.has_tls,
                requires_tls=self.requires_tls,
                features="<sub xmlns='urn:xmpp:features:pre-approval'/>",
            ),
            self.is_secure,
        )

    def written(self, frame: str) -> str:
        if frame == OPEN:
            tcp, websocket = f"{TCP_HEADER} {self.header}>", f"<open xmlns='{NS_FRAMING}' {self.header}/>"
        elif frame == END:
            tcp, websocket = "</stream:stream>", f"<close xmlns='{NS_FRAMING}'/>"
        else:
            return frame
        return websocket if self.is_websocket else tcp

    def says(self, *frames: str) -> Talk:
        """Feed frames: on a WebSocket each is a message; on TCP they are one run of bytes, cut into pieces."""
        if self.is_websocket:
            pieces = [self.written(frame).encode() for frame in frames]
        else:
            run = "".join(self.written(frame) for frame in frames).encode()
            pieces = [run[at : at + self.piece_bytes] for at in range(0, len(run), self.piece_bytes)]
        for piece in pieces:
            self.take(self.stream.receive(piece))
        return self

    def take(self, events: Sequence[StreamEvent]) -> None:
        self.output += self.stream.data_to_send()
        for event in events:
            self.events.append(told(event))
            if self.is_answered:
                self.answer(event)

    def answer(self, event: StreamEvent) -> None:
        match event:
            case TlsWanted():
                self.stream.tls_established()
            case CredentialsWanted(username):
                self.take(self.stream.credentials(KNOWN.get(username)))
            case BindWanted(resource):
                self.take(self.stream.bound(f"{self.stream.username}@{HOST}/{resource or 'made'}"))

    @property
    def said(self) -> str:
        """All that the server has sent."""
        return b"".join(self.output).decode()

    @property
    def condition(self) -> str:
        """The condition of the error that ended the stream; the error was sent, told, and the last of both."""
        (_, condition) = self.events[-1]  # type: ignore[misc]
        assert self.stream.state is State.CLOSED
        end = f"<close xmlns='{NS_FRAMING}'/>" if self.is_websocket else "</stream:stream>"
        assert self.said.endswith(end)
        assert f"<{condition} xmlns='{NS_ERRORS}'/>" in self.output[-2].decode()
        return condition
