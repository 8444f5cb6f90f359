"""A running node with one app, and users of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp, Policy, RegistrationPolicy
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S
from wires import Account, Client, Wire, bind_request, plain, stream_header

LIVE, SANDBOX = "chat.localhost", "sandbox.chat.localhost"


@dataclass
class Place:
    """A running node with one app; users get names that no other test has."""

    node: Node
    app: NewApp
    http: httpx.AsyncClient
    tls: ssl.SSLContext
    ca_file: Path
    _wires: list[Wire] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def key(self, environment: Environment, kind: KeyKind = KeyKind.SECRET) -> str:
        return self.app.keys[kind, environment]

    def name(self, name: str) -> str:
        """A user's name that is new to the node."""
        return f"{name}-{next(self._names)}"

    async def call(
        self,
        method: str,
        path: str,
        account: Account | None = None,
        body: Any = None,
        environment: Environment = Environment.SANDBOX,
    ) -> Any:
        """Call the HTTP API: as the app's backend, or as a user; returns `data`."""
        headers = {"Heliograph-Key": self.key(environment)}
        if account is not None:
            headers["Authorization"] = f"Bearer {account.token}"
        answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json().get("data")

    async def register(self, name: str, environment: Environment = Environment.SANDBOX, **options: Any) -> Account:
        """A new session of a user."""
        body = {"userIdentifier": name, **options}
        data = await self.call("POST", "/register", body=body, environment=environment)
        return Account(data["username"], data["password"], data["userJid"], data["token"], data["sessionId"])

    async def dial(self, *, is_direct_tls: bool = True, name: str = SANDBOX) -> Wire:
        """A socket to the node: secured, or in the clear where STARTTLS is spoken."""
        port = self.node.xmpps_port if is_direct_tls else self.node.xmpp_port
        context = self.tls if is_direct_tls else None
        shown = name if is_direct_tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=shown)
        wire = Wire(reader, writer)
        self._wires.append(wire)
        return wire

    async def open(self, account: Account, *, is_direct_tls: bool = True) -> Wire:
        """A socket with an open stream; its features are heard."""
        wire = await self.dial(is_direct_tls=is_direct_tls)
        await wire.send(stream_header(account.jid.partition("@")[2]))
        await wire.until("</stream:features>")
        return wire

    async def sign_in(self, account: Account, resource: str | None = None, *, lang: str | None = None) -> Client:
        """A client that is bound and has said nothing yet."""
        header = stream_header(account.jid.partition("@")[2], lang)
        wire = await self.dial()
        await wire.send(header, plain(account.username, account.password), header, bind_request(resource))
        await wire.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        opened = await wire.until("xml:lang='en'>")
        await wire.until("</stream:features>")
        bound = await wire.until("</iq>")
        jid = bound.partition("<jid>")[2].partition("</jid>")[0]
        return Client(wire, account, jid, opened)

    def leave_open(self) -> None:
        """Leave the sockets to the test."""
        self._wires.clear()

    def hang_up(self) -> None:
        for wire in self._wires:
            wire.close()
        self._wires.clear()


@asynccontextmanager
async def running(data_dir: Path, *, is_new: bool = True, **settings: Any) -> AsyncIterator[Place]:
    """A node with an app, until the context is left; the app is made unless the folder has it."""
    chosen = {"domain": LIVE, "drain_timeout_s": 5, **settings}
    wanted = Settings(data_dir=data_dir, http_port=0, xmpp_port=0, xmpps_port=0, **chosen)
    policy = Policy(registration=RegistrationPolicy.OPEN, max_sessions=3, sandbox_max_users=10_000)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(run_node(wanted))
        if is_new:
            app = await apps.create(node.ports, "Chat", LIVE, SANDBOX, policy)
        else:
            app = NewApp((await node.ports.apps.list())[0][0], {}, "")
        tls = ssl.create_default_context(cafile=str(node.certificate_file))
        tls.set_alpn_protocols(["xmpp-client"])
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=node.public_url, timeout=PATIENCE_S))
        place = Place(node, app, http, tls, node.certificate_file)
        stack.callback(place.hang_up)
        yield place
