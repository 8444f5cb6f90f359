"""The rules of uploaded pictures: type by content, name by content, bounds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import limits, media
from heliograph.core.ports import Ports
from heliograph.errors import MediaUnsupported, PayloadTooLarge, RateLimited

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class LocalMedia:
    """Files in a dict."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def put(self, name: str, data: bytes) -> None:
        self.files[name] = data

    async def get(self, name: str) -> bytes | None:
        return self.files.get(name)


@pytest.fixture
def shelf(ports: Ports) -> Ports:
    return replace(ports, media=LocalMedia())


@pytest.mark.parametrize(
    ("data", "ending", "mime_type"),
    [
        (PNG, "png", "image/png"),
        (b"\xff\xd8\xff\xdb", "jpg", "image/jpeg"),
        (b"GIF87a", "gif", "image/gif"),
        (b"GIF89a", "gif", "image/gif"),
        (b"RIFF\n\n\n\nWEBP", "webp", "image/webp"),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(data: bytes, ending: str, mime_type: str) -> None:
    picture = media.identify(data)
    assert picture == media.Picture(f"{hashlib.sha256(data).hexdigest()}.{ending}", len(data))
    assert (picture.mime_type, picture.sha256) == (mime_type, hashlib.sha256(data).hexdigest())
    assert media.is_name(picture.name)


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"\xff\xd8", b"GIF88a", b"RIFF\n\n\n\nWAVE", b"<svg/>", b" " + PNG])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MediaUnsupported):
        media.identify(data)


@given(st.text(max_size=80))
def test_no_name_leads_out_of_the_store(text: str) -> None:
    if media.is_name(text):
        assert not set(text) & set("/\\\0")
        assert text.count(".") == 1


@pytest.mark.parametrize("name", ["", "x.png", "a" * 64, "a" * 64 + ".svg", "A" * 64 + ".png", "a" * 64 + ".png\n"])
def test_another_form_is_no_name(name: str) -> None:
    assert not media.is_name(name)


async def test_a_stored_picture_is_found_under_its_name(shelf: Ports) -> None:
    picture = await media.store(shelf, PNG)
    assert await media.fetch(shelf, picture.name) == (picture, PNG)
    assert await media.fetch(shelf, "0" * 64 + ".png") is None
    assert await media.fetch(shelf, "../secret") is None


async def test_a_picture_beyond_the_limit_is_not_stored(shelf: Ports) -> None:
    await media.store(shelf, PNG.ljust(limits.IMAGE_MAX_BYTES))
    with pytest.raises(PayloadTooLarge):
        await media.store(shelf, PNG.ljust(limits.IMAGE_MAX_BYTES + 1))


async def test_a_user_uploads_only_so_much(shelf: Ports, clock: Any) -> None:
    for _ in range(media.UPLOADS_PER_ACCOUNT.burst):
        await media.check_rate(shelf, "ada@chat.example")
    with pytest.raises(RateLimited):
        await media.check_rate(shelf, "ada@chat.example")
    await media.check_rate(shelf, "bob@chat.example")
    clock.turn(60)
    await media.check_rate(shelf, "ada@chat.example")
