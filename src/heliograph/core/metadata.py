"""Metadata: what an app keeps with its user, a few typed values under names of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping

from heliograph.core import limits
from heliograph.core.unicode_text import is_unicode
from heliograph.errors import MetadataInvalid

Metadata = Mapping[str, str | bool | int | float]


def check_metadata(metadata: Mapping[str, object]) -> Metadata:
    """Metadata, each value with its own type.

    Raises:
        MetadataInvalid: more than 3 entries, a key that is not 1 to 64 characters long, or a value that is neither a
            string of at most 256 characters nor a boolean nor a finite number.
    """
    if len(metadata) > limits.METADATA_MAX_ENTRIES:
        raise MetadataInvalid
    return {_check_key(key): _check_value(value) for key, value in metadata.items()}


def _check_key(key: object) -> str:
    if not isinstance(key, str) or not 1 <= len(key) <= limits.METADATA_KEY_MAX_CHARS or not is_unicode(key):
        raise MetadataInvalid("A metadata key has 1 to 64 characters")
    return key


def _check_value(value: object) -> str | bool | int | float:
    if isinstance(value, str):
        if len(value) > limits.METADATA_VALUE_MAX_CHARS or not is_unicode(value):
            raise MetadataInvalid("A metadata string has at most 256 characters")
    elif not isinstance(value, bool | int | float) or not _is_finite(value):
        raise MetadataInvalid("A metadata value is a String, a Boolean or a finite Number")
    return value


def _is_finite(number: float) -> bool:
    """Whether a number fits a double, as JSON numbers do; an integer of Python may be longer."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def merge(before: Metadata, patch: Mapping[str, object]) -> Metadata:
    """The metadata after a merge patch (RFC 7396): `None` removes an entry, all else replaces one or comes anew.

    Raises:
        MetadataInvalid: what comes of it breaks the limits.
    """
    merged = {**before, **patch}
    return check_metadata({key: value for key, value in merged.items() if value is not None})
