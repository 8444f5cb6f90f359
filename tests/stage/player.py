"""Plays a conversation script against a running node."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from xml.etree.ElementTree import Element

from websockets.asyncio.client import connect

from channels import Channel, Heard, TcpChannel, WebSocketChannel
from matching import difference, parse, shown
from patience import PATIENCE_S
from places import SANDBOX, Place
from scram import ScramSignIn
from script import Script, Step
from wires import NS_PING, Account, bind_request, plain

_NS_SM = "urn:xmpp:sm:3"
_ENABLE = f"<enable xmlns='{_NS_SM}' resume='true'/>"
_REQUEST, _ANSWER = f"{{{_NS_SM}}}r", f"{{{_NS_SM}}}a"
_FEATURES = "{http://etherx.jabber.org/streams}features"
_REFERENCE = re.compile(r"\{([a-z][\w./-]*)\}")


class Unexpected(AssertionError):
    """The server does not do what the script says."""


@dataclass
class Client:
    """One connection of a user in a script.

    Attributes:
        is_bound: whether it has a resource, and so can be asked to ping.
        is_managed: whether what it sends and receives is counted (XEP-0198).
        pending: what has come, and no step has asked for yet.
        features: what the server has offered last.
        scram: the exchange by which it signs in.
    """

    channel: Channel
    jid: str = ""
    is_bound: bool = False
    is_managed: bool = False
    pending: list[Heard] = field(default_factory=list)
    features: Element = field(default_factory=lambda: Element("features"))
    scram: ScramSignIn | None = None


class Player:
    """Plays one script, once.

    Args:
        place: the node; the script's users are new to it.
        is_bytewise: whether clients send a byte at a time.
    """

    def __init__(self, place: Place, script: Script, *, is_bytewise: bool) -> None:
        self._place = place
        self._script = script
        self._is_bytewise = is_bytewise
        self._users: dict[str, Account] = {}
        self._clients: dict[str, Client] = {}
        self._captured: dict[str, str] = {"domain": SANDBOX, "space": " \n\t"}
        self._ids = count(1)
        self._sockets = AsyncExitStack()
        self._step: Step
        self._verbs: dict[str, Callable[[Step], Coroutine[None, None, None]]] = {
            "befriends": self._befriend,
            "calls": self._call,
            "connects": self._connect,
            "drops": self._drop,
            "is closed": self._is_closed,
            "is registered": self._is_registered,
            "negotiated": self._negotiated,
            "reads": self._read,
            "receives": self._receive,
            "receives exactly": self._receive,
            "receives in any order": self._receive_all,
            "receives nothing": self._receive_nothing,
            "secures": self._secure,
            "sends": self._send,
            "skips": self._skip,
        }

    async def play(self) -> None:
        """Play all steps; then no client may have received anything else.

        Raises:
            Unexpected: with the script's line, what it expects and what came.
        """
        async with self._sockets:
            for step in self._script.steps:
                self._step = step
                await self._verbs[step.verb](step)
            for name in [name for name, client in self._clients.items() if client.is_bound]:
                self._step = Step(self._step.line, name, "receives nothing", "")
                await self._receive_nothing(self._step)

    # ------------------------------------------------------------------------------------------------------- clients

    async def _account(self, user: str) -> Account:
        if user not in self._users:
            self._users[user] = await self._place.register(self._place.name(user))
        return self._users[user]

    async def _is_registered(self, step: Step) -> None:
        await self._account(step.user)

    async def _befriend(self, step: Step) -> None:
        one, other = await self._account(step.user), await self._account(step.text)
        await self._place.call("PUT", f"/contacts/{other.username}", one)

    async def _connect(self, step: Step) -> None:
        options = {option.strip() for option in step.text.split(",") if option.strip()}
        account = await self._account(step.user)
        if "own session" in options:
            account = await self._place.register(account.username)
        client = self._clients[step.actor] = Client(await self._dial(options))
        if "raw" not in options:
            await self._sign_in(client, account)  # whole: signing in has scripts of its own
        client.channel.is_bytewise = self._is_bytewise
        if options & {"raw", "unbound"}:
            return
        await self._bind(client, step.actor.partition("/")[2] or step.actor)
        if "managed" in options:
            await self._manage(step.actor, client)
        priority = next((option.split()[1] for option in options if option.startswith("priority")), "")
        if "absent" not in options:
            inner = f"<priority>{priority}</priority>" if priority else ""
            await client.channel.send(f"<presence>{inner}</presence>")
            await self._settle()
            client.pending.clear()

    async def _dial(self, options: set[str]) -> Channel:
        if "over websocket" in options:
            url = self._place.node.public_url.replace("http", "ws", 1) + "/xmpp"
            socket = await self._sockets.enter_async_context(connect(url, subprotocols=["xmpp"], compression=None))  # type: ignore[list-item]
            return WebSocketChannel(socket)
        wire = await self._place.dial(is_direct_tls="over starttls" not in options)
        return TcpChannel(wire)

    async def _sign_in(self, client: Client, account: Account) -> None:
        channel = client.channel
        await channel.open(SANDBOX)
        features = await self._heard_until(channel, "features")
        if isinstance(channel, TcpChannel) and features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is not None:
            await channel.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            await self._heard_until(channel, "proceed")
            await channel.wire.start_tls(self._place.tls, SANDBOX)
            await channel.open(SANDBOX)
            await self._heard_until(channel, "features")
        await channel.send(plain(account.username, account.password))
        await self._heard_until(channel, "success")
        await channel.open(SANDBOX)
        await self._heard_until(channel, "features")

    async def _bind(self, client: Client, resource: str) -> None:
        await client.channel.send(bind_request(resource))
        answer = await self._heard_until(client.channel, "iq")
        client.jid = answer.findtext(".//{urn:ietf:params:xml:ns:xmpp-bind}jid") or ""
        client.is_bound = True

    async def _manage(self, actor: str, client: Client) -> None:
        await client.channel.send(_ENABLE)
        enabled = await self._heard_until(client.channel, "enabled")
        self._captured[f"{actor}.stream"] = enabled.get("id", "")
        client.is_managed = True

    async def _heard_until(self, channel: Channel, local: str) -> Element:
        while True:
            heard = await channel.next()
            if heard.element is None:
                raise self._wrong(f"the stream ended before <{local}>")
            if heard.element.tag.rpartition("}")[2] == local and not heard.is_header:
                return heard.element

    async def _secure(self, step: Step) -> None:
        channel = self._clients[step.actor].channel
        assert isinstance(channel, TcpChannel)
        await channel.wire.start_tls(self._place.tls, SANDBOX)

    async def _negotiated(self, step: Step) -> None:
        """The application protocol that TLS has chosen (RFC 7301)."""
        channel = self._clients[step.actor].channel
        assert isinstance(channel, TcpChannel)
        chosen = channel.wire.writer.get_extra_info("ssl_object").selected_alpn_protocol()
        if chosen != step.text:
            raise self._wrong(f"{chosen!r} was negotiated")

    async def _drop(self, step: Step) -> None:
        self._clients.pop(step.actor).channel.drop()
        await self._settle()

    # ------------------------------------------------------------------------------------------------------- sending

    async def _send(self, step: Step) -> None:
        client = self._clients[step.actor]
        text = self._filled(step.text)
        await client.channel.send(text)
        if f"<enable xmlns='{_NS_SM}'" in text:
            client.is_managed = True

    def _filled(self, text: str) -> str:
        return _REFERENCE.sub(lambda found: self._value(found[1]), text)

    def _value(self, name: str) -> str:
        if name in self._captured:
            return self._captured[name]
        if name in self._clients and "/" in name:
            return self._clients[name].jid
        actor, _, what = name.partition(".")
        account = self._users.get(actor.partition("/")[0])
        if account is None:
            raise self._wrong(f"who or what is {{{name}}}?")
        if what.startswith("scram"):
            return self._scram_value(actor, account, what)
        facts = {
            "": account.jid,
            "name": account.username,
            "full": self._clients[actor].jid if actor in self._clients else "",
            "plain": b64encode(f"\0{account.username}\0{account.password}".encode()).decode(),
            "upper": account.jid.upper(),
            "token": account.token,
            "session": account.session_id,
        }
        return facts[what]

    def _scram_value(self, actor: str, account: Account, what: str) -> str:
        """A message of SCRAM: `scram-sha-1.first`, `.final` for what the script remembers as `challenge`, and the
        server's `.success`.
        """
        mechanism, _, message = what.partition(".")
        client = self._clients[actor]
        if client.scram is None or message == "first":
            channel = client.channel
            tls = channel.wire.writer.get_extra_info("ssl_object") if isinstance(channel, TcpChannel) else None
            client.scram = ScramSignIn(mechanism.upper(), account, tls)
        if message == "first":
            return client.scram.first()
        if message == "final":
            return client.scram.final(self._captured["challenge"], client.features)
        return client.scram.success()

    # ----------------------------------------------------------------------------------------------------- receiving

    async def _receive(self, step: Step) -> None:
        client = self._clients[step.actor]
        text = self._filled(step.text)
        heard = await self._next(client, _REQUEST if "<r " in text else "")
        reason = self._mismatch(text, heard, is_exact=step.verb.endswith("exactly"))
        if reason:
            raise self._wrong(reason, heard)
        if heard.element is not None and heard.element.tag == _FEATURES:
            client.features = heard.element

    def _mismatch(self, text: str, heard: Heard, *, is_exact: bool = False) -> str:
        if text in ("</stream:stream>", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"):
            return "the stream is not over" if heard.element is not None or heard.is_gone else ""
        if heard.element is None:
            return "the stream is over"
        is_header = text.startswith(("<stream:stream", "<open "))
        if is_header != heard.is_header:
            return "one is the header of a stream"
        is_open = text.startswith("<stream:stream") and not text.endswith("/>")
        pattern = parse(f"{text}</stream:stream>" if is_open else text)[0]
        actual = Element(heard.element.tag, heard.element.attrib) if is_header else heard.element
        return difference(pattern, actual, self._captured, is_exact=is_exact)

    async def _receive_all(self, step: Step) -> None:
        client = self._clients[step.actor]
        patterns = parse(self._filled(step.text))
        while patterns:
            heard = await self._next(client)
            if heard.element is None:
                raise self._wrong("the stream is over", heard)
            reasons = []
            for pattern in patterns:
                trial = dict(self._captured)
                reason = difference(pattern, heard.element, trial)
                if not reason:
                    self._captured.update(trial)
                    patterns.remove(pattern)
                    break
                reasons.append(reason)
            else:
                raise self._wrong("; ".join(reasons), heard)

    async def _receive_nothing(self, step: Step) -> None:
        await self._settle()
        pending = [heard for heard in self._clients[step.actor].pending if not _is_asking(heard)]
        if pending:
            raise self._wrong("something came", pending[0])

    async def _skip(self, step: Step) -> None:
        """Forget what has come; by `everyone`, all do."""
        await self._settle()
        for name, client in self._clients.items():
            if step.actor in (name, "everyone"):
                client.pending.clear()

    async def _is_closed(self, step: Step) -> None:
        client = self._clients.pop(step.actor)
        heard = await self._next(client)
        if not heard.is_gone:
            raise self._wrong("the connection is not closed", heard)

    async def _next(self, client: Client, wanted: str = "") -> Heard:
        """The next thing that a client hears. Requests for acknowledgement come at any time, and are left out unless
        one is wanted.
        """
        while True:
            try:
                heard = client.pending.pop(0) if client.pending else await client.channel.next()
            except TimeoutError:
                raise self._wrong(f"nothing came in {PATIENCE_S:g} s") from None
            if heard.element is None or heard.element.tag != _REQUEST or wanted == _REQUEST:
                return heard

    async def _settle(self) -> None:
        """Wait until all that was sent has had its effect, and its effects have come."""
        for _ in range(2):
            for client in [client for client in self._clients.values() if client.is_bound]:
                await self._catch_up(client)
            async with asyncio.timeout(PATIENCE_S):
                while self._place.node.engine._tasks:  # noqa: ASYNC110 - nothing in the server tells of it
                    await asyncio.sleep(0)

    async def _catch_up(self, client: Client) -> None:
        """Take in what comes until the server answers; the question is not a stanza where stanzas are counted."""
        identity = f"settled-{next(self._ids)}"
        if client.is_managed:
            await client.channel.send(f"<r xmlns='{_NS_SM}'/>")
        else:
            ping = f"<iq type='get' id='{identity}' to='{SANDBOX}'><ping xmlns='{NS_PING}'/></iq>"
            await client.channel.send(ping)
        while True:
            heard = await client.channel.next()
            if heard.element is None:
                client.is_bound = False
                client.pending.append(heard)
                return
            is_answer = heard.element.tag == _ANSWER if client.is_managed else heard.element.get("id") == identity
            if is_answer:
                return
            client.pending.append(heard)

    # ---------------------------------------------------------------------------------------------------------- HTTP

    async def _call(self, step: Step) -> None:
        """A call of the HTTP API: as a user, or as the app's backend by `backend`."""
        method, path, *body = self._filled(step.text).split(" ", 2)
        account = None if step.actor == "backend" else await self._account(step.user)
        await self._place.call(method, path, account, json.loads(body[0]) if body else None)

    async def _read(self, step: Step) -> None:
        """A page that anybody may read, as a pattern of XML behind its path."""
        path, _, pattern = self._filled(step.text).partition("\n")
        answer = await self._place.http.get(path)
        found = parse(answer.text.partition("?>\n")[2] or answer.text)[0]
        reason = difference(parse(pattern)[0], found, self._captured)
        if reason:
            raise self._wrong(reason, Heard(found))

    def _wrong(self, reason: str, heard: Heard | None = None) -> Unexpected:
        came = "" if heard is None else "the end" if heard.element is None else shown(heard.element)
        where = f"{self._script.path.name}, line {self._step.line}"
        mode = "byte by byte" if self._is_bytewise else "whole"
        said = f"{self._step.actor} {self._step.verb}: {self._filled(self._step.text) if came else self._step.text}"
        return Unexpected(f"{where} ({mode}): {reason}\n  script: {said}\n  came:   {came}")


def _is_asking(heard: Heard) -> bool:
    return heard.element is not None and heard.element.tag == _REQUEST
