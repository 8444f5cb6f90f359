"""The server's side of a stream: every state with every input."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp.c2s import TRANSITIONS, Input, State
from heliograph.xmpp.framing import STREAM_TAG
from heliograph.xmpp.sasl_mechanisms import offer
from heliograph.xmpp.stanza import NS_CLIENT, Stanza
from heliograph.xmpp.stream import Event, StreamEnd, StreamHeader
from server_stream import CHAT, END, HOST, KNOWN, NS_SASL, OPEN, SCRAM_FIRST, STARTTLS, Talk, authenticate, bind, plain


def stanza(xml: str) -> Stanza:
    element = fromstring(xml)
    return Stanza(element.tag.rpartition("}")[2], element)


INPUTS: dict[Input, Event] = {
    Input.HEADER: StreamHeader(STREAM_TAG, {"to": HOST, "version": "1.0"}, NS_CLIENT),
    Input.STARTTLS: fromstring(STARTTLS),
    Input.AUTH: fromstring(plain()),
    Input.AUTHENTICATE: fromstring(authenticate("PLAIN", b"\0ada\0pw-phone")),
    Input.RESPONSE: fromstring(f"<response xmlns='{NS_SASL}'/>"),
    Input.ABORT: fromstring(f"<abort xmlns='{NS_SASL}'/>"),
    Input.BIND: stanza(bind()),
    Input.STANZA: stanza(CHAT),
    Input.MANAGEMENT: fromstring("<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>"),
    Input.OTHER: Element("{urn:other}other"),
    Input.END: StreamEnd(),
}

ERRORS = {"F": "!bad-format", "U": "!unsupported-stanza-type", "A": "!not-authorized"}
EXPECTED = """
state       header      starttls auth   authenticate response    abort       bind        stanza management  other end
opening     negotiating U        U      U            U           U           A           A      A           A     .
negotiating F           securing asking asking       U           U           A           A      negotiating A     .
securing    F           U        U      U            U           U           A           A      A           A     U
asking      F           U        U      U            U           U           A           A      A           A     .
challenged  F           U        U      U            negotiating negotiating A           A      A           A     .
admitting   F           U        U      U            U           U           A           A      A           A     .
reopening   binding     U        U      U            U           U           A           A      A           A     .
binding     F           U        U      U            U           U           asking_bind A      asking_bind A     .
asking_bind F           U        U      U            U           U           A           A      A           A     .
bound       F           U        U      U            U           U           bound       bound  bound       U     .
closed      .           .        .      .            .           .           .           .      .           .     .
"""
"""The state after each input; a dot is `closed`, and F, U and A end the stream with an error."""

COLUMNS, *ROWS = [line.split() for line in EXPECTED.strip().splitlines()]
CELLS = [
    (State(row[0]), Input(name), "closed" if cell == "." else cell)
    for row in ROWS
    for name, cell in zip(COLUMNS[1:], row[1:], strict=True)
]


def standing(state: State) -> Talk:
    """A stream that has come to a state."""
    talk = Talk(is_secure=state is not State.SECURING, is_answered=False)
    if state is State.NEGOTIATING:
        talk.is_secure = talk.stream.is_secure = False
    steps = {
        State.OPENING: (),
        State.NEGOTIATING: (OPEN,),
        State.SECURING: (OPEN, STARTTLS),
        State.ASKING: (OPEN, plain()),
        State.CHALLENGED: (OPEN, SCRAM_FIRST),
        State.ADMITTING: (OPEN, authenticate("PLAIN", b"\0ada\0pw-phone")),
        State.CLOSED: (OPEN, END),
    }
    if state in steps:
        talk.says(*steps[state])
        if state in (State.CHALLENGED, State.ADMITTING):
            talk.take(talk.stream.credentials(KNOWN["ada"]))
        return talk
    talk.says(OPEN, plain())
    talk.take(talk.stream.credentials(KNOWN["ada"]))
    if state is not State.REOPENING:
        talk.says(OPEN)
    if state in (State.ASKING_BIND, State.BOUND):
        talk.says(bind())
    if state is State.BOUND:
        talk.take(talk.stream.bound("ada@example.com/home"))
    return talk


def test_the_table_below_has_every_state_and_every_input() -> None:
    assert [(state, kind) for state, kind, _ in CELLS] == [(state, kind) for state in State for kind in Input]


def test_the_machine_takes_what_the_table_takes_and_no_more() -> None:
    taken = {(state, kind) for state, kind, cell in CELLS if cell not in ERRORS and state is not State.CLOSED}
    assert set(TRANSITIONS) == taken


@pytest.mark.parametrize(("state", "kind", "cell"), CELLS, ids=lambda value: getattr(value, "value", value))
def test_every_input_in_every_state(state: State, kind: Input, cell: str) -> None:
    talk = standing(state)
    assert talk.stream.state is state
    if state is State.NEGOTIATING and kind in (Input.AUTH, Input.AUTHENTICATE):
        talk.stream.is_secure, talk.stream._offer = True, offer(is_secure=True)  # in the clear it would be refused
    before = len(talk.output)
    talk.stream._take(INPUTS[kind])
    talk.events.clear()
    talk.take(talk.stream._events)
    if cell in ERRORS:
        assert f"!{talk.condition}" == ERRORS[cell]
        return
    assert talk.stream.state is State(cell)
    if state is State.CLOSED:
        assert len(talk.output) == before
        assert talk.events == []
    elif cell == "closed":
        assert talk.events == [("closed", None)]
        assert talk.output[-1] == b"</stream:stream>"
