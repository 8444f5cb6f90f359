"""One user's resource on a server (RFC 6121, section 4): makes its streams ready, answers what is asked, keeps them
alive, and lets a lost one go on (XEP-0198).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heliograph.errors import HeliographError, TimedOut, Unreachable
from heliograph.sdk import discovery
from heliograph.sdk.endings import Ending, lost
from heliograph.sdk.events import Event
from heliograph.sdk.inbox import Inbox
from heliograph.sdk.reconnect import ReconnectPolicy
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials, Stream
from heliograph.sdk.transport import Target
from heliograph.xmpp import blocking, roster
from heliograph.xmpp.profile_news import since_xml
from heliograph.xmpp.stanza import Stanza, iq_result
from heliograph.xmpp.stream_management import Continuation

_PING = f"<ping xmlns='{discovery.NS_PING}'/>"
_ROSTER = roster.query_xml(())
_UNACKNOWLEDGED_MAX_STANZAS = 10_000
_UNACKNOWLEDGED_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """What all streams of an SDK share.

    Attributes:
        targets: the ways to the server, best first.
        context: what TLS trusts.
        policy: how patient they are.
    """

    targets: tuple[Target, ...]
    context: ssl.SSLContext
    policy: ReconnectPolicy


class Resource:
    """What one user does on a stream.

    Args:
        credentials: who the user is.
        terms: how to connect.
        inbox: what the user was told before.
        emit: gets the events.
    """

    def __init__(self, credentials: Credentials, terms: Terms, inbox: Inbox, emit: Callable[[Event], None]) -> None:
        self._credentials = credentials
        self._terms = terms
        self._inbox = inbox
        self._emit = emit
        self._continuation = Continuation(_UNACKNOWLEDGED_MAX_STANZAS, _UNACKNOWLEDGED_MAX_BYTES)
        self._now = asyncio.get_running_loop().time

    async def attempt(self) -> Stream | Ending:
        """A stream that is ready, or why there is none."""
        how = lost(Unreachable("The server has no port for XMPP over TCP"), is_bound=False)
        for target in self._terms.targets:
            stream = Stream(self._credentials, self._receive, self._continuation)
            failure = await self._open(stream, target)
            if failure is None:
                return stream
            how = failure
            if how.trigger not in (Trigger.UNREACHABLE, Trigger.TIMED_OUT):
                break
        return how

    async def _open(self, stream: Stream, target: Target) -> Ending | None:
        """Bring a stream to where it gets all that comes for its user; `None`, or why it did not."""
        is_ready = False
        try:
            async with asyncio.timeout(self._terms.policy.attempt_timeout_s / len(self._terms.targets)):
                await stream.open(target, self._terms.context)
                if not stream.is_resumed:
                    await self._settle(stream)
                    self._send_again(stream)
                self._continuation.is_settled = True
            is_ready = True
        except TimeoutError:
            return Ending(Trigger.TIMED_OUT, TimedOut.row.code, TimedOut())
        except HeliographError:
            return stream.ended.result()
        finally:
            if not is_ready:
                stream.abort(Unreachable("The attempt was given up"))
        return None

    async def _settle(self, stream: Stream) -> None:
        """Fetch the contact list and the block list, say what we know of profiles, then announce ourselves (RFC 6121,
        sections 2.2 and 4.2). The ping behind them is answered when the server has taken all: from then on nothing is
        missed.
        """
        contacts = stream.request("get", _ROSTER)
        blocked = stream.request("get", blocking.LIST_REQUEST)
        if self._inbox.mark:
            stream.request("set", since_xml(self._inbox.mark))  # whatever the answer is: at worst all comes again
        stream.send(discovery.INITIAL_PRESENCE)
        ready = stream.request("get", _PING, self._credentials.domain)
        query = (await contacts).find(roster.QUERY_TAG)
        if query is not None:
            self._tell(self._inbox.take_roster(roster.parse_items(query)))
        listed = (await blocked).find(blocking.LIST_TAG)
        if listed is not None:
            self._tell(self._inbox.take_blocks(listed))
        await ready

    def _send_again(self, stream: Stream) -> None:
        """The stream before could not go on, and nobody knows which of its last messages the server has handled."""
        for message in self._continuation.take_unsure():
            stream.send(message)

    async def hold(self, stream: Stream) -> Ending:
        """Keep a stream until it ends; when this is cancelled, close it."""
        try:
            await self._keep_alive(stream)
            return stream.ended.result()
        finally:
            await stream.close(self._terms.policy.close_timeout_s)

    async def _keep_alive(self, stream: Stream) -> None:
        """Ask a silent server for a sign of life (XEP-0199); give the stream up if there is none."""
        policy = self._terms.policy
        while not stream.ended.done():
            silent_s = self._now() - stream.heard_at
            if silent_s < policy.ping_after_s:
                await asyncio.wait((stream.ended,), timeout=policy.ping_after_s - silent_s)
                continue
            try:
                async with asyncio.timeout(policy.ping_timeout_s):
                    await stream.request("get", _PING, self._credentials.domain)
            except TimeoutError:
                stream.abort(TimedOut("The server gave no sign of life"))
            except HeliographError:
                return  # the stream ended meanwhile

    def _receive(self, stream: Stream, stanza: Stanza) -> None:
        if stanza.name != "iq":
            self._tell(self._inbox.take(stanza))
            return
        user_jid = self._credentials.user_jid
        pushed = self._inbox.take_push(stanza)
        if pushed is not None:
            self._tell(pushed)
            stream.send(iq_result(stanza, user_jid))
        elif reply := discovery.answer(stanza, user_jid):
            stream.send(reply)

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self._emit(event)
