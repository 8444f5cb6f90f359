"""Calls to servers of others, over real sockets: bounds, redirects, and addresses that change what they stand for."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import pytest
import trustme

from heliograph.core.outbound import Reach, Request
from heliograph.errors import RemoteFailed, RemoteRefused
from heliograph.system.outbound import GuardedHttp

LOOPBACK = Reach(networks=(ip_network("127.0.0.0/8"),))
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


class Remote:
    """Somebody's web server: gives each request the answer of its path, and keeps what it was asked."""

    def __init__(self, port: int, answers: dict[str, bytes]) -> None:
        self.port = port
        self.answers = answers
        self.asked: list[str] = []

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


Serve = Callable[..., Awaitable[Remote]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers that answer by path; a missing path is never answered."""
    async with AsyncExitStack() as stack:

        async def start(tls: ssl.SSLContext | None = None, **answers: bytes) -> Remote:
            remote = Remote(0, {f"/{path}".replace("/root", "/"): answer for path, answer in answers.items()})

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    while head := await reader.readuntil(b"\r\n\r\n"):
                        remote.asked.append(head.decode())
                        writer.write(remote.answers[head.split()[1].decode()])
                        await writer.drain()
                except KeyError:
                    await reader.read()  # until the caller has had enough
                except (asyncio.IncompleteReadError, ConnectionError):
                    pass  # the caller is gone
                finally:
                    writer.close()

            server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            remote.port = server.sockets[0].getsockname()[1]
            return remote

        yield start


@pytest.fixture
async def guarded() -> AsyncIterator[GuardedHttp]:
    """What may call the machine itself, for tests."""
    async with GuardedHttp(LOOPBACK) as outbound:
        yield outbound


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[list[str]]]]:
    """What names stand for: for each name the answers to one look-up after the other."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host not in known:
            return real(host, port, *arguments, **options)
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host].pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known  # type: ignore[return-value]


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_an_answer_comes_back_with_status_headers_and_body(serve: Serve, guarded: GuardedHttp) -> None:
    remote = await serve(root=OK)
    answer = await guarded.request(Request("POST", remote.url(), {"X-Id": "7"}, b""))
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hello", "text/plain")
    asked = remote.asked[0].lower()
    assert f"host: 127.0.0.1:{remote.port}\r\n" in asked
    assert "x-id: 7\r\n" in asked
    assert "cookie" not in asked
    assert "authorization" not in asked


async def test_a_body_is_sent_whole(guarded: GuardedHttp) -> None:
    got = asyncio.Queue[bytes]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.put_nowait(await reader.readexactly(9))
        writer.write(OK)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await guarded.request(Request("POST", f"http://127.0.0.1:{port}/", {}, b"some body"))).status == 200
    assert got.get_nowait() == b"some body"


async def test_the_machine_itself_is_not_called(serve: Serve) -> None:
    remote = await serve(root=OK)
    async with GuardedHttp() as outbound:
        for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]"):
            with pytest.raises(RemoteRefused):
                await outbound.request(Request("GET", remote.url(host=host)))
    assert remote.asked == []


async def test_a_name_is_looked_up_once_and_called_by_that_number(
    serve: Serve, guarded: GuardedHttp, names: dict[str, list[list[str]]]
) -> None:
    remote = await serve(root=OK)
    names["rebinding.example"] = [["127.0.0.1"], ["10.0.0.1"]]
    url = remote.url(host="rebinding.example")
    assert (await guarded.request(Request("GET", url, {"Connection": "close"}))).status == 200
    assert f"host: rebinding.example:{remote.port}" in remote.asked[0].lower()
    assert names["rebinding.example"] == [["10.0.0.1"]]
    with pytest.raises(RemoteRefused):  # the next connection looks again, and judges again
        await guarded.request(Request("GET", url))


async def test_a_name_with_one_private_address_among_others_is_not_called(
    serve: Serve, guarded: GuardedHttp, names: dict[str, list[list[str]]]
) -> None:
    remote = await serve(root=OK)
    names["mixed.example"] = [["127.0.0.1", "192.168.0.1"]]
    with pytest.raises(RemoteRefused):
        await guarded.request(Request("GET", remote.url(host="mixed.example")))
    assert remote.asked == []


