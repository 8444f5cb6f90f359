"""Pictures as use cases: brought, named, shown, fetched from elsewhere, and let go."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heliograph.core import accounts, limits, media, outbound, profiles
from heliograph.core.ports import Ports
from heliograph.core.profiles import ProfileChange
from heliograph.errors import (
    ImageInvalid,
    MediaUnsupported,
    PayloadTooLarge,
    ProfileInvalid,
    RateLimited,
    RemoteFailed,
    RemoteRefused,
)

BASE = "https://chat.test/media/"
ELSEWHERE = "https://pictures.example/ada.png"


def png(color: str = "red", size: int = 700) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), color).save(file, "PNG")
    return file.getvalue()


@dataclass
class Remote:
    """Servers of others: answers by address, and what was asked for."""

    answers: dict[str, Any]
    asked: list[outbound.Request] = field(default_factory=list)

    async def request(self, request: outbound.Request) -> outbound.Answer:
        self.asked.append(request)
        answer = self.answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


def gives(data: bytes, kind: str = "image/png", status: int = 200) -> outbound.Answer:
    return outbound.Answer(status, {"content-type": kind} if kind else {}, data)


@pytest.fixture
async def ada(ports: Ports, backend: Any) -> str:
    """A user's bare JID."""
    await accounts.register(ports, backend, accounts.RegisterRequest("ada"))
    return "ada@chat.example"


@pytest.fixture
def files(tmp_path: Path) -> Any:
    """The names of all stored files."""

    def names() -> list[str]:
        return sorted(path.name for path in tmp_path.glob("??/*"))

    return names


# --------------------------------------------------------------------------------------------------------------- names


@given(st.text(max_size=80))
def test_no_name_leads_out_of_the_store(text: str) -> None:
    if media.is_name(text):
        assert not set(text) & set("/\\\0")
        assert len(text) >= 64


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.jpg",
        "a" * 63,
        "a" * 65,
        "A" * 64,
        "a" * 64 + "-95",
        "a" * 64 + ".jpg\n",
        "a" * 64 + ".",
        "../" + "a" * 64,
    ],
)
def test_another_form_is_no_name(name: str) -> None:
    assert not media.is_name(name)


async def test_a_stored_picture_is_found_in_all_its_forms(ports: Ports, files: Any) -> None:
    picture = await media.store(ports, png())
    assert files() == sorted(form.name(picture.token) for form in media.FORMS)
    assert (picture.width, picture.height) == (640, 640)
    for takes_webp, kind in ((True, "image/webp"), (False, "image/jpeg")):
        found = await media.serve(ports, picture.token, takes_webp=takes_webp)
        assert found is not None
        assert (found.mime_type, found.is_negotiated) == (kind, True)
    main = await media.serve(ports, f"{picture.token}.jpg", takes_webp=True)
    assert main is not None
    assert (len(main.data), main.is_negotiated) == (picture.size, False)
    for name in ("0" * 64, "../secret", picture.token + ".png", picture.token[:-1]):
        assert await media.serve(ports, name, takes_webp=True) is None


# ----------------------------------------------------------------------------------------------------------- coming in


async def test_what_is_refused_is_not_stored(ports: Ports, files: Any) -> None:
    for data, error in (
        (png().ljust(limits.IMAGE_MAX_BYTES + 1), PayloadTooLarge),
        (b"<svg/>", MediaUnsupported),
        (png()[:100], ImageInvalid),
    ):
        with pytest.raises(error):
            await media.store(ports, data)
    assert files() == []


async def test_a_user_brings_only_so_much(ports: Ports, clock: Any) -> None:
    for _ in range(media.UPLOADS_PER_ACCOUNT.burst):
        await media.check_rate(ports, "ada@chat.example")
    with pytest.raises(RateLimited):
        await media.check_rate(ports, "ada@chat.example")
    await media.check_rate(ports, "bob@chat.example")
    clock.turn(60)
    await media.check_rate(ports, "ada@chat.example")


