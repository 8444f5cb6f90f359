"""The server's stream machine, fed with what a grammar makes: it never fails in an unforeseen way, keeps little, and
does not care where the bytes are cut.
"""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grammar import HOSTILE, pieces, spoilt, streams
from heliograph.xmpp.c2s import State
from server_stream import HOST, LIMITS, OPEN, TCP_HEADER, Talk, authenticate, bind, plain

MANY = settings(max_examples=settings().max_examples * 2)
ADDRESSES = (f"ada@{HOST}", f"ada@{HOST}/home", f"bob@{HOST}", HOST)
CUTS = st.lists(st.integers(0, 4000), max_size=12)
BODIES = streams(*ADDRESSES).map(lambda said: "".join(said).encode())
HEADER = f"{TCP_HEADER} to='{HOST}' version='1.0'>".encode()
SIGN_IN = HEADER + plain().encode() + HEADER + bind().encode()
SIGN_IN_2 = HEADER + authenticate("PLAIN", b"\0ada\0pw-phone", "<bind xmlns='urn:xmpp:bind:0'/>").encode()


def hear(data: list[bytes]) -> Talk:
    """What a server makes of bytes."""
    talk = Talk()
    for piece in data:
        talk.take(talk.stream.receive(piece))
        kept = talk.stream._waiting
        assert sum(map(len, kept)) <= 2 * LIMITS.max_bytes, "what is kept is bounded"
    return talk


def is_sound(talk: Talk) -> None:
    """What the server has said is a stream, and has an end where the machine is at its end."""
    said = talk.said
    if talk.stream.state is State.CLOSED:
        assert said.endswith("</stream:stream>")
    if said.count("<stream:stream") == 1:
        fromstring(said if said.endswith("</stream:stream>") else f"{said}</stream:stream>")


@MANY
@given(body=BODIES, cuts=CUTS)
def test_what_a_signed_in_client_says_is_heard_alike_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    whole, cut = hear([SIGN_IN, body]), hear([SIGN_IN, *pieces(body, cuts)])
    assert cut.events == whole.events
    assert cut.said == whole.said
    is_sound(whole)


@MANY
@given(body=spoilt(BODIES), cuts=CUTS)
def test_almost_a_stream(body: bytes, cuts: list[int]) -> None:
    whole, cut = hear([SIGN_IN, body]), hear([SIGN_IN, *pieces(body, cuts)])
    assert (cut.stream.state, cut.events) == (whole.stream.state, whole.events)


@MANY
@given(data=spoilt(st.sampled_from((SIGN_IN, SIGN_IN_2))), cuts=CUTS)
def test_almost_a_sign_in(data: bytes, cuts: list[int]) -> None:
    is_sound(hear([data]))
    is_sound(hear(pieces(data, cuts)))


@MANY
@given(data=st.binary(max_size=200), cuts=CUTS)
def test_any_bytes(data: bytes, cuts: list[int]) -> None:
    is_sound(hear(pieces(data, cuts)))
    is_sound(hear(pieces(HEADER + data, cuts)))


@pytest.mark.parametrize("before", [b"", HEADER, SIGN_IN, SIGN_IN + b"<message><body>"])
@pytest.mark.parametrize("data", HOSTILE)
def test_each_hostile_thing_at_each_place(before: bytes, data: bytes) -> None:
    is_sound(hear([before + data]))
    is_sound(hear([bytes((byte,)) for byte in before + data]))


@MANY
@given(said=streams(*ADDRESSES))
def test_documents_on_a_websocket(said: list[str]) -> None:
    talk = Talk(is_websocket=True).says(OPEN, plain(), OPEN, bind())
    for document in said:
        talk.says(document)
    for message in talk.output:
        fromstring(message)


@given(tag=st.sampled_from((b"<a>", b"<a b='c'>", b"text", b"<a/>")), where=st.sampled_from((b"", SIGN_IN)))
@settings(max_examples=8)
def test_an_endless_stanza_ends_the_stream_within_its_limit(tag: bytes, where: bytes) -> None:
    talk = hear([where or HEADER, b"<message>"])
    fed = 0
    while talk.stream.state is not State.CLOSED:
        talk.take(talk.stream.receive(tag))
        fed += len(tag)
        assert fed <= 2 * LIMITS.max_bytes
    assert talk.condition == "policy-violation"
