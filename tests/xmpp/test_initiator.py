from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramMechanism

from heliograph.xmpp.framing import STREAM_TAG, Framing, TcpFraming, WebSocketFraming
from heliograph.xmpp.initiator import Initiator, Input, State
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
from heliograph.xmpp.sasl_initiator import Offered
from heliograph.xmpp.session_end import end_reason, session_ended
from heliograph.xmpp.stanza import NS_BIND, NS_CLIENT, NS_SASL, NS_STREAM_ERRORS, NS_STREAMS, NS_TLS, Stanza
from heliograph.xmpp.stream import Limits, ReaderPool, StreamEnd, StreamHeader

LIMITS = Limits(max_bytes=10_000, max_depth=16, max_elements=256)
POOL = ReaderPool()
NONCE = bytes(range(16))
SALT = bytes(range(16))
PASSWORD = "correct horse"
OFFERED = Offered(frozenset(("SCRAM-SHA-1",)), None)

OPEN = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='example.com' version='1.0' xml:lang='en'>"
)
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.com' id='s1' version='1.0'>"
)
CLOSE = "</stream:stream>"
STARTTLS = f"<starttls xmlns='{NS_TLS}'/>"
PROCEED = f"<proceed xmlns='{NS_TLS}'/>"
SUCCESS = f"<success xmlns='{NS_SASL}'/>"
BIND_FEATURES = f"<stream:features><bind xmlns='{NS_BIND}'/></stream:features>"
BIND = f"<iq type='set' id='bind'><bind xmlns='{NS_BIND}'></bind></iq>"
BOUND = f"<iq type='result' id='bind'><bind xmlns='{NS_BIND}'><jid>ada@example.com/phone</jid></bind></iq>"
MESSAGE = "<message from='bob@example.com/x'><body>hi &gt; there</body></message>"
PLAIN = f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>AGFkYQBjb3JyZWN0IGhvcnNl</auth>"


def initiator(
    framing: Framing | None = None,
    *,
    is_secure: bool = True,
    resource: str | None = None,
    password: str = PASSWORD,
    allow_plaintext: bool = False,
) -> Initiator:
    framing = framing or TcpFraming(LIMITS, POOL)
    machine = Initiator("example.com", "ada", password, framing, NONCE, is_secure, resource, allow_plaintext)
    machine.start()
    return machine


def features(*mechanisms: str, starttls: str = "") -> str:
    names = "".join(f"<mechanism>{name}</mechanism>" for name in mechanisms)
    return f"<stream:features>{starttls}<mechanisms xmlns='{NS_SASL}'>{names}</mechanisms></stream:features>"


def sasl(local: str, message: str, attributes: str = "") -> str:
    return f"<{local} xmlns='{NS_SASL}'{attributes}>{b64encode(message.encode()).decode()}</{local}>"


def failure(condition: str, text: str = "") -> str:
    said = f"<text>{text}</text>" if text else ""
    return f"<failure xmlns='{NS_SASL}'><{condition}/>{said}</failure>"


class Scram(NamedTuple):
    """The four messages of an exchange between our client and an independent server."""

    client_first: str
    server_first: str
    client_final: str
    server_final: str


@cache
def scram(mechanism: str) -> Scram:
    info = ScramMechanism(mechanism).make_auth_info(PASSWORD, salt=SALT)
    server = ScramMechanism(mechanism).make_server(lambda _: info, s_nonce="servernonce")
    client_first = f"n,,n=ada,r={NONCE.hex()}"
    server.set_client_first(client_first)
    server_first = server.get_server_first()
    machine = initiator()
    machine.receive_data((HEADER + features(mechanism) + sasl("challenge", server_first)).encode())
    client_final = b64decode(fromstring(machine.data_to_send()[-1]).text or "").decode()
    server.set_client_final(client_final)
    return Scram(client_first, server_first, client_final, server.get_server_final())


