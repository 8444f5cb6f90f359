"""Stream management under any sequence of events (XEP-0198): whatever is lost, and whenever, each message comes once
and in order.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from halls import Hall, play
from wires import Client, Got, plain, stream_header

NS = "xmlns='urn:xmpp:sm:3'"
BODY = "{jabber:client}body"
STANZAS = ("message", "presence", "iq")


class Managed(RuleBasedStateMachine):
    """ada's stream is managed and is lost again and again; bob's is not."""

    hall: Hall

    @initialize()
    def begin(self) -> None:
        self.hall.run(self._begin())

    async def _begin(self) -> None:
        place = self.hall.place
        self.accounts = {name: await place.register(place.name(name)) for name in ("ada", "bob")}
        self.bob = await place.sign_in(self.accounts["bob"], "bob")
        await self.bob.send("<presence/>")
        await self.bob.so_far()
        self.ada: Client | None = await place.sign_in(self.accounts["ada"], "ada")
        self.jid = self.ada.jid
        await self.ada.send(f"<enable {NS} resume='true'/>")
        self.stream = (await self.ada.gets("enabled")).get("id")
        self.handled = 0  # by ada, of what the server sent
        self.unacknowledged: list[str] = []  # what ada has sent, and the server has not acknowledged
        self.acknowledged = 0  # of what ada has sent, by the server
        self.to_ada: list[str] = []
        self.to_bob: list[str] = []
        self.ada_got: list[str] = []
        self.bob_got: list[str] = []
        self.count = 0
        await self._send("<presence/>")

    def teardown(self) -> None:
        self.hall.place.hang_up()

    def _message(self, to: str) -> tuple[str, str]:
        self.count += 1
        text = f"message {self.count}"
        return text, f"<message type='chat' to='{to}' id='m{self.count}'><body>{text}</body></message>"

    # ----------------------------------------------------------------------------------------------------------- ada

    async def _send(self, xml: str) -> None:
        self.unacknowledged.append(xml)
        if self.ada is not None:
            await self.ada.send(xml)

    def _take(self, got: Got) -> None:
        if got.name == "a":
            handled = int(got.get("h") or "")
            assert self.acknowledged <= handled <= self.acknowledged + len(self.unacknowledged)
            del self.unacknowledged[: handled - self.acknowledged]
            self.acknowledged = handled
        elif got.name in STANZAS:
            self.handled += 1
            if got.name == "message":
                self.ada_got.append(got.element.findtext(BODY) or "")

    async def _catch_up(self) -> None:
        """Ask for an acknowledgement, and take in what comes before it."""
        assert self.ada is not None
        await self.ada.send(f"<r {NS}/>")
        while True:
            got = await self.ada.next()
            self._take(got)
            if got.name == "a":
                return

    @precondition(lambda self: self.ada is not None)
    @rule()
    def ada_reads(self) -> None:
        """After that nothing is missing on either side."""
        self.hall.run(self._catch_up())
        self.hall.run(self._bob_reads())
        assert self.ada_got == self.to_ada
        assert self.bob_got == self.to_bob
        assert self.unacknowledged == []

    @precondition(lambda self: self.ada is not None)
    @rule(how_many=st.integers(0, 3))
    def ada_acknowledges(self, how_many: int) -> None:
        """Some of what was handled, or all of it: an acknowledgement may say less than it could."""
        assert self.ada is not None
        self.hall.run(self.ada.send(f"<a {NS} h='{self.handled}'/>" * how_many))

    @rule()
    def ada_sends(self) -> None:
        """While there is no connection, it waits for the next one."""
        text, xml = self._message(self.bob.jid)
        self.to_bob.append(text)
        self.hall.run(self._send(xml))

    @precondition(lambda self: self.ada is not None)
    @rule(reads_before=st.booleans())
    def connection_lost(self, reads_before: bool) -> None:
        """What is on its way in either direction may be lost with the connection."""
        self.hall.run(self._lose(reads_before))

    async def _lose(self, reads_before: bool) -> None:
        assert self.ada is not None
        if reads_before:
            await self._catch_up()
        engine = self.hall.place.node.engine
        before = engine.connections
        self.ada.wire.reset()
        while engine.connections >= before:  # until the server has noticed
            engine._left.clear()
            await engine._left.wait()
        self.ada = None

    @rule()
    def resume(self) -> None:
        """A new connection takes the stream up, also from one that is not known to be dead."""
        self.hall.run(self._resume())

    async def _resume(self) -> None:
        account = self.accounts["ada"]
        wire = await self.hall.place.open(account)
        header = stream_header(account.jid.partition("@")[2])
        await wire.send(plain(account.username, account.password), header)
        await wire.until("</stream:features>")
        await wire.send(f"<resume {NS} previd='{self.stream}' h='{self.handled}'/>")
        self.ada = Client(wire, account, self.jid, header)
        resumed = await self.ada.next()
        assert (resumed.name, resumed.get("previd")) == ("resumed", self.stream)
        handled = int(resumed.get("h") or "")
        assert self.acknowledged <= handled <= self.acknowledged + len(self.unacknowledged)
        del self.unacknowledged[: handled - self.acknowledged]
        self.acknowledged = handled
        await self.ada.send(*self.unacknowledged)

    # ----------------------------------------------------------------------------------------------------------- bob

    @rule(to_resource=st.booleans(), how_many=st.integers(1, 5))
    def bob_sends(self, to_resource: bool, how_many: int) -> None:
        for _ in range(how_many):
            text, xml = self._message(self.jid if to_resource else self.accounts["ada"].jid)
            self.to_ada.append(text)
            self.hall.run(self.bob.send(xml))
        self.hall.run(self._bob_reads())

    async def _bob_reads(self) -> None:
        def take(got: Any) -> None:
            assert got.get("type") != "error", "nothing is refused while the stream waits"
            if got.name == "message":
                self.bob_got.append(got.element.findtext(BODY) or "")

        await self.bob.so_far_into(take)

    # ---------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_comes_twice_or_out_of_order(self) -> None:
        assert self.ada_got == self.to_ada[: len(self.ada_got)]
        assert self.bob_got == self.to_bob[: len(self.bob_got)]


def test_stream_management(hall: Hall) -> None:
    play(Managed, hall)
