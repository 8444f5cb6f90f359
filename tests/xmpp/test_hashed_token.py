"""Hashed Token (draft-schmaus-kitten-sasl-ht-09), with which FAST tokens sign in (XEP-0484)."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from heliograph.xmpp.sasl import Failure, Negotiation, Step, Success
from heliograph.xmpp.sasl_claims import Answer, Hints, Token, Tokens, TokensWanted
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.scram import END_POINT, ChannelBinding

HOST = "example.com"
CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"
HINTS = Hints(client=CLIENT, has_token=True)
BINDING = ChannelBinding(END_POINT, b"hash of the certificate")
HELD = Tokens([Token("laptop", "other", "00"), Token("phone", "secret token", "01"), Token("phone", "old", "02", True)])


def shown(token: str, binding: bytes = b"", role: bytes = b"Initiator") -> bytes:
    return hmac.new(token.encode(), role + binding, hashlib.sha256).digest()


def outcome(
    mechanism: str, sent: bytes, found: Answer | None = HELD, *, hints: Hints = HINTS, is_bound: bool = True
) -> Step:
    made = offer(is_secure=True, binding=BINDING if is_bound else None)
    machine = Negotiation(made, HOST, bytes, b"secret", hints)
    step = machine.begin(mechanism, sent)
    return machine.answer(found) if isinstance(step, TokensWanted) else step


@pytest.mark.parametrize(("mechanism", "binding"), [("HT-SHA-256-NONE", b""), ("HT-SHA-256-ENDP", BINDING.data)])
def test_a_token_signs_its_session_in_and_the_server_shows_that_it_holds_it_too(mechanism: str, binding: bytes) -> None:
    step = outcome(mechanism, b"ada\0" + shown("secret token", binding))
    assert step == Success("ada", "phone", shown("secret token", binding, b"Responder"), "01")


def test_the_question_names_the_user_the_client_and_the_mechanism() -> None:
    machine = Negotiation(offer(is_secure=True), HOST, bytes, b"secret", HINTS)
    asked = machine.begin("HT-SHA-256-NONE", b"ADA\0" + bytes(32))
    assert asked == TokensWanted("ada", HOST, CLIENT, "HT-SHA-256-NONE")


@pytest.mark.parametrize(
    ("sent", "condition"),
    [
        (b"ada\0" + shown("wrong"), "not-authorized"),
        (b"ada\0" + shown(""), "not-authorized"),  # what stands where there is no token is no token either
        (b"ada\0" + shown("secret token", role=b"Responder"), "not-authorized"),
        (b"ada\0" + shown("secret token", BINDING.data), "not-authorized"),
        (b"ada\0" + shown("secret token")[:-1], "not-authorized"),
        (b"ada\0", "not-authorized"),
        (b"ada\0" + shown("old"), "credentials-expired"),
        (b"a b\0" + shown("secret token"), "not-authorized"),
        (b"ada", "malformed-request"),
        (b"\0" + shown("secret token"), "malformed-request"),
        (b"\xff\0" + shown("secret token"), "malformed-request"),
    ],
)
def test_anything_else_signs_nobody_in(sent: bytes, condition: str) -> None:
    assert outcome("HT-SHA-256-NONE", sent) == Failure(condition)


@pytest.mark.parametrize("bound", [b"", b"hash of another certificate"])
def test_a_token_that_was_bound_to_another_connection_is_refused(bound: bytes) -> None:
    assert outcome("HT-SHA-256-ENDP", b"ada\0" + shown("secret token", bound)) == Failure("not-authorized")


def test_who_has_no_token_is_refused_as_who_has_a_wrong_one() -> None:
    for found in (None, Tokens(())):
        assert outcome("HT-SHA-256-NONE", b"ada\0" + shown("secret token"), found) == Failure("not-authorized")


def test_the_mechanisms_are_for_tokens_alone() -> None:
    sent = b"ada\0" + shown("secret token")
    assert outcome("HT-SHA-256-NONE", sent, hints=Hints(client=CLIENT)) == Failure("invalid-mechanism")
    assert outcome("HT-SHA-256-ENDP", sent, is_bound=False) == Failure("invalid-mechanism")
    step = outcome("HT-SHA-256-NONE", sent, hints=Hints(has_token=True))
    assert isinstance(step, Failure)
    assert step.condition == "malformed-request"


def test_a_token_stands_in_no_text_form() -> None:
    assert "secret token" not in repr(HELD)
