"""What is measured. Each workload gives one row: its name and figures."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Any

from clients import Account, Http, Xmpp, answer_disco, gather_limited, learn_keys, login
from meters import Meter, rss_kib
from servers import Heliograph, Server

Row = dict[str, Any]
Accounts = list[Account]

_MESSAGE_END = b"</message>"

AS_MANY_ROUNDS = "register, 16 at once, as many rounds of PBKDF2"
BURST_AT_ONCE = 64
CROWD_AT_ONCE = 240
"""A node of ours as it ships has room for 256 from one address that have not signed in yet."""


def _latency(values_s: Sequence[float]) -> dict[str, float]:
    values = sorted(values_s)
    return {
        "p50_ms": round(statistics.median(values) * 1e3, 2),
        "p99_ms": round(values[min(len(values) - 1, int(0.99 * len(values)))] * 1e3, 2),
    }


async def register(server: Server, prefix: str, count: int, at_once: int) -> tuple[Accounts, Row]:
    """Register new users, durably and with verifiers for SCRAM."""
    registrars = [await server.registrar() for _ in range(at_once)]
    taken: list[float] = []

    async def one(number: int, worker: int) -> Account:
        begin = time.perf_counter()
        account = await registrars[worker](f"{prefix}{number}")
        taken.append(time.perf_counter() - begin)
        return account

    with Meter(server) as meter:
        accounts = await gather_limited(count, at_once, one)
    return accounts, {"workload": f"register, {at_once} at once", **_latency(taken), **meter.per(count)}


async def burst(server: Heliograph, prefix: str, count: int) -> Row:
    """Register new users in single calls, many at once, for whom passwords lie ready."""
    _, row = await register(server, prefix, count, BURST_AT_ONCE)
    return {**row, "workload": "register burst, single calls"}


async def register_at_once(server: Heliograph, prefix: str, count: int) -> Row:
    """Register new users in one call of the app's backend."""
    with Meter(server) as meter:
        await server.register_bulk([f"{prefix}{number}" for number in range(count)])
    return {"workload": "register burst, one call", **meter.per(count)}


def qr_row(taken_s: Sequence[float]) -> Row:
    """Sign-ins by QR code that took so long."""
    return {"workload": "QR sign-in, approved -> connected", **_latency(taken_s)}


def _port(server: Server, *, is_tls: bool) -> int:
    return server.xmpp_port + is_tls


def _over(*, is_tls: bool) -> str:
    return " over TLS" if is_tls else ""


async def sign_in(server: Server, accounts: Accounts, count: int, at_once: int, *, is_tls: bool = False) -> Row:
    """Whole XMPP sign-ins, each closed again."""
    taken: list[float] = []
    port = _port(server, is_tls=is_tls)

    async def one(number: int, _worker: int) -> None:
        begin = time.perf_counter()
        client = await login(port, accounts[number % len(accounts)], is_tls=is_tls)
        taken.append(time.perf_counter() - begin)
        client.close()

    await gather_limited(len(accounts), at_once, one)  # the client keys are computed once
    taken.clear()
    with Meter(server) as meter:
        await gather_limited(count, at_once, one)
    name = f"sign in{_over(is_tls=is_tls)}, {at_once} at once"
    return {"workload": name, **_latency(taken), **meter.per(count)}


async def login_all(
    server: Server, accounts: Accounts, at_once: int = 32, *, has_caps: bool = False, is_tls: bool = False
) -> list[Xmpp]:
    """All of them, signed in."""
    port = _port(server, is_tls=is_tls)

    async def one(number: int, _worker: int) -> Xmpp:
        return await login(port, accounts[number], has_caps=has_caps, is_tls=is_tls)

    return await gather_limited(len(accounts), at_once, one)