def feed(machine: Initiator, pieces: Iterable[bytes]) -> tuple[list[object], str]:
    """All events in a form that can be compared, and all that was sent."""
    events: list[object] = []
    output = machine.data_to_send()
    for piece in pieces:
        for event in machine.receive_data(piece):
            events.append(event.stanza.encode("x") if isinstance(event, StanzaReceived) else event)
            if event == TlsWanted():
                output += machine.data_to_send()
                machine.tls_established()
        output += machine.data_to_send()
    return events, b"".join(output).decode()


def sign_in(mechanism: str = "SCRAM-SHA-256") -> str:
    """What a server sends to a client that signs in on a secure stream and gets a message."""
    messages = scram(mechanism)
    return (
        f"{HEADER}{features('X-OTHER', 'PLAIN', mechanism)}{sasl('challenge', messages.server_first)}"
        f"{sasl('success', messages.server_final)}{HEADER}{BIND_FEATURES}{BOUND}{MESSAGE}"
    )


def signed_in(mechanism: str = "SCRAM-SHA-256") -> tuple[list[object], str]:
    messages = scram(mechanism)
    events = [Authenticated(), Bound("ada@example.com/phone"), MESSAGE.replace("bob@example.com/x", "x").encode()]
    auth = sasl("auth", messages.client_first, f" mechanism='{mechanism}'")
    return events, f"{OPEN}{auth}{sasl('response', messages.client_final)}{OPEN}{BIND}"


def bound() -> Initiator:
    machine = initiator()
    feed(machine, [f"{HEADER}{features('PLAIN')}{SUCCESS}{HEADER}{BIND_FEATURES}{BOUND}".encode()])
    assert machine.state is State.BOUND
    return machine


# -------------------------------------------------------------------------------------------------- conversations


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_a_client_signs_in_with_scram(mechanism: str) -> None:
    assert feed(initiator(), [sign_in(mechanism).encode()]) == signed_in(mechanism)


def test_feeding_byte_by_byte_gives_the_same() -> None:
    assert feed(initiator(), (bytes([byte]) for byte in sign_in().encode())) == signed_in()


@given(st.sets(st.integers(0, 1500), max_size=12))
def test_feeding_in_any_pieces_gives_the_same(cuts: set[int]) -> None:
    whole = sign_in("SCRAM-SHA-1").encode()
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    assert feed(initiator(), pieces) == signed_in("SCRAM-SHA-1")


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_client_starts_tls_first(size: int) -> None:
    before = (HEADER + features("PLAIN", starttls=STARTTLS) + PROCEED).encode()
    after = (HEADER + features("PLAIN") + SUCCESS + HEADER + BIND_FEATURES + BOUND).encode()
    machine = initiator(is_secure=False)
    pieces = [part[at : at + size] for part in (before, after) for at in range(0, len(part), size)]
    events, sent = feed(machine, pieces)
    assert events == [TlsWanted(), Authenticated(), Bound("ada@example.com/phone")]
    assert sent == OPEN + STARTTLS + OPEN + PLAIN + OPEN + BIND


