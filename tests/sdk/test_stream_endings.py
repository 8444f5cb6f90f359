"""What the last event of a stream means to the connection."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.errors import AdminBlocked, AuthenticationFailed, HeliographError, Unreachable
from heliograph.sdk.endings import ending
from heliograph.sdk.states import Trigger
from heliograph.xmpp.initiator_events import AuthenticationRefused, Closed, StreamFailed
from heliograph.xmpp.session_end import SIGN_IN_AGAIN, end_text, session_ended
from heliograph.xmpp.stanza import NS_STREAM_ERRORS, NS_STREAMS


def _session_end(reason: str) -> StreamFailed:
    error = session_ended(reason)
    element = fromstring(f"<error xmlns='{NS_STREAMS}'>{error.application}</error>")
    return StreamFailed(error.condition, error.text, element)


@pytest.mark.parametrize("is_bound", [True, False])
@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("logout", AuthenticationFailed),
        ("evicted", AuthenticationFailed),
        ("replaced", AuthenticationFailed),
        ("ended_by_user", AuthenticationFailed),
        ("ended_by_admin", AuthenticationFailed),
        ("admin_blocked", AdminBlocked),
        ("account_deleted", AuthenticationFailed),
        ("token_reused", AuthenticationFailed),
        ("expired", AuthenticationFailed),
    ],
)
def test_an_ended_session_is_over_for_good_and_says_why(
    reason: str, error: type[HeliographError], is_bound: bool
) -> None:
    found = ending(_session_end(reason), is_bound=is_bound)
    assert (found.trigger, found.reason, type(found.error)) == (Trigger.SESSION_ENDED, reason, error)


def _told(reason: str) -> StreamFailed:
    """By a server that can tell a sentence alone."""
    text = end_text(reason)
    element = fromstring(f"<error xmlns='{NS_STREAMS}'><text xmlns='{NS_STREAM_ERRORS}'>{text}</text></error>")
    return StreamFailed("conflict", text, element)


def test_a_server_that_can_tell_a_sentence_alone_puts_the_reason_at_its_end() -> None:
    found = ending(_told("evicted"), is_bound=True)
    assert (found.trigger, found.reason) == (Trigger.SESSION_ENDED, "evicted")
    assert found.error.message == "The session was ended because the user signed in on another device at the cap"


@pytest.mark.parametrize("event", [_told(SIGN_IN_AGAIN), _session_end(SIGN_IN_AGAIN)])
def test_a_device_that_has_to_show_its_password_again_is_not_signed_out(event: StreamFailed) -> None:
    assert ending(event, is_bound=True).trigger is Trigger.LOST
    assert ending(event, is_bound=False).trigger is Trigger.UNREACHABLE


@pytest.mark.parametrize("condition", ["system-shutdown", "reset", "connection-timeout", "resource-constraint"])
def test_a_server_that_goes_away_is_tried_again(condition: str) -> None:
    event = StreamFailed(condition, None, fromstring(f"<error xmlns='{NS_STREAMS}'/>"))
    assert ending(event, is_bound=True).trigger is Trigger.LOST
    assert ending(event, is_bound=False).trigger is Trigger.UNREACHABLE
    assert ending(event, is_bound=True).reason == condition


@pytest.mark.parametrize("condition", ["conflict", "policy-violation", "not-authorized", "host-unknown"])
def test_another_stream_error_is_an_error(condition: str) -> None:
    found = ending(StreamFailed(condition, "Why", fromstring(f"<error xmlns='{NS_STREAMS}'/>")), is_bound=True)
    assert (found.trigger, found.reason) == (Trigger.FAILED, condition)
    assert "Why" in found.error.message


def test_a_server_that_breaks_the_protocol_is_an_error() -> None:
    assert ending(StreamFailed("not-well-formed"), is_bound=True).trigger is Trigger.FAILED


def test_a_stream_that_the_server_closes_is_a_loss() -> None:
    assert ending(Closed(), is_bound=True).trigger is Trigger.LOST
    assert ending(Closed(), is_bound=False).trigger is Trigger.UNREACHABLE


@pytest.mark.parametrize(
    ("condition", "trigger", "error"),
    [
        ("not-authorized", Trigger.REFUSED, AuthenticationFailed),
        ("credentials-expired", Trigger.REFUSED, AuthenticationFailed),
        ("malformed-request", Trigger.REFUSED, AuthenticationFailed),
        ("account-disabled", Trigger.REFUSED, AdminBlocked),
        ("temporary-auth-failure", Trigger.UNREACHABLE, Unreachable),
        ("encryption-required", Trigger.FAILED, Unreachable),
        ("invalid-mechanism", Trigger.FAILED, Unreachable),
    ],
)
def test_a_refused_sign_in_is_final_only_where_the_credentials_are_at_fault(
    condition: str, trigger: Trigger, error: type[HeliographError]
) -> None:
    found = ending(AuthenticationRefused(condition), is_bound=False)
    assert (found.trigger, type(found.error)) == (trigger, error)
