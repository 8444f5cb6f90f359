"""Is the certificate good: read, valid now and for a while, made for our names, and does the key belong to it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from heliograph.doctor.findings import Finding, ok, problem, warning

SUBJECT = "certificate"
EXPIRES_SOON = dt.timedelta(days=14)
_ASK_ANEW = "Get a new certificate for these names, and restart the node."


def look(certificate: Path, key: Path, names: Iterable[str], now: dt.datetime) -> list[Finding]:
    """What there is to say of a certificate and its key.

    Args:
        certificate: the chain in PEM form.
        key: its private key in PEM form.
        names: the DNS names that clients connect to.
        now: with its time zone.
    """
    try:
        found = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except OSError as error:
        return [problem(SUBJECT, f"{certificate}: {error.strerror}", "Correct tls_certificate_file or its mode.")]
    except ValueError:
        return [problem(SUBJECT, f"{certificate} is no certificate in PEM form", "Convert it, the leaf first.")]
    return [*_time(found, now), *_names(found, names), *_key(found, key), *_issuer(found)]


def _time(found: x509.Certificate, now: dt.datetime) -> list[Finding]:
    left = found.not_valid_after_utc - now
    if now < found.not_valid_before_utc:
        return [
            problem(SUBJECT, f"not valid before {found.not_valid_before_utc:%Y-%m-%d}", "Check the clock, or wait.")
        ]
    if left <= dt.timedelta():
        return [problem(SUBJECT, f"expired on {found.not_valid_after_utc:%Y-%m-%d}", _ASK_ANEW)]
    if left < EXPIRES_SOON:
        return [warning(SUBJECT, f"expires in {left.days} days", _ASK_ANEW)]
    return [ok(SUBJECT, f"valid for {left.days} days")]


def _names(found: x509.Certificate, names: Iterable[str]) -> list[Finding]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [problem(SUBJECT, "it names no host (no subjectAltName)", _ASK_ANEW)]
    covered = [name.lower() for name in extension.get_values_for_type(x509.DNSName)]
    missing = [name for name in dict.fromkeys(names) if not any(_covers(each, name) for each in covered)]
    if missing:
        return [problem(SUBJECT, f"it is not made for {', '.join(missing)}", _ASK_ANEW)]
    return [ok(SUBJECT, "made for all names of this node")]


def _covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate is that host; a star stands for one label (RFC 9525, section 6.3)."""
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return pattern == name


def _key(found: x509.Certificate, key: Path) -> list[Finding]:
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        return [problem(SUBJECT, f"{key}: {error.strerror}", "Correct tls_key_file or its mode.")]
    except (ValueError, TypeError):
        return [problem(SUBJECT, f"{key} is no private key in PEM form without a passphrase", "Convert it.")]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != found.public_key().public_bytes(*form):
        return [problem(SUBJECT, "the key belongs to another certificate", "Set the two files that belong together.")]
    return [ok(SUBJECT, "the key belongs to it")]


def _issuer(found: x509.Certificate) -> list[Finding]:
    if found.issuer == found.subject:
        advice = "Fine on one machine; for users elsewhere, set tls_certificate_file and tls_key_file."
        return [warning(SUBJECT, "it is self-signed, so clients do not trust it by themselves", advice)]
    return [ok(SUBJECT, "issued by an authority")]
