"""OAUTHBEARER (RFC 7628): access tokens over SASL."""

from __future__ import annotations

import pytest

from heliograph.xmpp.sasl import Challenge, Failure, Negotiation, Step, Success
from heliograph.xmpp.sasl_claims import Answer, Bearer, BearerWanted, Tokens
from heliograph.xmpp.sasl_mechanisms import offer

HOST = "example.com"
TOKEN = "hgt_abc-DEF_123"
SIGNAL = Challenge(b'{"status":"invalid_token"}')


def negotiation() -> Negotiation:
    return Negotiation(offer(is_secure=True), HOST, bytes, b"secret")


def message(authzid: str = "", auth: str = f"Bearer {TOKEN}", more: str = "") -> bytes:
    gs2 = f"n,a={authzid}," if authzid else "n,,"
    return f"{gs2}\x01{more}auth={auth}\x01\x01".encode()


def outcome(sent: bytes, found: Answer | None) -> Step:
    machine = negotiation()
    step = machine.begin("OAUTHBEARER", sent)
    return machine.answer(found) if isinstance(step, BearerWanted) else step


@pytest.mark.parametrize(
    "sent",
    [
        message(),
        message("ada@example.com"),
        message("Ada@EXAMPLE.com"),
        message(auth=f"bearer  {TOKEN}"),
        message(more="host=example.com\x01port=5222\x01"),
        b"y,,\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01",
    ],
)
def test_a_token_signs_its_session_in(sent: bytes) -> None:
    assert negotiation().begin("OAUTHBEARER", sent) == BearerWanted(TOKEN, HOST)
    assert outcome(sent, Bearer("ada", "phone")) == Success("ada", "phone")


@pytest.mark.parametrize(
    ("found", "condition"),
    [
        (None, "not-authorized"),
        (Tokens(()), "not-authorized"),
        (Bearer("ada", "phone", is_expired=True), "credentials-expired"),
    ],
)
@pytest.mark.parametrize("response", [b"\x01", b"", b"whatever"])
def test_what_is_wrong_with_a_token_is_told_before_the_attempt_fails(
    found: Answer | None, condition: str, response: bytes
) -> None:
    """Section 3.2.3: an error comes as a challenge, and the client's dummy response as the last word."""
    machine = negotiation()
    machine.begin("OAUTHBEARER", message())
    assert machine.answer(found) == SIGNAL
    assert machine.respond(response) == Failure(condition)


@pytest.mark.parametrize("authzid", ["eve@example.com", "ada@example.net", "ada", "ada@example.com/phone"])
def test_a_token_signs_nobody_else_in(authzid: str) -> None:
    assert outcome(message(authzid), Bearer("ada", "phone")) == Failure("invalid-authzid")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01\x01",
        b"n,,\x01auth=Bearer x\x01",
        message(auth="Basic YWRhOnB3"),
        message(auth="Bearer "),
        message(auth="Bearer a b"),
        message(more="auth=Bearer y\x01"),
        b"p=tls-unique,,\x01auth=Bearer x\x01\x01",
        b"n,,\x01auth=Bearer \xff\x01\x01",
        b"\0ada\0pw",
    ],
)
def test_a_malformed_message_is_refused(sent: bytes) -> None:
    assert outcome(sent, Bearer("ada", "phone")) == Failure("malformed-request")


def test_no_token_is_taken_in_the_clear() -> None:
    machine = Negotiation(offer(is_secure=False), HOST, bytes, b"secret")
    assert machine.begin("OAUTHBEARER", message()) == Failure("encryption-required")


def test_a_token_stands_in_no_text_form() -> None:
    machine = negotiation()
    assert TOKEN not in repr(machine.begin("OAUTHBEARER", message())) + repr(machine.state)
