from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient

from heliograph.core import limits
from heliograph.xmpp.sasl import (
    Asking,
    Challenge,
    Done,
    Failure,
    Fresh,
    Input,
    Invited,
    Known,
    NeedCredentials,
    Negotiation,
    Proving,
    Step,
    Success,
    Verifier,
)
from heliograph.xmpp.scram import decode_base64, derive
from heliograph.xmpp.stanza import NS_SASL

HOST = "example.com"
SALT = bytes(range(limits.SALT_BYTES))
SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256"]


def verifier(session_id: str, password: str) -> Verifier:
    keys = (*derive(password, SALT, 4096, "sha1"), *derive(password, SALT, 4096, "sha256"))
    return Verifier(session_id, *keys, hashlib.sha256(password.encode()).digest())


KNOWN = Known(SALT, 4096, [verifier("phone", "pw-phone"), verifier("laptop", "pw-laptop")])
BLOCKED = Known(SALT, 4096, (), is_blocked=True)


def negotiation(*, is_secure: bool = True, secret: bytes = b"secret") -> Negotiation:
    return Negotiation(is_secure, HOST, bytes, secret)


def element(local: str, data: bytes | str | None = None, **attrib: str) -> Element:
    made = Element(f"{{{NS_SASL}}}{local}", attrib)
    made.text = b64encode(data).decode() if isinstance(data, bytes) else data
    return made


def auth(mechanism: str, data: bytes | str | None = None) -> Element:
    return element("auth", data, mechanism=mechanism)


def plain(username: str, password: str, authzid: str = "") -> Element:
    return auth("PLAIN", f"{authzid}\0{username}\0{password}".encode())


def sent(step: Step) -> bytes:
    """What a challenge or success carries, from its XML."""
    assert isinstance(step, Challenge | Success)
    return decode_base64(fromstring(step.xml).text or "")


def scram_until_proof(
    mechanism: str, password: str, known: Known | None, machine: Negotiation
) -> tuple[ScramClient, Step]:
    client = ScramClient([mechanism], "ada", password)
    assert machine.auth(auth(mechanism, client.get_client_first().encode())) == NeedCredentials("ada", mechanism)
    client.set_server_first(sent(machine.credentials(known)).decode())
    return client, machine.response(element("response", client.get_client_final().encode()))


@pytest.mark.parametrize("session_id", ["phone", "laptop"])
def test_plain_finds_the_session_of_the_password(session_id: str) -> None:
    machine = negotiation()
    assert machine.auth(plain("ada", f"pw-{session_id}")) == NeedCredentials("ada", "PLAIN")
    step = machine.credentials(KNOWN)
    assert step == Success(session_id)
    assert step.xml == f"<success xmlns='{NS_SASL}'/>"


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize("session_id", ["phone", "laptop"])
def test_scram_finds_the_session_of_the_password(mechanism: str, session_id: str) -> None:
    client, step = scram_until_proof(mechanism, f"pw-{session_id}", KNOWN, negotiation())
    assert isinstance(step, Success)
    assert step.session_id == session_id
    client.set_server_final(sent(step).decode())


@pytest.mark.parametrize("known", [KNOWN, None])
def test_a_wrong_password_and_an_unknown_user_fail_alike(known: Known | None) -> None:
    for mechanism in SCRAM:
        _, step = scram_until_proof(mechanism, "wrong", known, negotiation())
        assert step == Failure("not-authorized")
    machine = negotiation()
    machine.auth(plain("ada", "wrong"))
    assert machine.credentials(known) == Failure("not-authorized")


def test_the_challenge_of_an_unknown_user_looks_like_that_of_a_known_one() -> None:
    def challenge(username: str, known: Known | None, secret: bytes = b"secret") -> dict[str, str]:
        machine = negotiation(secret=secret)
        machine.auth(auth("SCRAM-SHA-1", f"n,,n={username},r=abc".encode()))
        return dict(part.split("=", 1) for part in sent(machine.credentials(known)).decode().split(","))

    real, decoy = challenge("ada", KNOWN), challenge("eve", None)
    assert (len(decode_base64(decoy["s"])), int(decoy["i"])) == (limits.SALT_BYTES, limits.SCRAM_ITERATIONS)
    assert {key: len(value) for key, value in real.items()} == {key: len(value) for key, value in decoy.items()}
    assert decoy == challenge("EVE", None)
    assert decoy["s"] != challenge("mallory", None)["s"]
    assert decoy["s"] != challenge("eve", None, b"other")["s"]


