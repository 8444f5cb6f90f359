"""What was scanned or typed, taken apart."""

from __future__ import annotations

import pytest

from heliograph.errors import RequestInvalid
from heliograph.sdk import qr_text

CODE, KEY_HASH = "C" * 43, "K" * 43


@pytest.mark.parametrize("host", ["chat.example", "127.0.0.1:8080", "[::1]:8080"])
@pytest.mark.parametrize("prefix", ["", "https://chat.example/link#", "  "])
def test_a_qr_text_has_a_code_a_thumbprint_and_a_host(prefix: str, host: str) -> None:
    assert qr_text.read(f"{prefix}HG1.{CODE}.{KEY_HASH}.{host}") == (CODE, KEY_HASH, host)


@pytest.mark.parametrize("typed", ["BCDFGHJK", "bcdf-ghjk", "BCDF GHJK", " bcdf.ghjk\n"])
def test_a_typed_code_stands_alone(typed: str) -> None:
    assert qr_text.read(typed) == (typed.strip(), None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BCDFGHJ",
        "BCDFGHJKL",
        CODE,
        f"HG2.{CODE}.{KEY_HASH}.chat.example",
        f"HG1.{CODE}.{KEY_HASH}",
        f"HG1.{CODE}.{KEY_HASH}.",
        f"HG1.{CODE}x.{KEY_HASH}.chat.example",
        f"HG1.{CODE}.{KEY_HASH}.chat.example/path",
        f"javascript:HG1.{CODE}.{KEY_HASH}.chat.example",
        f"https://chat.example/other#HG1.{CODE}.{KEY_HASH}.chat.example",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid):
        qr_text.read(text)
