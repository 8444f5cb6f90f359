"""Users who come, talk, change and go in every possible order leave nothing behind, and break nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest

NS_ROSTER = "jabber:iq:roster"
STEPS = 25
NS_INFO = "http://jabber.org/protocol/disco#info"
NS_PUBSUB = "http://jabber.org/protocol/pubsub"
FEATURE = "<feature var='urn:xmpp:vcard4+notify'/>"
ITEM = "<item><x xmlns='urn:x'/></item>"
WISHES = [
    "<presence/>",
    "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:churn' ver='{few}'/></presence>",
    "<presence><priority>-1</priority></presence>",
    "<presence type='unavailable'/>",
    "<presence to='{address}'/>",
    "<presence to='{address}' type='unavailable'/>",
    "<presence to='{to}' type='probe'/>",
    "<presence to='{to}' type='subscribe'/>",
    "<presence to='{to}' type='subscribed'/>",
    "<presence to='{to}' type='unsubscribe'/>",
    "<presence to='{to}' type='unsubscribed'/>",
    "<message to='{address}' type='chat'><body>hi</body></message>",
    "<message to='{address}' type='headline'/>",
    f"<iq type='result' id='hg{{number}}'><query xmlns='{NS_INFO}'>{FEATURE}</query></iq>",
    f"<q:get:<query xmlns='{NS_ROSTER}'/>",
    f"<q:set:<query xmlns='{NS_ROSTER}'><item jid='{{to}}'/></query>",
    f"<q:set:<query xmlns='{NS_ROSTER}'><item jid='{{to}}' subscription='remove'/></query>",
    "<q:set:<vCard xmlns='vcard-temp'><FN>{few}</FN></vCard>",
    "<q:get:<vCard xmlns='vcard-temp'/>",
    f"<q:set:<pubsub xmlns='{NS_PUBSUB}'><publish node='urn:{{few}}'>{ITEM}</publish></pubsub>",
    "<q:set:<enable xmlns='urn:xmpp:carbons:2'/>",
    "<q:set:<disable xmlns='urn:xmpp:carbons:2'/>",
    "<q:set:<block xmlns='urn:xmpp:blocking'><item jid='{address}'/></block>",
    "<q:set:<unblock xmlns='urn:xmpp:blocking'/>",
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
    "<r xmlns='urn:xmpp:sm:3'/>",
    "<inactive xmlns='urn:xmpp:csi:0'/>",
    "<active xmlns='urn:xmpp:csi:0'/>",
]


class Guest:
    """A user with a will of its own, by a seed."""

    def __init__(self, place: Any, accounts: list[Any], seed: int) -> None:
        self._place = place
        self._accounts = accounts
        self._chance = random.Random(seed)
        self._account = accounts[seed % len(accounts)]

    async def visit(self) -> None:
        """Sign in, do this and that, and leave in one way or another."""
        try:
            client = await self._place.sign_in(self._account, self._chance.choice([None, "one", "two"]))
        except AssertionError:
            return  # the session was ended, or the resource was taken over, while it signed in
        with contextlib.suppress(ConnectionError, AssertionError):  # or later
            for _ in range(STEPS):
                await client.send(self._something())
                if self._chance.random() < 0.2:
                    await client.so_far()
        await self._leave(client)

    def _something(self) -> str:
        to = self._chance.choice(self._accounts).jid
        address = self._chance.choice([to, f"{to}/one", f"{to}/two"])
        number = self._chance.randrange(50)
        wish = self._chance.choice(WISHES).format(to=to, address=address, number=number, few=number % 3)
        if wish.startswith("<q:"):
            kind, payload = wish[3:6], wish[7:]
            return f"<iq type='{kind}' id='q'>{payload}</iq>"
        return wish

    async def _leave(self, client: Any) -> None:
        match self._chance.randrange(4):
            case 0:
                with contextlib.suppress(ConnectionError):
                    await client.send("<presence type='unavailable'/></stream:stream>")
                await client.end()
                client.wire.close()
            case 1:
                client.wire.reset()
            case 2:
                with contextlib.suppress(ConnectionError):
                    await client.send("<presence/></iq>")
                client.wire.close()
            case _:
                client.wire.close()


@pytest.mark.parametrize("seed", range(3))
async def test_churn_leaves_nothing_behind(start: Any, becomes: Any, seed: int) -> None:
    place = await start()
    accounts = [await place.register(f"user-{number}") for number in range(5)]
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(Guest(place, accounts, seed * 100 + number).visit())
        for account in accounts[:2]:
            group.create_task(place.call("PATCH", "/profile", account, {"nickName": "Ada"}))
    engine = place.node.engine
    await becomes(lambda: engine.connections == 0)
    engine.managed.end_waiting()  # those that could be resumed
    await becomes(lambda: engine.connections == 0 and not engine._tasks)
    assert engine.router.full == {}
    assert engine.router.accounts == {}
    assert engine.sign_in.connections == {}
    assert (engine._admission._total, engine._admission._unauthenticated) == ({}, {})
    for account in accounts:
        client = await place.sign_in(account)
        await client.so_far()