class FanOut:
    """A hub whose profile changes, and its contacts, all online."""

    def __init__(self, hub: Xmpp, contacts: list[Xmpp]) -> None:
        self._hub = hub
        self._contacts = contacts
        self._token = b"\0"
        self._count = self._target = 0
        self._done: asyncio.Future[float] | None = None
        self._pump = self._is_fetching = False
        self._sent = 0
        items = "<items node='urn:xmpp:vcard4' max_items='1'/>"
        pubsub = f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{items}</pubsub>"
        self._fetch = f"<iq type='get' id='f' to='{hub.jid.partition('/')[0]}'>{pubsub}</iq>".encode()
        hub.sink = lambda _client, _data: None
        for client in contacts:
            client.sink = self._came
            early, client.buffer = client.buffer, b""
            self._came(client, early)

    def _came(self, client: Xmpp, data: bytes) -> None:
        if b"disco#info" in data:
            answer_disco(client, data)
        data = client.tail + data
        found = data.count(self._token)
        client.tail = data[1 - len(self._token) :] if len(self._token) > 1 else b""
        if not found:
            return
        if self._is_fetching and b"<event" in data:
            client.send(self._fetch)
        self._count += found
        if self._done is not None and self._count >= self._target and not self._done.done():
            self._done.set_result(time.perf_counter())
        if self._pump:
            self._keep_going()

    def _set(self, name: str) -> None:
        vcard = (
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Ann Example</text></fn>"
            f"<nickname><text>{name}</text></nickname><tel><uri>tel:+4915123456789</uri></tel>"
            "<email><text>ann@example.org</text></email>"
            "<note><text>At work, do not disturb</text></note><photo><uri>https://example.org/image.png</uri></photo></vcard>"
        )
        item = f"<publish node='urn:xmpp:vcard4'><item id='current'>{vcard}</item></publish>"
        pubsub = f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{item}</pubsub>"
        self._hub.send(f"<iq type='set' id='p'>{pubsub}</iq>".encode())

    async def latency(self, rounds: int, server: Server, *, is_whole: bool = False) -> Row:
        """From the set sent to the last contact; `is_whole`: until each knows the whole profile, which it may have to
        ask for.
        """
        size = len(self._contacts)
        self._is_fetching = is_whole and not server.has_whole_profiles
        taken: list[float] = []
        meter = Meter(server)
        for number in range(-3, rounds):
            if number == 0:
                meter.__enter__()
            name = f"T{number + 3:06d}Z"
            self._token, self._count = name.encode(), 0
            self._target = size * (1 + self._is_fetching)
            self._done = asyncio.get_running_loop().create_future()
            begin = time.perf_counter()
            self._set(name)
            async with asyncio.timeout(20):
                taken.append(await self._done - begin)
            await asyncio.sleep(0.01)
        meter.__exit__(None, None, None)
        cpu = {"cpu_us_event": round(meter.cpu_s * 1e6 / (rounds * size), 1)}
        self._is_fetching = False
        what = "whole profile known to" if is_whole else "profile to"
        return {"workload": f"{what} {size} contacts, set to last", **_latency(taken[3:]), **cpu}

    async def saturation(self, seconds: float, server: Server) -> Row:
        """Events a second with four sets on their way at any time."""
        self._done, self._count, self._sent = None, 0, 0
        self._token, self._pump = b"<nickname>", True
        self._keep_going()
        await asyncio.sleep(0.5)
        before = self._count
        with Meter(server) as meter:
            await asyncio.sleep(seconds)
        events = self._count - before
        self._pump = False
        await asyncio.sleep(1)
        return {"workload": f"profile events at saturation, {len(self._contacts)} contacts", **meter.per(events)}

    def _keep_going(self) -> None:
        size = len(self._contacts)
        while self._sent * size - self._count < 4 * size:
            self._sent += 1
            self._set(f"S{self._sent:06d}Z")


async def fan_out(server: Server, size: int, rounds: int, seconds: float) -> list[Row]:
    """A profile change brought to so many contacts."""
    (hub,), _ = await register(server, f"hub{size}-", 1, 1)
    accounts, _ = await register(server, f"fan{size}-", size, 16)
    await server.befriend(hub, accounts)
    contacts = await login_all(server, accounts, has_caps=True)
    stage = FanOut(await login(server.xmpp_port, hub), contacts)
    await asyncio.sleep(0.5 + size / 1000)
    rows = [
        await stage.latency(rounds, server),
        await stage.latency(rounds, server, is_whole=True),
        await stage.saturation(seconds, server),
    ]
    for client in contacts:
        client.close()
    return rows


