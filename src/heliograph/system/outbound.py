"""HTTP calls to servers of others, where each connection goes to an address that was looked up once and judged."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final

import httpcore

from heliograph.core import outbound
from heliograph.core.outbound import Answer, Reach, Request, Target
from heliograph.errors import RemoteFailed

_CONNECTIONS_MAX: Final = 32
_KEEPALIVE_S: Final = 15.0
_PUBLIC: Final = Reach()
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.UnsupportedProtocol)


class GuardedHttp:
    """The adapter of `Outbound`.

    Args:
        reach: where calls may go.
        context: what TLS trusts; `None` for the certificate authorities of the machine.
    """

    def __init__(self, reach: Reach = _PUBLIC, context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            max_connections=_CONNECTIONS_MAX,
            max_keepalive_connections=_CONNECTIONS_MAX // 2,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_JudgedConnections(reach),
        )

    async def __aenter__(self) -> GuardedHttp:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._pool.aclose()

    async def request(self, request: Request) -> Answer:
        """Make one call.

        Raises:
            RemoteRefused: the address, or one that a redirect leads to, is not called.
            RemoteFailed: there was no whole answer within the bounds.
        """
        target = outbound.parse(request.url)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request, target)
        except TimeoutError:
            raise RemoteFailed("The server at that address did not answer in time") from None
        except _FAILURES as error:
            raise RemoteFailed(f"The server at that address could not be reached: {type(error).__name__}") from error

    async def _follow(self, request: Request, target: Target) -> Answer:
        for _ in range(request.max_redirects + 1):
            answer = await self._call(request, target)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None or not request.max_redirects:
                return answer
            target = outbound.redirected(target, location)
        raise RemoteFailed("The server at that address redirects too often")

    async def _call(self, request: Request, target: Target) -> Answer:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        headers = {"Accept-Encoding": "identity", "User-Agent": "Heliograph", **request.headers}
        async with self._pool.stream(request.method, url, headers=[*headers.items()], content=request.body) as answer:
            found = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in answer.headers}
            if answer.status in _REDIRECTS and request.max_redirects:
                return Answer(answer.status, found, b"")
            body = bytearray()
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) > request.max_bytes:
                    raise RemoteFailed(f"The server at that address sent more than {request.max_bytes} bytes")
            return Answer(answer.status, found, bytes(body))


class _JudgedConnections(httpcore.AsyncNetworkBackend):
    """Connects to what a name stands for at this moment, once all of it is found to be within reach.

    The judgement belongs here: the number that was judged is the number that is called, so a name cannot change what
    it stands for in between.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look a host up, judge all that it stands for, and connect to the first that takes the connection."""
        *others, last = outbound.admitted(await _look_up(host, port), port, self._reach)
        for address in others:
            with suppress(httpcore.NetworkError):
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._sockets.connect_tcp(last, port, timeout, local_address, socket_options)


async def _look_up(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise RemoteFailed("The name of the server at that address is not known") from None
    return [str(address[0]) for *_, address in found]
