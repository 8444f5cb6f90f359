"""ejabberd's HTTP API, as far as it is needed; its arguments are those of ejabberd 23.01.

What is asked of one node of a cluster is done for connections to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from heliograph.core.remote_server import Bound

TIMEOUT_S = 10.0
CONNECTIONS_MAX = 16


class ApiUnavailable(Exception):
    """ejabberd does not answer; the same call may succeed later."""


class ApiRefused(Exception):
    """ejabberd answers that it cannot do this."""


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """What a roster says of a contact, as far as ejabberd is told."""

    subscription: str
    name: str
    groups: frozenset[str]


class _Session(msgspec.Struct):
    resource: str
    uptime: int


class _Item(msgspec.Struct):
    jid: str
    nick: str
    subscription: str
    group: str


class EjabberdApi:
    """Calls by name; each is answered at once.

    Args:
        urls: the addresses of the API, one for each node of ejabberd, without a final slash. One that has answered is
            asked again; when it no longer does, the next one is.
        token: goes along, where there is one.
    """

    def __init__(self, urls: Sequence[str], token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        self._urls = urls
        self._answering = 0  # the place in `urls` of the one that has answered last
        self._http = httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S, limits=limits, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def bound(self, jid: str, now: float) -> list[Bound]:
        """The connections of a user."""
        user, _, host = jid.partition("@")
        found = await self._call("user_sessions_info", {"user": user, "host": host}, list[_Session])
        return [Bound(each.resource, now - each.uptime) for each in found]

    async def hosts(self) -> frozenset[str]:
        """The domains that it serves."""
        return frozenset(await self._call("registered_vhosts", {}, list[str]))

    async def connected(self, host: str) -> frozenset[str]:
        """The full JIDs of all connections of a domain."""
        return frozenset(await self._call("connected_users_vhost", {"host": host}, list[str]))

    async def kick(self, jid: str, resource: str, text: str) -> None:
        """End a connection, with a sentence that its client is told."""
        user, _, host = jid.partition("@")
        await self._call("kick_session", {"user": user, "host": host, "resource": resource, "reason": text}, Any)

    async def roster(self, jid: str) -> dict[str, RosterEntry]:
        """A user's roster by the contacts' bare JIDs."""
        user, _, host = jid.partition("@")
        found: dict[str, RosterEntry] = {}
        for item in await self._call("get_roster", {"user": user, "host": host}, list[_Item]):
            groups = found[item.jid].groups if item.jid in found else frozenset()
            found[item.jid] = RosterEntry(item.subscription, item.nick, groups | {item.group} - {""})
        return found

    async def set_item(self, jid: str, contact: str, entry: RosterEntry) -> None:
        """Write an item of a roster: the user's clients are told, and presence follows the subscription."""
        details = {"nick": entry.name, "group": ";".join(sorted(entry.groups)), "subs": entry.subscription}
        await self._call("add_rosteritem", {**_pair(jid, contact), **details}, Any)

    async def remove_item(self, jid: str, contact: str) -> None:
        """Delete an item of a roster; the same follows."""
        await self._call("delete_rosteritem", _pair(jid, contact), Any)

    async def send(self, sender: str, receiver: str, stanza: str) -> None:
        """Let a stanza pass as if that sender had sent it."""
        await self._call("send_stanza", {"from": sender, "to": receiver, "stanza": stanza}, Any)

    async def forget(self, jid: str) -> None:
        """Delete what is kept of a user: roster, waiting messages, archive."""
        user, _, host = jid.partition("@")
        await self._call("unregister", {"user": user, "host": host}, Any)

    async def reload(self) -> None:
        """Let it read its configuration again, as far as it can while it runs: new domains are served."""
        await self._call("reload_config", {}, Any)

    async def _call(self, command: str, arguments: Mapping[str, str], kind: Any) -> Any:
        answer = await self._ask(command, arguments)
        if answer.status_code != httpx.codes.OK:
            raise ApiRefused(f"{command}: status {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            raise ApiRefused(f"{command}: {error}") from error

    async def _ask(self, command: str, arguments: Mapping[str, str]) -> httpx.Response:
        problem = ""
        first = self._answering
        for place in (*range(first, len(self._urls)), *range(first)):
            try:
                answer = await self._http.post(f"{self._urls[place]}/{command}", json=dict(arguments))
            except httpx.HTTPError as error:
                problem = type(error).__name__
            else:
                self._answering = place
                return answer
        raise ApiUnavailable(f"{command}: {problem}")


def _pair(jid: str, contact: str) -> dict[str, str]:
    local_user, _, local_host = jid.partition("@")
    user, _, host = contact.partition("@")
    return {"localuser": local_user, "localhost": local_host, "user": user, "host": host}
