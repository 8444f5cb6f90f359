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
from heliograph.core.sessions import EndReason
from heliograph.core.user_jids import domain_of
from heliograph.engines.ejabberd.api import ApiRefused, ApiUnavailable, EjabberdApi
from heliograph.engines.ejabberd.chores import Chores
from heliograph.engines.ejabberd.control import Control
from heliograph.engines.ejabberd.fan_out import SharedFanOut
from heliograph.engines.ejabberd.link import Address, ComponentLink
from heliograph.engines.ejabberd.mirror import Mirror
from heliograph.engines.embedded.engine import EmbeddedEngine, EngineLimits, Listener
from heliograph.engines.embedded.fan_out import CATCHING_UP
from heliograph.engines.embedded.handlers.blocking import blocks_changed, reintroduce
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp.jid import bare_of
from heliograph.xmpp.presence import presence_xml

log = structlog.get_logger("heliograph.ejabberd")

LOOK_EVERY_S = 5.0
LOOK_EVERY_CONNECTIONS = 1000
"""How often the mirror is compared with ejabberd's list of connections, as one that breaks says nothing: after so many
seconds, and one more for so many connections.
"""
ROSTERS_EACH_LOOK = 20
"""How many users' rosters are compared each time."""
_RETRY_S = 1.0
_RENEW_EVERY_S = 60.0
_PAGE = 500


