"""Text that came as JSON, which can hold what no text holds."""

from __future__ import annotations


def is_unicode(text: str) -> bool:
    """Whether a string is Unicode text: JSON can escape a lone surrogate (RFC 8259, section 8.2), which no encoding
    carries, no database keeps and no XML shows.
    """
    return not any("\ud800" <= character <= "\udfff" for character in text)
