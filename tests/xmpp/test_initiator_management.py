"""The client's side of a managed stream (XEP-0198): enabled, acknowledged, resumed, or begun anew."""

from __future__ import annotations

import pytest

from heliograph.xmpp.framing import TcpFraming, WebSocketFraming
from heliograph.xmpp.initiator import Initiator, State
from heliograph.xmpp.initiator_events import Bound, InitiatorEvent, StanzaReceived, StreamFailed
from heliograph.xmpp.stanza import NS_BIND, NS_SASL
from heliograph.xmpp.stream import Limits, ReaderPool
from heliograph.xmpp.stream_management import Continuation

LIMITS = Limits(max_bytes=10_000, max_depth=16, max_elements=256)
POOL = ReaderPool()
NS = "xmlns='urn:xmpp:sm:3'"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.com' id='s1' version='1.0'>"
)
MECHANISMS = (
    f"<stream:features><mechanisms xmlns='{NS_SASL}'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
)
SUCCESS = f"<success xmlns='{NS_SASL}'/>"
BOUND = f"<iq type='result' id='bind'><bind xmlns='{NS_BIND}'><jid>ada@example.com/x</jid></bind></iq>"
MESSAGE = "<message from='bob@example.com/x'><body>hi</body></message>"
ENABLED = f"<enabled {NS} id='abc' resume='true'/>"


def features(*, is_managed: bool = True) -> str:
    return f"<stream:features><bind xmlns='{NS_BIND}'/>{f'<sm {NS}/>' if is_managed else ''}</stream:features>"


class Talk:
    """A client that has signed in; what it says and is told from there on."""

    def __init__(self, continuation: Continuation | None, *, is_managed: bool = True) -> None:
        self.machine = Initiator(
            "example.com", "ada", "pw", TcpFraming(LIMITS, POOL), b"n" * 16, True, continuation=continuation
        )
        self.machine.start()
        self.told: list[InitiatorEvent] = []
        self.hears(HEADER, MECHANISMS, SUCCESS, HEADER)
        self.said()
        self.hears(features(is_managed=is_managed))

    def hears(self, *pieces: str) -> Talk:
        for piece in pieces:
            self.told += self.machine.receive_data(piece.encode())
        return self

    def said(self) -> str:
        """What it has said since it was asked last."""
        return b"".join(self.machine.data_to_send()).decode()


def kept() -> Continuation:
    return Continuation(max_stanzas=3, max_bytes=1000)


def lost(*, handled: int = 1, sent: tuple[bytes, ...] = (b"<message id='1'/>", b"<message id='2'/>")) -> Continuation:
    """What is kept of a stream that was lost."""
    continuation = kept()
    talk = Talk(continuation).hears(BOUND, ENABLED, *[MESSAGE] * handled)
    continuation.is_settled = True
    for stanza in sent:
        assert talk.machine.send(stanza)
    return continuation


def test_a_bound_stream_is_enabled_where_that_is_offered() -> None:
    talk = Talk(kept())
    talk.said()
    talk.hears(BOUND)
    assert talk.said() == f"<enable {NS} resume='true'/>"


@pytest.mark.parametrize("continuation", [None, kept()])
def test_a_stream_stays_as_it_is_where_it_is_not_wanted_or_not_offered(continuation: Continuation | None) -> None:
    talk = Talk(continuation, is_managed=continuation is None)
    talk.said()
    talk.hears(BOUND)
    assert talk.said() == ""
    assert talk.machine.send(b"<message/>")
    assert talk.hears(f"<r {NS}/>").told[-1] == StreamFailed("unsupported-stanza-type", "The stream is not managed")


def test_it_counts_what_it_got_since_it_is_managed_and_says_so() -> None:
    talk = Talk(kept()).hears(BOUND, MESSAGE, ENABLED, MESSAGE, MESSAGE)
    talk.said()
    assert talk.hears(f"<r {NS}/>").said() == f"<a {NS} h='2'/>"


def test_it_asks_for_an_acknowledgement_one_at_a_time() -> None:
    talk = Talk(kept()).hears(BOUND)
    talk.said()
    talk.machine.send(b"<message/>")
    assert talk.said() == "<message/>"  # the server has not agreed yet
    assert talk.hears(ENABLED).said() == f"<r {NS}/>"
    talk.machine.send(b"<message/>")
    assert talk.said() == "<message/>"
    assert talk.hears(f"<a {NS} h='1'/>").said() == f"<r {NS}/>"
    assert talk.hears(f"<a {NS} h='2'/>").said() == ""


