from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient, ScramMechanism

from heliograph.xmpp import scram
from heliograph.xmpp.saslprep import Unpreparable, saslprep
from heliograph.xmpp.scram import (
    ChannelBinding,
    ClientExchange,
    ScramError,
    ServerExchange,
    decode_base64,
    decoy_salt,
    derive,
    encode_base64,
    parse_client_first,
)

SALT = bytes(range(16))
MECHANISMS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
BINDING = ChannelBinding("tls-server-end-point", hashlib.sha256(b"certificate").digest())

RFC_5802 = (
    "sha1",
    "QSXCR+Q6sek8bf92",
    "fyko+d2lbbFgONRv9qkxdawL",
    "3rfcNHYJY1ZVvWVs7j",
    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
)
RFC_7677 = (
    "sha256",
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    "rOprNGfwEbeRWgbNEkqO",
    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
)


def begin(algorithm: str = "sha1", password: str = "pencil") -> tuple[ClientExchange, ServerExchange]:
    client = ClientExchange(algorithm, "user", password, "clientnonce")
    return client, ServerExchange(algorithm, parse_client_first(client.first()), "servernonce", SALT, 4096)


@pytest.mark.parametrize("vector", [RFC_5802, RFC_7677])
def test_the_conversations_of_the_rfcs_are_reproduced_on_both_sides(vector: tuple[str, ...]) -> None:
    algorithm, salt, client_nonce, server_nonce, proof, signature = vector
    client = ClientExchange(algorithm, "user", "pencil", client_nonce)
    assert client.first() == f"n,,n=user,r={client_nonce}".encode()
    server = ServerExchange(algorithm, parse_client_first(client.first()), server_nonce, decode_base64(salt), 4096)
    assert server.server_first == f"r={client_nonce}{server_nonce},s={salt},i=4096"
    final = client.final(server.server_first.encode())
    assert final == f"c=biws,r={client_nonce}{server_nonce},p={proof}".encode()
    keys = derive("pencil", decode_base64(salt), 4096, algorithm)
    assert server.finish(final, [("s", *keys)]) == ("s", f"v={signature}")
    client.verify(f"v={signature}".encode())
    assert client.is_verified


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("username", ["ada", "a,=b=2C", "\u00fc"])
def test_an_independent_client_signs_in_at_our_server(name: str, username: str) -> None:
    client = ScramClient([name], username, "correct horse")
    first = parse_client_first(client.get_client_first().encode())
    assert first.username == username
    server = ServerExchange(MECHANISMS[name], first, "abc", SALT, 4096)
    client.set_server_first(server.server_first)
    keys = derive("correct horse", SALT, 4096, MECHANISMS[name])
    session_id, final = server.finish(client.get_client_final().encode(), [("phone", *keys)])
    client.set_server_final(final)
    assert session_id == "phone"


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("username", ["ada", "a,=b=2C", "\u00fc"])
@pytest.mark.parametrize("password", ["pencil", "p\u00adencil\u2168"])
def test_our_client_signs_in_at_an_independent_server(name: str, username: str, password: str) -> None:
    mechanism = ScramMechanism(name)
    seen = []

    def look_up(asked: str) -> tuple[bytes, bytes, bytes, int]:
        seen.append(asked)
        salt, stored_key, server_key, iterations = mechanism.make_auth_info(password, salt=SALT)
        return salt, stored_key, server_key, iterations

    server = mechanism.make_server(look_up)
    client = ClientExchange(MECHANISMS[name], username, password, "abc")
    server.set_client_first(client.first().decode())
    server.set_client_final(client.final(server.get_server_first().encode()).decode())
    client.verify(server.get_server_final().encode())
    assert (client.is_verified, seen) == (True, [username])


