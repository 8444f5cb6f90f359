"""Appendix A of RFC 6121 on a running server: what each subscription stanza does in each state, on both sides.

The tables below are the appendix's own, one line a state: what happens to an outbound stanza (is it routed? A.2) and to
an inbound one (is it delivered? A.3), and the state after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from places import Place
from wires import Client

STATES = {  # subscription, pending out, pending in
    "None": ("none", False, False),
    "None+Out": ("none", True, False),
    "None+In": ("none", False, True),
    "None+Out+In": ("none", True, True),
    "To": ("to", False, False),
    "To+In": ("to", False, True),
    "From": ("from", False, False),
    "From+Out": ("from", True, False),
    "Both": ("both", False, False),
}

OUTBOUND = """
state        subscribe        unsubscribe    subscribed      unsubscribed
None         yes None+Out     yes None       no  None        no  None
None+Out     yes None+Out     yes None       no  None+Out    no  None+Out
None+In      yes None+Out+In  yes None+In    yes From        yes None
None+Out+In  yes None+Out+In  yes None+In    yes From+Out    yes None+Out
To           yes To           yes None       no  To          no  To
To+In        yes To+In        yes None+In    yes Both        yes To
From         yes From+Out     yes From       no  From        yes None
From+Out     yes From+Out     yes From       no  From+Out    yes None+Out
Both         yes Both         yes From       no  Both        yes To
"""

INBOUND = """
state        subscribe        unsubscribe    subscribed      unsubscribed
None         yes None+In      no  None       no  None        no  None
None+Out     yes None+Out+In  no  None+Out   yes To          yes None
None+In      no  None+In      yes None       no  None+In     no  None+In
None+Out+In  no  None+Out+In  yes None+Out   yes To+In       yes None+In
To           yes To+In        no  To         no  To          yes None
To+In        no  To+In        yes To         no  To+In       yes None+In
From         no  From         yes None       no  From        no  From
From+Out     no  From+Out     yes None+Out   yes Both        yes From
Both         no  Both         yes To         no  Both        yes From
"""

STEPS = {  # how a user gets there: what the user sends, and what the contact does (in capitals)
    "None": (),
    "None+Out": ("subscribe",),
    "None+In": ("SUBSCRIBE",),
    "None+Out+In": ("subscribe", "SUBSCRIBE"),
    "To": ("subscribe", "SUBSCRIBED"),
    "To+In": ("subscribe", "SUBSCRIBED", "SUBSCRIBE"),
    "From": ("SUBSCRIBE", "subscribed"),
    "From+Out": ("SUBSCRIBE", "subscribed", "subscribe"),
    "Both": ("SUBSCRIBE", "subscribed", "subscribe", "SUBSCRIBED"),
}

MIRROR = {  # the contact's state
    "None": "None",
    "None+Out": "None+In",
    "None+In": "None+Out",
    "None+Out+In": "None+Out+In",
    "To": "From",
    "To+In": "From+Out",
    "From": "To",
    "From+Out": "To+In",
    "Both": "Both",
}


@dataclass(frozen=True)
class Row:
    """What a stanza does: whether it goes on, and the state after it."""

    passes: bool
    state: str


def table(text: str) -> dict[tuple[str, str], Row]:
    head, *lines = text.strip().splitlines()
    kinds = head.split()[1:]
    rows = {}
    for line in lines:
        state, *cells = line.split()
        for number, kind in enumerate(kinds):
            rows[state, kind] = Row(cells[2 * number] == "yes", cells[2 * number + 1])
    return rows


SENT, RECEIVED = table(OUTBOUND), table(INBOUND)


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


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "subscribed", "unsubscribed"])
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
    is_told_so = kind == "subscribe" and MIRROR[state] in ("From", "From+Out", "Both")  # A.3.1, note 2
    assert answers == (["subscribed"] if is_told_so else [])
    assert await kept(place, ada, bob) == STATES[sent.state]
    subscription, is_asking = await shown(ada, bob)
    assert (subscription or "none", is_asking) == STATES[sent.state][:2]