def test_a_server_that_refuses_to_manage_is_not_asked_again() -> None:
    continuation = kept()
    talk = Talk(continuation).hears(BOUND, f"<failed {NS}/>")
    talk.said()
    assert talk.machine.send(b"<message/>")
    assert talk.said() == "<message/>"
    assert continuation.id is None


def test_a_lost_stream_is_resumed_and_what_the_server_lacks_is_sent_again() -> None:
    talk = Talk(lost())
    assert talk.said() == f"<resume {NS} previd='abc' h='1'/>"
    assert talk.machine.state is State.RESUMING
    talk.hears(f"<resumed {NS} previd='abc' h='1'/>", MESSAGE)
    assert talk.told[-2] == Bound("ada@example.com/x", is_resumed=True)
    assert isinstance(talk.told[-1], StanzaReceived)
    assert talk.said() == f"<message id='2'/><r {NS}/>"
    assert talk.hears(f"<r {NS}/>").said() == f"<a {NS} h='2'/>"


def test_a_stream_that_is_not_known_any_more_is_begun_anew() -> None:
    continuation = lost()
    talk = Talk(continuation)
    talk.said()
    talk.hears(f"<failed {NS}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
    assert "<bind" in talk.said()
    talk.hears(BOUND)
    assert talk.told[-1] == Bound("ada@example.com/x")
    assert (continuation.ledger.handled, continuation.is_settled) == (0, False)


def test_a_stream_that_was_lost_before_it_was_settled_is_not_resumed() -> None:
    continuation = lost()
    continuation.is_settled = False
    assert "<bind" in Talk(continuation).said()


def test_a_server_that_forgot_stream_management_gets_a_new_stream() -> None:
    assert "<bind" in Talk(lost(), is_managed=False).said()


@pytest.mark.parametrize("answer", [f"<resumed {NS} previd='abc' h='9'/>", f"<r {NS}/>", f"<resumed {NS} h='1'/>"])
def test_a_wrong_answer_to_resuming_ends_the_stream_and_the_next_begins_anew(answer: str) -> None:
    continuation = lost()
    talk = Talk(continuation).hears(answer)
    assert isinstance(talk.told[-1], StreamFailed)
    assert "<bind" in Talk(continuation).said()


@pytest.mark.parametrize("end", ["</stream:stream>", "<stream:error/>", f"<a {NS} h='7'/>", f"<resume {NS} h='1'/>"])
def test_a_stream_that_ended_is_not_resumed(end: str) -> None:
    continuation = kept()
    talk = Talk(continuation).hears(BOUND, ENABLED)
    continuation.is_settled = True
    talk.hears(end)
    assert talk.machine.state is State.CLOSED
    assert "<bind" in Talk(continuation).said()


def test_a_client_that_leaves_says_what_it_got_first() -> None:
    continuation = kept()
    talk = Talk(continuation).hears(BOUND, ENABLED, MESSAGE)
    talk.said()
    talk.machine.close()
    assert talk.said() == f"<a {NS} h='1'/></stream:stream>"
    assert continuation.id is None


def test_nothing_is_sent_while_too_much_is_unacknowledged() -> None:
    talk = Talk(kept()).hears(BOUND, ENABLED)
    assert [talk.machine.send(b"<message/>") for _ in range(5)] == [True, True, True, True, False]
    assert talk.machine.is_clogged
    talk.hears(f"<a {NS} h='2'/>")
    assert talk.machine.send(b"<message/>")


def test_on_a_websocket_what_is_sent_again_is_a_message_each() -> None:
    continuation = lost()
    machine = Initiator(
        "example.com", "ada", "pw", WebSocketFraming(LIMITS), b"n" * 16, True, continuation=continuation
    )
    machine.state = State.RESUMING
    machine.receive_data(f"<resumed {NS} previd='abc' h='0'/>".encode())
    again = [f"<message xmlns='jabber:client' id='{number}'/>".encode() for number in (1, 2)]
    assert machine.data_to_send() == [*again, f"<r {NS}/>".encode()]
