"""The rules for the fields of a profile: each takes a value that is not empty and gives its normal form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import phonenumbers
import regex  # type: ignore[import-untyped]
from email_validator import EmailNotValidError, validate_email

from heliograph.core import limits
from heliograph.errors import ProfileInvalid
from heliograph.xmpp import vcard_extra
from heliograph.xmpp.vcard_properties import phone_number

_GRAPHEME = regex.compile(r"\X")
_E164 = re.compile(r"\+?[1-9][0-9]{1,14}")
_INVISIBLE = frozenset(("Cf", "Mn", "Zl", "Zp", "Zs"))
_LINE_ENDS = frozenset("\n\u2028\u2029")
_NO_REGION = "ZZ"
_NATIONAL_REGION = "US"
"""Where a number without a country code is taken to be: ten digits alone are a number of the North American plan."""


def invalid(field: str, message: str) -> ProfileInvalid:
    """The error that names a field."""
    return ProfileInvalid(message, details={"field": field})


def _check_text(field: str, text: str) -> str:
    """Text that XML can carry, within the cap in bytes."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs") and character != "\n":
            raise invalid(field, f"The {field} holds control characters")
        if character in "\ufffe\uffff":  # the characters beyond Cc and Cs that XML 1.0, section 2.2 leaves out
            raise invalid(field, f"The {field} holds characters that are none")
    if len(text.encode()) > limits.FIELD_MAX_BYTES:
        raise invalid(field, f"The {field} has more than {limits.FIELD_MAX_BYTES} bytes")
    return text


def grapheme_count(text: str) -> int:
    """How many characters a person sees: extended grapheme clusters (UAX #29)."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def _check_name(field: str, value: str) -> str:
    name = _check_text(field, value.strip())
    if not _LINE_ENDS.isdisjoint(name):
        raise invalid(field, "The name is one line")
    if all(unicodedata.category(character) in _INVISIBLE for character in name):
        raise invalid(field, "The name shows nothing")
    if grapheme_count(name) > limits.NAME_MAX_GRAPHEMES:
        raise invalid(field, f"The name has 1 to {limits.NAME_MAX_GRAPHEMES} characters")
    return name


def _check_status(field: str, value: str) -> str:
    status = _check_text(field, value.strip().replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    if grapheme_count(status) > limits.STATUS_MAX_GRAPHEMES:
        raise invalid(field, f"The status has at most {limits.STATUS_MAX_GRAPHEMES} characters")
    return status


def _check_mobile(field: str, value: str) -> str:
    number = phone_number(value)
    if not _E164.fullmatch(number) or not _is_possible(number):
        raise invalid(field, "The mobile number is not a possible E.164 number")
    return number


def _is_possible(number: str) -> bool:
    """Whether a number has a length that its country uses; without a country code it may also be a ten-digit one."""
    if phonenumbers.is_possible_number_string(f"+{number.removeprefix('+')}", _NO_REGION):
        return True
    return not number.startswith("+") and phonenumbers.is_possible_number_string(number, _NATIONAL_REGION)


def e164(number: str) -> str:
    """A checked number with its country code and `+`."""
    if number.startswith("+"):
        return number
    if phonenumbers.is_possible_number_string(f"+{number}", _NO_REGION):
        return f"+{number}"
    return f"+{phonenumbers.country_code_for_region(_NATIONAL_REGION)}{number}"


def _check_email(field: str, value: str) -> str:
    address = _check_text(field, value.strip())
    try:
        # strict: a localpart has at most 64 octets (RFC 5321, section 4.5.3.1.1); "test" is a domain like any other
        return validate_email(address, check_deliverability=False, test_environment=True, strict=True).normalized
    except EmailNotValidError as error:
        raise invalid(field, f"The email address is not valid: {error}") from None


def _check_url(field: str, value: str) -> str:
    url = _check_text(field, value.strip())
    if len(url.encode()) > limits.IMAGE_URL_MAX_BYTES:
        raise invalid(field, f"The address of an image has at most {limits.IMAGE_URL_MAX_BYTES} bytes")
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        is_web = is_web and (parts.port or 0) >= 0  # reading the port checks it
    except ValueError:
        is_web = False
    if not is_web or any(character.isspace() for character in url):
        raise invalid(field, "The address of an image is an http or https URL")
    return url


def _check_extra(_field: str, value: str) -> str:
    return vcard_extra.check(value, limits.VCARD_EXTRA_MAX_BYTES)


RULES: Mapping[str, Callable[[str, str], str]] = {
    "name": _check_name,
    "image": _check_url,
    "thumb_image": _check_url,
    "status": _check_status,
    "mobile": _check_mobile,
    "email": _check_email,
    "vcard_extra": _check_extra,
}
"""By field, what takes the field's name and a value and gives the normal form, or raises `ProfileInvalid`."""
