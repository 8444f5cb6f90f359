"""Pictures over HTTP: upload in both ways, and what is served."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

FILES = {
    "png": ("image/png", b"\x89PNG\r\n\x1a\n" + b"p" * 100),
    "jpg": ("image/jpeg", b"\xff\xd8\xff\xe0" + b"j" * 100),
    "webp": ("image/webp", b"RIFF\x0a\x00\x00\x00WEBPVP8 " + b"w" * 100),
    "gif": ("image/gif", b"GIF89a" + b"g" * 100),
}
PNG = FILES["png"][1]
LIMIT = 10 * 1024 * 1024


@pytest.fixture
async def uploaded(api: Any, ada: Any) -> Any:
    return await api.data("POST", "/media", token=ada["token"], content=PNG)


@pytest.mark.parametrize("ending", FILES)
async def test_a_raw_body_is_known_by_its_content(api: Any, ada: Any, ending: str) -> None:
    mime_type, content = FILES[ending]
    headers = {"Content-Type": "application/octet-stream"}
    stored = await api.data("POST", "/media", token=ada["token"], content=content, headers=headers)
    name = f"{hashlib.sha256(content).hexdigest()}.{ending}"
    assert stored == {
        "fileToken": name,
        "image": f"https://chat.test/media/{name}",
        "mimeType": mime_type,
        "size": len(content),
    }
    served = await api.http.get(stored["image"])
    assert (served.status_code, served.content, served.headers["content-type"]) == (200, content, mime_type)


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


async def test_the_largest_picture_is_taken_and_a_byte_more_is_not(api: Any, ada: Any) -> None:
    largest = PNG.ljust(LIMIT, b"\0")
    for content, status in ((largest, 200), (largest + b"\0", 413)):
        for upload in ({"content": content}, {"files": {"image": content}}):
            response = await api.call("POST", "/media", token=ada["token"], **upload)
            assert response.status_code == status
    assert response.json()["code"] == "payload_too_large"
    assert response.json()["details"] == {"maxBytes": LIMIT}


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
    assert headers["access-control-allow-origin"] == "*"


async def test_a_picture_that_the_client_has_is_not_sent_again(api: Any, uploaded: Any) -> None:
    etag = (await api.http.get(uploaded["image"])).headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await api.http.get(uploaded["image"], headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in answer.headers
    for condition in ('"other"', etag.strip('"'), ""):
        answer = await api.http.get(uploaded["image"], headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (200, PNG)


async def test_head_answers_as_get_without_the_content(api: Any, uploaded: Any) -> None:
    answer = await api.http.head(uploaded["image"])
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(PNG)))


@pytest.mark.parametrize("name", ["0" * 64 + ".png", "x.png", "..%2Fheliograph.db", ".." + "%2e%2e/x", "%00"])
async def test_a_picture_that_is_not_there_is_404(api: Any, name: str) -> None:
    answer = await api.http.get(f"/media/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    answer = await api.http.get(f"/media/{name}", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_a_file_token_becomes_the_picture_of_the_profile(api: Any, ada: Any, uploaded: Any) -> None:
    change = {"image": uploaded["fileToken"]}
    stored = await api.data("PATCH", "/profile", token=ada["token"], json=change)
    assert (stored["image"], stored["fileToken"]) == (uploaded["image"], uploaded["fileToken"])
    cleared = await api.data("PATCH", "/profile", token=ada["token"], json={"image": ""})
    assert (cleared["image"], cleared["fileToken"]) == ("", "")
