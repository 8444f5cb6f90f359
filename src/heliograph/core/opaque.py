"""Opaque strings: licence keys, tokens and ids are a prefix and random bytes; secrets among them rest as a digest.

The secrets hold 256 random bits, so their plain SHA-256 cannot be turned back and needs neither salt nor slow hash.
"""

from __future__ import annotations

import base64
import hashlib

SECRET_FORM = "[A-Za-z0-9_-]{43}"
"""What follows the prefix of a secret of 32 bytes, as a regular expression."""


def encode(prefix: str, chance: bytes) -> str:
    """An opaque string: the prefix, then the random bytes as unpadded base64url (RFC 4648, section 5)."""
    return prefix + base64.urlsafe_b64encode(chance).rstrip(b"=").decode("ascii")


def digest(text: str) -> bytes:
    """The SHA-256 under which a secret is stored and looked up."""
    return hashlib.sha256(text.encode()).digest()
