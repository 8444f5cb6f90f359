"""ejabberd as the XMPP server: the `Engine` port over its HTTP API, and a component that answers for the profiles.

It is the embedded engine without listeners. Its resources are mirrors of ejabberd's connections, and what is said of
profiles is said by the same code. What ejabberd does by itself (presence, messages, rosters on the wire) it is told of
by chores, which are repeated until it has answered; what may have been missed is found again by comparing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial

import structlog

from heliograph.core.blocking import BlockChange
from heliograph.core.contacts import RosterChange
from heliograph.core.ports import Ports
from heliograph.core.profiles import Profile
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.api import ApiRefused, ApiUnavailable, EjabberdApi
from heliograph.engines.ejabberd.chores import Chores
from heliograph.engines.ejabberd.control import Control
from heliograph.engines.ejabberd.link import Address, ComponentLink
from heliograph.engines.ejabberd.mirror import Mirror
from heliograph.engines.embedded.engine import EmbeddedEngine, EngineLimits, Listener
from heliograph.engines.embedded.fan_out import FanOut
from heliograph.engines.embedded.router import Resource

log = structlog.get_logger("heliograph.ejabberd")

LOOK_EVERY_S = 5.0
LOOK_EVERY_CONNECTIONS = 1000
"""How often the mirror is compared with ejabberd's list of connections, as one that breaks says nothing: after so many
seconds, and one more for so many connections.
"""
_RETRY_S = 1.0
_PAGE = 500


class _LeadersFanOut(FanOut):
    """Of several nodes, one brings to a client that comes what it has missed: the one that answers for its domain."""

    def __init__(self, engine: EjabberdEngine) -> None:
        super().__init__(engine)
        self._mirror = engine.mirror

    async def catch_up(self, receiver: Resource, nodes: frozenset[str]) -> None:
        """See `FanOut`."""
        if receiver.host in self._mirror.leads:
            await super().catch_up(receiver, nodes)


class EjabberdEngine(EmbeddedEngine):
    """The engine.

    Args:
        address: of ejabberd's listener for components.
        api_url: of its HTTP API.
        api_token: for it, where it asks for one.
        secret: of the installation.
    """

    def __init__(self, address: Address, api_url: str, api_token: str | None, *, secret: bytes) -> None:
        super().__init__(EngineLimits(has_archive=False), None, secret=secret, requires_tls=True)
        self.mirror = Mirror(self, address.name)
        self.fan_out = _LeadersFanOut(self)
        self.link = ComponentLink(address, self.mirror.received, self._changed)
        self._api_url, self._api_token = api_url, api_token
        self._chores = Chores(self._lost)
        self._look = asyncio.Event()
        self._is_new = True  # ejabberd may hold connections that it was not told to end
        self._told_mark: dict[str, int] = {}  # by domain, the mark of the last profile that went out
        self._control: Control
        self._running: asyncio.Task[None]

    # ----------------------------------------------------------------------------------------------------- lifecycle

    async def start(self, ports: Ports, listeners: Sequence[Listener]) -> list[int]:  # noqa: ARG002 - ejabberd listens
        """Begin to connect to ejabberd; it may come later."""
        await super().start(ports, [])
        self._running = asyncio.get_running_loop().create_task(self._run())
        return []

    async def _run(self) -> None:
        async with EjabberdApi(self._api_url, self._api_token) as api, asyncio.TaskGroup() as tasks:
            self._control = Control(api, self.ports)
            tasks.create_task(self.link.run())
            tasks.create_task(self._chores.run())
            tasks.create_task(self._keep_looking())

    async def stop(self, drain_timeout_s: float) -> None:
        """Do what is in line, if ejabberd answers; the clients stay connected to it."""
        if self._chores.is_answered:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(drain_timeout_s):
                    await self._chores.finished()
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        await super().stop(drain_timeout_s)

    @property
    def is_reachable(self) -> bool:
        """Whether ejabberd is connected, lets this node speak for its users, and answers."""
        return self.link.is_up and self.mirror.is_privileged and self._chores.is_answered

    @property
    def connections(self) -> int:
        """How many connections ejabberd has, as far as they are seen."""
        return len(self.router.full)

    def serves(self, domain: str) -> bool:
        """Whether it is a JID domain of an app."""
        return domain in self._hosts

    def touch(self, resource: Resource) -> None:
        """See `EmbeddedEngine`; nothing is noted where it is not known whose connection it is."""
        if resource.session_id:
            super().touch(resource)

    # ---------------------------------------------------------------------------------------- what may have been missed

    def look_again(self) -> None:
        """Compare at once."""
        self._look.set()

    def _changed(self, is_up: bool) -> None:
        if is_up:
            return
        self.mirror.reset()
        for resource in self.router.full.values():
            resource.since = max(resource.since, resource.caught_up, self._told_mark.get(resource.host, -1))

    def _lost(self) -> None:
        self._is_new = True
        self._look.set()

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S + self.connections / LOOK_EVERY_CONNECTIONS):
                    await self._look.wait()
            has_come_back = self._look.is_set()
            self._look.clear()
            try:
                await self._compare(has_come_back)
                self._chores.is_answered = True
            except (ApiUnavailable, ApiRefused) as error:
                log.warning("ejabberd_does_not_answer", error=str(error))
                self._chores.is_answered = False
                await asyncio.sleep(_RETRY_S)
                self._look.set()
            except Exception:  # a database that is away is tried again, it does not end the engine
                log.exception("not_compared")

    async def _compare(self, has_come_back: bool) -> None:
        before = set(self.router.full)
        listed: set[str] = set()
        for host in sorted(self._hosts):
            try:
                listed |= await self._control.api.connected(host)
            except ApiRefused:
                log.warning("host_unknown_to_ejabberd", host=host, hint="heliograph ejabberd configure")
        came_meanwhile = self.router.full.keys() - before
        went_meanwhile = before - self.router.full.keys()
        self.mirror.align((listed - went_meanwhile) | came_meanwhile)
        if has_come_back:
            self._catch_up(before)
            await self._tell_all()
        else:
            self.mirror.ask_who_leads(sorted(self._hosts))
        if self._is_new:
            self._is_new = False
            for jid in {full.partition("/")[0] for full in listed}:
                self._chores.add(jid, "check", partial(self._check, jid))

    def _catch_up(self, before: set[str]) -> None:
        """Bring what was published while ejabberd could not be reached."""
        for resource in [each for each in self.router.full.values() if each.jid in before and each.interests]:
            resource.caught_up = -1
            self.fan_out.line_up(partial(self.fan_out.catch_up, resource, resource.interests))

    async def _tell_all(self) -> None:
        after = 0
        while page := await self.ports.remote_server.untold(after, _PAGE):
            after = page[-1][0]
            for _, jid in page:
                self._tell(jid)

    # ------------------------------------------------------------------------------------------------ the Engine port

    def disconnect_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        """See `Engine`."""
        self._chores.add(jid, f"end {session_id}", partial(self._end_session, jid, session_id, reason))

    def disconnect_account(self, jid: str, reason: EndReason) -> None:
        """See `Engine`."""
        self._chores.add(jid, "end", partial(self._end_account, jid, reason))

    def publish_profile(self, profile: Profile) -> None:
        """See `Engine`."""
        super().publish_profile(profile)
        if self.link.is_up:
            host = profile.jid.partition("@")[2]
            self._told_mark[host] = max(profile.mark, self._told_mark.get(host, -1))

    def contacts_changed(self, changes: Sequence[RosterChange]) -> None:
        """See `Engine`."""
        super().contacts_changed(changes)
        for change in changes:
            self._tell(change.owner)

    def blocks_changed(self, change: BlockChange) -> None:
        """See `Engine`."""
        shown = self.mirror.shown = []
        super().blocks_changed(change)
        self.mirror.shown = None
        self._tell(change.owner)  # first: whom nobody sees any more, nobody can write to
        for to, presence in shown:
            self.say(change.owner, to, presence)

    def say(self, owner: str, to: str, stanza: str) -> None:
        """Let ejabberd send a presence or a request to a connection, behind all else that concerns a user."""
        self._chores.add(owner, f"say {stanza}", partial(self._say, to, stanza))

    def _tell(self, jid: str) -> None:
        self._chores.add(jid, "tell", partial(self._tell_now, jid))

    # Chores come before ejabberd is first reached: what does them is looked up when they are done.

    async def _end_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        await self._control.end_session(jid, session_id, reason)

    async def _end_account(self, jid: str, reason: EndReason) -> None:
        await self._control.end_account(jid, reason)

    async def _check(self, jid: str) -> None:
        await self._control.check(jid)

    async def _tell_now(self, jid: str) -> None:
        await self._control.tell(jid)

    async def _say(self, to: str, stanza: str) -> None:
        await self._control.say(to, stanza)
