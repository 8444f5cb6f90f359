"""The Extensible SASL Profile (XEP-0388) with Bind 2 (XEP-0386): whole conversations of the server's side."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from xml.etree.ElementTree import fromstring

import pytest
from scramp import ScramClient

from heliograph.xmpp.bind2 import BindRequest, bound
from heliograph.xmpp.c2s import ServerStream, State
from heliograph.xmpp.c2s_events import AdmissionWanted, AuthenticationDone, StreamClosed, StreamEvent, Terms
from heliograph.xmpp.fast import TokenUse
from heliograph.xmpp.framing import TcpFraming, WebSocketFraming
from heliograph.xmpp.sasl2 import Authenticate, parse
from heliograph.xmpp.sasl_claims import CredentialsWanted, Known, Refused, Verifier
from heliograph.xmpp.scram import END_POINT, ChannelBinding, derive
from heliograph.xmpp.stanza import NS_SASL, Stanza
from heliograph.xmpp.stream import Limits, ReaderPool, StreamError
from heliograph.xmpp.stream_management import EnableWanted, ResumeWanted

HOST = "example.com"
NS = "urn:xmpp:sasl:2"
LIMITS = Limits(max_bytes=4_000, max_depth=16, max_elements=256)
SALT = bytes(16)
KEYS = (*derive("pw", SALT, 4096, "sha1"), *derive("pw", SALT, 4096, "sha256"))
KNOWN = Known(SALT, 4096, [Verifier("phone", *KEYS, hashlib.sha256(b"pw").digest())])
CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"
AGENT = f"<user-agent id='{CLIENT}'><software>Test</software><device>Desk</device></user-agent>"
HEADER = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.com' "
    "version='1.0'{}>"
)
OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'{}/>"
BIND = "<bind xmlns='urn:xmpp:bind:0'><tag>Test</tag></bind>"
PING = "<iq type='get' id='1' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"
CHALLENGE_END = "</challenge>"


def authenticate(mechanism: str, message: bytes | None, wishes: str = "") -> str:
    data = "" if message is None else f"<initial-response>{b64encode(message).decode()}</initial-response>"
    return f"<authenticate xmlns='{NS}' mechanism='{mechanism}'>{data}{wishes}</authenticate>"


def plain(password: str = "pw", wishes: str = "", authzid: str = "") -> str:
    return authenticate("PLAIN", f"{authzid}\0ada\0{password}".encode(), wishes)


class Talk:
    """A secure stream of the server, and a shell that knows one user and admits everybody that it is asked about."""

    def __init__(self, *, is_websocket: bool = False, piece_bytes: int = 100_000, is_secure: bool = True) -> None:
        framing = WebSocketFraming(LIMITS) if is_websocket else TcpFraming(LIMITS, ReaderPool())
        terms = Terms(HOST.__eq__, LIMITS, bytes, b"secret", requires_tls=False, features="<sub/>")
        binding = None if is_websocket else ChannelBinding(END_POINT, bytes(32))
        self.stream = ServerStream(framing, terms, is_secure, binding)
        self.is_websocket = is_websocket
        self.piece_bytes = piece_bytes
        self.jid: str | None = None
        self.results = ""
        self.refusal = ""
        self.events: list[StreamEvent] = []
        self.said = ""

    def opens(self, attributes: str = "") -> Talk:
        self.says((OPEN if self.is_websocket else HEADER).format(attributes))
        self.said = ""
        return self

    def says(self, *frames: str) -> Talk:
        if self.is_websocket:
            pieces = [frame.encode() for frame in frames]
        else:
            run = "".join(frames).encode()
            pieces = [run[at : at + self.piece_bytes] for at in range(0, len(run), self.piece_bytes)]
        for piece in pieces:
            self._take(self.stream.receive(piece))
        return self

    def _take(self, events: Sequence[StreamEvent]) -> None:
        self.said += b"".join(self.stream.data_to_send()).decode()
        for event in events:
            self.events.append(event)
            if isinstance(event, CredentialsWanted):
                self._take(self.stream.credentials(KNOWN if event.username == "ada" else None))
            elif isinstance(event, AdmissionWanted) and self.refusal:
                self._take(self.stream.turn_away(self.refusal))
            elif isinstance(event, AdmissionWanted):
                self._take(self.stream.admitted(self.jid, self.results))


def success(identifier: str, results: str = "") -> str:
    return f"<success xmlns='{NS}'><authorization-identifier>{identifier}</authorization-identifier>{results}</success>"


def failure(condition: str) -> str:
    return f"<failure xmlns='{NS}'><{condition} xmlns='{NS_SASL}'/></failure>"


BIND_FEATURES = (
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sub/></stream:features>"
)


@pytest.mark.parametrize("piece_bytes", [1, 7, 100_000])
def test_after_a_plain_sign_in_the_features_follow_at_once_and_no_new_stream(piece_bytes: int) -> None:
    talk = Talk(piece_bytes=piece_bytes).opens().says(plain())
    assert talk.said == success("ada@example.com") + BIND_FEATURES
    assert talk.stream.state is State.BINDING
    assert talk.stream.session_id == "phone"


@pytest.mark.parametrize(("is_websocket", "piece_bytes"), [(False, 1), (False, 100_000), (True, 1)])
def test_a_client_signs_in_and_is_bound_in_one_request_that_its_first_stanza_follows(
    is_websocket: bool, piece_bytes: int
) -> None:
    talk = Talk(is_websocket=is_websocket, piece_bytes=piece_bytes).opens()
    talk.jid, talk.results = "ada@example.com/Test/1", bound(())
    talk.says(plain(wishes=AGENT + BIND), PING)
    features = "<stream:features><sub/></stream:features>"
    if is_websocket:
        features = features.replace("features>", "features xmlns:stream='http://etherx.jabber.org/streams'>", 1)
    assert talk.said == success("ada@example.com/Test/1", "<bound xmlns='urn:xmpp:bind:0'></bound>") + features
    request = Authenticate("PLAIN", b"\0ada\0pw", CLIENT, bind=BindRequest("Test"))
    assert talk.events[1:3] == [AuthenticationDone("phone"), AdmissionWanted(request)]
    assert isinstance(talk.events[3], Stanza)
    assert talk.stream.state is State.BOUND


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"])
@pytest.mark.parametrize("piece_bytes", [1, 100_000])
def test_scram_goes_in_two_steps_and_its_last_word_comes_with_the_success(mechanism: str, piece_bytes: int) -> None:
    binding = (END_POINT, bytes(32)) if mechanism.endswith("PLUS") else None
    client = ScramClient([mechanism], "ada", "pw", channel_binding=binding)
    talk = Talk(piece_bytes=piece_bytes).opens()
    talk.says(authenticate(mechanism, client.get_client_first().encode()))
    client.set_server_first(b64decode(fromstring(talk.said).text or "").decode())
    talk.said = ""
    talk.says(f"<response xmlns='{NS}'>{b64encode(client.get_client_final().encode()).decode()}</response>")
    answer = fromstring(f"<s xmlns:stream='x'>{talk.said}</s>")[0]
    client.set_server_final(b64decode(answer.findtext(f"{{{NS}}}additional-data") or "").decode())
    assert answer.findtext(f"{{{NS}}}authorization-identifier") == "ada@example.com"


def test_what_is_offered_can_be_had_in_one_request() -> None:
    talk = Talk()
    talk.says(HEADER.format(""))
    offered = fromstring(talk.said + "</stream:stream>")[0].find(f"{{{NS}}}authentication")
    assert offered is not None
    inline = offered.find(f"{{{NS}}}inline")
    assert inline is not None
    assert [child.tag for child in inline] == [
        "{urn:xmpp:bind:0}bind",
        "{urn:xmpp:sm:3}sm",
        "{urn:xmpp:fast:0}fast",
    ]
    features = [child.get("var") for child in inline[0][0]]
    assert features == ["urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:sm:3"]
    assert [child.text for child in inline[2]] == ["HT-SHA-256-ENDP", "HT-SHA-256-NONE"]


def test_in_the_clear_nothing_of_it_is_offered_or_taken() -> None:
    """Section 5."""
    talk = Talk(is_secure=False)
    talk.says(HEADER.format(""))
    assert NS not in talk.said
    talk.says(plain())
    assert talk.said.endswith(failure("encryption-required"))


@pytest.mark.parametrize(
    ("request_", "condition"),
    [
        (plain("wrong"), "not-authorized"),
        (authenticate("NONE", b""), "invalid-mechanism"),
        (authenticate("HT-SHA-256-NONE", b"ada\0x"), "invalid-mechanism"),
        (plain(authzid="eve@example.com"), "invalid-authzid"),
        (plain().replace("<initial-response>", "<initial-response>!"), "incorrect-encoding"),
        (plain().replace("<initial-response>", "<initial-response><x/>"), "malformed-request"),
    ],
)
def test_a_failure_names_its_condition_and_another_attempt_may_follow(request_: str, condition: str) -> None:
    talk = Talk().opens().says(request_)
    assert talk.said == failure(condition)
    assert not any(isinstance(event, AdmissionWanted) for event in talk.events)
    talk.said = ""
    assert talk.says(plain()).said.startswith(success("ada@example.com"))


def test_the_shell_can_turn_a_client_away_that_has_shown_who_it_is() -> None:
    talk = Talk().opens()
    talk.refusal = "credentials-expired"
    assert talk.says(plain()).said == failure("credentials-expired")
    assert talk.events[-1] == AuthenticationDone(None, "credentials-expired")
    assert talk.stream.state is State.NEGOTIATING


def test_a_fifth_client_that_is_turned_away_ends_the_stream() -> None:
    talk = Talk().opens()
    talk.refusal = "not-authorized"
    talk.says(*[plain()] * 6)
    closed = talk.events[-1]
    assert isinstance(closed, StreamClosed)
    assert closed.error is not None
    assert closed.error.condition == "policy-violation"


@pytest.mark.parametrize(
    ("claimed", "is_own"), [("ada@example.com", True), ("Ada@example.com/x", True), ("bob@example.com", False)]
)
def test_whom_a_client_wants_to_act_as_must_be_whom_it_said_it_is(claimed: str, is_own: bool) -> None:
    """Section 2.3."""
    talk = Talk().opens(f" from='{claimed}'").says(plain(authzid="ada@example.com"))
    assert talk.said.startswith("<success" if is_own else failure("invalid-authzid"))


def test_the_first_message_may_follow_an_empty_challenge() -> None:
    talk = Talk().opens().says(authenticate("PLAIN", None))
    assert talk.said == f"<challenge xmlns='{NS}'></challenge>"
    talk.says(f"<response xmlns='{NS}'>\n{b64encode(b'%cada%cpw' % (0, 0)).decode()} </response>")
    assert talk.stream.state is State.BINDING


@pytest.mark.parametrize("element", [f"<response xmlns='{NS_SASL}'/>", f"<abort xmlns='{NS_SASL}'/>", PING, plain()])
def test_during_an_attempt_the_elements_of_the_other_profile_are_out_of_place(element: str) -> None:
    """Section 2.4: anything else than a response or an abort ends the stream."""
    talk = Talk().opens().says(authenticate("PLAIN", None), element)
    assert talk.stream.state is State.CLOSED
    talk = Talk().opens().says(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'/>", f"<response xmlns='{NS}'/>")
    assert talk.stream.state is State.CLOSED


def test_an_attempt_can_be_aborted_with_a_reason() -> None:
    talk = Talk().opens().says(authenticate("PLAIN", None))
    talk.said = ""
    talk.says(f"<abort xmlns='{NS}'><text>never mind</text></abort>")
    assert talk.said == failure("aborted")


@pytest.mark.parametrize("again", [plain(), f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'/>"])
def test_who_is_signed_in_does_not_sign_in_again(again: str) -> None:
    assert Talk().opens().says(plain(), again).stream.state is State.CLOSED


def test_an_answer_to_a_question_that_nobody_asked_changes_nothing() -> None:
    talk = Talk().opens()
    assert talk.stream.admitted("ada@example.com/x", "") == []
    assert talk.stream.turn_away("not-authorized") == []
    assert talk.stream.state is State.NEGOTIATING
    assert talk.stream.data_to_send() == []


# -------------------------------------------------------------------------------------------------------- the request


def read(wishes: str) -> Authenticate:
    return parse(fromstring(authenticate("PLAIN", b"x", wishes)))


def test_a_request_is_read_whole() -> None:
    wishes = (
        f"{AGENT.replace(CLIENT, CLIENT.upper())}<resume xmlns='urn:xmpp:sm:3' previd='s1' h='7'/>"
        "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true' max='60'/>"
        "<enable xmlns='urn:xmpp:carbons:2'/><inactive xmlns='urn:xmpp:csi:0'/><other xmlns='urn:x'/></bind>"
        "<fast xmlns='urn:xmpp:fast:0' count='3' invalidate='true'/>"
        "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/><other xmlns='urn:x'/>"
    )
    assert read(wishes) == Authenticate(
        "PLAIN",
        b"x",
        CLIENT,
        ResumeWanted("s1", 7),
        BindRequest(None, EnableWanted(is_resumable=True, max_s=60), has_carbons=True, is_active=False),
        TokenUse(3, is_last=True),
        "HT-SHA-256-NONE",
    )


def test_what_is_not_asked_for_is_not_there() -> None:
    assert parse(fromstring(authenticate("PLAIN", None))) == Authenticate("PLAIN")
    assert read("<bind xmlns='urn:xmpp:bind:0'/>").bind == BindRequest()
    assert read("<user-agent id='my laptop'/>").client is None


@pytest.mark.parametrize("count", ["", "0", "-1", "1.5", "x", "2147483648", "99999999999", "\u0661"])
def test_a_count_is_a_positive_number(count: str) -> None:
    with pytest.raises(Refused) as caught:
        read(f"<fast xmlns='urn:xmpp:fast:0' count='{count}'/>")
    assert caught.value.condition == "malformed-request"


@pytest.mark.parametrize(
    "wish", ["<resume xmlns='urn:xmpp:sm:3' previd='s1' h='x'/>", "<resume xmlns='urn:xmpp:sm:3'/>"]
)
def test_a_malformed_wish_ends_the_stream(wish: str) -> None:
    with pytest.raises(StreamError):
        read(wish)
    assert Talk().opens().says(plain(wishes=wish)).stream.state is State.CLOSED


def test_the_password_stands_in_no_text_form() -> None:
    assert "pw" not in repr(parse(fromstring(plain())))
