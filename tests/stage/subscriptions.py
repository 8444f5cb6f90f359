"""Appendix A of RFC 6121, as its tables stand there: one line a state, for each stanza whether it is routed (outbound,
A.2) or delivered (inbound, A.3), and the state after it.
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("subscribe", "unsubscribe", "subscribed", "unsubscribed")

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

_OUTBOUND = """
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

_INBOUND = """
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

PRE_APPROVED = {"None": "From", "None+Out": "From+Out", "To": "Both"}
"""What a request does to a contact who has approved it before (section 3.4.2)."""

ANSWERED = ("From", "From+Out", "Both")
"""Where a request is answered for the contact, who has approved one already (A.3.1, note 2)."""

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


@dataclass(frozen=True)
class Row:
    """What a stanza does: whether it goes on, and the state after it."""

    passes: bool
    state: str


def _table(text: str) -> dict[tuple[str, str], Row]:
    head, *lines = text.strip().splitlines()
    kinds = head.split()[1:]
    rows = {}
    for line in lines:
        state, *cells = line.split()
        for number, kind in enumerate(kinds):
            rows[state, kind] = Row(cells[2 * number] == "yes", cells[2 * number + 1])
    return rows


SENT, RECEIVED = _table(_OUTBOUND), _table(_INBOUND)
