"""The forms of QR sign-in: the text of the QR code, the typed code, the check code, the browser's key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from heliograph.core import limits, opaque
from heliograph.errors import ExpiredToken, RequestInvalid

VERSION = "HG1"
TYPED_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; no two letters that look alike (RFC 8628, section 6.1)."""

_CODE_FORM = re.compile(opaque.SECRET_FORM)
_TYPED_FORM = re.compile(f"[{TYPED_ALPHABET}]{{{limits.QR_TYPED_CODE_CHARS}}}")
_KEY_MEMBERS = ("crv", "kty", "x", "y")


class PublicKey(NamedTuple):
    """A browser's key: the JWK as JSON text, and its thumbprint (RFC 7638, SHA-256, base64url)."""

    jwk: str
    thumbprint: str


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """A browser's key, checked to be a point on P-256 (RFC 7518, section 6.2.1).

    Raises:
        RequestInvalid: it is none.
    """
    needed = {name: jwk.get(name) for name in _KEY_MEMBERS}
    try:
        if needed["kty"] != "EC" or needed["crv"] != "P-256":
            raise ValueError
        key = ECKey.import_key({name: str(value) for name, value in needed.items()})
        return PublicKey(json.dumps(key.as_dict(private=False)), key.thumbprint())
    except (JoseError, ValueError, TypeError):
        raise RequestInvalid("publicKey is a P-256 key as a JWK", details={"field": "publicKey"}) from None


def code(chance: bytes) -> str:
    """The code of a QR text: 256 random bits as base64url."""
    return opaque.encode("", chance)


def typed_code(chance: bytes) -> str:
    """A code for typing: 8 letters, 34 bits. 16 random bytes make every code equally likely but for 2^-93."""
    number = int.from_bytes(chance)
    letters = []
    for _ in range(limits.QR_TYPED_CODE_CHARS):
        number, index = divmod(number, len(TYPED_ALPHABET))
        letters.append(TYPED_ALPHABET[index])
    return "".join(letters)


def check_code(chance: bytes) -> str:
    """The digits that the phone shows and the browser asks for."""
    return f"{int.from_bytes(chance) % 10**limits.QR_CHECK_CODE_DIGITS:0{limits.QR_CHECK_CODE_DIGITS}}"


def text(code: str, key_hash: str, host: str, *, is_link: bool, scheme: str = "https") -> str:
    """What the QR code holds: opaque, so that a camera app does not open it; or, where the app wants that, a link whose
    fragment never leaves the phone.
    """
    opaque_text = f"{VERSION}.{code}.{key_hash}.{host}"
    return f"{scheme}://{host}/link#{opaque_text}" if is_link else opaque_text


class ShownCode(NamedTuple):
    """A code that a phone has sent: its digest, and whether it was typed."""

    hash: bytes
    is_typed: bool


def read(shown: str) -> ShownCode:
    """The code that a phone has scanned, or that its user has typed in any case and with any punctuation (RFC 8628,
    section 6.1).

    Raises:
        ExpiredToken: it cannot be a code, and so is none that is valid.
    """
    if _CODE_FORM.fullmatch(shown):
        return ShownCode(opaque.digest(shown), is_typed=False)
    typed = re.sub(r"[\s._-]", "", shown[: 4 * limits.QR_TYPED_CODE_CHARS]).upper()
    if _TYPED_FORM.fullmatch(typed) is None:
        raise ExpiredToken("There is no such code")
    return ShownCode(opaque.digest(typed), is_typed=True)
