"""A running node and clients that send it whatever a grammar makes: it answers them or ends their streams, goes on
serving everybody else, and forgets them. That it logs no error is seen to by `no_bugs`.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grammar import HOSTILE, pieces, spoilt, streams
from halls import Hall
from patience import PATIENCE_S
from places import SANDBOX
from wires import NS_PING, Client, Wire, stream_header

ADA, BOB = "ada@fuzz", "bob@fuzz"  # stand for users, whose names are not known before the node runs
ADDRESSES = (ADA, f"{ADA}/torment", BOB, f"{BOB}/calm", SANDBOX)
CUTS = st.lists(st.integers(0, 4000), max_size=6)
LAST = "<iq type='get' id='the-last-one' to='{host}'><ping xmlns='{ping}'/></iq>"


@dataclass
class Torment:
    """A node with two users; bob sits there calmly, ada's clients come and go."""

    hall: Hall
    ada: Any
    bob: Client

    def real(self, text: str) -> str:
        """What the grammar made, with the users' real addresses."""
        return text.replace(ADA, self.ada.jid).replace(BOB, self.bob.bare)

    async def play(self, sent: list[bytes]) -> None:
        """A client says something; it gets an answer to its last ping, or its stream ends."""
        engine = self.hall.place.node.engine
        client = await self.hall.place.sign_in(self.ada, "torment")
        await say(client.wire, [*sent, LAST.format(host=SANDBOX, ping=NS_PING).encode()])
        await heard(client.wire, "the-last-one")
        client.wire.close()
        await gone(engine, 1)
        await self.bob.so_far()

    async def torment_a_stranger(self, sent: list[bytes]) -> None:
        """Somebody who has not signed in says something, and is gone."""
        wire = await self.hall.place.dial()
        await say(wire, sent)
        await self.bob.so_far()
        wire.close()
        await gone(self.hall.place.node.engine, 1)
        await self.bob.so_far()


async def say(wire: Wire, data: list[bytes]) -> None:
    for piece in data:
        try:
            await wire.send(piece)
        except (ConnectionError, ssl.SSLError):
            return
        await asyncio.sleep(0)


async def heard(wire: Wire, token: str) -> None:
    """Until something has come, or the connection is at its end."""
    text = ""
    try:
        while token not in text:
            piece = await wire.read()
            if not piece:
                return
            text = text[-len(token) :] + piece
    except (ConnectionError, ssl.SSLError):
        return


async def gone(engine: Any, left: int) -> None:
    """Until the server has that many connections, and nothing to do."""
    async with asyncio.timeout(PATIENCE_S):
        while engine.connections > left or engine._tasks:
            engine._left.clear()
            await engine._left.wait()


@pytest.fixture(scope="module")
def torment(hall: Hall) -> Torment:
    async def begin() -> Torment:
        place = hall.place
        ada, bob = await place.register(place.name("ada")), await place.register(place.name("bob"))
        await place.call("PUT", f"/contacts/{bob.username}", ada)
        client = await place.sign_in(bob, "calm")
        await client.send("<presence/>")
        return Torment(hall, ada, client)

    return hall.run(begin())


MANY = settings(max_examples=settings().max_examples * 2)


@MANY
@given(said=streams(*ADDRESSES), cuts=CUTS)
def test_whatever_stanzas_a_client_sends(torment: Torment, said: list[str], cuts: list[int]) -> None:
    torment.hall.run(torment.play(pieces(torment.real("".join(said)).encode(), cuts)))


@MANY
@given(data=spoilt(streams(*ADDRESSES).map(lambda said: "".join(said).encode())), cuts=CUTS)
def test_almost_stanzas(torment: Torment, data: bytes, cuts: list[int]) -> None:
    torment.hall.run(torment.play(pieces(data, cuts)))


@MANY
@given(data=st.binary(max_size=100) | spoilt(st.just(stream_header(SANDBOX).encode())) | st.sampled_from(HOSTILE))
def test_strangers(torment: Torment, data: bytes) -> None:
    torment.hall.run(torment.torment_a_stranger([data]))


def test_nothing_is_left_of_them(torment: Torment) -> None:
    engine = torment.hall.place.node.engine
    assert engine.connections == 1
    assert [resource for resource in engine.router.full if resource != torment.bob.jid] == []
    assert engine.managed._waiting == {}
    assert len(engine.sign_in.connections) == 1