def test_a_client_signs_in_over_a_websocket() -> None:
    messages = scram("SCRAM-SHA-256")
    opened = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='s1' version='1.0'/>"
    prefixed = f"<stream:features xmlns:stream='{NS_STREAMS}'>"
    machine = initiator(WebSocketFraming(LIMITS))
    events, sent = feed(
        machine,
        [
            opened.encode(),
            features("SCRAM-SHA-256", starttls=STARTTLS).replace("<stream:features>", prefixed).encode(),
            sasl("challenge", messages.server_first).encode(),
            sasl("success", messages.server_final).encode(),
            opened.encode(),
            BIND_FEATURES.replace("<stream:features>", prefixed).encode(),
            BOUND.replace("<iq", "<iq xmlns='jabber:client'").encode(),
            MESSAGE.replace("<message", "<message xmlns='jabber:client'").encode(),
            b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        ],
    )
    assert events[:2] == [Authenticated(), Bound("ada@example.com/phone")]
    assert events[3:] == [Closed()]
    start = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0' xml:lang='en'/>"
    assert sent.count(start) == 2
    assert sent.endswith("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
    assert "<iq xmlns='jabber:client' type='set' id='bind'>" in sent


def test_the_wanted_resource_is_asked_for() -> None:
    machine = initiator(resource="a<b")
    _, sent = feed(machine, [(HEADER + features("PLAIN") + SUCCESS + HEADER + BIND_FEATURES).encode()])
    assert sent.endswith(f"<bind xmlns='{NS_BIND}'><resource>a&lt;b</resource></bind></iq>")


def test_stanzas_are_sent_once_the_stream_is_bound() -> None:
    machine = initiator()
    assert not machine.send(b"<presence/>")
    machine = bound()
    assert machine.send(b"<presence/>")
    assert machine.data_to_send() == [b"<presence/>"]


# ----------------------------------------------------------------------------------------------- what must not be


@pytest.mark.parametrize("offered", [["PLAIN"], ["DIGEST-MD5"], []])
def test_plain_is_never_used_without_tls(offered: list[str]) -> None:
    machine = initiator(is_secure=False, allow_plaintext=True)
    events, sent = feed(machine, [(HEADER + features(*offered)).encode()])
    assert [event.condition for event in events if isinstance(event, AuthenticationRefused)] == ["invalid-mechanism"]
    assert sent == OPEN + CLOSE


def test_scram_without_tls_needs_permission() -> None:
    events, sent = feed(initiator(is_secure=False), [(HEADER + features("SCRAM-SHA-256")).encode()])
    assert events == [AuthenticationRefused("encryption-required", "The server offers no encryption")]
    assert sent == OPEN + CLOSE
    machine = initiator(is_secure=False, allow_plaintext=True)
    assert feed(machine, [sign_in().encode()]) == signed_in()


def test_a_websocket_without_tls_needs_permission() -> None:
    machine = initiator(WebSocketFraming(LIMITS), is_secure=False)
    offer = features("SCRAM-SHA-256", starttls=STARTTLS).replace(
        "features>", f"features xmlns:stream='{NS_STREAMS}'>", 1
    )
    events, _ = feed(machine, [b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>", offer.encode()])
    assert events == [AuthenticationRefused("encryption-required", "The server offers no encryption")]


def test_what_was_sent_in_the_clear_behind_proceed_is_not_read() -> None:
    machine = initiator(is_secure=False)
    injected = HEADER + features("PLAIN") + SUCCESS
    assert machine.receive_data((HEADER + features(starttls=STARTTLS) + PROCEED + injected).encode()) == [TlsWanted()]
    assert machine.receive_data(injected.encode()) == []
    machine.data_to_send()
    machine.tls_established()
    assert machine.state is State.OPENING
    assert machine.data_to_send() == [OPEN.encode()]


def test_a_server_that_cannot_start_tls_gets_no_password() -> None:
    machine = initiator(is_secure=False)
    refusal = f"<failure xmlns='{NS_TLS}'/>"
    events, sent = feed(machine, [(HEADER + features("PLAIN", starttls=STARTTLS) + refusal).encode()])
    assert isinstance(events[0], AuthenticationRefused)
    assert sent == OPEN + STARTTLS + CLOSE


@pytest.mark.parametrize("final", ["", "v=AAAA", "e=invalid-proof", "nonsense"])
@pytest.mark.parametrize("local", ["success", "challenge"])
def test_a_server_that_does_not_know_the_password_is_left(local: str, final: str) -> None:
    machine = initiator()
    first = sasl("challenge", scram("SCRAM-SHA-1").server_first)
    events, sent = feed(machine, [(HEADER + features("SCRAM-SHA-1") + first + sasl(local, final)).encode()])
    assert [type(event) for event in events] == [AuthenticationRefused]
    assert machine.state is State.CLOSED
    assert sent.endswith(CLOSE)


def test_success_without_a_challenge_is_no_success() -> None:
    events, _ = feed(initiator(), [(HEADER + features("SCRAM-SHA-1") + SUCCESS).encode()])
    assert [type(event) for event in events] == [AuthenticationRefused]


def test_the_signature_may_come_in_a_challenge() -> None:
    messages = scram("SCRAM-SHA-1")
    challenges = sasl("challenge", messages.server_first) + sasl("challenge", messages.server_final)
    events, sent = feed(initiator(), [(HEADER + features("SCRAM-SHA-1") + challenges + SUCCESS).encode()])
    assert events == [Authenticated()]
    assert sent.endswith(f"<response xmlns='{NS_SASL}'></response>{OPEN}")


@pytest.mark.parametrize("content", ["r=x", "!", "=", f"<x xmlns='{NS_SASL}'/>"])
def test_a_malformed_challenge_ends_the_attempt(content: str) -> None:
    challenge = f"<challenge xmlns='{NS_SASL}'>{content}</challenge>"
    events, _ = feed(initiator(), [(HEADER + features("SCRAM-SHA-1") + challenge).encode()])
    assert [type(event) for event in events] == [AuthenticationRefused]


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (failure("not-authorized"), AuthenticationRefused("not-authorized")),
        (failure("account-disabled", "Blocked"), AuthenticationRefused("account-disabled", "Blocked")),
        (failure("temporary-auth-failure"), AuthenticationRefused("temporary-auth-failure")),
        (f"<failure xmlns='{NS_SASL}'/>", AuthenticationRefused("not-authorized")),
    ],
)
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "PLAIN"])
def test_a_refusal_is_told_with_its_reason(mechanism: str, xml: str, expected: AuthenticationRefused) -> None:
    events, sent = feed(initiator(), [(HEADER + features(mechanism) + xml).encode()])
    assert events == [expected]
    assert sent.endswith(CLOSE)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "PLAIN"])
