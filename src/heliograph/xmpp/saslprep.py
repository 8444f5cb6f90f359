"""SASLprep, the form in which user-typed names and passwords are hashed (RFC 4013).

Strings are treated as queries: code points that Unicode 3.2 does not know are kept (RFC 3454, section 7).
"""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (  # RFC 4013, section 2.3; tables of RFC 3454
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class Unpreparable(ValueError):
    """The text holds characters that no name or password may hold; the message does not repeat it."""


def saslprep(text: str) -> str:
    """Prepare a name or password.

    Raises:
        Unpreparable: it is empty, or holds what is prohibited.
    """
    if text and text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared or any(is_in(character) for is_in in _PROHIBITED for character in prepared):
        raise Unpreparable("A name or password is empty or holds characters that it may not")
    _check_directions(prepared)
    return prepared


def _check_directions(text: str) -> None:
    """What holds a right-to-left character holds no left-to-right one, and begins and ends with one (RFC 3454,
    section 6).
    """
    if not any(map(stringprep.in_table_d1, text)):
        return
    is_framed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not is_framed or any(map(stringprep.in_table_d2, text)):
        raise Unpreparable("A name or password mixes writing directions")
