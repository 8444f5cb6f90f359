"""Appendix A of RFC 6121 on a running server: what each subscription stanza does in each state, on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from places import Place
from subscriptions import ANSWERED, KINDS, MIRROR, RECEIVED, SENT, STATES, STEPS, Row
from wires import Client


async def kept(place: Place, owner: Client, contact: Client) -> tuple[str, bool, bool]:
    """The state as the server keeps it; that a contact has asked shows in no roster."""
    item = await place.node.ports.contacts.lookup(owner.bare, contact.bare)
    return STATES["None"] if item is None else (item.subscription, item.is_pending_out, item.is_pending_in)


async def heard(client: Client, sender: Client) -> list[str | None]:
    """The types of the subscription stanzas that have come from somebody."""
    got = await client.so_far()
    return [each.get("type") for each in got if each.name == "presence" and each.get("from") == sender.bare]


async def shown(client: Client, contact: Client) -> tuple[str | None, bool]:
    """The subscription and whether the user has asked, as the roster says it."""
    answer = await client.ask("<query xmlns='jabber:iq:roster'/>")
    for item in answer.element.iter("{jabber:iq:roster}item"):
        if item.get("jid") == contact.bare:
            return item.get("subscription"), item.get("ask") == "subscribe"
    return None, False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
async def test_appendix_a(place: Place, join: Any, state: str, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    for step in STEPS[state]:
        sender, receiver = (ada, bob) if step.islower() else (bob, ada)
        await sender.send(f"<presence type='{step.lower()}' to='{receiver.bare}'/>")
        await sender.so_far()
    await ada.so_far()
    await bob.so_far()
    assert await kept(place, ada, bob) == STATES[state]
    assert await kept(place, bob, ada) == STATES[MIRROR[state]]

    await ada.send(f"<presence type='{kind}' to='{bob.bare}'/>")
    answers = await heard(ada, bob)

    sent = SENT[state, kind]
    received = RECEIVED[MIRROR[state], kind] if sent.passes else Row(False, MIRROR[state])
    assert await heard(bob, ada) == ([kind] if received.passes else [])
    assert await kept(place, bob, ada) == STATES[received.state]
    is_told_so = kind == "subscribe" and MIRROR[state] in ANSWERED
    assert answers == (["subscribed"] if is_told_so else [])
    assert await kept(place, ada, bob) == STATES[sent.state]
    subscription, is_asking = await shown(ada, bob)
    assert (subscription or "none", is_asking) == STATES[sent.state][:2]
