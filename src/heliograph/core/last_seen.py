"""When a user was last there: told to the user and to those who may see the user's presence, and to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.core import blocking
from heliograph.core.profiles import Viewer, viewer_of
from heliograph.core.user_jids import are_of_one_app
from heliograph.errors import AccountNotFound, LastSeenHidden
from heliograph.xmpp.date_time import stamp

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When a user was last there.

    Attributes:
        jid: the user's bare JID.
        is_online: whether the user is there now.
        seconds: whole seconds since the last activity; 0 of one who is there.
        at: the time of it, in seconds since the epoch.
        status: what the user said on going away, or `""`; of one who is there, nothing.
    """

    jid: str
    is_online: bool
    seconds: int
    at: float
    status: str = ""

    @property
    def iso(self) -> str:
        """The time as ISO 8601 in UTC, to the second."""
        return stamp(self.at)


async def get(ports: Ports, viewer_jid: str, jid: str) -> LastSeen:
    """When a user was last there, on any device.

    Args:
        ports: the node's ports.
        viewer_jid: who asks.
        jid: of whom; a bare JID.

    Raises:
        AccountNotFound: there is no such user in the viewer's app and environment, or one of the two blocks the other.
        LastSeenHidden: the viewer may not see the user's presence.
    """
    if not are_of_one_app(viewer_jid, jid):
        raise AccountNotFound
    last = await ports.sessions.last_active(jid)
    if last is None:
        raise AccountNotFound
    if viewer_jid != jid:
        if await blocking.are_apart(ports, viewer_jid, jid):
            raise AccountNotFound
        if viewer_of(await ports.contacts.lookup(jid, viewer_jid)) is not Viewer.CONTACT:
            raise LastSeenHidden
    now = ports.clock.now()
    if ports.engine.online(jid):
        return LastSeen(jid, is_online=True, seconds=0, at=now)
    return LastSeen(jid, is_online=False, seconds=max(0, int(now - last.at)), at=last.at, status=last.status)
