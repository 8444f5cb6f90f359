"""What received stanzas mean to the app."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from heliograph.sdk.events import (
    AdminBlockUpdate,
    BlockUpdate,
    Event,
    FriendsListUpdate,
    MessageReceived,
    NewSession,
    PresenceUpdate,
    ProfileUpdate,
    SessionEnded,
)
from heliograph.sdk.inbox import Inbox
from heliograph.xmpp import blocking, pep, roster, vcard
from heliograph.xmpp.jid import parse
from heliograph.xmpp.new_session import FACTS, ended_session, new_session
from heliograph.xmpp.roster import Item
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, parse_document

ADA = "ada@chat.test"
BOB = "bob@chat.test"
PHONE = f"{ADA}/phone"


def stanza(text: str) -> Stanza:
    name = text[1 : text.index(" ")]
    xml = text.replace(f"<{name}", f"<{name} xmlns='jabber:client'", 1).encode()
    found = parse_document(xml, Limits(100_000, 32, 1000))
    assert isinstance(found, Stanza)
    return found


def profile(sender: str, *, kind: str = "headline", node: str = pep.NODE_VCARD4, **fields: Any) -> Stanza:
    event = pep.event_xml(node, "current", vcard.to_vcard4(vcard.Card(**fields)))
    return stanza(f"<message type='{kind}' from='{sender}' to='{PHONE}'>{event}</message>")


def push(item: Item, sender: str = "") -> Stanza:
    origin = f" from='{sender}'" if sender else ""
    return stanza(f"<iq type='set' id='p1' to='{PHONE}'{origin}>{roster.query_xml((item,))}</iq>")


@pytest.fixture
def inbox() -> Inbox:
    """The inbox of ada, who has no contacts yet."""
    found = Inbox(parse(ADA))
    assert found.take_roster([]) == []
    return found


def changes(events: list[Event] | None) -> list[tuple[str, str]]:
    assert events is not None
    assert all(isinstance(event, FriendsListUpdate) for event in events)
    return [(event.user_jid, event.state) for event in events]  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------------ profiles


def test_a_profile_event_has_all_fields(inbox: Inbox) -> None:
    events = inbox.take(
        profile(
            BOB,
            name="Bob",
            image="https://a.test/b.png",
            thumb_image="https://a.test/t.png",
            status="Here",
            mobile="+4930123456",
            email="bob@mail.test",
            version=3,
        )
    )
    assert [event.to_dict() for event in events] == [
        {
            "userId": "bob",
            "userJid": BOB,
            "fromUser": "bob",
            "nickName": "Bob",
            "image": "https://a.test/b.png",
            "thumbImage": "https://a.test/t.png",
            "status": "Here",
            "userStatus": "Here",
            "mobileNumber": "+4930123456",
            "email": "bob@mail.test",
            "isAdminBlocked": False,
            "version": 3,
        }
    ]


def test_only_newer_versions_are_told(inbox: Inbox) -> None:
    versions = [2, 2, 1, 5, 4, 5, 6]
    told = [event for version in versions for event in inbox.take(profile(BOB, name=f"B{version}", version=version))]
    assert [event.version for event in told if isinstance(event, ProfileUpdate)] == [2, 5, 6]


def test_versions_of_one_user_say_nothing_of_anothers(inbox: Inbox) -> None:
    assert inbox.take(profile(BOB, version=7))
    assert inbox.take(profile("eve@chat.test", version=1))
    assert inbox.take(profile(ADA, version=1)), "one's own profile, set on another device"


def test_another_view_of_the_same_version_is_told(inbox: Inbox) -> None:
    assert inbox.take(profile(BOB, version=2, name="Bob"))
    assert inbox.take(profile(BOB, version=2, name="Bob", mobile="+4930123456")), "now that they are friends"


def test_a_block_by_the_administrator_is_told_apart(inbox: Inbox) -> None:
    assert [type(event) for event in inbox.take(profile(BOB, version=2))] == [ProfileUpdate]
    blocked = inbox.take(profile(BOB, version=2, is_admin_blocked=True))
    assert blocked[1:] == [AdminBlockUpdate(user_id="bob", user_jid=BOB, is_admin_blocked=True)]
    unblocked = inbox.take(profile(BOB, version=2))
    assert unblocked[1:] == [AdminBlockUpdate(user_id="bob", user_jid=BOB, is_admin_blocked=False)]


@pytest.mark.parametrize("sender", [f"{BOB}/phone", "not a@jid@at all/"])
def test_a_profile_event_that_a_client_sent_itself_is_not_believed(inbox: Inbox, sender: str) -> None:
    assert inbox.take(profile(sender, version=10**9)) == []
    assert inbox.take(profile(BOB, version=1))


@pytest.mark.parametrize("change", [{"kind": "chat"}, {"kind": "error"}, {"node": "urn:other"}])
def test_what_only_resembles_a_profile_event_is_passed_over(inbox: Inbox, change: dict[str, str]) -> None:
    assert inbox.take(profile(BOB, version=1, **change)) == []


def test_a_profile_event_without_a_profile_is_passed_over(inbox: Inbox) -> None:
    for content in (
        pep.retract_event_xml(pep.NODE_VCARD4, "current"),
        pep.event_xml(pep.NODE_VCARD4, "current", ""),
        pep.event_xml(pep.NODE_VCARD4, "current", "<other xmlns='urn:other'/>"),
    ):
        assert inbox.take(stanza(f"<message type='headline' from='{BOB}'>{content}</message>")) == []


# -------------------------------------------------------------------------------------------------------------- roster


def test_the_first_contact_list_is_told_as_nothing_new() -> None:
    assert Inbox(parse(ADA)).take_roster([Item(BOB, "both")]) == []


def test_a_push_tells_what_a_contact_has_become(inbox: Inbox) -> None:
    assert changes(inbox.take_push(push(Item(BOB, "none", is_pending_out=True)))) == [(BOB, "requested")]
    assert changes(inbox.take_push(push(Item(BOB, "both")))) == [(BOB, "friend")]
    assert changes(inbox.take_push(push(Item(BOB, "both", name="Bobby")))) == []
    assert changes(inbox.take_push(push(Item(BOB, "remove")))) == [(BOB, "removed")]
    assert changes(inbox.take_push(push(Item(BOB, "remove")))) == []


def test_a_push_of_anyone_else_is_refused(inbox: Inbox) -> None:
    assert inbox.take_push(push(Item(BOB, "both"), sender=BOB)) is None
    assert inbox.take_push(push(Item(BOB, "both"), sender="chat.test")) is None
    assert changes(inbox.take_push(push(Item(BOB, "both"), sender=ADA))) == [(BOB, "friend")]


def test_another_iq_is_no_push(inbox: Inbox) -> None:
    assert inbox.take_push(stanza("<iq type='set' id='1'><query xmlns='urn:other'/></iq>")) is None
    assert inbox.take_push(stanza(f"<iq type='get' id='1'>{roster.query_xml(())}</iq>")) is None
    assert inbox.take_push(stanza("<iq type='set' id='1'/>")) is None


def test_a_contact_list_that_is_fetched_again_tells_what_was_missed(inbox: Inbox) -> None:
    inbox.take_push(push(Item(BOB, "both")))
    inbox.take_push(push(Item("eve@chat.test", "both")))
    found = inbox.take_roster([Item(BOB, "both"), Item("cy@chat.test", "both")])
    assert changes(found) == [("eve@chat.test", "removed"), ("cy@chat.test", "friend")]


def test_a_request_to_become_a_contact_is_told_once(inbox: Inbox) -> None:
    request = stanza(f"<presence type='subscribe' from='{BOB}' to='{ADA}'/>")
    assert changes(inbox.take(request)) == [(BOB, "received")]
    assert changes(inbox.take(request)) == []
    assert inbox.take_roster([]) == [], "a request is in no contact list"
    assert changes(inbox.take(stanza(f"<presence type='unsubscribe' from='{BOB}'/>"))) == [(BOB, "removed")]


def test_a_request_of_a_friend_is_no_news(inbox: Inbox) -> None:
    inbox.take_push(push(Item(BOB, "both")))
    assert inbox.take(stanza(f"<presence type='subscribe' from='{BOB}'/>")) == []


def test_the_profile_of_a_contact_who_comes_back_is_told_again(inbox: Inbox) -> None:
    inbox.take_push(push(Item(BOB, "both")))
    assert inbox.take(profile(BOB, version=4))
    inbox.take_push(push(Item(BOB, "remove")))
    assert inbox.take(profile(BOB, version=1)), "another account may have the name now"


# --------------------------------------------------------------------------------------------------- presence, messages


def test_presence_says_who_is_there(inbox: Inbox) -> None:
    came = stanza(f"<presence from='{BOB}/pc' to='{PHONE}'><show>away</show><status>Lunch</status></presence>")
    assert inbox.take(came) == [
        PresenceUpdate(user_id="bob", user_jid=BOB, resource="pc", is_online=True, show="away", status="Lunch")
    ]
    left = stanza(f"<presence type='unavailable' from='{BOB}/pc' to='{PHONE}'/>")
    assert inbox.take(left) == [PresenceUpdate(user_id="bob", user_jid=BOB, resource="pc", is_online=False)]


def test_ones_own_presence_is_no_news_but_that_of_another_own_device_is(inbox: Inbox) -> None:
    assert inbox.take(stanza(f"<presence from='{PHONE}' to='{PHONE}'/>")) == []
    assert len(inbox.take(stanza(f"<presence from='{ADA}/tablet' to='{PHONE}'/>"))) == 1


@pytest.mark.parametrize("kind", ["error", "probe", "subscribed", "unsubscribed", "nonsense"])
def test_other_presence_is_passed_over(inbox: Inbox, kind: str) -> None:
    assert inbox.take(stanza(f"<presence type='{kind}' from='{BOB}' to='{PHONE}'/>")) == []


@pytest.mark.parametrize("kind", ["", " type='chat'", " type='normal'", " type='unknown'"])
def test_a_message_is_told(inbox: Inbox, kind: str) -> None:
    found = inbox.take(stanza(f"<message{kind} id='m1' from='{BOB}/pc' to='{ADA}'><body>Hi &amp; bye</body></message>"))
    assert found == [MessageReceived(message_id="m1", user_id="bob", user_jid=BOB, text="Hi & bye")]


@pytest.mark.parametrize("text", ["<message from='b@c'/>", "<message type='error' from='b@c'><body>x</body></message>"])
def test_a_message_that_says_nothing_is_passed_over(inbox: Inbox, text: str) -> None:
    assert inbox.take(stanza(text)) == []


# ------------------------------------------------------------------------------------------------------------ blocking


def test_a_block_list_that_was_fetched_again_tells_what_changed(inbox: Inbox) -> None:
    first, second = ("bob@chat.test", "far.example"), ("eve@chat.test", "far.example", "zoe@chat.test/pc")
    assert inbox.take_blocks(fromstring(blocking.list_xml(first))) == []
    assert inbox.take_blocks(fromstring(blocking.list_xml(second))) == [
        BlockUpdate(user_id="bob", user_jid=BOB, is_blocked=False),
        BlockUpdate(user_id="eve", user_jid="eve@chat.test", is_blocked=True),
    ]


def test_a_push_tells_whom_it_names_and_an_empty_one_unblocks_all(inbox: Inbox) -> None:
    inbox.take_blocks(fromstring(blocking.list_xml(())))
    blocked = BlockUpdate(user_id="bob", user_jid=BOB, is_blocked=True)
    start = f"<iq type='set' id='b1' to='{PHONE}'>"
    push_block = stanza(f"{start}{blocking.push_xml((BOB,), is_blocked=True)}</iq>")
    assert inbox.take_push(push_block) == [blocked]
    assert inbox.take_push(push_block) == []
    unblock = stanza(f"{start}{blocking.push_xml((), is_blocked=False)}</iq>")
    assert inbox.take_push(unblock) == [BlockUpdate(user_id="bob", user_jid=BOB, is_blocked=False)]


def test_a_new_session_is_told_by_the_account_itself(inbox: Inbox) -> None:
    (event,) = inbox.take(stanza(new_session(ADA, PHONE, "hg1", dict.fromkeys(FACTS, "x")).decode()))
    assert isinstance(event, NewSession)
    assert (event.session_id, event.created_at, event.via) == ("x", "x", "x")


def test_a_session_that_ended_for_safety_is_told_with_its_reason(inbox: Inbox) -> None:
    told = ended_session(ADA, PHONE, "hg1", dict.fromkeys(FACTS, "x"), "token_reused").decode()
    (event,) = inbox.take(stanza(told))
    assert isinstance(event, SessionEnded)
    assert (event.session_id, event.reason) == ("x", "token_reused")


@pytest.mark.parametrize("forger", [f"{ADA}/browser", BOB, f"{BOB}/phone", "chat.test"])
def test_a_new_session_cannot_be_made_up(inbox: Inbox, forger: str) -> None:
    assert inbox.take(stanza(new_session(forger, PHONE, "hg1", dict.fromkeys(FACTS, "x")).decode())) == []
