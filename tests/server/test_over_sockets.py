"""The HTTP face on a real socket, under uvicorn as a node runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from asgi_server import served
from heliograph.server.http import create_app
from patience import PATIENCE_S


async def greet(scope: Any, receive: Any, send: Any) -> None:
    """A WebSocket application that says which path it was asked for."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "xmpp"})
    await send({"type": "websocket.send", "text": scope["path"]})
    await send({"type": "websocket.close", "code": 1000})


@pytest.fixture
async def port(api: Any) -> AsyncIterator[int]:
    app = create_app(api.with_services(apps={"/xmpp": greet}).services)
    async with served(app) as port:
        yield port


async def test_a_registration_over_a_socket(api: Any, port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
        answer = await client.post(
            "/api/v1/register", headers={"Heliograph-Key": api.key("trial")}, json={"userIdentifier": "ada"}
        )
        assert answer.status_code == 200
        assert answer.json()["data"]["userJid"] == "ada@sandbox.chat.example"


async def test_the_connection_goes_on_after_an_error(api: Any, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = api.key("trial")
    for body, status in ((b"{", b"400"), (b" " * 70_000, b"413"), (b'{"userIdentifier": "ada"}', b"200")):
        head = (
            f"POST /api/v1/register HTTP/1.1\r\nHost: x\r\nHeliograph-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split(b" ", 2)[1] == status
        length = next(line for line in answer.lower().splitlines() if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()
    await writer.wait_closed()


async def test_a_chunked_body_is_bounded_too(api: Any, port: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 10_000

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
        answer = await client.post("/api/v1/register", headers={"Heliograph-Key": api.key("trial")}, content=chunks())
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_a_websocket_reaches_the_application_at_its_path(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/xmpp", subprotocols=["xmpp"], proxy=None) as websocket:  # type: ignore[list-item]
        assert await websocket.recv() == "/xmpp"
        assert websocket.subprotocol == "xmpp"


async def test_a_websocket_at_another_path_is_refused(port: int) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{port}/elsewhere", proxy=None)