@pytest.mark.parametrize("request_", [plain("ada", "pw-phone"), auth("SCRAM-SHA-1", b"n,,n=ada,r=abc")])
def test_a_blocked_user_is_told_so(request_: Element) -> None:
    machine = negotiation()
    machine.auth(request_)
    step = machine.credentials(BLOCKED)
    assert isinstance(step, Failure)
    assert step.condition == "account-disabled"
    assert fromstring(step.xml).find(f"{{{NS_SASL}}}account-disabled") is not None


def test_plain_is_offered_and_taken_on_secure_streams_alone() -> None:
    assert Negotiation.mechanisms(True) == ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
    assert Negotiation.mechanisms(False) == ("SCRAM-SHA-256", "SCRAM-SHA-1")
    assert negotiation(is_secure=False).auth(plain("ada", "pw-phone")) == Failure("encryption-required")
    assert isinstance(negotiation(is_secure=False).auth(auth("SCRAM-SHA-1", b"n,,n=ada,r=abc")), NeedCredentials)


@pytest.mark.parametrize("mechanism", ["", "DIGEST-MD5", "plain", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_another_mechanism_is_invalid(mechanism: str) -> None:
    assert negotiation().auth(auth(mechanism, b"x")) == Failure("invalid-mechanism")
    assert negotiation().auth(element("auth", b"x")) == Failure("invalid-mechanism")


@pytest.mark.parametrize("mechanism", Negotiation.mechanisms(True))
def test_the_first_message_may_come_after_an_empty_challenge(mechanism: str) -> None:
    machine = negotiation()
    step = machine.auth(auth(mechanism))
    assert step == Challenge()
    assert step.xml == f"<challenge xmlns='{NS_SASL}'/>"
    message = b"\0ada\0pw-phone" if mechanism == "PLAIN" else b"n,,n=ada,r=abc"
    assert machine.response(element("response", message)) == NeedCredentials("ada", mechanism)


@pytest.mark.parametrize(
    "text", ["*", "A", "AGFkYQ", "AGFk YQ==", "\nAGFkYQ==", "AGFkYQ==\n", "AGFkYR==", "==", "\u00fc"]
)
def test_what_is_not_base64_has_an_incorrect_encoding(text: str) -> None:
    machine = negotiation()
    machine.auth(auth("PLAIN"))
    assert machine.response(element("response", text)) == Failure("incorrect-encoding")
    assert negotiation().auth(auth("SCRAM-SHA-1", text)) == Failure("incorrect-encoding")


@pytest.mark.parametrize(
    "data", ["=", b"ada", b"\0ada", b"\0ada\0", b"\0\0pw", b"\0ada\0pw\0", b"\0\xff\0pw", b"\xff\0ada\0pw", b"\0\0"]
)
def test_a_malformed_plain_message_is_refused(data: bytes | str) -> None:
    assert negotiation().auth(auth("PLAIN", data)) == Failure("malformed-request")


@pytest.mark.parametrize(
    "data", ["=", b"n,,n=ada", b"y", b"n,,m=x,n=ada,r=abc", b"p=tls-unique,,n=ada,r=abc", b"n,,n=\xff,r=abc"]
)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_malformed_scram_message_is_refused(mechanism: str, data: bytes | str) -> None:
    assert negotiation().auth(auth(mechanism, data)) == Failure("malformed-request")


def test_an_element_with_children_is_malformed() -> None:
    request = auth("PLAIN")
    request.append(Element("x"))
    assert negotiation().auth(request) == Failure("malformed-request")


def test_a_malformed_answer_to_the_challenge_is_refused() -> None:
    machine = negotiation()
    machine.auth(auth("SCRAM-SHA-1", b"n,,n=ada,r=abc"))
    machine.credentials(KNOWN)
    assert machine.response(element("response")) == Failure("malformed-request")


def test_the_username_is_prepared_as_a_localpart() -> None:
    assert negotiation().auth(plain("ADA", "x")) == NeedCredentials("ada", "PLAIN")
    for impossible in ("a b", "ada@example.com", "\u265a"):
        assert negotiation().auth(plain(impossible, "x")) == Failure("not-authorized")


@pytest.mark.parametrize(
    ("authzid", "is_own"),
    [
        ("", True),
        ("ada@example.com", True),
        ("Ada@EXAMPLE.com", True),
        ("eve@example.com", False),
        ("ada@example.net", False),
        ("ada@example.com/phone", False),
        ("ada", False),
        ("@", False),
    ],
)
def test_nobody_acts_as_another(authzid: str, is_own: bool) -> None:
    gs2 = f"a={authzid}" if authzid else ""
    requests = [plain("ada", "pw-phone", authzid), auth("SCRAM-SHA-1", f"n,{gs2},n=ada,r=abc".encode())]
    for request in requests:
        step = negotiation().auth(request)
        assert isinstance(step, NeedCredentials) if is_own else step == Failure("invalid-authzid")


def test_a_proof_for_one_mechanism_does_not_work_for_the_other() -> None:
    client = ScramClient(["SCRAM-SHA-1"], "ada", "pw-phone")
    machine = negotiation()
    machine.auth(auth("SCRAM-SHA-256", client.get_client_first().encode()))
    client.set_server_first(sent(machine.credentials(KNOWN)).decode())
    assert machine.response(element("response", client.get_client_final().encode())) == Failure("not-authorized")


def test_each_attempt_has_a_nonce_of_its_own() -> None:
    draws = iter(range(10))
    nonces = set()
    for _ in range(3):
        machine = Negotiation(True, HOST, lambda size: next(draws).to_bytes(size), b"secret")
        machine.auth(auth("SCRAM-SHA-1", b"n,,n=ada,r=abc"))
        nonces.add(sent(machine.credentials(KNOWN)).split(b",")[0])
    assert len(nonces) == 3


def test_failures_say_why_in_xml() -> None:
    failure = fromstring(Failure("account-disabled", "a < b").xml)
    assert failure.tag == f"{{{NS_SASL}}}failure"
    assert [child.tag.partition("}")[2] for child in failure] == ["account-disabled", "text"]
    assert failure[1].text == "a < b"


def test_secrets_stand_in_no_text_form() -> None:
    machine = negotiation()
    machine.auth(plain("ada", "do not show"))
    shown = repr(machine.state) + repr(KNOWN)
    assert "do not show" not in shown
    assert not any(str(value) in shown for value in (KNOWN.verifiers[0].sha256, KNOWN.verifiers[0].stored_sha1))


# ------------------------------------------------------------------------------------------- every state and input


def machines() -> Iterator[Negotiation]:
    yield negotiation()
    for steps in range(1, 5):
        machine = negotiation()
        if steps >= 1:
            machine.auth(auth("SCRAM-SHA-1"))
        if steps >= 2:
            machine.response(element("response", b"n,,n=ada,r=abc"))
        if steps >= 3:
            machine.credentials(KNOWN)
        if steps >= 4:
            machine.response(element("response", b"c=biws"))
        yield machine


def test_the_walk_below_sees_every_state() -> None:
    assert [type(machine.state) for machine in machines()] == [Fresh, Invited, Asking, Proving, Done]


@pytest.mark.parametrize("kind", Input)
@pytest.mark.parametrize("number", range(5))
def test_every_state_takes_or_refuses_every_input(number: int, kind: Input) -> None:
    machine = list(machines())[number]
    is_listed = (type(machine.state), kind) in Negotiation.TRANSITIONS
    argument = KNOWN if kind is Input.CREDENTIALS else element(kind.value, "!", mechanism="PLAIN")
    step = getattr(machine, kind.value)(argument)
    expected: Step | None = Failure("malformed-request")
    if is_listed:
        expected = None if kind is Input.CREDENTIALS else Failure("incorrect-encoding")
    assert expected in (None, step)
    assert isinstance(machine.state, Proving if is_listed and kind is Input.CREDENTIALS else Done)


def test_a_finished_attempt_takes_nothing_more() -> None:
    machine = negotiation()
    machine.auth(plain("ada", "pw-phone"))
    machine.credentials(KNOWN)
    assert machine.credentials(KNOWN) == Failure("malformed-request")
    assert machine.auth(plain("ada", "pw-phone")) == Failure("malformed-request")


@given(
    st.sampled_from((*Negotiation.mechanisms(True), "X", "")),
    st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=40)),
    st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=40)),
)
def test_whatever_a_client_sends_ends_in_a_step(mechanism: str, first: str | bytes, second: str | bytes) -> None:
    machine = negotiation()
    for step in (
        machine.auth(auth(mechanism, first)),
        machine.response(element("response", second)),
        machine.credentials(KNOWN),
    ):
        assert isinstance(step, Challenge | NeedCredentials | Failure)
