"""The server's side of a stream: whole conversations over both framings."""

from __future__ import annotations

from base64 import b64decode
from xml.etree.ElementTree import fromstring

import pytest
from scramp import ScramClient

from heliograph.xmpp.c2s import State
from heliograph.xmpp.c2s_events import (
    AuthenticationDone,
    BindWanted,
    TlsWanted,
)
from heliograph.xmpp.sasl2 import feature
from heliograph.xmpp.sasl_claims import CredentialsWanted
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.stream import StreamError
from server_stream import (
    CHAT,
    CREDENTIALS,
    END,
    HOST,
    KNOWN,
    LIMITS,
    NS_ERRORS,
    NS_FRAMING,
    NS_SASL,
    OPEN,
    SCRAM_FIRST,
    SESSION,
    STARTTLS,
    STRANGER_LIMITS,
    TCP_HEADER,
    Talk,
    base64,
    bind,
    plain,
)


def header(number: int) -> str:
    """What the server answers to the header of a stream: its id is the draw of that number."""
    return f"{TCP_HEADER} from='example.com' id='{number:030x}' version='1.0' xml:lang='en'>"


OFFER = offer(is_secure=True)
MECHANISMS = "".join(f"<mechanism>{name}</mechanism>" for name in OFFER.mechanisms)
SIGN_IN_FEATURES = (
    f"<stream:features><mechanisms xmlns='{NS_SASL}'>{MECHANISMS}</mechanisms>{feature(OFFER)}</stream:features>"
)
BIND_FEATURES = (
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"
    "<sub xmlns='urn:xmpp:features:pre-approval'/></stream:features>"
)
SUCCESS = f"<success xmlns='{NS_SASL}'/>"


def bound(resource: str) -> str:
    jid = f"<jid>ada@example.com/{resource}</jid>"
    payload = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{jid}</bind>"
    return f"<iq type='result' id='b1' to='ada@example.com/{resource}'>{payload}</iq>"


PIPELINED = (OPEN, plain(), OPEN, bind(), SESSION, CHAT, END)


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 100_000])
def test_a_pipelined_plain_sign_in_over_tcp(piece_bytes: int) -> None:
    talk = Talk(piece_bytes=piece_bytes).says(*PIPELINED)
    assert talk.events == [
        CREDENTIALS,
        AuthenticationDone("phone"),
        BindWanted("home"),
        SESSION.replace(" xmlns='jabber:client'", " from='ada@example.com/home'"),
        CHAT.replace(" xmlns='jabber:client'", " from='ada@example.com/home'"),
        ("closed", None),
    ]
    # The third draw is the nonce that PLAIN has no use for.
    assert talk.said == (
        header(1) + SIGN_IN_FEATURES + SUCCESS + header(3) + BIND_FEATURES + bound("home") + "</stream:stream>"
    )


def test_the_same_sign_in_over_a_websocket() -> None:
    talk = Talk(is_websocket=True).says(*PIPELINED)
    over_tcp = Talk().says(*PIPELINED)
    assert talk.events == over_tcp.events

    def opened(number: int) -> str:
        return f"<open xmlns='{NS_FRAMING}' from='example.com' id='{number:030x}' version='1.0' xml:lang='en'/>"

    def alone(element: str) -> str:
        return element.replace("<stream:features", "<stream:features xmlns:stream='http://etherx.jabber.org/streams'")

    assert [message.decode() for message in talk.output] == [
        opened(1),
        alone(SIGN_IN_FEATURES),
        SUCCESS,
        opened(3),
        alone(BIND_FEATURES),
        bound("home").replace("<iq", "<iq xmlns='jabber:client'"),
        f"<close xmlns='{NS_FRAMING}'/>",
    ]
    for message in talk.output:
        fromstring(message)  # each is a document of its own (RFC 7395, section 3.3.3)


@pytest.mark.parametrize("resource", [None, ""])
def test_the_server_chooses_the_resource_where_the_client_names_none(resource: str | None) -> None:
    talk = Talk().says(OPEN, plain(), OPEN, bind(resource))
    assert talk.events[-1] == BindWanted(None)
    assert talk.said.endswith(bound("made"))
    assert talk.stream.jid == "ada@example.com/made"


