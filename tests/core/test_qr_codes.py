"""The forms of QR sign-in: texts, codes, keys."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey

from heliograph.core import opaque, qr_codes
from heliograph.errors import ExpiredToken, RequestInvalid

KEY = ECKey.generate_key("P-256")
JWK: Mapping[str, str] = {name: str(value) for name, value in KEY.as_dict(private=False).items()}


def test_the_text_is_opaque_to_a_camera() -> None:
    assert qr_codes.text("CODE", "HASH", "chat.example:8443", is_link=False) == "HG1.CODE.HASH.chat.example:8443"


def test_a_link_keeps_the_code_in_its_fragment() -> None:
    link = qr_codes.text("CODE", "HASH", "chat.example", is_link=True)
    assert link == "https://chat.example/link#HG1.CODE.HASH.chat.example"


@given(st.binary(min_size=16, max_size=16))
def test_a_typed_code_is_eight_letters_without_vowels_and_is_read_back(chance: bytes) -> None:
    typed = qr_codes.typed_code(chance)
    assert len(typed) == 8
    assert set(typed) <= set(qr_codes.TYPED_ALPHABET)
    for spelling in (typed, typed.lower(), f"{typed[:4]}-{typed[4:]}", f" {typed[:4]} {typed[4:]}\n"):
        assert qr_codes.read(spelling) == (opaque.digest(typed), True)


def test_every_letter_of_a_typed_code_comes_up_as_often_as_any_other() -> None:
    drawn = "".join(qr_codes.typed_code(number.to_bytes(16)) for number in range(20**2))
    assert {drawn.count(letter) for letter in set(drawn) - {"B"}} == {40}


@given(st.binary(min_size=32, max_size=32))
def test_a_code_is_256_bits_and_is_read_back(chance: bytes) -> None:
    code = qr_codes.code(chance)
    assert len(code) == 43
    assert qr_codes.read(code) == (opaque.digest(code), False)


@pytest.mark.parametrize("text", ["", "AEIOUAEI", "BCDFGHJ", "BCDFGHJKL", "x" * 42, "x" * 44, "B" * 8 + "\0", "é" * 8])
def test_what_is_no_code_is_refused_as_one_that_is_over(text: str) -> None:
    with pytest.raises(ExpiredToken):
        qr_codes.read(text)


@given(st.binary(min_size=8, max_size=8))
def test_a_check_code_has_two_digits(chance: bytes) -> None:
    code = qr_codes.check_code(chance)
    assert len(code) == 2
    assert code.isdecimal()


def test_a_key_has_the_thumbprint_of_rfc_7638_and_no_more_members_than_it_needs() -> None:
    key = qr_codes.public_key({**JWK, "kid": "x", "d": KEY.as_dict(private=True)["d"], "use": "sig"})
    assert key.thumbprint == KEY.thumbprint()
    assert '"d"' not in key.jwk


@pytest.mark.parametrize(
    "change",
    [{"x": JWK["y"]}, {"crv": "P-384"}, {"kty": "OKP"}, {"x": ""}, {"y": "!"}, {"x": JWK["x"] * 2}, {"x": None}],
)
def test_a_point_off_the_curve_and_what_is_no_key_of_p256_is_refused(change: dict[str, str | None]) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        qr_codes.public_key({**JWK, **change})
    assert refusal.value.details == {"field": "publicKey"}


def test_another_kind_of_key_is_refused() -> None:
    with pytest.raises(RequestInvalid):
        qr_codes.public_key(OKPKey.generate_key("X25519").as_dict(private=False))