@pytest.mark.parametrize("name", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_channel_binding_agrees_with_an_independent_implementation(name: str) -> None:
    algorithm = MECHANISMS[name.removesuffix("-PLUS")]
    keys = derive("pencil", SALT, 4096, algorithm)
    pair = (BINDING.type, BINDING.data)

    other_client = ScramClient([name], "user", "pencil", channel_binding=pair)
    first = parse_client_first(other_client.get_client_first().encode(), BINDING, is_plus_offered=True)
    server = ServerExchange(algorithm, first, "abc", SALT, 4096, BINDING)
    other_client.set_server_first(server.server_first)
    other_client.set_server_final(server.finish(other_client.get_client_final().encode(), [("s", *keys)])[1])

    other_server = ScramMechanism(name).make_server(lambda _: (SALT, *keys, 4096), channel_binding=pair)
    client = ClientExchange(algorithm, "user", "pencil", "abc", BINDING)
    other_server.set_client_first(client.first().decode())
    other_server.set_client_final(client.final(other_server.get_server_first().encode()).decode())
    client.verify(other_server.get_server_final().encode())


@pytest.mark.parametrize("number", range(3))
def test_any_of_several_passwords_is_found_and_answered_with_its_own_key(number: int) -> None:
    passwords = ["first", "second", "third"]
    verifiers = [(password, *derive(password, SALT, 4096, "sha1")) for password in passwords]
    client, server = begin(password=passwords[number])
    session_id, final = server.finish(client.final(server.server_first.encode()), verifiers)
    client.verify(final.encode())
    assert session_id == passwords[number]


@pytest.mark.parametrize("password", ["", "pencil2", "Pencil"])
def test_a_wrong_password_fits_no_verifier(password: str) -> None:
    client, server = begin(password=password or "x")
    with pytest.raises(ScramError, match="proof") as caught:
        server.finish(client.final(server.server_first.encode()), [("s", *derive("pencil", SALT, 4096, "sha1"))])
    assert caught.value.condition == "not-authorized"


def test_no_verifier_at_all_fits_nothing() -> None:
    client, server = begin()
    with pytest.raises(ScramError, match="proof"):
        server.finish(client.final(server.server_first.encode()), [])


def test_a_replayed_proof_is_refused() -> None:
    client, server = begin()
    recorded = client.final(server.server_first.encode())
    keys = derive("pencil", SALT, 4096, "sha1")
    assert server.finish(recorded, [("s", *keys)])
    later = ServerExchange("sha1", parse_client_first(client.first()), "othernonce", SALT, 4096)
    with pytest.raises(ScramError, match="another exchange"):
        later.finish(recorded, [("s", *keys)])


def test_the_stored_keys_do_not_make_a_proof() -> None:
    _, server = begin()
    stored_key, server_key = derive("pencil", SALT, 4096, "sha1")
    for key in (stored_key, server_key, bytes(20)):
        message = f"c=biws,r=clientnonceservernonce,p={encode_base64(key)}".encode()
        with pytest.raises(ScramError, match="proof"):
            server.finish(message, [("s", stored_key, server_key)])


@pytest.mark.parametrize(
    "message",
    [
        b"", b"n", b"n,,", b"n,,n=user", b"n,,n=,r=abc", b"n,,n=user,r=", b"n,,r=abc,n=user", b"x,,n=user,r=abc",
        b"n,,m=must,n=user,r=abc", b"n,,n=user,r=abc,m=must", b"n,,n=us=er,r=abc", b"n,,n=us=2c,r=abc",
        b"n,,n=user,r=a\x00", b"n,,n=us\x00er,r=a", b"n,,n=user,r=a b", b"n,a=,n=user,r=abc", b"n,b=x,n=user,r=abc",
        b"n,,n=user,r=abc,", b"n,,n=user,r=abc,x", b"n,,n=\xff,r=abc", b"n,,n=user,r=\xc3\xbc", b"nn=user,r=abc",
        b"p,,n=user,r=abc", b"p=tls-unique,,n=user,r=abc", b"p=,,n=user,r=abc", b"n,,n=user,r=abc\n",
    ],
)  # fmt: skip
def test_a_malformed_first_message_is_refused(message: bytes) -> None:
    with pytest.raises(ScramError) as caught:
        parse_client_first(message)
    assert caught.value.condition == "malformed-request"


def test_the_first_message_is_read_whole() -> None:
    first = parse_client_first(b"y,a=ada@=2Cx,n=a=2Cb=3Dc,r=abc,x=later")
    assert (first.username, first.authzid, first.nonce) == ("a,b=c", "ada@,x", "abc")
    assert (first.gs2_header, first.bare) == ("y,a=ada@=2Cx,", "n=a=2Cb=3Dc,r=abc,x=later")


def test_a_hidden_offer_of_channel_binding_is_noticed() -> None:
    assert parse_client_first(b"y,,n=user,r=abc")
    assert parse_client_first(b"n,,n=user,r=abc", is_plus_offered=True)
    with pytest.raises(ScramError) as caught:
        parse_client_first(b"y,,n=user,r=abc", is_plus_offered=True)
    assert caught.value.condition == "not-authorized"


@pytest.mark.parametrize("flag", ["n", "y"])
def test_a_plus_mechanism_needs_a_channel_binding(flag: str) -> None:
    with pytest.raises(ScramError, match="malformed"):
        parse_client_first(f"{flag},,n=user,r=abc".encode(), BINDING)


def test_another_type_of_channel_binding_is_refused() -> None:
    with pytest.raises(ScramError, match="type"):
        parse_client_first(b"p=tls-exporter,,n=user,r=abc", BINDING)


def test_the_channel_binding_of_another_connection_is_refused() -> None:
    client = ClientExchange("sha1", "user", "pencil", "abc", ChannelBinding(BINDING.type, b"another certificate"))
    server = ServerExchange("sha1", parse_client_first(client.first(), BINDING), "def", SALT, 4096, BINDING)
    with pytest.raises(ScramError, match="bindings do not match"):
        server.finish(client.final(server.server_first.encode()), [("s", *derive("pencil", SALT, 4096, "sha1"))])


@pytest.mark.parametrize("binding", [b"y,,", b"n,a=x,", b"", b"n,,more", BINDING.data])
def test_the_first_header_must_be_bound(binding: bytes) -> None:
    _, server = begin()
    message = f"c={encode_base64(binding) or '='},r=clientnonceservernonce,p=AAAA".encode()
    with pytest.raises(ScramError) as caught:
        server.finish(message, [])
    assert caught.value.condition == ("not-authorized" if binding else "malformed-request")


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"", "malformed-request"),
        (b"c=biws,r=clientnonceservernonce", "malformed-request"),
        (b"r=clientnonceservernonce,c=biws,p=AAAA", "malformed-request"),
        (b"c=biws,r=clientnonceservernonce,p=AAA", "malformed-request"),
        (b"c=biws,r=clientnonceservernonce,p=", "malformed-request"),
        (b"c=biws,r=clientnonceservernonce,p=AAAA,x=y", "malformed-request"),
        (b"c=biws,r=clientnonceservernonce,m=x,p=AAAA", "malformed-request"),
        (b"c=biws,r=clientnonce,p=AAAA", "not-authorized"),
        (b"c=biws,r=clientnonceservernonce,x=y,p=AAAA", "not-authorized"),
        (b"c=biws,r=clientnonceservernonce,p=AAAA", "not-authorized"),
    ],
)
def test_a_wrong_final_message_is_refused(message: bytes, condition: str) -> None:
    _, server = begin()
    with pytest.raises(ScramError) as caught:
        server.finish(message, [("s", *derive("pencil", SALT, 4096, "sha1"))])
    assert caught.value.condition == condition