def carried(element: bytes, local: str) -> str:
    """The text that a SASL element carries."""
    found = fromstring(element)
    assert found.tag == f"{{{NS_SASL}}}{local}"
    return b64decode(found.text or "").decode()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize(("is_websocket", "piece_bytes"), [(False, 100_000), (False, 1), (True, 1)])
def test_a_scram_sign_in(mechanism: str, is_websocket: bool, piece_bytes: int) -> None:
    client = ScramClient([mechanism], "ada", "pw-laptop", c_nonce="nonce")
    talk = Talk(is_websocket, piece_bytes)
    talk.says(OPEN, f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{base64(client.get_client_first())}</auth>")
    client.set_server_first(carried(talk.output[-1], "challenge"))
    talk.says(f"<response xmlns='{NS_SASL}'>{base64(client.get_client_final())}</response>")
    client.set_server_final(carried(talk.output[-1], "success"))
    talk.says(OPEN, bind(), CHAT)
    asked = CredentialsWanted("ada", HOST, mechanism)
    assert talk.events[:3] == [asked, AuthenticationDone("laptop"), BindWanted("home")]
    assert talk.stream.session_id == "laptop"
    assert talk.stream.state is State.BOUND


@pytest.mark.parametrize("piece_bytes", [1, 100_000])
def test_tls_is_started_and_the_stream_opened_anew(piece_bytes: int) -> None:
    talk = Talk(is_secure=False, piece_bytes=piece_bytes).says(OPEN)
    offer = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    assert talk.said == f"{header(1)}<stream:features>{offer}</stream:features>"
    talk.says(STARTTLS)
    assert talk.output[-1] == b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    before = len(talk.said)
    talk.says(*PIPELINED)
    assert talk.events == [TlsWanted(), *Talk().says(*PIPELINED).events]
    assert talk.said[before:].startswith(header(2) + SIGN_IN_FEATURES + SUCCESS)


@pytest.mark.parametrize("cut", range(0, len(STARTTLS), 5))
def test_what_was_sent_in_the_clear_behind_starttls_is_dropped(cut: int) -> None:
    talk = Talk(is_secure=False).says(OPEN, STARTTLS[:cut])
    talk.says(STARTTLS[cut:], plain(), OPEN, bind())
    assert talk.events == [TlsWanted()]
    talk.says(OPEN, plain(password="pw-laptop"))
    assert talk.events == [TlsWanted(), CREDENTIALS, AuthenticationDone("laptop")]


@pytest.mark.parametrize(("is_secure", "has_tls"), [(True, True), (False, False)])
def test_starttls_fails_where_it_was_not_offered(is_secure: bool, has_tls: bool) -> None:
    talk = Talk(is_secure=is_secure, has_tls=has_tls, requires_tls=False).says(OPEN)
    assert "starttls" not in talk.said
    talk.says(STARTTLS, plain())
    assert talk.output[-2:] == [b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"</stream:stream>"]
    assert talk.events == [("closed", None)]


def test_where_tls_is_required_nobody_signs_in_before_it() -> None:
    talk = Talk(is_secure=False).says(OPEN, plain())
    assert talk.events == [AuthenticationDone(None, "encryption-required")]
    assert talk.output[-1] == f"<failure xmlns='{NS_SASL}'><encryption-required/></failure>".encode()


def test_without_tls_a_password_is_proved_but_never_sent() -> None:
    talk = Talk(is_secure=False, requires_tls=False).says(OPEN)
    assert "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>" in talk.said
    assert "<mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream" in talk.said
    assert talk.says(plain()).events == [AuthenticationDone(None, "encryption-required")]


# ------------------------------------------------------------------------------------------------------------ headers


def test_the_answer_to_a_header_names_the_client_where_the_client_names_itself_by_a_jid() -> None:
    """RFC 6120, section 4.7.2."""
    talk = Talk(header="to='example.com' from='ada@example.com/home' version='1.0' xml:lang='de'").says(OPEN)
    assert talk.output[0] == header(1).replace(" id=", " to='ada@example.com' id=").encode()
    assert talk.stream.lang == "de"
    talk = Talk(header="to='example.com' from='&lt;@&gt;' version='1.0'").says(OPEN)
    assert talk.output[0] == header(1).encode()


@pytest.mark.parametrize(
    ("attributes", "condition"),
    [
        ("to='elsewhere.example' version='1.0'", "host-unknown"),
        ("to='' version='1.0'", "host-unknown"),
        ("version='1.0'", "host-unknown"),
        ("to='example.com'", "unsupported-version"),
        ("to='example.com' version='0.9'", "unsupported-version"),
        ("to='example.com' version='one'", "unsupported-version"),
    ],
)
@pytest.mark.parametrize("is_websocket", [False, True])
def test_a_header_that_is_not_accepted_is_answered_all_the_same(
    attributes: str, condition: str, is_websocket: bool
) -> None:
    talk = Talk(is_websocket, header=attributes).says(OPEN, plain())
    assert talk.condition == condition
    assert len(talk.output) == 3  # header, error, end
    opened = fromstring(talk.output[0] if is_websocket else talk.output[0].replace(b">", b"/>").replace(b"?/>", b"?>"))
    assert opened.get("id") == f"{1:030x}"
    assert opened.get("from") == (HOST if "example.com'" in attributes else "")  # section 4.9.1.3


@pytest.mark.parametrize("attributes", ["to='EXAMPLE.com' version='1.0'", "to='example.com' version='1.99'"])
def test_a_host_in_capitals_and_a_later_minor_version_are_fine(attributes: str) -> None:
    assert Talk(header=attributes).says(OPEN).stream.state is State.NEGOTIATING


@pytest.mark.parametrize(
    ("first", "condition"),
    [
        (
            TCP_HEADER.replace("jabber:client", "jabber:server") + " to='example.com' version='1.0'>",
            "invalid-namespace",
        ),
        (TCP_HEADER.replace("etherx", "other") + " to='example.com' version='1.0'>", "invalid-namespace"),
        ("<stream:stream to='example.com' version='1.0'>", "bad-namespace-prefix"),
        ("<message xmlns='jabber:client' to='example.com' version='1.0'>", "bad-format"),
        ("GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: <>\r\n\r\n", "not-well-formed"),
        ("<!DOCTYPE stream><stream:stream>", "restricted-xml"),
        ("<?xml version='1.0' encoding='latin1'?><stream:stream>", "unsupported-encoding"),
        ("<a " + "b" * 2_000, "policy-violation"),
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 100_000])
def test_what_is_no_stream_is_told_so_behind_a_header(first: str, condition: str, piece_bytes: int) -> None:
    talk = Talk(piece_bytes=piece_bytes).says(first)
    assert talk.condition == condition
    assert talk.said.startswith("<?xml version='1.0'?><stream:stream ")


def test_a_stream_that_fails_before_it_is_opened_anew_is_told_so_behind_a_header_too() -> None:
    talk = Talk().says(OPEN, plain(), "<presence/>")
    assert talk.condition == "bad-format"
    assert talk.said[talk.said.index(SUCCESS) + len(SUCCESS) :].startswith(header(3))


def test_the_server_can_end_a_stream_that_is_not_open_yet() -> None:
    talk = Talk(is_secure=False).says(OPEN, STARTTLS)
    before = len(talk.said)
    talk.stream.close(StreamError("connection-timeout"))
    talk.take(())
    error = f"<stream:error><connection-timeout xmlns='{NS_ERRORS}'/></stream:error>"
    assert talk.said[before:] == f"{header(2)}{error}</stream:stream>"


def test_the_host_stays_the_same_when_a_stream_is_opened_anew() -> None:
    talk = Talk().says(OPEN, plain())
    talk.header = "version='1.0'"
    assert talk.says(OPEN).condition == "host-unknown"


# -------------------------------------------------------------------------------------------------- signing in, failing


@pytest.mark.parametrize("is_websocket", [False, True])
def test_a_fifth_failed_sign_in_ends_the_stream(is_websocket: bool) -> None:
    talk = Talk(is_websocket).says(OPEN)
    for _ in range(4):
        talk.says(plain(password="wrong"))
        assert talk.output[-1] == f"<failure xmlns='{NS_SASL}'><not-authorized/></failure>".encode()
        assert talk.stream.state is State.NEGOTIATING
    talk.says(plain(password="wrong"), plain())
    assert talk.condition == "policy-violation"
    assert talk.output[-3] == f"<failure xmlns='{NS_SASL}'><not-authorized/></failure>".encode()
    assert talk.events.count(AuthenticationDone(None, "not-authorized")) == 5
    assert AuthenticationDone("phone") not in talk.events


def test_attempts_that_fail_before_the_question_count_as_well() -> None:
    talk = Talk().says(OPEN, *[f"<auth xmlns='{NS_SASL}' mechanism='X'/>"] * 5)
    assert talk.events[:5] == [AuthenticationDone(None, "invalid-mechanism")] * 5
    assert talk.condition == "policy-violation"


def test_after_a_failed_sign_in_another_can_succeed() -> None:
    talk = Talk().says(OPEN, plain(password="wrong"), plain("nobody"), plain("eve"), plain())
    outcomes = [event for event in talk.events if isinstance(event, AuthenticationDone)]
    assert [outcome.condition for outcome in outcomes] == ["not-authorized"] * 2 + ["account-disabled", None]
    assert outcomes[-1].session_id == "phone"


def test_a_sign_in_can_be_aborted() -> None:
    talk = Talk().says(OPEN, SCRAM_FIRST, f"<abort xmlns='{NS_SASL}'/>")
    assert talk.events[-1] == AuthenticationDone(None, "aborted")
    assert talk.output[-1] == f"<failure xmlns='{NS_SASL}'><aborted/></failure>".encode()
    assert talk.says(plain()).events[-1] == AuthenticationDone("phone")


def test_a_refused_resource_can_be_followed_by_another() -> None:
    talk = Talk(is_answered=False).says(OPEN, plain())
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    talk.says(OPEN, bind("taken"), bind("free"))
    talk.take(talk.stream.refuse_bind("cancel", "conflict", "In use"))
    assert talk.output[-1].startswith(b"<iq type='error' id='b1' to='ada@example.com'><error type='cancel'><conflict ")
    assert talk.events[-2:] == [BindWanted("taken"), BindWanted("free")]
    talk.take(talk.stream.bound("ada@example.com/free"))
    assert talk.output[-1] == bound("free").encode()


# ---------------------------------------------------------------------------------------------------------- questions


def test_what_comes_while_a_question_is_open_waits_for_the_answer() -> None:
    talk = Talk(is_answered=False).says(OPEN)
    quiet = len(talk.output)
    talk.says(plain(), OPEN, bind(), SESSION)
    assert talk.events == [CREDENTIALS]
    assert len(talk.output) == quiet
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    assert talk.events[1:] == [AuthenticationDone("phone"), BindWanted("home")]
    talk.says(CHAT[:30])
    talk.says(CHAT[30:])
    assert len(talk.events) == 3
    talk.take(talk.stream.bound("ada@example.com/home"))
    assert len(talk.events) == 5  # the session request and the message


def test_messages_of_a_websocket_stay_apart_while_they_wait() -> None:
    talk = Talk(is_websocket=True, is_answered=False).says(OPEN, plain(), OPEN, bind(), SESSION, CHAT)
    assert talk.events == [CREDENTIALS]
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    assert talk.events[1:] == [AuthenticationDone("phone"), BindWanted("home")]
    talk.take(talk.stream.bound("ada@example.com/home"))
    assert talk.events[3:] == Talk().says(*PIPELINED[:-1]).events[3:]


@pytest.mark.parametrize("size", [STRANGER_LIMITS.max_bytes + 1, 3_999, 4_001])
def test_a_stranger_can_send_as_much_as_one_stanza_ahead_of_the_answer(size: int) -> None:
    talk = Talk(is_answered=False).says(OPEN, plain())
    for _ in range(size):
        talk.says(" ")
    assert (talk.stream.state is State.CLOSED) == (size > LIMITS.max_bytes)
    if talk.stream.state is State.CLOSED:
        assert talk.condition == "policy-violation"
        assert talk.stream.credentials(KNOWN["ada"]) == []


@pytest.mark.parametrize("size", [3_999, 4_001])
def test_who_has_signed_in_can_send_more_ahead_of_the_answer(size: int) -> None:
    talk = Talk(is_answered=False).says(OPEN, plain())
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    talk.says(OPEN, bind())
    talk.says(" " * size)
    assert (talk.stream.state is State.CLOSED) == (size > LIMITS.max_bytes)


def test_a_question_that_nobody_can_answer_fails_for_now() -> None:
    talk = Talk(is_answered=False).says(OPEN, plain())
    talk.take(talk.stream.unanswered("Error 1"))
    assert talk.events[1:] == [AuthenticationDone(None, "temporary-auth-failure")]
    assert "<temporary-auth-failure/><text xml:lang='en'>Error 1</text></failure>" in talk.said
    talk.says(plain())
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    talk.says(OPEN, bind())
    talk.take(talk.stream.unanswered("Later", "wait", "resource-constraint"))
    assert "<error type='wait'><resource-constraint " in talk.said
    talk.says(bind())
    talk.take(talk.stream.unanswered("Error 2"))
    assert "<error type='cancel'><internal-server-error " in talk.said
    talk.says("<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>")
    talk.take(talk.stream.unanswered("Error 3"))
    assert "<failed xmlns='urn:xmpp:sm:3'><internal-server-error " in talk.said
    assert talk.stream.state is State.BINDING
    talk.take(talk.stream.unanswered("Error 4"))
    assert talk.condition == "internal-server-error"


def test_an_answer_to_a_question_that_nobody_asked_changes_nothing() -> None:
    talk = Talk().says(OPEN)
    assert talk.stream.credentials(KNOWN["ada"]) == []
    assert talk.stream.bound("ada@example.com/x") == []
    assert talk.stream.refuse_bind("cancel", "conflict") == []
    assert talk.stream.state is State.NEGOTIATING
    assert talk.stream.data_to_send() == []


def test_a_stream_that_was_closed_stays_closed() -> None:
    talk = Talk().says(OPEN, END)
    silent = len(talk.output)
    talk.stream.close(StreamError("system-shutdown"))
    talk.says(OPEN, plain())
    assert talk.events == [("closed", None)]
    assert len(talk.output) == silent


# ------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("is_websocket", [False, True])
def test_the_larger_limit_holds_from_the_sign_in_on(is_websocket: bool) -> None:
    stanza = CHAT.replace("a &gt; b", "x" * 2_000)
    talk = Talk(is_websocket).says(OPEN, stanza)
    assert talk.condition == "policy-violation"
    talk = Talk(is_websocket).says(OPEN, plain(), OPEN, bind()).says(stanza)
    assert talk.stream.state is State.BOUND
    talk.says(CHAT.replace("a &gt; b", "x" * 4_000))
    assert talk.condition == "policy-violation"


@pytest.mark.parametrize(
    ("bytes_sent", "condition"),
    [
        ("<message><body></message>", "not-well-formed"),
        ("<message><!-- --></message>", "restricted-xml"),
        ("<message>&ada;</message>", "restricted-xml"),
        ("<x:message/>", "bad-namespace-prefix"),
        ("<iq xmlns='jabber:server'/>", "unsupported-stanza-type"),
        (STARTTLS, "unsupported-stanza-type"),
        ("words", "bad-format"),
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 100_000])
def test_a_bound_stream_ends_at_what_it_does_not_take(bytes_sent: str, condition: str, piece_bytes: int) -> None:
    talk = Talk(piece_bytes=piece_bytes).says(OPEN, plain(), OPEN, bind())
    talk.says(CHAT, bytes_sent, "<presence/>")
    assert talk.condition == condition
    assert len(talk.events) == 5  # the message that came before is handled, the presence is not


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("<message xmlns='jabber:client'><body></message>", "not-well-formed"),
        ("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", "not-well-formed"),
        ("<message xmlns='jabber:client'>", "not-well-formed"),
        ("", "not-well-formed"),
        ("<message/>", "unsupported-stanza-type"),
        (f"{TCP_HEADER} to='example.com'/>", "unsupported-stanza-type"),
        (f"<open xmlns='{NS_FRAMING}' to='example.com' version='1.0'/>", "bad-format"),
    ],
)
def test_a_bound_websocket_ends_at_what_it_does_not_take(message: str, condition: str) -> None:
    talk = Talk(is_websocket=True).says(OPEN, plain(), OPEN, bind(), message)
    assert talk.condition == condition