async def test_the_next_address_of_a_name_is_tried(
    serve: Serve, guarded: GuardedHttp, names: dict[str, list[list[str]]]
) -> None:
    remote = await serve(root=OK)
    names["two.example"] = [["127.9.9.9", "127.0.0.1"]]  # nobody listens at the first
    assert (await guarded.request(Request("GET", remote.url(host="two.example")))).body == b"hello"


async def test_an_unknown_name_and_a_closed_port_fail(guarded: GuardedHttp, names: dict[str, list[list[str]]]) -> None:
    names["nowhere.example"] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        for host in ("nowhere.example", "127.0.0.1"):
            with pytest.raises(RemoteFailed):
                await guarded.request(Request("GET", f"http://{host}:{taken.getsockname()[1]}/"))


async def test_redirects_are_followed_as_often_as_is_allowed(serve: Serve, guarded: GuardedHttp) -> None:
    remote = await serve(a=redirect("/b"), b=redirect("c", 308), c=OK, loop=redirect("/loop"))
    assert (await guarded.request(Request("GET", remote.url("/a"), max_redirects=2))).body == b"hello"
    assert (await guarded.request(Request("GET", remote.url("/a")))).status == 302
    for path in ("/a", "/loop"):
        with pytest.raises(RemoteFailed):
            await guarded.request(Request("GET", remote.url(path), max_redirects=1))


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://2130706433/",
        "http://user:word@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://hidden.example/",
    ],
)
async def test_a_redirect_to_where_no_call_goes_is_refused(
    serve: Serve, guarded: GuardedHttp, names: dict[str, list[list[str]]], location: str
) -> None:
    names["hidden.example"] = [["192.168.1.1"]]
    remote = await serve(root=redirect(location))
    with pytest.raises(RemoteRefused):
        await guarded.request(Request("GET", remote.url(), max_redirects=3))


ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"5", b"99999").ljust(70_000, b"x"),
        ENDLESS + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 20,
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["too long", "too many chunks", "too long a header", "no HTTP", "no length"],
)
async def test_an_answer_beyond_the_bounds_fails(serve: Serve, guarded: GuardedHttp, answer: bytes) -> None:
    remote = await serve(root=answer)
    with pytest.raises(RemoteFailed):
        await guarded.request(Request("GET", remote.url(), max_bytes=65_536))


async def test_an_answer_that_does_not_come_or_does_not_end_fails_in_time(serve: Serve, guarded: GuardedHttp) -> None:
    remote = await serve(half=OK[:-1])
    for path in ("/half", "/never"):
        with pytest.raises(RemoteFailed):
            await guarded.request(Request("GET", remote.url(path), timeout_s=0.2))


async def test_tls_is_checked_against_the_name_and_not_the_number(
    serve: Serve, names: dict[str, list[list[str]]]
) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("chat.example").configure_cert(server)
    authority.configure_trust(client)
    remote = await serve(server, root=OK, down=redirect("http://chat.example/"))
    names["chat.example"] = [["127.0.0.1"], ["127.0.0.1"]]
    names["other.example"] = [["127.0.0.1"]]
    async with GuardedHttp(LOOPBACK, client) as outbound:
        url = remote.url(host="chat.example").replace("http", "https")
        assert (await outbound.request(Request("GET", url))).body == b"hello"
        with pytest.raises(RemoteRefused):
            await outbound.request(Request("GET", f"{url}down", max_redirects=1))
        with pytest.raises(RemoteFailed):
            await outbound.request(Request("GET", url.replace("chat", "other")))


async def test_a_header_cannot_hold_another(serve: Serve, guarded: GuardedHttp) -> None:
    remote = await serve(root=OK)
    with pytest.raises(RemoteFailed):
        await guarded.request(Request("GET", remote.url(), {"X": "1\r\nY: 2"}))
    assert remote.asked == []
