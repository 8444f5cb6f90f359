"""What stands in for a part of the world where a test has to turn it or to look at it: time, and the XMPP engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from heliograph.core.blocking import BlockChange
from heliograph.core.contacts import RosterChange
from heliograph.core.profiles import Profile
from heliograph.core.sessions import EndReason, Session


@dataclass
class TurnedClock:
    """A clock that stands until it is turned."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def turn(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class RecordingEngine:
    """Keeps what it was told, in order: `(method, *arguments)`."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    connected: dict[str, list[str]] = field(default_factory=dict)
    reaches_all: bool = False

    def provision(self, jid: str) -> None:
        self.told.append(("provision", jid))

    def disconnect_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        self.told.append(("disconnect_session", jid, session_id, reason))

    def disconnect_account(self, jid: str, reason: EndReason) -> None:
        self.told.append(("disconnect_account", jid, reason))

    def prepare_profile(self, profile: Profile) -> Callable[[], None]:
        return lambda: self.told.append(("publish_profile", profile))

    def contacts_changed(self, changes: Sequence[RosterChange]) -> None:
        self.told.append(("contacts_changed", *changes))

    def blocks_changed(self, change: BlockChange) -> None:
        self.told.append(("blocks_changed", change))

    def online(self, jid: str) -> list[str]:
        return self.connected.get(jid, [])

    def announce_session(self, jid: str, session: Session, ended: EndReason | None = None) -> None:
        told = ("announce_session", jid, session)
        self.told.append(told if ended is None else ("session_ended", jid, session, ended))