def test_a_password_that_cannot_be_one_is_not_sent(mechanism: str) -> None:
    events, sent = feed(initiator(password="a\x07"), [(HEADER + features(mechanism)).encode()])
    assert [type(event) for event in events] == [AuthenticationRefused]
    assert sent == OPEN + CLOSE


def test_secrets_stand_in_no_text_form() -> None:
    machine = initiator()
    machine.receive_data((HEADER + features("PLAIN")).encode())
    assert PASSWORD not in repr(machine)
    assert NONCE.hex() not in repr(machine)


# ------------------------------------------------------------------------------------------------------- the ends


def test_a_stream_error_is_told_with_its_reason() -> None:
    machine = bound()
    error = session_ended("evicted")
    xml = (
        f"<stream:error><{error.condition} xmlns='{NS_STREAM_ERRORS}'/><text xmlns='{NS_STREAM_ERRORS}'>{error.text}"
        f"</text>{error.application}</stream:error>{CLOSE}"
    )
    (failed,) = machine.receive_data(xml.encode())
    assert isinstance(failed, StreamFailed)
    assert (failed.condition, failed.text) == (error.condition, error.text)
    assert failed.error is not None
    assert end_reason(failed.error) == "evicted"
    assert machine.data_to_send() == [CLOSE.encode()]
    assert machine.receive_data(MESSAGE.encode()) == []


def test_an_error_before_authentication_is_told_too() -> None:
    xml = f"{HEADER}<stream:error><host-unknown xmlns='{NS_STREAM_ERRORS}'/></stream:error>"
    (failed,) = initiator().receive_data(xml.encode())
    assert isinstance(failed, StreamFailed)
    assert (failed.condition, failed.text) == ("host-unknown", None)


