"""Pictures: which are taken, in which forms they are kept, how they are named, shown, and let go.

A picture that comes in is never kept as it came: it is made anew in a few forms (`FORMS`), out of its pixels alone. Its
token, which is also its `fileToken`, is the SHA-256 over all its forms; a form's name is the token, the form's mark and
an ending. So a name stands for the same bytes for good.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import image_headers, limits, outbound, rate_limits
from heliograph.core.rate_limits import Draw, Rate
from heliograph.errors import MediaUnsupported, PayloadTooLarge, ProfileInvalid, RemoteFailed

if TYPE_CHECKING:
    from heliograph.core.media_ports import Outbound
    from heliograph.core.ports import Ports

UPLOADS_PER_ACCOUNT = Rate(per_minute=10, burst=30)
"""Pictures that one user brings, whatever the device and the way."""

MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""The types of what is kept, by the ending of the name."""


@dataclass(frozen=True, slots=True)
class Form:
    """One of the forms in which a picture is kept.

    Attributes:
        mark: what tells its name from those of other sizes; `""` for the picture itself.
        side_px: its longest side, unless the picture is smaller.
        ending: its type; a key of `MIME_TYPES`.
    """

    mark: str
    side_px: int
    ending: str

    def name(self, token: str) -> str:
        """Its name in the store."""
        return f"{token}{self.mark}.{self.ending}"


THUMBNAIL_MARK = f"-{limits.THUMBNAIL_SIDE_PX}"
AVATAR = Form(f"-{limits.AVATAR_SIDE_PX}", limits.AVATAR_SIDE_PX, "png")
"""What XMPP clients get inside stanzas: user avatar takes PNG alone there (XEP-0084, section 4.1)."""
MAIN = Form("", limits.IMAGE_SIDE_PX, "jpg")
FORMS = (
    AVATAR,
    Form(THUMBNAIL_MARK, limits.THUMBNAIL_SIDE_PX, "webp"),
    Form(THUMBNAIL_MARK, limits.THUMBNAIL_SIDE_PX, "jpg"),
    Form("", limits.IMAGE_SIDE_PX, "webp"),
    MAIN,
)
"""All forms; the main one is the last to be stored and the first to go, so where it is the others are."""

_MARKS = "|".join(dict.fromkeys(form.mark for form in FORMS if form.mark))
_NAME = re.compile(rf"([0-9a-f]{{64}})({_MARKS})?(?:\.([a-z]+))?")
_TYPES_OF_FILES = ("", "application/octet-stream", "binary/octet-stream")
"""What a server says of a file whose type it does not know."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture in one of its forms: width and height in pixels, and the bytes."""

    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture.

    Attributes:
        token: names it; 64 hexadecimal digits.
        width, height: of its main form, in pixels.
        size: of its main form, in bytes.
    """

    token: str
    width: int
    height: int
    size: int

    @property
    def thumbnail(self) -> str:
        """What names its thumbnail."""
        return self.token + THUMBNAIL_MARK


@dataclass(frozen=True, slots=True)
class File:
    """One form of a picture as it is served.

    Attributes:
        name: its name in the store.
        is_negotiated: whether the client's `Accept` chose it.
        data: its bytes.
    """

    name: str
    is_negotiated: bool
    data: bytes

    @property
    def mime_type(self) -> str:
        """What its content is."""
        return MIME_TYPES[self.name.rpartition(".")[2]]


# --------------------------------------------------------------------------------------------------------------- names


def is_name(text: str) -> bool:
    """Whether a text has the form of a picture's name: a token, perhaps with a mark and an ending."""
    return _NAME.fullmatch(text) is not None


def token_of(ports: Ports, image: str) -> str | None:
    """The token of a picture that is kept here, by any of its names or addresses; `None` for anything else."""
    found = _NAME.fullmatch(image.removeprefix(ports.media.url("")))
    return None if found is None else found[1]


def address(ports: Ports, image: str | None) -> str | None:
    """What a user names as a picture, as an address: one of a picture that is kept here in its usual form, anything
    else as it is.
    """
    token = token_of(ports, image) if image else None
    return image if token is None else ports.media.url(token)


# ----------------------------------------------------------------------------------------------------------- coming in


async def check_rate(ports: Ports, jid: str) -> None:
    """Count one picture that a user brings, before it is read.

    Raises:
        RateLimited: the user brings too many.
    """
    await rate_limits.check(ports, Draw(f"upload:account:{jid}", UPLOADS_PER_ACCOUNT))


