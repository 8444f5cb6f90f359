from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator

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
    Negotiation,
    Proving,
    Step,
    Success,
)
from heliograph.xmpp.sasl_claims import CredentialsWanted, Known, Verifier, decoy
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.scram import END_POINT, ChannelBinding, decode_base64, derive, offer_digest

HOST = "example.com"
SALT = bytes(range(limits.SALT_BYTES))
SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256"]


def verifier(session_id: str, password: str) -> Verifier:
    keys = (*derive(password, SALT, 4096, "sha1"), *derive(password, SALT, 4096, "sha256"))
    return Verifier(session_id, *keys, hashlib.sha256(password.encode()).digest())


BINDING = ChannelBinding(END_POINT, hashlib.sha256(b"certificate").digest())
MECHANISMS = offer(is_secure=True, binding=BINDING).mechanisms
KNOWN = Known(SALT, 4096, [verifier("phone", "pw-phone"), verifier("laptop", "pw-laptop")])
BLOCKED = Known(SALT, 4096, (), is_blocked=True)


def negotiation(*, is_secure: bool = True, is_bound: bool = False, secret: bytes = b"secret") -> Negotiation:
    return Negotiation(offer(is_secure=is_secure, binding=BINDING if is_bound else None), HOST, bytes, secret)


def plain(username: str, password: str, authzid: str = "") -> tuple[str, bytes]:
    return "PLAIN", f"{authzid}\0{username}\0{password}".encode()


def sent(step: Step) -> bytes:
    """What a challenge or success carries."""
    assert isinstance(step, Challenge | Success)
    return step.message or b""


def scram_until_proof(
    mechanism: str, password: str, known: Known | None, machine: Negotiation
) -> tuple[ScramClient, Step]:
    client = ScramClient([mechanism], "ada", password)
    assert machine.begin(mechanism, client.get_client_first().encode()) == CredentialsWanted("ada", HOST, mechanism)
    client.set_server_first(sent(machine.answer(known)).decode())
    return client, machine.respond(client.get_client_final().encode())


@pytest.mark.parametrize("session_id", ["phone", "laptop"])
def test_plain_finds_the_session_of_the_password(session_id: str) -> None:
    machine = negotiation()
    assert machine.begin(*plain("ada", f"pw-{session_id}")) == CredentialsWanted("ada", HOST, "PLAIN")
    assert machine.answer(KNOWN) == Success("ada", session_id)


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
    machine.begin(*plain("ada", "wrong"))
    assert machine.answer(known) == Failure("not-authorized")


def test_the_challenge_of_an_unknown_user_looks_like_that_of_a_known_one() -> None:
    def challenge(username: str, known: Known | None, secret: bytes = b"secret") -> dict[str, str]:
        machine = negotiation(secret=secret)
        machine.begin("SCRAM-SHA-1", f"n,,n={username},r=abc".encode())
        return dict(part.split("=", 1) for part in sent(machine.answer(known)).decode().split(","))

    real, decoy = challenge("ada", KNOWN), challenge("eve", None)
    assert (len(decode_base64(decoy["s"])), int(decoy["i"])) == (limits.SALT_BYTES, limits.SCRAM_ITERATIONS)
    assert {key: len(value) for key, value in real.items()} == {key: len(value) for key, value in decoy.items()}
    assert decoy == challenge("EVE", None)
    assert decoy["s"] != challenge("mallory", None)["s"]
    assert decoy["s"] != challenge("eve", None, b"other")["s"]


@pytest.mark.parametrize("request_", [plain("ada", "pw-phone"), ("SCRAM-SHA-1", b"n,,n=ada,r=abc")])
def test_a_blocked_user_is_told_so(request_: tuple[str, bytes]) -> None:
    machine = negotiation()
    machine.begin(*request_)
    step = machine.answer(BLOCKED)
    assert isinstance(step, Failure)
    assert step.condition == "account-disabled"


def test_plain_is_offered_and_taken_on_secure_streams_alone() -> None:
    assert offer(is_secure=True).mechanisms == ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "OAUTHBEARER")
    assert offer(is_secure=False).mechanisms == ("SCRAM-SHA-256", "SCRAM-SHA-1")
    assert negotiation(is_secure=False).begin(*plain("ada", "pw-phone")) == Failure("encryption-required")
    assert isinstance(negotiation(is_secure=False).begin("SCRAM-SHA-1", b"n,,n=ada,r=abc"), CredentialsWanted)


@pytest.mark.parametrize("mechanism", ["", "DIGEST-MD5", "plain", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_another_mechanism_is_invalid(mechanism: str) -> None:
    assert negotiation().begin(mechanism, b"x") == Failure("invalid-mechanism")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])
def test_the_first_message_may_come_after_an_empty_challenge(mechanism: str) -> None:
    machine = negotiation()
    assert machine.begin(mechanism, None) == Challenge()
    message = b"\0ada\0pw-phone" if mechanism == "PLAIN" else b"n,,n=ada,r=abc"
    assert machine.respond(message) == CredentialsWanted("ada", HOST, mechanism)