async def test_a_picture_of_the_profile_has_its_thumbnail_whatever_the_way(ports: Ports, ada: str) -> None:
    token = (await media.store(ports, png())).token
    for image in (token, BASE + token, f"{BASE}{token}.webp", f"{token}-96"):
        stored = await profiles.set_profile(ports, ada, ProfileChange(image=image))
        assert (stored.image, stored.thumb_image) == (BASE + token, f"{BASE}{token}-96")
    assert stored.version == 1
    cleared = await profiles.set_profile(ports, ada, ProfileChange(image=""))
    assert (cleared.image, cleared.thumb_image) == ("", "")


async def test_a_picture_that_is_not_there_is_refused_unless_the_profile_shows_it_already(
    ports: Ports, ada: str, tmp_path: Path
) -> None:
    token = (await media.store(ports, png())).token
    await profiles.set_profile(ports, ada, ProfileChange(image=token))
    shutil.rmtree(tmp_path / token[:2])
    assert (await profiles.set_profile(ports, ada, ProfileChange(name="Ada", image=BASE + token))).name == "Ada"
    await profiles.set_profile(ports, ada, ProfileChange(image=""))
    with pytest.raises(ProfileInvalid):
        await profiles.set_profile(ports, ada, ProfileChange(image=token))


# ------------------------------------------------------------------------------------------------------- from elsewhere


async def test_a_picture_elsewhere_is_shown_from_there(ports: Ports, ada: str) -> None:
    stored = await profiles.set_profile(ports, ada, ProfileChange(image=ELSEWHERE))
    assert (stored.image, stored.thumb_image) == (ELSEWHERE, "")


async def test_a_picture_elsewhere_is_fetched_where_the_node_is_set_to(ports: Ports, ada: str) -> None:
    remote = Remote({ELSEWHERE: gives(png())})
    fetching = replace(ports, remote_images=remote)
    stored = await profiles.set_profile(fetching, ada, ProfileChange(image=ELSEWHERE))
    token = (await media.store(ports, png())).token
    assert (stored.image, stored.thumb_image) == (BASE + token, f"{BASE}{token}-96")
    (request,) = remote.asked
    assert (request.method, request.max_bytes, request.max_redirects) == ("GET", limits.IMAGE_MAX_BYTES, 3)
    again = await profiles.set_profile(fetching, ada, ProfileChange(image=stored.image))
    assert (again, len(remote.asked)) == (stored, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (gives(b"", status=404), RemoteFailed),
        (gives(png(), status=302), RemoteFailed),
        (gives(png(), kind="text/html; charset=utf-8"), MediaUnsupported),
        (gives(b"<html>"), MediaUnsupported),
        (gives(png()[:50]), ImageInvalid),
        (RemoteRefused(), RemoteRefused),
        (RemoteFailed(), RemoteFailed),
    ],
)
async def test_what_cannot_be_fetched_changes_nothing(
    ports: Ports, ada: str, answer: Any, error: type[Exception]
) -> None:
    fetching = replace(ports, remote_images=Remote({ELSEWHERE: answer}))
    with pytest.raises(error):
        await profiles.set_profile(fetching, ada, ProfileChange(name="Ada", image=ELSEWHERE))
    assert (await profiles.get(ports, ada, ada)).version == 0


@pytest.mark.parametrize("kind", ["application/octet-stream", "", "IMAGE/PNG"])
async def test_a_server_need_not_know_the_type(ports: Ports, ada: str, kind: str) -> None:
    fetching = replace(ports, remote_images=Remote({ELSEWHERE: gives(png(), kind)}))
    assert (await profiles.set_profile(fetching, ada, ProfileChange(image=ELSEWHERE))).image.startswith(BASE)


async def test_fetching_counts_as_bringing(ports: Ports, ada: str) -> None:
    fetching = replace(ports, remote_images=Remote({f"{ELSEWHERE}?{turn}": gives(png()) for turn in range(40)}))
    for turn in range(media.UPLOADS_PER_ACCOUNT.burst):
        await profiles.set_profile(fetching, ada, ProfileChange(image=f"{ELSEWHERE}?{turn}"))
    with pytest.raises(RateLimited):
        await profiles.set_profile(fetching, ada, ProfileChange(image=ELSEWHERE))


