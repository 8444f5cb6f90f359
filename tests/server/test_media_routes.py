"""Pictures over HTTP: upload in both ways, and what is served."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image


def encoded(kind: str, color: str = "red", size: tuple[int, int] = (700, 350)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind)
    return file.getvalue()


FILES = {kind: encoded(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")}
PNG = FILES["PNG"]
LIMIT = 10 * 1024 * 1024
TOKEN = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
async def uploaded(api: Any, ada: Any) -> Any:
    return await api.data("POST", "/media", token=ada["token"], content=PNG)


@pytest.mark.parametrize("kind", FILES)
async def test_a_raw_body_is_known_by_its_content(api: Any, ada: Any, kind: str) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    stored = await api.data("POST", "/media", token=ada["token"], content=FILES[kind], headers=headers)
    token = stored["fileToken"]
    assert TOKEN.fullmatch(token)
    served = await api.http.get(stored["image"])
    assert stored == {
        "fileToken": token,
        "fileTokenThumb": f"{token}-96",
        "image": f"https://chat.test/media/{token}",
        "thumbImage": f"https://chat.test/media/{token}-96",
        "mimeType": "image/jpeg",
        "size": len(served.content),
        "width": 640,
        "height": 320,
    }
    assert Image.open(io.BytesIO(served.content)).size == (640, 320)
    assert Image.open(io.BytesIO((await api.http.get(stored["thumbImage"])).content)).size == (96, 48)


async def test_the_same_picture_has_the_same_name_and_another_has_another(api: Any, ada: Any, uploaded: Any) -> None:
    again = await api.data("POST", "/media", token=ada["token"], content=PNG)
    other = await api.data("POST", "/media", token=ada["token"], content=encoded("PNG", "blue"))
    assert again == uploaded
    assert other["fileToken"] != uploaded["fileToken"]


async def test_a_form_with_one_file_is_the_same_upload(api: Any, ada: Any, uploaded: Any) -> None:
    form = {"files": {"image": ("me.exe", PNG, "text/html")}, "data": {"note": "x"}}
    assert await api.data("POST", "/media", token=ada["token"], **form) == uploaded


@pytest.mark.parametrize(
    "form",
    [
        {"files": [("a", ("a.png", PNG)), ("b", ("b.png", PNG))]},
        {"files": [("a", (None, "no file"))]},
        {"content": PNG, "headers": {"Content-Type": "multipart/form-data"}},
        {"content": PNG, "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"--x\r\nX: y\r\n\r\n--x--", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ],
    ids=["two files", "no file", "no boundary", "no form", "no name"],
)
async def test_a_form_that_is_not_one_file_is_refused(api: Any, ada: Any, form: Any) -> None:
    error = await api.error("POST", "/media", token=ada["token"], **form)
    assert (error["statusCode"], error["code"]) == (400, "request_invalid")


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WAVE", b"GIF88a"])
async def test_another_type_is_415_whatever_it_calls_itself(api: Any, ada: Any, content: bytes) -> None:
    headers = {"Content-Type": "image/png"}
    error = await api.error("POST", "/media", token=ada["token"], content=content, headers=headers)
    assert (error["statusCode"], error["code"]) == (415, "media_unsupported")


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (PNG[: len(PNG) // 2], "image_invalid", 400),
        (PNG[:16] + b"\xff" * 8 + PNG[24:], "image_too_many_pixels", 413),
        (b"\x89PNG\r\n\x1a\n<html>", "image_invalid", 400),
    ],
)
async def test_a_picture_that_cannot_be_read_has_a_code(
    api: Any, ada: Any, content: bytes, code: str, status: int
) -> None:
    error = await api.error("POST", "/media", token=ada["token"], content=content)
    assert (error["code"], error["statusCode"]) == (code, status)


async def test_the_largest_picture_is_taken_and_a_byte_more_is_not(api: Any, ada: Any) -> None:
    largest = PNG.ljust(LIMIT, b"\0")
    for content, status in ((largest, 200), (largest + b"\0", 413)):
        for upload in ({"content": content}, {"files": {"image": content}}):
            response = await api.call("POST", "/media", token=ada["token"], **upload)
            assert response.status_code == status
    assert response.json()["code"] == "payload_too_large"
    assert response.json()["details"] == {"maxBytes": LIMIT}


@pytest.mark.parametrize(("uploads", "user"), [(32, None), (4, "ada@sandbox.chat.example")])
async def test_no_more_uploads_are_read_than_fit_and_of_one_user_fewer(
    api: Any, ada: Any, bob: Any, uploads: int, user: str | None
) -> None:
    with contextlib.ExitStack() as others:
        for number in range(uploads):
            others.enter_context(api.services.uploads.one(user or f"{number}@sandbox.chat.example"))
        answer = await api.call("POST", "/media", token=ada["token"], content=PNG)
        assert (answer.status_code, answer.json()["code"]) == (503, "media_busy")
        assert int(answer.headers["retry-after"]) > 0
        other = await api.call("POST", "/media", token=bob["token"], content=PNG)
        assert other.status_code == (200 if user else 503)
    await api.data("POST", "/media", token=ada["token"], content=PNG)


async def test_a_body_without_an_end_is_cut_at_the_limit(api: Any, ada: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield PNG.ljust(65_536)

    error = await api.error("POST", "/media", token=ada["token"], content=endless())
    assert error["code"] == "payload_too_large"
    assert sent <= LIMIT + 2 * 65_536


async def test_an_upload_needs_a_signed_in_user_before_a_byte_is_read(api: Any) -> None:
    async def unread() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    assert (await api.error("POST", "/media", content=unread()))["code"] == "token_missing"


async def test_one_user_cannot_fill_the_disk_quickly(api: Any, ada: Any, bob: Any) -> None:
    answers = [await api.call("POST", "/media", token=ada["token"], content=PNG) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert "retry-after" in answers[-1].headers
    await api.data("POST", "/media", token=bob["token"], content=PNG)


# ----------------------------------------------------------------------------------------------------------- serving


async def test_a_picture_is_kept_for_good_and_can_do_nothing(api: Any, uploaded: Any) -> None:
    headers = (await api.http.get(uploaded["image"])).headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["content-disposition"] == "inline"
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "jpeg"),
        ("*/*", "jpeg"),
        ("image/*", "jpeg"),
        ("image/avif,image/webp,image/apng,*/*;q=0.8", "webp"),
        ("image/webp;q=0.2", "webp"),
        ("IMAGE/WebP", "webp"),
        ("image/webp;q=0", "jpeg"),
        ("image/webp; q=0.000, */*", "jpeg"),
        ("image/webpx", "jpeg"),
        ("", "jpeg"),
    ],
)
async def test_who_names_webp_gets_it(api: Any, uploaded: Any, accept: str | None, kind: str) -> None:
    for address in (uploaded["image"], uploaded["thumbImage"]):
        answer = await api.http.get(address, headers={} if accept is None else {"Accept": accept})
        assert answer.headers["content-type"] == f"image/{kind}"
        assert Image.open(io.BytesIO(answer.content)).format == kind.upper()
        assert answer.headers["vary"] == "Accept, Origin"


async def test_an_ending_names_one_form_whatever_is_accepted(api: Any, uploaded: Any) -> None:
    forms = {".jpg": "image/jpeg", ".webp": "image/webp", "-96.jpg": "image/jpeg", "-96.webp": "image/webp"}
    for ending, kind in {**forms, "-192.png": "image/png", "-192": "image/png"}.items():
        answer = await api.http.get(uploaded["image"] + ending, headers={"Accept": "image/webp"})
        assert answer.headers["content-type"] == kind
        assert "vary" not in answer.headers or "Accept" not in answer.headers["vary"].split(", ")
    for ending in (".png", "-96.png", "-192.jpg", "-640.jpg", ".gif", ".svg", ".", "-"):
        assert (await api.http.get(uploaded["image"] + ending)).status_code == 404


@pytest.mark.parametrize("accept", ["image/webp", "*/*"])
async def test_a_picture_that_the_client_has_is_not_sent_again(api: Any, uploaded: Any, accept: str) -> None:
    first = await api.http.get(uploaded["image"], headers={"Accept": accept})
    etag = first.headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await api.http.get(uploaded["image"], headers={"If-None-Match": condition, "Accept": accept})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in answer.headers
    for condition in ('"other"', etag.strip('"'), ""):
        answer = await api.http.get(uploaded["image"], headers={"If-None-Match": condition, "Accept": accept})
        assert (answer.status_code, answer.content) == (200, first.content)


async def test_the_forms_of_a_picture_have_marks_of_their_own(api: Any, uploaded: Any) -> None:
    answers = [
        await api.http.get(address, headers={"Accept": accept})
        for address in (uploaded["image"], uploaded["thumbImage"])
        for accept in ("image/webp", "*/*")
    ]
    assert len({answer.headers["etag"] for answer in answers}) == 4


async def test_head_answers_as_get_without_the_content(api: Any, uploaded: Any) -> None:
    answer = await api.http.head(uploaded["image"])
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(uploaded["size"]))
    assert answer.content == b""


@pytest.mark.parametrize("name", ["0" * 64 + ".jpg", "0" * 64, "x.png", "..%2Fheliograph.db", ".." + "%2e%2e/x", "%00"])
async def test_a_picture_that_is_not_there_is_404(api: Any, name: str) -> None:
    answer = await api.http.get(f"/media/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    answer = await api.http.get(f"/media/{name}", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_any_name_of_a_picture_makes_it_that_of_the_profile(api: Any, ada: Any, bob: Any, uploaded: Any) -> None:
    token = uploaded["fileToken"]
    for image in (token, f"{token}-96", f"{token}.jpg", uploaded["image"], uploaded["thumbImage"]):
        for user in (ada, bob):  # a token may be used again, and by others
            stored = await api.data("PATCH", "/profile", token=user["token"], json={"image": image})
            assert (stored["image"], stored["fileToken"]) == (uploaded["image"], token)
            assert (stored["thumbImage"], stored["fileTokenThumb"]) == (uploaded["thumbImage"], f"{token}-96")
    cleared = await api.data("PATCH", "/profile", token=ada["token"], json={"image": ""})
    assert [cleared[name] for name in ("image", "thumbImage", "fileToken", "fileTokenThumb")] == [""] * 4


async def test_an_unknown_token_is_no_picture(api: Any, ada: Any) -> None:
    for image in ("0" * 64, "https://chat.test/media/" + "0" * 64):
        error = await api.error("PATCH", "/profile", token=ada["token"], json={"image": image})
        assert (error["code"], error["details"]["field"]) == ("profile_invalid", "image")


async def test_a_picture_elsewhere_is_shown_as_it_is_named_and_has_no_thumbnail(
    api: Any, ada: Any, uploaded: Any
) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json={"image": uploaded["fileToken"]})
    address = "https://pictures.example/a.png"
    stored = await api.data("PATCH", "/profile", token=ada["token"], json={"image": address})
    names = ("image", "thumbImage", "fileToken", "fileTokenThumb")
    assert [stored[name] for name in names] == [address, "", "", ""]
