"""The ports around pictures: where they are kept, who decodes and who fetches them. What `ports` says of stores holds
here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from heliograph.core.media import Rendition
from heliograph.core.outbound import Answer, Request

FILE_NAME = re.compile(r"[0-9a-z][0-9a-z.-]{0,79}")
"""What a stored file may be called: 1 to 80 characters, each a digit, a small letter, a dot or a hyphen, and first a
digit or a letter. So a name is good in a folder, in a bucket and in an address as it stands.
"""


class MediaStore(Protocol):
    """Stored files, named by their content (`FILE_NAME`)."""

    def url(self, name: str) -> str:
        """The public address of a file, stored or not."""
        ...

    async def put(self, name: str, data: bytes) -> None:
        """Store a file durably; storing the same name again only renews it. `ValueError` for what is no name."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The file of that name."""
        ...

    async def renew(self, name: str) -> bool:
        """Make a file as young as if it were stored now; `False` where there is none."""
        ...

    async def stale(self, before: float, after: str, limit: int) -> list[str]:
        """Names of at most `limit` files that were neither stored nor renewed since a time, in order, beginning behind
        the name `after`.
        """
        ...

    async def remove(self, name: str, before: float) -> bool:
        """Delete a file, unless it was stored or renewed since that time; whether there is none of that name now."""
        ...

    async def clear_partial(self, before: float) -> int:
        """Delete what was left half written before a time; how many files these were."""
        ...


class ImageMaker(Protocol):
    """Decodes pictures, beside the event loop and within bounds on memory and time."""

    async def render(self, data: bytes) -> Sequence[Rendition]:
        """A picture in all of `core.media.FORMS`: upright, in sRGB, with nothing of the file but its pixels.

        Raises `ImageInvalid`, `ImageTooManyPixels`, `ImageTooCostly`, or `MediaBusy` where too many wait.
        """
        ...


class Outbound(Protocol):
    """HTTP calls to servers of others, at addresses that users or apps chose; see `core.outbound`."""

    async def request(self, request: Request) -> Answer:
        """Make one call. Each connection goes to an address that was looked up once and found to be within reach; no
        credentials, cookies or proxies are used.

        Raises `RemoteRefused` where the address, or one that a redirect leads to, is not called, and `RemoteFailed`
        where no whole answer came within the bounds.
        """
        ...