@pytest.mark.parametrize(
    "xml", ["<a></b>", "<!-- x -->", "<message>&x;</message>", "<x:y/>", f"<m a='{'x' * 10_000}'/>"]
)
def test_bad_xml_ends_the_stream_with_an_error(xml: str) -> None:
    machine = bound()
    (failed,) = machine.receive_data(xml.encode())
    assert isinstance(failed, StreamFailed)
    assert failed.error is None
    assert (
        b"".join(machine.data_to_send())
        .decode()
        .endswith(f"<stream:error><{failed.condition} xmlns='{NS_STREAM_ERRORS}'/></stream:error>{CLOSE}")
    )


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace("version='1.0'>", ">"),
        HEADER.replace(" version='1.0'>", " version='0.9'>"),
        "<stream xmlns='jabber:client' version='1.0'>",
        "<stream:stream xmlns:stream='urn:x' version='1.0'>",
    ],
)
def test_another_header_ends_the_stream(header: str) -> None:
    (failed,) = initiator().receive_data(header.encode())
    assert isinstance(failed, StreamFailed)


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        ("<iq type='error' id='bind'><error type='cancel'><conflict xmlns='{}'/></error></iq>", "conflict"),
        ("<iq type='error' id='bind'/>", "undefined-condition"),
        ("<iq type='result' id='bind'/>", "undefined-condition"),
        (BOUND.replace("ada@example.com/phone", "a@b@c"), "undefined-condition"),
        ("<iq type='result' id='other'/>", "unsupported-stanza-type"),
        (MESSAGE, "unsupported-stanza-type"),
    ],
)  # fmt: skip
def test_a_refused_bind_ends_the_stream(answer: str, condition: str) -> None:
    answer = answer.replace("{}", "urn:ietf:params:xml:ns:xmpp-stanzas")
    start = HEADER + features("PLAIN") + SUCCESS + HEADER + BIND_FEATURES
    events, sent = feed(initiator(), [(start + answer).encode()])
    assert isinstance(events[-1], StreamFailed)
    assert events[-1].condition == condition
    assert sent.endswith(CLOSE)


def test_a_server_without_bind_is_left() -> None:
    start = HEADER + features("PLAIN") + SUCCESS + HEADER + "<stream:features/>"
    events, _ = feed(initiator(), [start.encode()])
    assert isinstance(events[-1], StreamFailed)


def test_the_server_may_close_the_stream() -> None:
    machine = bound()
    assert feed(machine, [CLOSE.encode()]) == ([Closed()], CLOSE)
    assert machine.state is State.CLOSED


def test_a_closing_client_reads_until_the_server_has_closed() -> None:
    machine = bound()
    machine.close()
    machine.close()
    assert machine.data_to_send() == [CLOSE.encode()]
    assert not machine.send(b"<presence/>")
    events, sent = feed(machine, [f"{MESSAGE}<x xmlns='urn:x'/>{CLOSE}".encode()])
    assert ([type(event) for event in events], sent) == ([bytes, Closed], "")


def test_bad_xml_while_closing_is_answered_with_silence() -> None:
    machine = bound()
    machine.close()
    machine.data_to_send()
    (failed,) = machine.receive_data(b"<a></b>")
    assert isinstance(failed, StreamFailed)
    assert machine.data_to_send() == []


def test_closing_early_ends_at_once() -> None:
    securing = initiator(is_secure=False)
    feed_until_tls = HEADER + features(starttls=STARTTLS) + PROCEED
    assert securing.receive_data(feed_until_tls.encode()) == [TlsWanted()]
    new = Initiator("example.com", "ada", PASSWORD, TcpFraming(LIMITS, POOL), NONCE, is_secure=True)
    for machine in (securing, new):
        machine.data_to_send()
        machine.close()
        machine.start()
        machine.tls_established()
        assert (machine.state, machine.data_to_send(), machine.receive_data(b"<x/>")) == (State.CLOSED, [], [])