class EjabberdEngine(EmbeddedEngine):
    """The engine.

    Args:
        addresses: of the listeners for components, one for each node of ejabberd.
        api_urls: of their HTTP APIs.
        api_token: for them, where they ask for one.
        secret: of the installation.
    """

    fan_out: SharedFanOut
    reaches_all = True
    hears_all = False

    def __init__(
        self, addresses: Sequence[Address], api_urls: Sequence[str], api_token: str | None, *, secret: bytes
    ) -> None:
        super().__init__(EngineLimits(has_archive=False), None, secret=secret, requires_tls=True)
        self.mirror = Mirror(self, addresses[0].name)
        self.fan_out = SharedFanOut(self)
        self.links = [ComponentLink(address, self.mirror.received, self._link_lost) for address in addresses]
        self._api_urls, self._api_token = api_urls, api_token
        self._chores = Chores(self._lost)
        self._look = asyncio.Event()
        self._is_new = True  # ejabberd may hold connections that it was not told to end
        self._has_missed = False
        self._missed_mark: int | None = None  # of the first profile that did not go out, as far as that is known
        self._renew_at: dict[tuple[ComponentLink, str], float] = {}  # on the loop's clock
        self._to_compare: list[str] = []  # users whose rosters have not had their turn
        self._control: Control
        self._running: asyncio.Task[None]

    # ----------------------------------------------------------------------------------------------------- lifecycle

    async def start(self, ports: Ports, listeners: Sequence[Listener]) -> list[int]:  # noqa: ARG002 - ejabberd listens
        """Begin to connect to ejabberd; it may come later."""
        await super().start(ports, [])
        self._running = asyncio.get_running_loop().create_task(self._run())
        return []

    async def _run(self) -> None:
        async with EjabberdApi(self._api_urls, self._api_token) as api, asyncio.TaskGroup() as tasks:
            self._control = Control(api, self.ports)
            for link in self.links:
                tasks.create_task(link.run())
            tasks.create_task(self._chores.run())
            tasks.create_task(self._keep_looking())
            tasks.create_task(self.fan_out.keep_in_order())

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
        """Whether an ejabberd node is connected, lets this one speak for its users, and answers."""
        has_link = self.mirror.grants.is_privileged or any(link.is_renewing for link in self.links)
        return has_link and self._chores.is_answered

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

    def missed(self) -> None:
        """Something could not be brought to a client, or may not have been: from here on it is caught up with. What was
        published in the last seconds may have been lost on its way.
        """
        if self._has_missed:
            return
        self._has_missed = True
        self._missed_mark = mark = self.fan_out.lately()
        for resource in self.router.full.values():
            was_told = resource.caught_up if resource.caught_up < CATCHING_UP else -1
            told = max(was_told, self.fan_out.settled(resource.host))
            resource.since = max(resource.since, told if mark is None else min(told, mark - 1))

    def _link_lost(self, link: ComponentLink) -> None:
        self.mirror.grants.lost(link)
        if self.fan_out.lately() is not None:
            self.missed()

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
        served = sorted(self._hosts & await self._control.api.hosts())
        if missing := sorted(self._hosts.difference(served)):
            log.warning("domains_unknown_to_ejabberd", domains=missing, hint="heliograph ejabberd configure --reload")
        for host in served:
            listed |= await self._control.api.connected(host)
        came_meanwhile = self.router.full.keys() - before
        went_meanwhile = before - self.router.full.keys()
        self.mirror.align((listed - went_meanwhile) | came_meanwhile)
        if has_come_back:
            if self._has_missed:
                self._has_missed = False
                self._catch_up(before)
            await self._tell_all()
        else:
            self.mirror.ask_who_leads(served)
            self._renew_for(served)
        self._put_some_right()
        if self._is_new:
            self._is_new = False
            for jid in {bare_of(full) for full in listed}:
                self._chores.add(jid, "check", partial(self._check, jid))

    def _put_some_right(self) -> None:
        """Compare the rosters of some users who are there, of others each time. ejabberd refuses what a client says of
        its subscriptions, and carries it out at the other side all the same.
        """
        if not self._to_compare:
            self._to_compare = list(self.router.accounts)
        for jid in self._to_compare[-ROSTERS_EACH_LOOK:]:
            if self.mirror.grants.leads(None, domain_of(jid)):
                self._chores.add(jid, "put right", partial(self._put_right, jid))
        del self._to_compare[-ROSTERS_EACH_LOOK:]

    def _renew_for(self, served: Sequence[str]) -> None:
        """Ejabberd grants what it does for a domain when a component connects: for one that it has begun to serve
        since, the link is made anew.
        """
        now = asyncio.get_running_loop().time()
        for link, host in list(self.mirror.grants.lacking(served)):
            if now >= self._renew_at.setdefault((link, host), now + LOOK_EVERY_S):
                self._renew_at[link, host] = now + _RENEW_EVERY_S
                link.reconnect()

    def _catch_up(self, before: set[str]) -> None:
        """Bring what was published while ejabberd could not be reached, also to those who are only heard of now."""
        if self._missed_mark is not None:
            self.fan_out.published_now(self._missed_mark)
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

    def contacts_changed(self, changes: Sequence[RosterChange]) -> None:
        """See `Engine`."""
        super().contacts_changed(changes)
        for change in changes:
            if change.request is not None:
                self.say(change.owner, change.owner, presence_xml(change.request, change.contact, change.owner))
            self._tell(change.owner)

    def blocks_changed(self, change: BlockChange) -> None:
        """See `Engine`."""
        shown = self.mirror.shown = []
        blocks_changed(self, change)
        self.mirror.shown = None
        if account := self.router.accounts.get(change.owner):
            account.blocks = frozenset()  # another node may change the list: it is read where it is needed
        self._tell(change.owner)  # first: whom nobody sees any more, nobody can write to
        for to, presence in shown:
            self.say(change.owner, to, presence)
        if change.removed:  # behind them: until it is told, ejabberd lets nothing through
            self._chores.add(change.owner, f"show {change.removed}", partial(self._reintroduce, change))

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

    async def _put_right(self, jid: str) -> None:
        await self._control.put_right(jid)

    async def _tell_now(self, jid: str) -> None:
        await self._control.tell(jid)

    async def _reintroduce(self, change: BlockChange) -> None:
        self.fan_out.line_up(partial(reintroduce, self, change))

    async def _say(self, to: str, stanza: str) -> None:
        await self._control.say(to, stanza)