# --------------------------------------------------------------------------------------------------------- letting go

DAY_S = 86400.0


def age(folder: Path, now: float) -> None:
    """Make all files as old as the clock says that they are new."""
    for path in folder.glob("??/*"):
        os.utime(path, (now, now))


async def let_all_go(ports: Ports) -> None:
    after = await media.let_go(ports, "", DAY_S)
    while after:
        after = await media.let_go(ports, after, DAY_S)


async def test_a_picture_that_no_profile_shows_goes_after_a_while(
    ports: Ports, ada: str, clock: Any, tmp_path: Path, files: Any
) -> None:
    kept, unused = [(await media.store(ports, png(color))).token for color in ("red", "blue")]
    await profiles.set_profile(ports, ada, ProfileChange(image=kept))
    age(tmp_path, clock.now())
    await let_all_go(ports)
    assert len(files()) == 2 * len(media.FORMS)
    clock.turn(DAY_S + 1)
    await let_all_go(ports)
    assert files() == sorted(form.name(kept) for form in media.FORMS)
    assert unused not in str(files())


async def test_a_picture_that_was_replaced_goes_and_one_chosen_again_stays(
    ports: Ports, ada: str, clock: Any, tmp_path: Path, files: Any
) -> None:
    first, second = [(await media.store(ports, png(color))).token for color in ("red", "blue")]
    await profiles.set_profile(ports, ada, ProfileChange(image=first))
    await profiles.set_profile(ports, ada, ProfileChange(image=second))
    for turn in range(limits.PROFILE_CHANGES_KEPT):  # the history forgets the first
        await profiles.set_profile(ports, ada, ProfileChange(status=str(turn)))
    age(tmp_path, clock.now())
    clock.turn(DAY_S + 1)
    os.utime(tmp_path / first[:2] / f"{first}.jpg", (clock.now(), clock.now()))  # as choosing it does
    await let_all_go(ports)
    assert len(files()) == 2 * len(media.FORMS)
    clock.turn(DAY_S + 1)
    await let_all_go(ports)
    assert files() == sorted(form.name(second) for form in media.FORMS)


async def test_a_picture_of_the_history_stays_as_long_as_that(
    ports: Ports, ada: str, clock: Any, tmp_path: Path, files: Any
) -> None:
    token = (await media.store(ports, png())).token
    await profiles.set_profile(ports, ada, ProfileChange(image=token))
    await profiles.set_profile(ports, ada, ProfileChange(image=""))
    age(tmp_path, clock.now())
    clock.turn(DAY_S + 1)
    for turn in range(limits.PROFILE_CHANGES_KEPT):
        await let_all_go(ports)
        assert len(files()) == len(media.FORMS)
        await profiles.set_profile(ports, ada, ProfileChange(status=str(turn)))
    await let_all_go(ports)
    assert files() == []


async def test_what_a_crash_left_goes(ports: Ports, clock: Any, tmp_path: Path, files: Any) -> None:
    token = (await media.store(ports, png())).token
    folder = tmp_path / token[:2]
    (folder / ".half").write_bytes(b"half a file")
    (folder / f"{token}.jpg").unlink()  # the main form is stored last
    age(tmp_path, clock.now())
    clock.turn(DAY_S + 1)
    await let_all_go(ports)
    assert files() == []


async def test_all_pictures_are_looked_at_in_the_end(
    ports: Ports, clock: Any, tmp_path: Path, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IMAGE_FILES_SWEPT", 7)
    for shade in range(6):
        await media.store(ports, png(f"rgb({shade}, 0, 0)", 9))
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "no-picture.txt").write_text("somebody else's")
    age(tmp_path, clock.now())
    clock.turn(DAY_S + 1)
    await let_all_go(ports)
    assert files() == ["no-picture.txt"]
