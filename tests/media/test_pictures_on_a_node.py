"""Pictures on a whole node: kept in a bucket, fetched from elsewhere or refused, let go by themselves."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from PIL import Image

from heliograph import node
from heliograph.core import media, outbound, profiles
from heliograph.core.apps import Environment
from heliograph.doctor import pictures
from heliograph.doctor.findings import Severity
from heliograph.errors import MediaUnsupported, SettingsInvalid
from heliograph.settings import Settings
from heliograph.system.outbound import GuardedHttp
from places import running
from s3_server import S3Server, s3_server

KEY = {"s3_access_key_id": "key", "s3_region": "eu-central-1", "media_store": "s3"}


def picture(color: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (800, 400), color).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


async def upload(place: Any, account: Any, content: bytes) -> Any:
    headers = {"Authorization": f"Bearer {account.token}", "Heliograph-Key": place.key(Environment.SANDBOX)}
    answer = await place.http.post("/api/v1/media", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_node_keeps_its_pictures_in_a_bucket(s3: S3Server, tmp_path: Path) -> None:
    bucket = s3.bucket(prefix="node/media")
    secret = tmp_path / "bucket-secret"
    secret.write_text("secret\n")
    settings = {**KEY, "s3_endpoint": s3.url, "s3_bucket": bucket.name, "s3_prefix": bucket.prefix}
    async with running(tmp_path, s3_secret_access_key_file=secret, **settings) as place:
        ada = await place.register("ada")
        stored = await upload(place, ada, picture())
        names = [meta["path"] for metas in obstore.list(bucket.open()) for meta in metas]
        assert names == sorted(form.name(stored["fileToken"]) for form in media.FORMS)
        profile = await place.call("PATCH", "/profile", ada, {"image": stored["fileToken"]})
        served = await place.http.get(profile["thumbImage"], headers={"Accept": "image/webp"})
        assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
        later = time.time() + 3600
        assert await media.let_go(_at(place, later), "", 60) == ""
        assert (await place.http.get(profile["image"])).status_code == 200
        await place.call("DELETE", "/account", ada)
        await media.let_go(_at(place, later), "", 60)
        assert (await place.http.get(profile["image"])).status_code == 404
    assert not (tmp_path / "media").exists()


def _at(place: Any, now: float) -> Any:
    """The ports of the node, later."""

    class Later:
        def now(self) -> float:
            return now

    return replace(place.node.ports, clock=Later())


async def test_a_bucket_that_cannot_be_reached_is_told_so_with_a_code(s3: S3Server, tmp_path: Path) -> None:
    settings = {**KEY, "s3_endpoint": s3.url, "s3_bucket": "no-such-bucket", "s3_secret_access_key": "secret"}
    async with running(tmp_path, **settings) as place:
        ada = await place.register("ada")
        with pytest.raises(AssertionError, match='"code":"unreachable"'):
            await upload(place, ada, picture())


async def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, media_store="s3", s3_bucket="b", s3_access_key_id="k", s3_secret_access_key_file="/no/file"
    )
    with pytest.raises(SettingsInvalid, match="s3_secret_access_key_file"):
        async with node.open_ports(settings):
            pass


async def test_the_doctor_tries_the_bucket(s3: S3Server, tmp_path: Path) -> None:
    bucket = s3.bucket()
    settings = {**KEY, "s3_endpoint": s3.url, "s3_secret_access_key": "secret", "data_dir": tmp_path}
    (found,) = pictures.look(Settings(**settings, s3_bucket=bucket.name))
    assert found.severity is Severity.OK
    assert [meta for metas in obstore.list(bucket.open()) for meta in metas] == []
    (found,) = pictures.look(Settings(**settings, s3_bucket="no-such-bucket"))
    assert (found.severity, found.text) == (
        Severity.PROBLEM,
        "the bucket no-such-bucket cannot be listed: GenericError",
    )
    assert pictures.look(Settings(data_dir=tmp_path)) == []


# ------------------------------------------------------------------------------------------------------- from elsewhere


@pytest.fixture
async def gallery() -> AsyncIterator[str]:
    """The address of somebody's web server with a picture at `/red.png` and no picture at `/page`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        kind, body = ("image/png", picture()) if "/red.png" in head else ("text/html", b"<html>")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def change(place: Any, account: Any, image: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {account.token}", "Heliograph-Key": place.key(Environment.SANDBOX)}
    answer: httpx.Response = await place.http.request(
        "PATCH", "/api/v1/profile", json={"image": image}, headers=headers
    )
    return answer


async def test_a_node_does_not_fetch_from_itself_or_its_neighbours(gallery: str, tmp_path: Path) -> None:
    async with running(tmp_path, fetch_remote_images=True) as place:
        ada = await place.register("ada")
        for address in (
            f"{gallery}/red.png",
            f"{place.node.public_url}/livez",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::ffff:10.0.0.1]/",
            "http://2130706433/",
        ):
            answer = await change(place, ada, address)
            assert (answer.status_code, answer.json()["code"]) == (400, "remote_refused")


async def test_a_node_fetches_a_picture_and_shows_its_own_copy(gallery: str, tmp_path: Path) -> None:
    reach = outbound.Reach(networks=(ip_network("127.0.0.0/8"),))
    async with running(tmp_path) as place, GuardedHttp(reach) as remote:
        fetching = replace(place.node.ports, remote_images=remote)
        ada = await place.register("ada")
        stored = await profiles.set_profile(fetching, ada.jid, profiles.ProfileChange(image=f"{gallery}/red.png"))
        token = (await upload(place, ada, picture()))["fileToken"]
        assert stored.image == f"{place.node.public_url}/media/{token}"
        assert (await place.http.get(stored.thumb_image)).status_code == 200
        with pytest.raises(MediaUnsupported):
            await profiles.set_profile(fetching, ada.jid, profiles.ProfileChange(image=f"{gallery}/page"))