# ------------------------------------------------------------------------------------------- every state and input


INPUTS = {
    Input.HEADER: StreamHeader(STREAM_TAG, {"version": "1.0"}, NS_CLIENT),
    Input.FEATURES: Element(f"{{{NS_STREAMS}}}features"),
    Input.PROCEED: Element(f"{{{NS_TLS}}}proceed"),
    Input.TLS_FAILURE: Element(f"{{{NS_TLS}}}failure"),
    Input.CHALLENGE: Element(f"{{{NS_SASL}}}challenge"),
    Input.SUCCESS: Element(f"{{{NS_SASL}}}success"),
    Input.FAILURE: Element(f"{{{NS_SASL}}}failure"),
    Input.STANZA: Stanza("message", Element(f"{{{NS_CLIENT}}}message"), b""),
    Input.MANAGEMENT: Element("{urn:xmpp:sm:3}r"),
    Input.ERROR: Element(f"{{{NS_STREAMS}}}error"),
    Input.OTHER: Element("{urn:x}x"),
    Input.END: StreamEnd(),
}

GOES_ON = {  # where a state takes an input and does not end
    (State.OPENING, Input.HEADER): State.NEGOTIATING,
    (State.STARTING_TLS, Input.PROCEED): State.SECURING,
    (State.CONFIRMING, Input.SUCCESS): State.REOPENING,
    (State.REOPENING, Input.HEADER): State.CHOOSING,
    (State.BOUND, Input.STANZA): State.BOUND,
    **{(State.CLOSING, kind): State.CLOSING for kind in Input if kind not in (Input.ERROR, Input.END)},
}


class ReplayFraming(TcpFraming):
    """Gives one event, whatever is read."""

    def read(self, data: bytes) -> list[StreamHeader | Stanza | Element | StreamEnd]:
        return [INPUTS[Input(data.decode())]]


@pytest.mark.parametrize("state", State)
def test_every_state_takes_or_refuses_every_input(state: State) -> None:
    for kind in Input:
        machine = initiator(ReplayFraming(LIMITS, POOL))
        machine.receive_data(Input.HEADER.value.encode())
        machine._authenticate(OFFERED)
        machine.state = state
        machine._events.clear()
        events = machine.receive_data(kind.value.encode())
        if state in (State.NEW, State.SECURING, State.CLOSED):
            assert (machine.state, events) == (state, [])
            continue
        assert machine.state is GOES_ON.get((state, kind), State.CLOSED)
        is_over = machine.state is State.CLOSED
        assert [isinstance(event, StreamFailed | AuthenticationRefused | Closed) for event in events] == [
            is_over
        ] * len(events)
        assert len(events) == 1 or not is_over
        if (state, kind) not in Initiator.TRANSITIONS:
            assert isinstance(events[0], StreamFailed)
            assert events[0].condition == "unsupported-stanza-type"


@given(
    st.lists(
        st.one_of(
            st.sampled_from([HEADER, features("PLAIN", starttls=STARTTLS), features("SCRAM-SHA-1"), PROCEED, SUCCESS,
                             sasl("challenge", "r=x"), failure("x"), BIND_FEATURES, BOUND, MESSAGE, CLOSE,
                             "<stream:error/>", " "]).map(str.encode),
            st.binary(max_size=12),
        ),
        max_size=10,
    ),
    st.booleans(),
)  # fmt: skip
def test_whatever_a_server_sends_ends_in_events(pieces: list[bytes], is_websocket: bool) -> None:
    machine = initiator(WebSocketFraming(LIMITS) if is_websocket else None)
    endings: list[InitiatorEvent] = []
    for piece in [HEADER.encode(), *pieces]:
        events = machine.receive_data(piece)
        endings += [event for event in events if isinstance(event, StreamFailed | AuthenticationRefused | Closed)]
    assert len(endings) == (1 if machine.state is State.CLOSED else 0)
