"""The TLS certificate of a node; for development, a self-signed one made at the first start."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from heliograph.errors import SettingsInvalid
from heliograph.tls_pipe import end_point

CERTIFICATE_NAME, KEY_NAME = "certificate.pem", "key.pem"
"""What the files of a self-signed certificate are called."""
_DAYS = 825
_LOOPBACK = ("127.0.0.1", "::1")


def server_end_point(certificate: Path) -> bytes | None:
    """The channel binding of all TLS connections with that certificate (RFC 5929, section 4.1), if it has one."""
    first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]  # those behind it are the authorities'
    return end_point(first.public_bytes(serialization.Encoding.DER))


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's TLS settings: TLS 1.2 and later, no renegotiation, no compression (RFC 9325, sections 3 and 4).

    Raises:
        SettingsInvalid: the files cannot be read or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["xmpp-client"])  # a client may ask for it (XEP-0368, section 2)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(f"The certificate {certificate} cannot be used: {error}") from None
    return context


def self_signed(folder: Path, domains: Iterable[str]) -> tuple[Path, Path]:
    """The self-signed certificate of a folder with its key, made now if they are not there.

    Args:
        folder: where `certificate.pem` and `key.pem` lie; the key is readable by its owner alone.
        domains: DNS names for a new certificate; each also covers the names directly below it.
    """
    certificate, key = folder / CERTIFICATE_NAME, folder / KEY_NAME
    if not (certificate.exists() and key.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = ec.generate_private_key(ec.SECP256R1())
        _write(
            key,
            secret.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            0o600,
        )
        made = _certificate(secret, list(domains)).public_bytes(serialization.Encoding.PEM)
        _write(certificate, made, 0o644)
    return certificate, key


def _certificate(secret: ec.EllipticCurvePrivateKey, domains: list[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0])])
    names: list[x509.GeneralName] = [
        x509.DNSName(each) for domain in domains for each in (domain, f"*.{domain}") if not _is_address(domain)
    ]
    addresses = [*_LOOPBACK, *(domain for domain in domains if _is_address(domain) and domain not in _LOOPBACK)]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all, never readable by more than `mode` says."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
