"""What a phone has scanned or typed, taken apart."""

from __future__ import annotations

import re
from typing import NamedTuple

from heliograph.errors import RequestInvalid

_TEXT = re.compile(r"HG1\.(?P<code>[A-Za-z0-9_-]{43})\.(?P<key_hash>[A-Za-z0-9_-]{43})\.(?P<host>[^\s/]+)")
_LINK = re.compile(r"https?://[^#\s]+/link#")
_TYPED = re.compile(r"[A-Za-z]{4}[\s._-]?[A-Za-z]{4}")


class ScannedText(NamedTuple):
    """A code for the server and, of a QR text, the thumbprint of the browser's key and the host; else `None`."""

    code: str
    key_hash: str | None
    host: str | None


def read(scanned: str) -> ScannedText:
    """Take apart the text of a QR code (opaque or a link), or a typed code.

    Raises:
        RequestInvalid: it is neither.
    """
    text = scanned.strip()
    link = _LINK.match(text)
    found = _TEXT.fullmatch(text[link.end() :] if link else text)
    if found is not None:
        return ScannedText(found["code"], found["key_hash"], found["host"])
    if _TYPED.fullmatch(text) is None:
        raise RequestInvalid("This is no code for signing in", details={"field": "scanned_text"})
    return ScannedText(text, None, None)