async def store(ports: Ports, data: bytes) -> Picture:
    """Make a picture's forms and keep them; those that are there already are not stored twice.

    Raises:
        PayloadTooLarge: it is larger than 10 MiB.
        MediaUnsupported: it is none of the accepted types.
        ImageInvalid, ImageTooManyPixels, ImageTooCostly: it cannot be decoded, or not within bounds.
        MediaBusy: too many are being decoded.
    """
    if len(data) > limits.IMAGE_MAX_BYTES:
        raise PayloadTooLarge("A picture has at most 10 MiB", details={"maxBytes": limits.IMAGE_MAX_BYTES})
    image_headers.read(data)
    made = await ports.images.render(data)
    token = _token(made)
    for form, rendition in zip(FORMS, made, strict=True):
        await ports.media.put(form.name(token), rendition.data)
    main = made[-1]
    return Picture(token, main.width, main.height, len(main.data))


def _token(made: Sequence[Rendition]) -> str:
    digest = hashlib.sha256()
    for rendition in made:
        digest.update(len(rendition.data).to_bytes(4))
        digest.update(rendition.data)
    return digest.hexdigest()


async def shown(ports: Ports, jid: str, image: str) -> tuple[str, str]:
    """The addresses of picture and thumbnail that a profile shows, for the address that a user names.

    A picture that is kept here is kept longer. One elsewhere stays there and has no thumbnail, unless this node fetches
    such pictures.

    Raises:
        ProfileInvalid: it would be kept here, and is not.
        RemoteRefused, RemoteFailed: see `fetch`; and all that `check_rate` and `store` raise.
    """
    token = token_of(ports, image)
    if token is None:
        if ports.remote_images is None:
            return image, ""
        await check_rate(ports, jid)
        token = (await fetch(ports, ports.remote_images, image)).token
    elif not await ports.media.renew(MAIN.name(token)):
        raise ProfileInvalid("There is no picture of that name", details={"field": "image"})
    return ports.media.url(token), ports.media.url(token + THUMBNAIL_MARK)


async def fetch(ports: Ports, remote: Outbound, url: str) -> Picture:
    """Fetch a picture from somebody else's server and keep it.

    Raises:
        RemoteRefused: the address, or one that a redirect leads to, is not called.
        RemoteFailed: the server did not give a file within the bounds.
        MediaUnsupported: the server says that it is no picture; and all that `store` raises.
    """
    request = outbound.Request(
        "GET",
        url,
        {"Accept": "image/webp,image/png,image/jpeg,image/gif"},
        max_bytes=limits.IMAGE_MAX_BYTES,
        timeout_s=limits.REMOTE_IMAGE_TIMEOUT_S,
        max_redirects=limits.REMOTE_IMAGE_REDIRECTS,
    )
    answer = await remote.request(request)
    if answer.status != 200:
        raise RemoteFailed(f"The server at that address answered with HTTP status {answer.status}")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in _TYPES_OF_FILES:
        raise MediaUnsupported
    return await store(ports, answer.body)


# ----------------------------------------------------------------------------------------------------------- going out


async def serve(ports: Ports, name: str, *, takes_webp: bool) -> File | None:
    """A picture's form, by its name with or without an ending; `None` where there is none of that name.

    Args:
        ports: the node's ports.
        name: as in an address.
        takes_webp: whether the client prefers WebP; counts where the name leaves the type open.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    token, mark, ending = found[1], found[2] or "", found[3]
    endings = [form.ending for form in FORMS if form.mark == mark]
    if ending is None:
        ending = "webp" if takes_webp and "webp" in endings else endings[-1]
    elif ending not in endings:
        return None
    stored = f"{token}{mark}.{ending}"
    data = await ports.media.get(stored)
    return None if data is None else File(stored, found[3] is None and len(endings) > 1, data)


async def avatar(ports: Ports, image: str) -> bytes | None:
    """What XMPP clients get of the picture at that address; `None` where it is not kept here."""
    token = token_of(ports, image)
    return None if token is None else await ports.media.get(AVATAR.name(token))


# --------------------------------------------------------------------------------------------------------- letting go


async def let_go(ports: Ports, after: str, kept_s: float) -> str:
    """Delete some pictures that no profile has shown for long, and what a crash has left half written.

    Args:
        ports: the node's ports.
        after: where the last call ended; `""` to begin.
        kept_s: how long a picture is kept that no profile shows.

    Returns:
        Where the next call goes on; `""` once all have been looked at.
    """
    before = ports.clock.now() - kept_s
    if not after:
        await ports.media.clear_partial(before)
    names = await ports.media.stale(before, after, limits.IMAGE_FILES_SWEPT)
    tokens = dict.fromkeys(found[1] for name in names if (found := _NAME.fullmatch(name)))
    in_use = await ports.profiles.pictures_in_use([*tokens])
    for token in tokens.keys() - in_use:
        for form in reversed(FORMS):
            if not await ports.media.remove(form.name(token), before):
                break  # it was brought or chosen again meanwhile
    return names[-1] if len(names) == limits.IMAGE_FILES_SWEPT else ""