@pytest.mark.parametrize(
    "data", [b"", b"ada", b"\0ada", b"\0ada\0", b"\0\0pw", b"\0ada\0pw\0", b"\0\xff\0pw", b"\xff\0ada\0pw", b"\0\0"]
)
def test_a_malformed_plain_message_is_refused(data: bytes) -> None:
    assert negotiation().begin("PLAIN", data) == Failure("malformed-request")


@pytest.mark.parametrize(
    "data", [b"", b"n,,n=ada", b"y", b"n,,m=x,n=ada,r=abc", b"p=tls-unique,,n=ada,r=abc", b"n,,n=\xff,r=abc"]
)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_malformed_scram_message_is_refused(mechanism: str, data: bytes) -> None:
    assert negotiation().begin(mechanism, data) == Failure("malformed-request")


def test_a_malformed_answer_to_the_challenge_is_refused() -> None:
    machine = negotiation()
    machine.begin("SCRAM-SHA-1", b"n,,n=ada,r=abc")
    machine.answer(KNOWN)
    assert machine.respond(b"") == Failure("malformed-request")


def test_the_username_is_prepared_as_a_localpart() -> None:
    assert negotiation().begin(*plain("ADA", "x")) == CredentialsWanted("ada", HOST, "PLAIN")
    for impossible in ("a b", "ada@example.com", "\u265a"):
        assert negotiation().begin(*plain(impossible, "x")) == Failure("not-authorized")


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
    requests = [plain("ada", "pw-phone", authzid), ("SCRAM-SHA-1", f"n,{gs2},n=ada,r=abc".encode())]
    for request in requests:
        step = negotiation().begin(*request)
        assert isinstance(step, CredentialsWanted) if is_own else step == Failure("invalid-authzid")


def test_a_proof_for_one_mechanism_does_not_work_for_the_other() -> None:
    client = ScramClient(["SCRAM-SHA-1"], "ada", "pw-phone")
    machine = negotiation()
    machine.begin("SCRAM-SHA-256", client.get_client_first().encode())
    client.set_server_first(sent(machine.answer(KNOWN)).decode())
    assert machine.respond(client.get_client_final().encode()) == Failure("not-authorized")


def test_each_attempt_has_a_nonce_of_its_own() -> None:
    draws = iter(range(10))
    nonces = set()
    for _ in range(3):
        machine = Negotiation(offer(is_secure=True), HOST, lambda size: next(draws).to_bytes(size), b"secret")
        machine.begin("SCRAM-SHA-1", b"n,,n=ada,r=abc")
        nonces.add(sent(machine.answer(KNOWN)).split(b",")[0])
    assert len(nonces) == 3


def test_secrets_stand_in_no_text_form() -> None:
    machine = negotiation()
    machine.begin(*plain("ada", "do not show"))
    shown = repr(machine.state) + repr(KNOWN)
    assert "do not show" not in shown
    assert not any(str(value) in shown for value in (KNOWN.verifiers[0].sha256, KNOWN.verifiers[0].stored_sha1))


# ------------------------------------------------------------------------------------------- every state and input


def machines() -> Iterator[Negotiation]:
    yield negotiation()
    for steps in range(1, 5):
        machine = negotiation()
        if steps >= 1:
            machine.begin("SCRAM-SHA-1", None)
        if steps >= 2:
            machine.respond(b"n,,n=ada,r=abc")
        if steps >= 3:
            machine.answer(KNOWN)
        if steps >= 4:
            machine.respond(b"c=biws")
        yield machine


def test_the_walk_below_sees_every_state() -> None:
    assert [type(machine.state) for machine in machines()] == [Fresh, Invited, Asking, Proving, Done]


@pytest.mark.parametrize("kind", Input)
@pytest.mark.parametrize("number", range(5))
def test_every_state_takes_or_refuses_every_input(number: int, kind: Input) -> None:
    machine = list(machines())[number]
    is_listed = (type(machine.state), kind) in Negotiation.TRANSITIONS
    step = {
        Input.BEGIN: lambda: machine.begin("PLAIN", b"!"),
        Input.RESPOND: lambda: machine.respond(b"!"),
        Input.ANSWER: lambda: machine.answer(KNOWN),
    }[kind]()
    assert isinstance(step, Challenge) if is_listed and kind is Input.ANSWER else step == Failure("malformed-request")
    assert isinstance(machine.state, Proving if is_listed and kind is Input.ANSWER else Done)


def test_a_finished_attempt_takes_nothing_more() -> None:
    machine = negotiation()
    machine.begin(*plain("ada", "pw-phone"))
    machine.answer(KNOWN)
    assert machine.answer(KNOWN) == Failure("malformed-request")
    assert machine.begin(*plain("ada", "pw-phone")) == Failure("malformed-request")


@given(
    st.sampled_from((*MECHANISMS, "X", "")),
    st.booleans(),
    st.one_of(st.none(), st.binary(max_size=40)),
    st.binary(max_size=40),
)
def test_whatever_a_client_sends_ends_in_a_step(
    mechanism: str, is_bound: bool, first: bytes | None, second: bytes
) -> None:
    machine = negotiation(is_bound=is_bound)
    for step in (machine.begin(mechanism, first), machine.respond(second), machine.answer(KNOWN)):
        assert isinstance(step, Challenge | CredentialsWanted | Failure)


