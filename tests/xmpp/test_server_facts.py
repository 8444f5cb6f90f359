"""What a server tells of itself: version, time, last activity, contact addresses (XEP-0092, 0202, 0012, 0157)."""

from __future__ import annotations

from heliograph.xmpp.disco import info_xml
from heliograph.xmpp.entity_time import time_xml
from heliograph.xmpp.last_activity import last_xml
from heliograph.xmpp.server_contact import contact_form
from heliograph.xmpp.software_version import version_xml


def test_a_version_has_a_name_and_no_operating_system() -> None:
    assert version_xml("A & B", "1.0") == (
        "<query xmlns='jabber:iq:version'><name>A &amp; B</name><version>1.0</version></query>"
    )


def test_the_time_is_in_utc_to_the_second() -> None:
    xml = time_xml(1_166_549_518.9)
    assert xml == "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2006-12-19T17:31:58Z</utc></time>"


def test_last_activity_is_in_whole_seconds_and_never_in_the_future() -> None:
    assert [last_xml(seconds) for seconds in (903.7, -1)] == [
        "<query xmlns='jabber:iq:last' seconds='903'/>",
        "<query xmlns='jabber:iq:last' seconds='0'/>",
    ]


def test_last_activity_tells_what_was_said() -> None:
    assert last_xml(7, "a < b") == "<query xmlns='jabber:iq:last' seconds='7'>a &lt; b</query>"


def test_contact_addresses_are_a_form_in_a_fixed_order() -> None:
    form = contact_form({"support": (), "admin": ("mailto:a@x.example",), "abuse": ("mailto:b@x.example", "xmpp:b@x")})
    assert form is not None
    assert "".join(info_xml((), (), None, (form,)).partition("<x ")[1:]) == (
        "<x xmlns='jabber:x:data' type='result'>"
        "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>"
        "<field var='abuse-addresses' type='list-multi'>"
        "<value>mailto:b@x.example</value><value>xmpp:b@x</value></field>"
        "<field var='admin-addresses' type='list-multi'><value>mailto:a@x.example</value></field></x></query>"
    )


def test_without_addresses_there_is_no_form() -> None:
    assert contact_form({"admin": ()}) is None
