"""How a user's devices are told that another one was let in."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from heliograph.xmpp.new_session import FACTS, ended_session, find_ended_session, find_new_session, new_session
from heliograph.xmpp.stanza import Stanza

SESSION = {name: f"{name} <&'\">" for name in FACTS}


def parsed(stanza: bytes) -> Stanza:
    text = stanza.decode().replace("<message", "<message xmlns='jabber:client'", 1)
    return Stanza("message", fromstring(text))


def test_the_facts_come_through_whatever_a_device_calls_itself() -> None:
    message = parsed(new_session("ada@chat.example", "ada@chat.example/phone", "hg1", SESSION))
    assert (message.name, message.type, message.id) == ("message", "headline", "hg1")
    assert (message.get("from"), message.to) == ("ada@chat.example", "ada@chat.example/phone")
    assert find_new_session(message) == SESSION


def test_a_fact_that_is_missing_is_empty() -> None:
    message = parsed(b"<message><new-session xmlns='urn:heliograph:new-session:1' id='ses_1'/></message>")
    assert find_new_session(message) == {**dict.fromkeys(FACTS, ""), "id": "ses_1"}


def test_another_message_tells_of_no_session() -> None:
    assert find_new_session(parsed(b"<message><body>new-session</body></message>")) is None


def test_the_end_of_a_session_comes_through_with_its_reason() -> None:
    message = parsed(ended_session("ada@chat.example", "ada@chat.example/phone", "hg1", SESSION, "token_reused"))
    assert message.type == "headline"
    assert find_ended_session(message) == (SESSION, "token_reused")
    assert find_new_session(message) is None


def test_a_new_session_has_not_ended() -> None:
    assert find_ended_session(parsed(new_session("ada@chat.example", "x", "hg1", SESSION))) is None
