"""Raw clients: HTTP and XMPP over plain sockets, without a parser, so that the generator costs little."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

HOST = "127.0.0.1"
DOMAIN = "localhost"

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
_DISCO_REQUEST = re.compile(rb"<iq [^>]*>\s*<query [^>]*disco#info[^>]*>")


class Account(NamedTuple):
    """A registered user; only ours have an access token."""

    username: str
    password: str
    token: str = ""


class Http:
    """One HTTP/1.1 connection that is kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def open(self) -> Http:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        return self

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; an error is an exception."""
        return json.loads(await self.answer(method, path, b"" if body is None else json.dumps(body).encode()))

    async def answer(self, method: str, path: str, payload: bytes = b"") -> bytes:
        """The answer's body; an error is an exception."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{self._headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        self._writer.write(head.encode() + payload)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", answer)
        data = await self._reader.readexactly(int(length[1])) if length else b"{}"
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(data)
        return data


class Xmpp(asyncio.Protocol):
    """One XMPP stream: waits for tokens in the bytes that come, or hands them to a sink."""

    __slots__ = ("_future", "_want", "buffer", "closed", "features", "jid", "sink", "tail", "transport")

    def __init__(self) -> None:
        self.buffer = self.tail = self.features = b""
        self.jid = ""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sink: Callable[[Xmpp, bytes], None] | None = None
        self._future: asyncio.Future[bytes] | None = None
        self._want: Sequence[bytes] = ()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set_result(None)
        if self._future is not None and not self._future.done():
            self._future.set_exception(ConnectionError(f"closed: {self.buffer[-300:]!r}"))

    def data_received(self, data: bytes) -> None:
        if self.sink is not None:
            self.sink(self, data)
            return
        self.buffer += data
        self._check()

    def _check(self) -> None:
        if self._future is not None and not self._future.done() and all(map(self._has, self._want)):
            self._future.set_result(self.buffer)
            self.buffer = b""

    def _has(self, token: bytes) -> bool:
        return token in self.buffer or token.replace(b"'", b'"') in self.buffer

    async def expect(self, *tokens: bytes) -> bytes:
        """Wait until each of the tokens has come, with either kind of quotes; gives and forgets what came."""
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
    """Client keys of SCRAM-SHA-1, computed once for each password, so that a login costs the generator no hashing."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, bytes, int], tuple[bytes, bytes]] = {}

    def get(self, password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
        """ClientKey and StoredKey."""
        found = self._keys.get((password, salt, iterations))
        if found is None:
            salted = hashlib.pbkdf2_hmac("sha1", password.encode(), base64.b64decode(salt), iterations)
            key = hmac.digest(salted, b"Client Key", "sha1")
            found = self._keys[password, salt, iterations] = key, hashlib.sha1(key).digest()
        return found


KEYS = Keys()


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["xmpp-client"])
    return context


_TLS = _any_certificate()


async def open_stream(port: int, *, is_tls: bool = False) -> Xmpp:
    """A stream that is open, with its features; with direct TLS if the port wants it (XEP-0368)."""
    client: Xmpp
    context = _TLS if is_tls else None
    _, client = await asyncio.get_running_loop().create_connection(Xmpp, HOST, port, ssl=context)
    client.send(_HEADER)
    client.features = await client.expect(b"</stream:features>")
    return client


async def _challenged(client: Xmpp, account: Account) -> tuple[bytes, bytes, tuple[bytes, bytes]]:
    """Begin SCRAM-SHA-1: what is authenticated so far but for the end, the nonce, and the client's keys."""
    first = f"n={account.username},r={_NONCE}"
    initial = base64.b64encode(f"n,,{first}".encode()).decode()
    client.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>{initial}</auth>".encode())
    challenge = base64.b64decode(_found(rb"<challenge[^>]*>([^<]*)", await client.expect(b"</challenge>")))
    parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
    keys = KEYS.get(account.password, parts[b"s"], int(parts[b"i"]))
    return first.encode() + b"," + challenge, parts[b"r"], keys


async def learn_keys(port: int, account: Account) -> None:
    """Compute an account's client keys, for which the server has to be asked for the salt; there is no sign-in."""
    client = await open_stream(port)
    await _challenged(client, account)
    client.close()
    await client.closed


async def _scram(client: Xmpp, account: Account) -> None:
    """SCRAM-SHA-1, but for the server's last word."""
    begun, nonce, (key, stored) = await _challenged(client, account)
    last = b"c=biws,r=" + nonce
    signature = hmac.digest(stored, begun + b"," + last, "sha1")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    response = base64.b64encode(last + b",p=" + base64.b64encode(proof))
    client.send(b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + response + b"</response>")


def _plain(client: Xmpp, account: Account) -> None:
    """PLAIN, but for the server's last word."""
    words = base64.b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    client.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{words}</auth>".encode())


async def login(port: int, account: Account, *, has_caps: bool = False, is_tls: bool = False) -> Xmpp:
    """A whole sign-in: stream, SCRAM-SHA-1 (PLAIN where the server offers no more), bind, roster, initial presence
    until it is reflected.
    """
    client = await open_stream(port, is_tls=is_tls)
    if b">SCRAM-SHA-1<" in client.features:
        await _scram(client, account)
    else:
        _plain(client, account)
    await client.expect(b"<success")
    client.send(_HEADER)
    await client.expect(b"</stream:features>")
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind>"
    client.send(f"<iq type='set' id='b'>{bind}</iq>".encode())
    client.jid = _found(rb"<jid>([^<]*)", await client.expect(b"</jid>")).decode()
    presence = f"<presence>{_CAPS}</presence>" if has_caps else "<presence/>"
    client.send(f"<iq type='get' id='ro'><query xmlns='jabber:iq:roster'/></iq>{presence}".encode())
    client.buffer = await client.expect(b"id='ro'", b"<presence")
    return client


def _found(pattern: bytes, data: bytes) -> bytes:
    match = re.search(pattern, data)
    if match is None:
        raise RuntimeError(data)
    return match[1]


def answer_disco(client: Xmpp, data: bytes) -> None:
    """Answer the server's questions what this client can do."""
    for request in _DISCO_REQUEST.findall(data):
        if b"get" in request:
            identity = _found(rb" id=['\"]([^'\"]*)", request).decode()
            origin = _found(rb" from=['\"]([^'\"]*)", request).decode()
            client.send(f"<iq type='result' id='{identity}' to='{origin}'>{_DISCO}</iq>".encode())


async def register_in_band(port: int, password: str) -> Callable[[str], Awaitable[Account]]:
    """A stream over which accounts are registered one at a time (XEP-0077)."""
    client = await open_stream(port)

    async def one(username: str) -> Account:
        fields = f"<username>{username}</username><password>{password}</password>"
        client.send(f"<iq type='set' id='{username}'><query xmlns='jabber:iq:register'>{fields}</query></iq>".encode())
        answer = await client.expect(f"id='{username}'".encode())
        if b"error" in answer:
            raise RuntimeError(answer)
        return Account(username, password)

    return one


async def gather_limited(count: int, at_once: int, work: Callable[[int, int], Awaitable[Result]]) -> list[Result]:
    """`work(0, …)` … `work(count - 1, …)`, so many at once; the second argument is the number of the worker."""
    numbers = iter(range(count))
    results: dict[int, Result] = {}

    async def worker(me: int) -> None:
        for number in numbers:
            results[number] = await work(number, me)

    async with asyncio.TaskGroup() as group:
        for me in range(min(at_once, count)):
            group.create_task(worker(me))
    return [results[number] for number in range(count)]
