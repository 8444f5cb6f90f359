"""Which mechanism a client takes of what a server offers, and whom it does not believe."""

from __future__ import annotations

import hashlib
from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp.c2s_events import Terms
from heliograph.xmpp.sasl import Challenge, Failure, Negotiation, Success
from heliograph.xmpp.sasl_claims import CredentialsWanted, Known, Offer, Refused, Verifier
from heliograph.xmpp.sasl_initiator import Attempt, Claimant, Offered
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.scram import END_POINT, ChannelBinding, ScramError, derive
from heliograph.xmpp.stream import Limits
from heliograph.xmpp.stream_features import before_sign_in

BINDING = ChannelBinding(END_POINT, hashlib.sha256(b"certificate").digest())
OTHER = ChannelBinding(END_POINT, hashlib.sha256(b"another certificate").digest())
SALT = bytes(16)
KEYS = (*derive("pw", SALT, 4096, "sha1"), *derive("pw", SALT, 4096, "sha256"))
KNOWN = Known(SALT, 4096, [Verifier("phone", *KEYS, hashlib.sha256(b"pw").digest())])
TERMS = Terms("example.com".__eq__, Limits(1000, 8, 64), bytes, b"secret")


def features(made: Offer) -> Element:
    return fromstring(f"<features>{before_sign_in(TERMS, made)}</features>")


def choose(offered: Offered, binding: ChannelBinding | None = BINDING, *, is_secure: bool = True) -> Attempt:
    return Claimant("ada", "pw", "nonce", is_secure, binding).choose(offered)


def offered(*mechanisms: str, bindings: set[str] | None = None) -> Offered:
    return Offered(frozenset(mechanisms), None if bindings is None else frozenset(bindings))


ALL = ("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS")


@pytest.mark.parametrize(
    ("seen", "binding", "mechanism", "flag"),
    [
        (offered(*ALL, bindings={END_POINT}), BINDING, "SCRAM-SHA-256-PLUS", f"p={END_POINT},,"),
        (offered("SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", bindings={END_POINT}), BINDING, "SCRAM-SHA-1-PLUS", "p="),
        (offered(*ALL, bindings={"tls-exporter"}), BINDING, "SCRAM-SHA-256", "n,,"),
        (offered(*ALL), BINDING, "SCRAM-SHA-256", "n,,"),  # which type it would be, nobody says
        (offered(*ALL, bindings={END_POINT}), None, "SCRAM-SHA-256", "n,,"),
        (offered("SCRAM-SHA-1", "PLAIN"), BINDING, "SCRAM-SHA-1", "y,,"),
        (offered("SCRAM-SHA-1", "PLAIN"), None, "SCRAM-SHA-1", "n,,"),
        (offered("PLAIN", "X"), BINDING, "PLAIN", "\0ada\0pw"),
    ],
)
def test_the_best_of_the_offer_is_taken(
    seen: Offered, binding: ChannelBinding | None, mechanism: str, flag: str
) -> None:
    attempt = choose(seen, binding)
    assert attempt.mechanism == mechanism
    assert attempt.first.decode().startswith(flag)


@pytest.mark.parametrize(("seen", "is_secure"), [(offered("PLAIN"), False), (offered("X"), True), (offered(), True)])
def test_nothing_that_is_not_safe_is_taken(seen: Offered, is_secure: bool) -> None:
    with pytest.raises(Refused) as caught:
        choose(seen, None, is_secure=is_secure)
    assert caught.value.condition == "invalid-mechanism"


def converse(server: Offer, seen: Element, binding: ChannelBinding | None) -> Success | Failure:
    """A client that sees those features, and a server that has made that offer."""
    attempt = choose(Offered.read(seen), binding)
    assert attempt.exchange is not None
    machine = Negotiation(server, "example.com", bytes, b"secret")
    step = machine.begin(attempt.mechanism, attempt.first)
    if isinstance(step, CredentialsWanted):
        step = machine.answer(KNOWN)
    if isinstance(step, Challenge):
        step = machine.respond(attempt.exchange.final(step.message))
    if isinstance(step, Success):
        attempt.exchange.verify(step.message or b"")
    assert isinstance(step, Success | Failure)
    return step


@pytest.mark.parametrize("binding", [BINDING, None])
def test_our_client_signs_in_at_our_server(binding: ChannelBinding | None) -> None:
    made = offer(is_secure=True, binding=BINDING)
    assert isinstance(converse(made, features(made), binding), Success)


def test_a_man_in_the_middle_with_a_certificate_of_his_own_is_found_out_by_the_server() -> None:
    made = offer(is_secure=True, binding=BINDING)
    assert converse(made, features(made), OTHER) == Failure("not-authorized")


def test_who_hides_the_plus_mechanisms_is_found_out_by_the_server() -> None:
    """RFC 5802, section 6: the client says that it could have bound the channel."""
    seen = features(offer(is_secure=True))
    assert converse(offer(is_secure=True, binding=BINDING), seen, OTHER) == Failure("not-authorized")


def test_who_hides_the_types_of_channel_binding_is_found_out_by_the_client() -> None:
    """XEP-0474: the client would have gone on without channel binding, and the hash of the offer tells it."""
    made = offer(is_secure=True, binding=BINDING)
    seen = features(made)
    seen.remove(seen[-1])
    with pytest.raises(ScramError, match="list of mechanisms"):
        converse(made, seen, OTHER)


def test_who_hides_the_stronger_hash_is_found_out_by_the_client() -> None:
    made = offer(is_secure=True)
    seen = features(made)
    mechanisms = seen[0]
    mechanisms.remove(mechanisms[0])
    with pytest.raises(ScramError, match="list of mechanisms"):
        converse(made, seen, None)


def test_secrets_stand_in_no_text_form() -> None:
    shown = repr(Claimant("ada", "do not show", "nonce", True)) + repr(choose(offered("PLAIN")))
    assert "do not show" not in shown
    assert "pw" not in shown
