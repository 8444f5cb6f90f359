"""What ejabberd refuses of a client's subscriptions, and carries out at the other side all the same."""

from __future__ import annotations

from typing import Any

from ejabberd_clients import bare_client


async def test_a_roster_that_was_changed_by_it_is_put_right(both: Any) -> None:
    place, _ = both
    ada, bob = [await place.register(name) for name in ("ada", "bob")]
    one, other = [await bare_client(place, each) for each in (ada, bob)]
    await other.ask("<query xmlns='jabber:iq:roster'/>")
    await place.call("PUT", "/contacts/bob", ada)
    while "subscription='both'" not in (await other.gets("iq", type="set")).xml:
        pass
    await one.send(f"<presence type='unsubscribed' to='{bob.jid}'/>")
    assert "forbidden" in (await one.gets("presence", type="error")).xml
    while "subscription='from'" not in (await other.gets("iq", type="set")).xml:
        pass
    place.node.engine.look_again()  # as it does by itself every few seconds
    while "subscription='both'" not in (await other.gets("iq", type="set")).xml:
        pass
