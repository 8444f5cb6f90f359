"""The reason that a device is told when its session ends: written by the server, read by a client."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.core.sessions import EndReason
from heliograph.xmpp.session_end import end_reason, session_ended
from heliograph.xmpp.stream_opening import stream_error_xml

NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
CONDITIONS = {
    EndReason.LOGOUT: "not-authorized",
    EndReason.EVICTED: "conflict",
    EndReason.REPLACED: "conflict",
    EndReason.ENDED_BY_USER: "not-authorized",
    EndReason.ENDED_BY_ADMIN: "not-authorized",
    EndReason.ADMIN_BLOCKED: "policy-violation",
    EndReason.ACCOUNT_DELETED: "not-authorized",
    EndReason.TOKEN_REUSED: "not-authorized",
    EndReason.REVOKED: "not-authorized",
    EndReason.EXPIRED: "not-authorized",
    EndReason.UNCLAIMED: "not-authorized",
}


@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_goes_over_the_wire_beside_a_condition_of_the_rfc(reason: EndReason) -> None:
    error = session_ended(reason)
    assert error.condition == CONDITIONS[reason]
    received = fromstring(f"<error>{stream_error_xml(error)}</error>")
    assert [child.tag for child in received] == [
        f"{{{NS_ERRORS}}}{CONDITIONS[reason]}",
        f"{{{NS_ERRORS}}}text",
        "{urn:heliograph:session:1}ended",
    ]
    assert received[1].text
    assert end_reason(received) == reason.value


def test_an_error_of_another_kind_gives_no_reason() -> None:
    assert end_reason(fromstring(f"<error><conflict xmlns='{NS_ERRORS}'/></error>")) is None
    assert end_reason(fromstring("<error><ended xmlns='urn:other' reason='logout'/></error>")) is None