@pytest.mark.parametrize(
    "message",
    [
        b"", b"r=clientnonceX,s=AAAA", b"r=clientnonce,s=AAAA,i=4096", b"r=other,s=AAAA,i=4096",
        b"r=clientnonceX,s=AAA,i=4096", b"r=clientnonceX,s=AAAA,i=4095", b"r=clientnonceX,s=AAAA,i=1000001",
        b"r=clientnonceX,s=AAAA,i=99999999999", b"r=clientnonceX,s=AAAA,i=-4096", b"r=clientnonceX,s=AAAA,i=04096",
        b"m=x,r=clientnonceX,s=AAAA,i=4096", b"\xff", b"r=clientnonceX,s=,i=4096",
    ],
)  # fmt: skip
def test_the_client_refuses_a_wrong_challenge(message: bytes) -> None:
    client, _ = begin()
    with pytest.raises(ScramError):
        client.final(message)


@pytest.mark.parametrize("message", [b"", b"v=AAAA", b"v=AAA", b"e=invalid-proof", b"\xff", b"v=", b"x=AAAA"])
def test_the_client_refuses_a_server_that_does_not_know_the_password(message: bytes) -> None:
    client, server = begin()
    client.final(server.server_first.encode())
    with pytest.raises(ScramError):
        client.verify(message)
    assert not client.is_verified


