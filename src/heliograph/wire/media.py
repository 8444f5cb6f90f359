"""Uploaded pictures."""

from __future__ import annotations

from heliograph.wire.envelope import Body


class MediaBody(Body, frozen=True, kw_only=True):
    """A stored picture.

    Attributes:
        file_token: names it in a later `ProfileRequest`.
        image: its public URL.
        mime_type: what its content is.
        size: in bytes.
    """

    file_token: str
    image: str
    mime_type: str
    size: int
