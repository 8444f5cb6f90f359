"""SCRAM bound to the TLS connection (RFC 5802, RFC 5929, XEP-0440), over real sockets."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from scramp import ScramClient

from heliograph.tls_pipe import end_point

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
HOST = "sandbox.chat.localhost"
END_POINT = "tls-server-end-point"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    f" to='{HOST}' version='1.0'>"
)
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
REFUSED = f"<failure xmlns='{NS_SASL}'><not-authorized/></failure>"


async def secured(place: Any, *, is_direct_tls: bool) -> tuple[Any, str]:
    """An open stream over TLS, and its features."""
    wire = await place.dial(is_direct_tls=is_direct_tls)
    if not is_direct_tls:
        await wire.send(HEADER + STARTTLS)
        await wire.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await wire.start_tls(place.tls, HOST)
    await wire.send(HEADER)
    return wire, await wire.until("</stream:features>")


def shown(wire: Any) -> bytes:
    """What a client makes of the certificate that it is shown: with ECDSA and SHA-256, its SHA-256."""
    certificate = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA256())


async def bind(wire: Any, mechanism: str, account: Any, data: bytes) -> str:
    client = ScramClient([mechanism], account.username, account.password, channel_binding=(END_POINT, data))
    first = b64encode(client.get_client_first().encode()).decode()
    await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{first}</auth>")
    challenge = await wire.until("</challenge>")
    client.set_server_first(b64decode(challenge.split(">")[1].split("<")[0]).decode())
    final = b64encode(client.get_client_final().encode()).decode()
    await wire.send(f"<response xmlns='{NS_SASL}'>{final}</response>")
    end = await wire.until(">")
    if end.startswith("<failure"):
        return str(end + await wire.until("</failure>"))
    success = await wire.until("</success>")
    client.set_server_final(b64decode(success.partition("<")[0]).decode())
    return "success"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
@pytest.mark.parametrize("is_direct_tls", [False, True])
async def test_an_independent_client_binds_to_the_certificate(place: Any, mechanism: str, is_direct_tls: bool) -> None:
    account = await place.register(place.name("ada"))
    wire, features = await secured(place, is_direct_tls=is_direct_tls)
    assert f"<mechanism>{mechanism}</mechanism>" in features
    binding = f"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='{END_POINT}'/>"
    assert binding in features
    assert await bind(wire, mechanism, account, shown(wire)) == "success"


async def test_who_was_shown_another_certificate_is_refused(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await secured(place, is_direct_tls=True)
    assert await bind(wire, "SCRAM-SHA-256-PLUS", account, bytes(32)) == REFUSED
    assert await bind(wire, "SCRAM-SHA-256-PLUS", account, shown(wire)) == "success"


async def test_who_did_not_see_the_offer_is_refused(place: Any) -> None:
    """RFC 5802, section 6: a client that could bind, and says that the server could not, was lied to."""
    account = await place.register(place.name("ada"))
    wire, _ = await secured(place, is_direct_tls=True)
    first = b64encode(f"y,,n={account.username},r=abc".encode()).decode()
    await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>")
    assert await wire.until("</failure>") == REFUSED


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [(hashes.SHA256(), hashes.SHA256()), (hashes.SHA384(), hashes.SHA384()), (hashes.SHA512(), hashes.SHA512())],
)
def test_a_certificate_is_hashed_as_it_was_signed(algorithm: Any, expected: Any) -> None:
    certificate = made(ec.generate_private_key(ec.SECP256R1()), algorithm)
    assert end_point(certificate.public_bytes(Encoding.DER)) == certificate.fingerprint(expected)


def test_a_certificate_whose_signature_has_no_hash_has_no_channel_binding() -> None:
    assert end_point(made(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)) is None


def test_a_certificate_that_was_signed_with_sha1_is_hashed_with_sha256() -> None:
    """The library signs none with SHA-1 any more, so the name of the algorithm is written over."""
    signed = made(rsa.generate_private_key(65537, 2048), hashes.SHA256()).public_bytes(Encoding.DER)
    sha256, sha1 = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")
    assert signed.count(sha256) == 2
    weak = signed.replace(sha256, sha1)
    assert end_point(weak) == hashlib.sha256(weak).digest()


def made(key: Any, algorithm: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    lasting = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return lasting.sign(key, algorithm)


async def test_no_channel_binding_is_offered_in_the_clear(start: Any) -> None:
    place = await start(xmpp_requires_tls=False)
    await place.register("ada")
    wire = await place.dial(is_direct_tls=False)
    await wire.send(HEADER)
    features = await wire.until("</stream:features>")
    assert "<mechanism>SCRAM-SHA-256</mechanism>" in features
    assert "PLUS" not in features
    assert "sasl-channel-binding" not in features