def test_the_client_accepts_no_signature_before_its_own_proof() -> None:
    client, _ = begin()
    with pytest.raises(ScramError):
        client.verify(b"v=AAAA")


def test_secrets_stand_in_no_text_form() -> None:
    client, server = begin(password="do not show")
    client.final(server.server_first.encode())
    assert "do not show" not in repr(client)


def test_a_decoy_salt_is_steady_and_differs_by_name_and_by_secret() -> None:
    salts = {decoy_salt(secret, jid) for secret in (b"a", b"b") for jid in ("x@example.com", "y@example.com")}
    assert len(salts) == 4
    assert {len(salt) for salt in salts} == {16}
    assert decoy_salt(b"a", "x@example.com") in salts


@pytest.mark.parametrize("text", ["A", "AA", "AAA", "AAA=A", "AB==", "AA=", "A A=", "AAAA\n", "====", "\u00fc", "AA-_"])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|ASCII|padding|multiple|characters"):
        decode_base64(text)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [  # RFC 4013, section 3, and the mappings of section 2
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b c", "a b c"),
        ("\u0627\u0628", "\u0627\u0628"),
        ("\U0001f511", "\U0001f511"),
    ],
)
def test_saslprep_makes_equal_what_looks_equal(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["", "\u00ad", "\u0007", "a\x7f", "\u0627\u0031", "\u0627a\u0628", "\ud800", "\ue000"])
def test_saslprep_refuses_what_is_prohibited(text: str) -> None:
    with pytest.raises(Unpreparable):
        saslprep(text)


PIECES = st.lists(
    st.sampled_from(["n", "y", "p=tls-unique", ",", "n=", "r=", "m=", "a=", "user", "=2C", "=", "abc", "\0", "\u00fc",
                     "c=biws", "p=", "AAAA", "s=", "i=", "4096", "v=", "e=", "clientnonce", "servernonce"]),
    max_size=12,
).map("".join)  # fmt: skip


def condition_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except ScramError as error:
        return error.condition
    return None


@given(st.one_of(st.binary(max_size=40), PIECES.map(str.encode)))
def test_any_message_is_taken_or_refused_with_a_condition(message: bytes) -> None:
    client, server = begin()
    conditions = {
        condition_of(lambda: parse_client_first(message)),
        condition_of(lambda: parse_client_first(message, BINDING)),
        condition_of(lambda: server.finish(message, [("s", bytes(20), bytes(20))])),
        condition_of(lambda: client.verify(message)),
    }
    assert conditions <= {None, "malformed-request", "not-authorized"}


NAMES = st.text(st.sampled_from("a=2C3D,\0\u00fc"), max_size=6)


@given(st.sampled_from(["n", "y", "p", ""]), NAMES, NAMES, st.sampled_from(["", ",x=y", ",xy", ",m=y", ","]))
def test_what_our_parser_takes_an_independent_one_takes_too(flag: str, name: str, nonce: str, more: str) -> None:
    message = f"{flag},,n={name},r={nonce}{more}"
    if condition_of(lambda: parse_client_first(message.encode())) is None:
        keys = derive("pencil", SALT, 1, "sha1")
        ScramMechanism("SCRAM-SHA-1").make_server(lambda _: (SALT, *keys, 4096)).set_client_first(message)


@given(key=st.binary(max_size=64), message=st.binary(max_size=300))
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_hashes_that_begin_with_a_copy_are_those_of_the_standard_library(
    algorithm: str, key: bytes, message: bytes
) -> None:
    assert scram._hmac(key, message, algorithm) == hmac.digest(key, message, algorithm)
    assert scram._hash(message, algorithm) == hashlib.new(algorithm, message).digest()