# ----------------------------------------------------------------------------------------------------- channel binding

PLUS = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]


def proved(machine: Negotiation, mechanism: str, flag: str, bound: bytes = b"", password: str = "pw-phone") -> Step:
    """The end of an exchange whose client says that of channel binding; written anew, not by our own client."""
    algorithm = "sha1" if "SHA-1" in mechanism else "sha256"
    first = machine.begin(mechanism, f"{flag},,n=ada,r=abc".encode())
    if not isinstance(first, CredentialsWanted):
        return first
    server_first = sent(machine.answer(KNOWN)).decode()
    nonce = server_first.partition(",")[0]
    bare = f"c={b64encode(f'{flag},,'.encode() + bound).decode()},{nonce}"
    salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), SALT, 4096)
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    signed = f"n=ada,r=abc,{server_first},{bare}".encode()
    signature = hmac.digest(hashlib.new(algorithm, client_key).digest(), signed, algorithm)
    proof = b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    return machine.respond(f"{bare},p={proof}".encode())


def test_channel_binding_is_offered_where_there_is_some() -> None:
    assert MECHANISMS == (
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "PLAIN",
        "OAUTHBEARER",
    )


@pytest.mark.parametrize("mechanism", PLUS)
def test_who_binds_to_this_connection_signs_in(mechanism: str) -> None:
    step = proved(negotiation(is_bound=True), mechanism, f"p={END_POINT}", BINDING.data)
    assert isinstance(step, Success)
    assert step.session_id == "phone"


@pytest.mark.parametrize("mechanism", PLUS)
@pytest.mark.parametrize("bound", [b"", bytes(32), BINDING.data[:-1], BINDING.data + b"x"])
def test_who_binds_to_another_connection_is_refused(mechanism: str, bound: bytes) -> None:
    """A man in the middle has another certificate, whatever the client thinks of it."""
    assert proved(negotiation(is_bound=True), mechanism, f"p={END_POINT}", bound) == Failure("not-authorized")


@pytest.mark.parametrize(
    ("mechanism", "flag", "condition"),
    [
        ("SCRAM-SHA-256-PLUS", "p=tls-unique", "not-authorized"),
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter", "not-authorized"),
        ("SCRAM-SHA-256-PLUS", "n", "malformed-request"),
        ("SCRAM-SHA-256-PLUS", "y", "malformed-request"),
        ("SCRAM-SHA-256", f"p={END_POINT}", "malformed-request"),
        ("SCRAM-SHA-256", "y", "not-authorized"),  # someone has hidden the offer: RFC 5802, section 6
        ("SCRAM-SHA-1", "y", "not-authorized"),
    ],
)
def test_a_flag_that_does_not_fit_the_offer_is_refused(mechanism: str, flag: str, condition: str) -> None:
    assert proved(negotiation(is_bound=True), mechanism, flag, BINDING.data) == Failure(condition)


@pytest.mark.parametrize(("is_bound", "flag"), [(True, "n"), (False, "n"), (False, "y")])
def test_a_client_without_channel_binding_signs_in_all_the_same(is_bound: bool, flag: str) -> None:
    assert isinstance(proved(negotiation(is_bound=is_bound), "SCRAM-SHA-256", flag), Success)


def test_the_challenge_tells_what_was_offered_so_that_nobody_can_hide_a_part() -> None:
    """XEP-0474, section 5.1; the second text is the one that its example hashes."""
    machine = negotiation(is_bound=True)
    machine.begin("SCRAM-SHA-1", b"n,,n=ada,r=abc")
    plain = "OAUTHBEARER\x1ePLAIN\x1eSCRAM-SHA-1\x1e"
    said = f"{plain}SCRAM-SHA-1-PLUS\x1eSCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\x1ftls-server-end-point"
    digest = b64encode(hashlib.sha1(said.encode()).digest()).decode()
    assert sent(machine.answer(KNOWN)).decode().endswith(f",h={digest}")
    machine = negotiation()
    machine.begin("SCRAM-SHA-256", b"n,,n=ada,r=abc")
    digest = b64encode(hashlib.sha256(b"OAUTHBEARER\x1ePLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256").digest()).decode()
    assert sent(machine.answer(KNOWN)).decode().endswith(f",h={digest}")
    example = offer_digest(
        ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], ["tls-server-end-point", "tls-exporter"], algorithm="sha1"
    )
    assert example == "G6k/rBLDqgOhRRaCuuatSDFkJ08="


def test_an_unknown_user_costs_what_a_user_with_one_password_costs() -> None:
    unknown = decoy(b"secret", "eve@example.com")
    (verifier,) = unknown.verifiers
    lengths = [len(part) for part in (*verifier.scram("sha1")[1:], *verifier.scram("sha256")[1:], verifier.sha256)]
    real = KNOWN.verifiers[0]
    assert lengths == [len(part) for part in (*real.scram("sha1")[1:], *real.scram("sha256")[1:], real.sha256)]
    assert unknown == decoy(b"secret", "eve@example.com") != decoy(b"other", "eve@example.com")
