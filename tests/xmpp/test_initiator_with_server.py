"""Both sides of the core in conversation: our client's stream against our server's stream."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import count

import pytest

from heliograph.xmpp.c2s import ServerStream
from heliograph.xmpp.c2s_events import AuthenticationDone, BindWanted, StreamClosed, Terms
from heliograph.xmpp.c2s_events import TlsWanted as ServerTlsWanted
from heliograph.xmpp.framing import Framing, TcpFraming, WebSocketFraming
from heliograph.xmpp.initiator import Initiator
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
from heliograph.xmpp.sasl_claims import CredentialsWanted, Known, Verifier
from heliograph.xmpp.scram import derive
from heliograph.xmpp.session_end import end_reason, session_ended
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, ReaderPool

LIMITS = Limits(max_bytes=10_000, max_depth=16, max_elements=256)
POOL = ReaderPool()
SALT = bytes(16)


def verifier(session_id: str, password: str) -> Verifier:
    keys = (*derive(password, SALT, 4096, "sha1"), *derive(password, SALT, 4096, "sha256"))
    return Verifier(session_id, *keys, hashlib.sha256(password.encode()).digest())


KNOWN = {
    "ada": Known(SALT, 4096, [verifier("phone", "pw-phone"), verifier("laptop", "pw-laptop")]),
    "eve": Known(SALT, 4096, (), is_blocked=True),
}


@dataclass
class Conversation:
    """A client and a server whose bytes are carried over in pieces, and what each of them reported."""

    username: str = "ada"
    password: str = "pw-phone"
    is_websocket: bool = False
    piece_bytes: int = 10_000
    client_events: list[InitiatorEvent] = field(default_factory=list)
    server_events: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        draws = count(1)
        terms = Terms("example.com".__eq__, LIMITS, lambda size: next(draws).to_bytes(size), b"secret")
        self.server = ServerStream(self._framing(), terms, is_secure=self.is_websocket)
        self.client = Initiator(
            "example.com", self.username, self.password, self._framing(), b"n" * 16, self.is_websocket, "home"
        )
        self.client.start()
        self.carry()

    def _framing(self) -> Framing:
        return WebSocketFraming(LIMITS) if self.is_websocket else TcpFraming(LIMITS, POOL)

    def _pieces(self, output: list[bytes]) -> list[bytes]:
        if self.is_websocket:
            return output
        data = b"".join(output)
        return [data[at : at + self.piece_bytes] for at in range(0, len(data), self.piece_bytes)]

    def carry(self) -> None:
        """Carry bytes until both sides are silent."""
        is_silent = False
        while not is_silent:
            to_server = self._pieces(self.client.data_to_send())
            for piece in to_server:
                self._answer(self.server.receive(piece))
            to_client = self._pieces(self.server.data_to_send())
            for piece in to_client:
                for event in self.client.receive_data(piece):
                    self.client_events.append(event)
                    if event == TlsWanted():
                        self.server.tls_established()
                        self.client.tls_established()
            is_silent = not to_server and not to_client

    def _answer(self, events: list[object]) -> None:
        for event in events:
            self.server_events.append(event)
            match event:
                case CredentialsWanted(username):
                    self._answer(self.server.credentials(KNOWN.get(username)))
                case BindWanted(resource):
                    self._answer(self.server.bound(f"{self.server.username}@{self.server.host}/{resource}"))


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000])
def test_a_client_signs_in_over_tcp_with_tls(piece_bytes: int) -> None:
    talk = Conversation(piece_bytes=piece_bytes)
    assert talk.client_events == [TlsWanted(), Authenticated(), Bound("ada@example.com/home")]
    assert ServerTlsWanted() in talk.server_events
    assert talk.server.session_id == "phone"


def test_a_client_signs_in_over_a_websocket() -> None:
    talk = Conversation(is_websocket=True, password="pw-laptop")
    assert talk.client_events == [Authenticated(), Bound("ada@example.com/home")]
    assert talk.server.session_id == "laptop"


@pytest.mark.parametrize("is_websocket", [False, True])
def test_stanzas_go_both_ways_and_the_stream_closes(is_websocket: bool) -> None:
    talk = Conversation(is_websocket=is_websocket)
    talk.client.send(b"<message to='bob@example.com'><body>a &amp; b</body></message>")
    talk.carry()
    stanza = talk.server_events[-1]
    assert isinstance(stanza, Stanza)
    talk.server._output.append(talk.server.framing.stanza(stanza.encode("ada@example.com/home")))
    talk.client.close()
    talk.carry()
    echoed, closed = talk.client_events[-2:]
    assert isinstance(echoed, StanzaReceived)
    assert echoed.stanza.element.findtext("{jabber:client}body") == "a & b"
    assert closed == Closed()
    assert talk.server_events[-1] == StreamClosed()


@pytest.mark.parametrize(
    ("username", "password", "condition"),
    [("ada", "wrong", "not-authorized"), ("nobody", "x", "not-authorized"), ("eve", "x", "account-disabled")],
)
def test_a_refused_sign_in_is_told_on_both_sides(username: str, password: str, condition: str) -> None:
    talk = Conversation(username, password)
    refused = talk.client_events[-1]
    assert isinstance(refused, AuthenticationRefused)
    assert refused.condition == condition
    assert AuthenticationDone(None, condition) in talk.server_events


@pytest.mark.parametrize("is_websocket", [False, True])
def test_an_ended_session_is_told_why(is_websocket: bool) -> None:
    talk = Conversation(is_websocket=is_websocket)
    talk.server.close(session_ended("evicted"))
    talk.carry()
    failed = talk.client_events[-1]
    assert isinstance(failed, StreamFailed)
    assert failed.error is not None
    assert end_reason(failed.error) == "evicted"
