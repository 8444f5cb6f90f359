"""A turn of the event loop has a bound: whoever sends much does not hold up the others, and loses nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.engines.embedded.turns import SLICE_BYTES, TURN_S, Turns

COUNT = 900
PING = "<iq type='get' id='{}'><ping xmlns='urn:xmpp:ping'/></iq>"


class Loop:
    """A clock that goes on when somebody is served, and what is to be run in the next turn."""

    def __init__(self) -> None:
        self.now = 100.0
        self.soon: list[Callable[[], None]] = []
        self.turns = Turns(lambda: self.now, self.soon.append)

    def turn(self) -> None:
        due, self.soon[:] = list(self.soon), []
        for work in due:
            work()


class Sender:
    """Somebody from whom so many slices have come, each of which takes so much of a turn."""

    def __init__(self, name: str, loop: Loop, served: list[str], slices: int, part: float) -> None:
        self._name, self._loop, self._served = name, loop, served
        self._slices, self._part = slices, part

    def serve(self) -> bool:
        self._served.append(self._name)
        self._loop.now += self._part * TURN_S
        self._slices -= 1
        return self._slices > 0


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_turn_has_time_until_its_bound_and_the_next_one_again(loop: Loop) -> None:
    assert loop.turns.has_time()
    loop.now += TURN_S / 2
    assert loop.turns.has_time()
    loop.now += TURN_S
    assert not loop.turns.has_time()
    loop.turn()
    assert loop.turns.has_time()


def test_nothing_is_run_where_nobody_comes(loop: Loop) -> None:
    assert loop.turns.has_time()
    loop.turn()
    assert loop.soon == []


def test_those_in_line_are_served_one_slice_each_before_anybody_is_served_twice(loop: Loop) -> None:
    served: list[str] = []
    for name, slices in (("ada", 3), ("bob", 1), ("eve", 2)):
        loop.turns.join(Sender(name, loop, served, slices, part=0.1))
    loop.turn()
    assert served == ["ada", "bob", "eve", "ada", "eve", "ada"]


def test_what_a_turn_has_no_time_for_is_done_in_the_next(loop: Loop) -> None:
    served: list[str] = []
    for name in ("ada", "bob", "eve"):
        loop.turns.join(Sender(name, loop, served, 1, part=0.6))
    loop.turn()
    assert served == ["ada", "bob"]
    assert not loop.turns.has_time(), "who comes now would overtake the line"
    loop.turn()
    assert served == ["ada", "bob", "eve"]
    assert loop.turns.has_time()


def test_one_who_fails_does_not_stand_in_the_way_of_those_behind(loop: Loop) -> None:
    served: list[str] = []

    class Broken:
        def serve(self) -> bool:
            raise RuntimeError("broken")

    loop.turns.join(Broken())
    loop.turns.join(Sender("bob", loop, served, 1, part=0.1))
    with pytest.raises(RuntimeError, match="broken"):
        loop.turn()
    loop.turn()
    assert served == ["bob"]


def flood(to: str) -> deque[str]:
    return deque(f"<message to='{to}' id='{number}'><body>{'x' * 100}</body></message>" for number in range(COUNT))


async def test_who_sends_much_at_once_is_served_in_slices_between_which_others_have_their_turn(
    place: Any, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    handled: list[str] = []
    serve = place.node.engine.serve

    def recorded(resource: Any, stanza: Any) -> Any:
        handled.append(stanza.element.attrib["id"])
        return serve(resource, stanza)

    monkeypatch.setattr(place.node.engine, "serve", recorded)
    ada.wire.writer.write("".join(flood(bob.jid)).encode())
    eve.wire.writer.write(PING.format("ping").encode())
    got = [(await bob.next()).get("id") for _ in range(COUNT)]
    assert got == [str(number) for number in range(COUNT)]
    assert (await eve.next()).get("id") == "ping"
    assert handled.index("ping") < COUNT / 10


async def test_what_was_sent_before_a_client_closed_arrives(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    text = "".join(flood(bob.jid)).encode()
    assert len(text) > 10 * SLICE_BYTES
    ada.wire.writer.write(text)
    ada.wire.writer.close()
    got = [(await bob.next()).get("id") for _ in range(COUNT)]
    assert got == [str(number) for number in range(COUNT)]