class Talk:
    """Pairs of users who talk: messages of 100 characters, 16 on their way for each pair, as fast as they are taken.

    Args:
        clients: all of them, each beside its partner.
    """

    def __init__(self, clients: list[Xmpp]) -> None:
        self.count = 0
        self._clients = clients
        self._answers: dict[Xmpp, tuple[Xmpp, bytes]] = {}
        for one, other in zip(clients[::2], clients[1::2], strict=True):
            text = f"<message to='{other.jid}' type='chat' id='m1'><body>{'x' * 100}</body></message>".encode()
            self._answers[other] = one, text
            other.sink, one.sink = self._came, _drop
        for other, (one, text) in self._answers.items():
            other.tail = b""
            one.send(text * 16)

    def _came(self, client: Xmpp, data: bytes) -> None:
        data = client.tail + data
        found = data.count(_MESSAGE_END)
        client.tail = data[1 - len(_MESSAGE_END) :]
        self.count += found
        if found:
            one, text = self._answers[client]
            one.send(text * found)

    async def end(self) -> None:
        """No further messages; those on their way arrive, then all sign out."""
        for client in self._clients:
            client.sink = _drop
        await asyncio.sleep(0.3)
        for client in self._clients:
            client.close()


def _drop(_client: Xmpp, _data: bytes) -> None:
    """What comes is of no interest."""


async def messages(server: Server, accounts: Accounts, pairs: int, seconds: float, *, is_tls: bool = False) -> Row:
    """One-to-one messages between pairs."""
    talk = Talk(await login_all(server, accounts[: 2 * pairs], is_tls=is_tls))
    await asyncio.sleep(0.5)
    before = talk.count
    with Meter(server) as meter:
        await asyncio.sleep(seconds)
    count = talk.count - before
    await talk.end()
    return {"workload": f"messages{_over(is_tls=is_tls)} between {pairs} pairs", **meter.per(count)}


async def endings(server: Heliograph, accounts: Accounts, count: int) -> Row:
    """Sessions that are ended by their users, from the call sent to the socket closed, while 50 pairs talk all the
    time. Those who end have a connection to the API already.
    """
    ended = accounts[-count:]
    clients = await login_all(server, ended)
    calls = [await Http(server.http_port, server.headers(account)).open() for account in ended]
    talk = Talk(await login_all(server, accounts[:100]))
    await asyncio.sleep(0.5)
    taken: list[float] = []
    before = talk.count
    with Meter(server) as meter:
        for http, client in zip(calls, clients, strict=True):
            begin = time.perf_counter()
            calling = asyncio.ensure_future(http.call("DELETE", "/api/v1/sessions/current"))
            await client.closed
            taken.append(time.perf_counter() - begin)
            await calling
            await asyncio.sleep(0.02)
    load = meter.per(talk.count - before)
    await talk.end()
    figures = {"messages_s": load["rate"], "generator_cores": load["generator_cores"]}
    return {"workload": "session ended -> socket closed, under load", **_latency(taken), **figures}


async def idle(server: Server, accounts: Accounts) -> Row:
    """All accounts sign in at once and stay: the time that takes, and memory for each. Only in a fresh process is
    memory that of the connections. The client keys are computed ahead: they cost the generator more than all the rest.
    """
    await gather_limited(len(accounts), BURST_AT_ONCE, lambda number, _: learn_keys(server.xmpp_port, accounts[number]))
    await asyncio.sleep(1)  # until the server has let them go
    before = rss_kib(server)
    with Meter(server) as meter:
        clients = await login_all(server, accounts, CROWD_AT_ONCE)
    await asyncio.sleep(2)
    memory = round((rss_kib(server) - before) / len(clients), 1)
    for client in clients:
        client.close()
    await asyncio.sleep(1)
    return {
        "workload": "all sign in and stay",
        "connections": len(clients),
        "kib_each": memory,
        "wall_s": round(meter.wall_s, 2),
        **meter.per(len(clients)),
    }
