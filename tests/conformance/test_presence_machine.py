"""Presence and messages under any sequence of events, against a simple model: what does each client see, and what does
it get (RFC 6121, sections 4 and 8.5)?
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from halls import Hall, play
from wires import Client

USERS = ("ada", "bob", "carol")
FRIENDS = {"ada": {"bob"}, "bob": {"ada"}, "carol": set[str]()}  # carol is a stranger to both
DEVICES = tuple((user, device) for user in USERS for device in ("phone", "desk"))
SHOWS = st.sampled_from(("", "away", "dnd"))
PRIORITIES = st.sampled_from((-1, 0, 5))

Device = tuple[str, str]


@dataclass
class Online:
    """A connected device, as the model has it and as it sees itself.

    Attributes:
        show, priority: of its presence; `show` is `None` while it is unavailable.
        directed: who got directed presence and has not been told that it is over.
        expected: the presence of others that it must see, by full JID.
        seen: what it has seen.
        stale: those who sent it directed presence before it was last unavailable: they still tell it when they go, as
            section 4.6 wants it, and it has forgotten them meanwhile.
        owed: the texts that it must get.
        got: those that it has got.
    """

    client: Client
    show: str | None = None
    priority: int = 0
    directed: set[Device] = field(default_factory=set)
    expected: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    owed: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)


class Presences(RuleBasedStateMachine):
    """Three users with two devices each."""

    hall: Hall

    @initialize(priorities=st.lists(st.none() | PRIORITIES, min_size=len(DEVICES), max_size=len(DEVICES)))
    def begin(self, priorities: list[int | None]) -> None:
        self.online: dict[Device, Online] = {}
        self.waiting: dict[str, list[str]] = defaultdict(list)
        self.count = 0
        self.accounts = self.hall.run(self._begin())
        for device, priority in zip(DEVICES, priorities, strict=True):
            if priority is not None:
                self._connect(device)
                self._available(device, "", priority)

    async def _begin(self) -> dict[str, Any]:
        place = self.hall.place
        accounts = {name: await place.register(place.name(name)) for name in USERS}
        await place.call("PUT", f"/contacts/{accounts['bob'].username}", accounts["ada"])
        return accounts

    def teardown(self) -> None:
        self.hall.place.hang_up()

    def _jid(self, device: Device) -> str:
        return f"{self.accounts[device[0]].jid}/{device[1]}"

    def _send(self, device: Device, *xml: str) -> None:
        self.hall.run(self.online[device].client.send(*xml))
        self.hall.run(self.online[device].client.so_far_into(self._collector(device)))

    def _collector(self, device: Device) -> Any:
        online = self.online[device]

        def collect(got: Any) -> None:
            sender = got.get("from") or ""
            if got.name == "message":
                online.got.append(got.element.findtext("{jabber:client}body") or "")
            elif got.name == "presence" and online.show is not None and sender != self._jid(device):
                if got.get("type") == "unavailable":
                    was_there = online.seen.pop(sender, None) is not None
                    assert was_there or sender in online.stale, "who goes was there"
                else:
                    online.seen[sender] = got.element.findtext("{jabber:client}show") or ""

        return collect

    # ------------------------------------------------------------------------------------------------------- devices

    def _watchers(self, device: Device) -> list[Device]:
        """The available devices that see a device's broadcasts: the user's own others and the friends'."""
        circle = FRIENDS[device[0]] | {device[0]}
        return [other for other in self.online if other != device and other[0] in circle and self._is_there(other)]

    def _is_there(self, device: Device) -> bool:
        return device in self.online and self.online[device].show is not None

    def _offline(self) -> list[Device]:
        return [device for device in DEVICES if device not in self.online]

    @precondition(lambda self: self._offline())
    @rule(data=st.data())
    def connect(self, data: st.DataObject) -> None:
        self._connect(data.draw(st.sampled_from(self._offline())))

    def _connect(self, device: Device) -> None:
        user, name = device
        self.online[device] = Online(self.hall.run(self.hall.place.sign_in(self.accounts[user], name)))

    @precondition(lambda self: self.online)
    @rule(data=st.data(), show=SHOWS, priority=PRIORITIES)
    def available(self, data: st.DataObject, show: str, priority: int) -> None:
        self._available(data.draw(st.sampled_from(sorted(self.online))), show, priority)

    def _available(self, device: Device, show: str, priority: int) -> None:
        online = self.online[device]
        is_initial = online.show is None
        online.show, online.priority = show, priority
        if is_initial:
            online.seen, online.expected = {}, {}
            online.stale = {self._jid(each) for each, its in self.online.items() if device in its.directed}
            for other in self._watchers(device):
                online.expected[self._jid(other)] = self.online[other].show or ""
        for other in self._watchers(device):
            self.online[other].expected[self._jid(device)] = show
            online.directed.discard(other)
        if priority >= 0:
            online.owed += self.waiting.pop(device[0], [])
        shown = f"<show>{show}</show>" if show else ""
        self._send(device, f"<presence>{shown}<priority>{priority}</priority></presence>")

    @precondition(lambda self: self.online)
    @rule(data=st.data())
    def unavailable(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.online)))
        self._settle()
        self._model_going(device)
        self._send(device, "<presence type='unavailable'/>")

    @precondition(lambda self: self.online)
    @rule(data=st.data(), is_polite=st.booleans())
    def disconnect(self, data: st.DataObject, is_polite: bool) -> None:
        device = data.draw(st.sampled_from(sorted(self.online)))
        self._settle()
        self._model_going(device)
        self.hall.run(self._leave(self.online.pop(device).client, is_polite))

    async def _leave(self, client: Client, is_polite: bool) -> None:
        engine = self.hall.place.node.engine
        before = engine.connections
        if is_polite:
            await client.send("</stream:stream>")
            await client.end()
            client.wire.close()
        else:
            client.wire.reset()
        while engine.connections >= before:  # until the server has noticed
            engine._left.clear()
            await engine._left.wait()

    def _model_going(self, device: Device) -> None:
        online = self.online[device]
        told = {*(self._watchers(device) if online.show is not None else ()), *online.directed}
        for other in told:
            if self._is_there(other):
                self.online[other].expected.pop(self._jid(device), None)
        online.show, online.directed = None, set()

    # ----------------------------------------------------------------------------------------------------- directed

    @precondition(lambda self: self.online)
    @rule(data=st.data(), show=SHOWS)
    def directed(self, data: st.DataObject, show: str) -> None:
        """Directed presence to one device that is there (section 4.6)."""
        device = data.draw(st.sampled_from(sorted(self.online)))
        others = [other for other in sorted(self.online) if other[0] != device[0] and self._is_there(other)]
        if not others:
            return
        other = data.draw(st.sampled_from(others))
        if not (self._is_there(device) and other in self._watchers(device)):
            self.online[device].directed.add(other)
        self.online[other].expected[self._jid(device)] = show
        shown = f"<show>{show}</show>" if show else ""
        self._send(device, f"<presence to='{self._jid(other)}'>{shown}</presence>")

    # ----------------------------------------------------------------------------------------------------- messages

    @precondition(lambda self: self.online)
    @rule(data=st.data(), user=st.sampled_from(USERS), kind=st.sampled_from(("chat", "normal", "headline")))
    def message(self, data: st.DataObject, user: str, kind: str) -> None:
        """A message to an account: to all its devices of non-negative priority, or kept, or dropped."""
        sender = data.draw(st.sampled_from(sorted(self.online)))
        self.count += 1
        text = f"{kind} {self.count}"
        takers = [each for each in self.online if each[0] == user and self._is_there(each)]
        takers = [each for each in takers if self.online[each].priority >= 0]
        for taker in takers:
            self.online[taker].owed.append(text)
        if not takers and kind != "headline":
            self.waiting[user].append(text)
        body = f"<body>{text}</body>"
        self._send(sender, f"<message type='{kind}' to='{self.accounts[user].jid}'>{body}</message>")

    # ---------------------------------------------------------------------------------------------------- invariants

    def _settle(self) -> None:
        self.hall.run(self._catch_up())

    async def _catch_up(self) -> None:
        for _ in range(2):
            await asyncio.gather(
                *(self.online[device].client.so_far_into(self._collector(device)) for device in self.online)
            )

    @invariant()
    def each_device_sees_who_is_there_and_gets_what_is_sent(self) -> None:
        self._settle()
        for device, online in self.online.items():
            if online.show is not None:
                assert online.seen == online.expected, device
            assert online.got == online.owed, device


def test_presence_and_messages(hall: Hall) -> None:
    play(Presences, hall)
