"""SCRAM (RFC 5802, RFC 7677)."""

from __future__ import annotations

import hashlib
import hmac


def derive(password: str, salt: bytes, iterations: int, algorithm: str) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey of a password (RFC 5802, section 3).

    Args:
        password: used as it is; a password that a person typed goes through `prepare_password` first.
        salt: random bytes of the account.
        iterations: rounds of PBKDF2.
        algorithm: `"sha1"` or `"sha256"`.
    """
    salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    return hashlib.new(algorithm, client_key).digest(), hmac.digest(salted, b"Server Key", algorithm)
