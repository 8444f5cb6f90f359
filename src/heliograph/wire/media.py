"""Uploaded pictures."""

from __future__ import annotations

from heliograph.wire.envelope import Body


class MediaBody(Body, frozen=True, kw_only=True):
    """A stored picture. Its addresses give WebP to who accepts that, and else JPEG.

    Attributes:
        file_token: names it in a later `ProfileRequest`.
        file_token_thumb: names its thumbnail.
        image: its public URL.
        thumb_image: the URL of its thumbnail.
        mime_type: of the form that the next three describe.
        size: in bytes.
        width: in pixels.
        height: in pixels.
    """

    file_token: str
    file_token_thumb: str
    image: str
    thumb_image: str
    mime_type: str
    size: int
    width: int
    height: int
