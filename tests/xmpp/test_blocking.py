"""Blocking on the wire (XEP-0191)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp import blocking
from heliograph.xmpp.blocking import matches
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError

ROMEO = "romeo@montague.net"


@pytest.mark.parametrize("entry", [f"{ROMEO}/home", ROMEO, "montague.net/home", "montague.net"])
def test_an_entry_blocks_what_it_names_and_what_lies_below_it(entry: str) -> None:
    assert matches({entry}, f"{ROMEO}/home")
    assert not matches({entry}, "mercutio@verona.it/home")


def test_an_entry_blocks_nothing_above_or_beside_it() -> None:
    assert not matches({f"{ROMEO}/home"}, ROMEO)
    assert not matches({f"{ROMEO}/home"}, f"{ROMEO}/work")
    assert not matches({"montague.net/home"}, ROMEO)
    assert not matches((), ROMEO)


def test_the_list_is_written_and_read() -> None:
    xml = blocking.list_xml((ROMEO, "iago@shakespeare.lit"))
    assert xml == (
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/>"
        "<item jid='iago@shakespeare.lit'/></blocklist>"
    )
    assert blocking.parse_items(fromstring(xml)) == (ROMEO, "iago@shakespeare.lit")
    assert blocking.list_xml(()) == "<blocklist xmlns='urn:xmpp:blocking'/>"


def test_a_request_names_prepared_jids_once_each() -> None:
    request = blocking.push_xml(("Romeo@Montague.NET", ROMEO), is_blocked=True)
    assert blocking.parse_block(fromstring(request)) == (ROMEO,)


def test_a_request_to_block_nobody_is_a_bad_request() -> None:
    with pytest.raises(StanzaError) as raised:
        blocking.parse_block(fromstring(blocking.push_xml((), is_blocked=True)))
    assert raised.value.condition == ("modify", "bad-request")


def test_a_malformed_jid_is_refused() -> None:
    with pytest.raises(StanzaError) as raised:
        blocking.parse_items(fromstring(blocking.push_xml(("@",), is_blocked=False)))
    assert raised.value.condition == ("modify", "jid-malformed")


def test_the_one_who_blocks_is_told_so_and_the_other_is_not() -> None:
    message = Stanza("message", fromstring("<message to='romeo@montague.net' id='m'/>"))
    told = blocking.receiver_blocked().answer(message, "juliet@capulet.com/balcony")
    assert told is not None
    assert b"<not-acceptable " in told
    assert b"<blocked xmlns='urn:xmpp:blocking:errors'/>" in told
    silent = blocking.sender_blocked().answer(message, "juliet@capulet.com/balcony")
    assert silent is not None
    assert b"<service-unavailable " in silent
    assert b"blocking" not in silent
