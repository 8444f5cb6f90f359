"""Raw clients: HTTP and XMPP over plain sockets, without a parser, so that the generator costs little."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from node_process import DOMAIN, HOST, HTTP_PORT, XMPP_PORT

Result = TypeVar("Result")

_HEADER = (
    f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{DOMAIN}' version='1.0'>"
).encode()
_NONCE = "fyko+d2lbbFgONRv9qkxdawL"
_FEATURES = sorted(
    ["http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info", "urn:xmpp:vcard4+notify"]
)
_CAPS_VERSION = base64.b64encode(
    hashlib.sha1(("client/pc//bench<" + "".join(f"{feature}<" for feature in _FEATURES)).encode()).digest()
).decode()
_CAPS = f"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:bench' ver='{_CAPS_VERSION}'/>"
_DISCO = (
    f"<query xmlns='http://jabber.org/protocol/disco#info' node='urn:bench#{_CAPS_VERSION}'>"
    "<identity category='client' type='pc' name='bench'/>"
    + "".join(f"<feature var='{feature}'/>" for feature in _FEATURES)
    + "</query>"
)
_DISCO_REQUEST = re.compile(rb"<iq type='get'[^>]* id='(hg\d+)'[^>]*>")


class Http:
    """One HTTP/1.1 connection that is kept open."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def open(self) -> Http:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(HOST, HTTP_PORT)
        return self

    async def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer's `data`; an error is an exception."""
        payload = b"" if body is None else json.dumps(body).encode()
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: {HOST}\r\nHeliograph-Key: {self._key}\r\n{bearer}"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        self._writer.write(head.encode() + payload)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", answer)
        data = json.loads(await self._reader.readexactly(int(length[1]))) if length else {}
        if data.get("statusCode") != 200:
            raise RuntimeError(data)
        return data.get("data")

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


class Xmpp(asyncio.Protocol):
    """One XMPP stream: waits for tokens in the bytes that come, or hands them to a sink."""

    __slots__ = ("_future", "_want", "buffer", "jid", "sink", "tail", "transport")

    def __init__(self) -> None:
        self.buffer = self.tail = b""
        self.jid = ""
        self.sink: Callable[[Xmpp, bytes], None] | None = None
        self._future: asyncio.Future[bytes] | None = None
        self._want: Sequence[bytes] = ()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_exception(ConnectionError(f"closed: {self.buffer[-300:]!r}"))

    def data_received(self, data: bytes) -> None:
        if self.sink is not None:
            self.sink(self, data)
            return
        self.buffer += data
        self._check()

    def _check(self) -> None:
        if self._future is not None and not self._future.done() and all(token in self.buffer for token in self._want):
            self._future.set_result(self.buffer)
            self.buffer = b""

    async def expect(self, *tokens: bytes) -> bytes:
        """Wait until each of the tokens has come; gives and forgets what came."""
        self._want, self._future = tokens, asyncio.get_running_loop().create_future()
        self._check()
        return await self._future

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def close(self) -> None:
        """End the stream."""
        if not self.transport.is_closing():
            self.transport.write(b"</stream:stream>")
            self.transport.close()


class Keys:
    """Client keys of SCRAM-SHA-256, computed once for each password, so that a login costs the generator no hashing."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, bytes, int], tuple[bytes, bytes]] = {}

    def get(self, password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
        """ClientKey and StoredKey."""
        found = self._keys.get((password, salt, iterations))
        if found is None:
            salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), iterations)
            key = hmac.digest(salted, b"Client Key", "sha256")
            found = self._keys[password, salt, iterations] = key, hashlib.sha256(key).digest()
        return found


KEYS = Keys()


async def login(username: str, password: str, *, has_caps: bool = False) -> Xmpp:
    """A whole sign-in: stream, SCRAM-SHA-256, bind, roster, initial presence until it is reflected."""
    client: Xmpp
    _, client = await asyncio.get_running_loop().create_connection(Xmpp, HOST, XMPP_PORT)
    client.send(_HEADER)
    await client.expect(b"</stream:features>")
    first = f"n={username},r={_NONCE}"
    initial = base64.b64encode(f"n,,{first}".encode()).decode()
    client.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>{initial}</auth>".encode())
    answer = await client.expect(b"</challenge>")
    challenge = base64.b64decode(re.search(rb"<challenge[^>]*>([^<]*)", answer)[1])  # type: ignore[index]
    parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
    key, stored = KEYS.get(password, parts[b"s"], int(parts[b"i"]))
    last = b"c=biws,r=" + parts[b"r"]
    signature = hmac.digest(stored, first.encode() + b"," + challenge + b"," + last, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    response = base64.b64encode(last + b",p=" + base64.b64encode(proof))
    client.send(b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + response + b"</response>")
    await client.expect(b"</success>")
    client.send(_HEADER)
    await client.expect(b"</stream:features>")
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind>"
    client.send(f"<iq type='set' id='b'>{bind}</iq>".encode())
    client.jid = re.search(rb"<jid>([^<]*)", await client.expect(b"</jid>"))[1].decode()  # type: ignore[index]
    presence = f"<presence>{_CAPS}</presence>" if has_caps else "<presence/>"
    client.send(f"<iq type='get' id='ro'><query xmlns='jabber:iq:roster'/></iq>{presence}".encode())
    client.buffer = await client.expect(b"id='ro'", b"<presence")
    return client


def answer_disco(client: Xmpp, data: bytes) -> None:
    """Answer the server's question what this client can do."""
    for identity in _DISCO_REQUEST.findall(data):
        client.send(f"<iq type='result' id='{identity.decode()}' to='{DOMAIN}'>{_DISCO}</iq>".encode())


async def gather_limited(count: int, at_once: int, work: Callable[[int], Awaitable[Result]]) -> list[Result]:
    """`work(0)` … `work(count - 1)`, so many at once."""
    numbers = iter(range(count))
    results: dict[int, Result] = {}

    async def worker() -> None:
        for number in numbers:
            results[number] = await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, count)):
            group.create_task(worker())
    return [results[number] for number in range(count)]
