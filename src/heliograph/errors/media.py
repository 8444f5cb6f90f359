"""Pictures."""

from __future__ import annotations

from heliograph.errors.base import WAIT, PeerError, Row, UsageError


class MediaUnsupported(UsageError):
    """An uploaded file is not one of the accepted image types."""

    row = Row("media_unsupported", 415, "Images are PNG, JPEG, WebP or GIF")


class ImageInvalid(UsageError):
    """A picture is damaged, cut off, or not what its first bytes say."""

    row = Row("image_invalid", 400, "The picture is damaged")


class ImageTooManyPixels(UsageError):
    """A picture has more pixels than are decoded; `details.maxPixels` says how many these are."""

    row = Row("image_too_many_pixels", 413, "The picture has too many pixels")


class ImageTooCostly(UsageError):
    """Decoding a picture broke the bounds on memory or time."""

    row = Row("image_too_costly", 400, "The picture takes too much memory or time to read")


class MediaBusy(PeerError):
    """More pictures are coming in than can be taken; `retry_after_s` says when to come back."""

    row = Row("media_busy", 503, "Too many pictures are coming in", WAIT, is_retryable=True)
