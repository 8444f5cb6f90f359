"""What is measured. Each workload gives one row: its name and figures."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from clients import Http, Xmpp, answer_disco, gather_limited, login
from node_process import Meter, NodeProcess

Row = dict[str, Any]
Accounts = list[tuple[str, str, str]]
"""Username, password and access token."""


def _latency(values_s: list[float]) -> dict[str, float]:
    values = sorted(values_s)
    return {
        "p50_ms": round(statistics.median(values) * 1e3, 2),
        "p99_ms": round(values[min(len(values) - 1, int(0.99 * len(values)))] * 1e3, 2),
    }


async def register(node: NodeProcess, prefix: str, count: int, at_once: int) -> tuple[Accounts, Row]:
    """Register new live users with the secret key: durable, with SCRAM verifiers at 4,096 iterations."""
    pool = asyncio.Queue[Http]()
    for _ in range(at_once):
        pool.put_nowait(await Http(node.keys["live"]["secret"]).open())
    taken: list[float] = []

    async def one(number: int) -> tuple[str, str, str]:
        http = await pool.get()
        begin = time.perf_counter()
        data = await http.call("POST", "/register", {"userIdentifier": f"{prefix}{number}"})
        taken.append(time.perf_counter() - begin)
        pool.put_nowait(http)
        return data["username"], data["password"], data["token"]

    with Meter(node) as meter:
        accounts = await gather_limited(count, at_once, one)
    while not pool.empty():
        pool.get_nowait().close()
    return accounts, {"workload": f"register {count}, {at_once} at once", **_latency(taken), **meter.per(count)}


async def sign_in(node: NodeProcess, accounts: Accounts, count: int, at_once: int) -> Row:
    """Whole XMPP sign-ins, each closed again."""
    taken: list[float] = []

    async def one(number: int) -> None:
        username, password, _ = accounts[number % len(accounts)]
        begin = time.perf_counter()
        client = await login(username, password)
        taken.append(time.perf_counter() - begin)
        client.close()

    await gather_limited(len(accounts), at_once, one)  # the client keys are computed once
    taken.clear()
    with Meter(node) as meter:
        await gather_limited(count, at_once, one)
    return {"workload": f"sign in, {at_once} at once", **_latency(taken), **meter.per(count)}


async def befriend(node: NodeProcess, hub: tuple[str, str, str], accounts: Accounts) -> None:
    """Make all accounts contacts of the hub."""
    pool = asyncio.Queue[Http]()
    for _ in range(8):
        pool.put_nowait(await Http(node.keys["live"]["publishable"]).open())

    async def one(number: int) -> None:
        http = await pool.get()
        await http.call("PUT", f"/contacts/{accounts[number][0]}", token=hub[2])
        pool.put_nowait(http)

    await gather_limited(len(accounts), 8, one)


class FanOut:
    """A hub whose profile changes, and its contacts, all online."""

    def __init__(self, hub: Xmpp, contacts: list[Xmpp]) -> None:
        self._hub = hub
        self._contacts = contacts
        self._token = b"\0"
        self._count = self._target = 0
        self._done: asyncio.Future[float] | None = None
        self._pump = False
        self._sent = 0
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

    async def latency(self, rounds: int, node: NodeProcess) -> Row:
        """From the set sent to the last contact."""
        size = len(self._contacts)
        taken: list[float] = []
        meter = Meter(node)
        for number in range(-3, rounds):
            if number == 0:
                meter.__enter__()
            name = f"T{number + 3:06d}Z"
            self._token, self._count, self._target = name.encode(), 0, size
            self._done = asyncio.get_running_loop().create_future()
            begin = time.perf_counter()
            self._set(name)
            taken.append(await asyncio.wait_for(self._done, 20) - begin)
            await asyncio.sleep(0.01)
        meter.__exit__(None, None, None)
        cpu = {"cpu_us_event": round(meter.cpu_s * 1e6 / (rounds * size), 1)}
        return {"workload": f"profile to {size} contacts, set to last", **_latency(taken[3:]), **cpu}

    async def saturation(self, seconds: float, node: NodeProcess) -> Row:
        """Events a second with four sets on their way at any time."""
        self._done, self._count, self._sent = None, 0, 0
        self._token, self._pump = b"<nickname>", True
        self._keep_going()
        await asyncio.sleep(0.5)
        before = self._count
        with Meter(node) as meter:
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


async def fan_out(node: NodeProcess, size: int, rounds: int, seconds: float) -> list[Row]:
    """A profile change brought to so many contacts."""
    (hub, *_), _ = await register(node, f"hub{size}-", 1, 1)
    accounts, _ = await register(node, f"fan{size}-", size, 16)
    await befriend(node, hub, accounts)
    contacts = await gather_limited(size, 32, lambda number: login(*accounts[number][:2], has_caps=True))
    stage = FanOut(await login(*hub[:2]), contacts)
    await asyncio.sleep(0.5 + size / 1000)
    rows = [await stage.latency(rounds, node), await stage.saturation(seconds, node)]
    for client in contacts:
        client.close()
    return rows


async def messages(node: NodeProcess, accounts: Accounts, pairs: int, seconds: float) -> Row:
    """One-to-one messages of 100 characters between pairs, 16 on their way for each pair."""
    clients = await gather_limited(2 * pairs, 32, lambda number: login(*accounts[number][:2]))
    total = 0
    end = b"</message>"

    def came(client: Xmpp, data: bytes) -> None:
        nonlocal total
        data = client.tail + data
        found = data.count(end)
        client.tail = data[1 - len(end) :]
        total += found
        if found:
            answers[client][0].send(answers[client][1] * found)

    answers: dict[Xmpp, tuple[Xmpp, bytes]] = {}
    for one, other in zip(clients[::2], clients[1::2], strict=True):
        text = f"<message to='{other.jid}' type='chat' id='m1'><body>{'x' * 100}</body></message>".encode()
        answers[other] = one, text
        other.sink, one.sink = came, lambda _client, _data: None
    for other, (one, text) in answers.items():
        other.tail = b""
        one.send(text * 16)
    await asyncio.sleep(0.5)
    before = total
    with Meter(node) as meter:
        await asyncio.sleep(seconds)
    count = total - before
    for client in clients:
        client.sink = lambda _client, _data: None
    await asyncio.sleep(0.3)
    for client in clients:
        client.close()
    return {"workload": f"messages between {pairs} pairs", **meter.per(count)}


async def idle(node: NodeProcess, accounts: Accounts) -> Row:
    """All accounts sign in at once and stay: the time that takes, and memory for each."""
    before = node.rss_kib()
    with Meter(node) as meter:
        clients = await gather_limited(len(accounts), 64, lambda number: login(*accounts[number][:2]))
    await asyncio.sleep(2)
    memory = round((node.rss_kib() - before) / len(clients), 1)
    for client in clients:
        client.close()
    await asyncio.sleep(1)
    return {
        "workload": f"{len(clients)} sign in and stay",
        "kib_each": memory,
        "wall_s": round(meter.wall_s, 2),
        **meter.per(len(clients)),
    }
