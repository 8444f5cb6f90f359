"""The rules of webhooks: addresses, signatures, pauses, order."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Receiver

from heliograph.core import audit, limits, webhooks
from heliograph.core.apps import Environment
from heliograph.core.audit import Event, Kind, Owner
from heliograph.core.webhooks import Attempt, Message
from heliograph.errors import WebhookInvalid

NOW = 1_800_000_000.0
OWNER = Owner("app_1", Environment.SANDBOX, "ada@sandbox.chat.example")
ENDED = Event(Kind.SESSION_ENDED, OWNER, NOW, "ses_1", {"reason": "evicted"})


def waiting(name: str, *, attempts: int = 0, due_at: float = NOW) -> Message:
    return Message(name, "whk_1", "session.ended", "{}", NOW, attempts, due_at)


def test_a_message_tells_who_what_and_when() -> None:
    message = webhooks.message("whk_1", audit.seal(audit.EMPTY, ENDED))
    assert json.loads(message.body) == {
        "type": "session.ended",
        "timestamp": "2027-01-15T08:00:00.000Z",
        "data": {
            "userId": "ada",
            "userJid": "ada@sandbox.chat.example",
            "isSandbox": True,
            "sessionId": "ses_1",
            "reason": "evicted",
        },
    }
    assert (message.attempts, message.due_at) == (0, NOW)


def test_an_event_has_one_id_for_each_webhook_and_keeps_it() -> None:
    first, second = audit.seal(audit.EMPTY, ENDED), audit.seal(audit.Head(1, bytes(32)), ENDED)
    ids = {webhooks.message(webhook, entry).id for webhook in ("whk_1", "whk_2") for entry in (first, second)}
    assert len(ids) == 4
    assert webhooks.message("whk_1", first).id in ids


@given(chance=st.binary(min_size=24, max_size=64), body=st.text(), at=st.integers(0, 30))
def test_the_signature_is_what_the_library_of_standard_webhooks_expects(chance: bytes, body: str, at: int) -> None:
    import time  # noqa: PLC0415 - the library checks against the real time

    secret, now = webhooks.new_secret(chance), time.time() - at
    message = replace(waiting("msg_1"), body=json.dumps({"text": body}))
    assert Receiver(secret).verify(message.body.encode(), webhooks.headers(secret, message, now)) == {"text": body}


@pytest.mark.parametrize("url", ["https://backend.example/hooks?a=b", "https://backend.example:8443"])
def test_an_address_on_the_web_is_taken(url: str) -> None:
    assert webhooks.check_url(url, allows_private=False) == url


@pytest.mark.parametrize(
    "url", ["http://backend.example", "ftp://backend.example", "backend.example", "https://u:p@backend.example", ""]
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(WebhookInvalid):
        webhooks.check_url(url, allows_private=False)


def test_plain_http_will_do_where_the_operator_allows_private_networks() -> None:
    assert webhooks.check_url("http://10.0.0.7:9000/", allows_private=True)


def test_no_kind_means_all_and_an_unknown_one_is_refused() -> None:
    assert webhooks.check_kinds([]) == webhooks.KINDS
    assert webhooks.check_kinds(["user.deleted", "user.deleted"]) == (Kind.USER_DELETED,)
    with pytest.raises(WebhookInvalid, match=r"user\.invented"):
        webhooks.check_kinds(["user.invented"])


def test_pauses_grow_up_to_a_bound_and_the_last_attempt_makes_a_dead_letter() -> None:
    message, pauses = waiting("msg_1"), []
    for attempts in range(limits.WEBHOOK_ATTEMPTS_MAX - 1):
        settled = webhooks.settle(replace(message, attempts=attempts), Attempt("no"), NOW, 0.5)
        assert settled.due_at is not None
        assert not settled.is_dead
        pauses.append(settled.due_at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[:3] == [5, 20, 80]
    assert pauses[-1] == limits.WEBHOOK_RETRY_MAX_S
    assert 12 * 3600 < sum(pauses) < 30 * 3600
    last = replace(message, attempts=limits.WEBHOOK_ATTEMPTS_MAX - 1)
    assert webhooks.settle(last, Attempt("no"), NOW, 0.5).is_dead


@given(st.floats(0, 1, exclude_max=True))
def test_a_pause_is_shaken_by_a_fifth_at_most(chance: float) -> None:
    settled = webhooks.settle(waiting("msg_1"), Attempt("no"), NOW, chance)
    assert settled.due_at is not None
    assert 4 <= settled.due_at - NOW <= 6


def test_a_receiver_may_ask_for_a_longer_pause_and_gone_is_final() -> None:
    asked = webhooks.settle(waiting("msg_1"), Attempt("busy", retry_after_s=600), NOW, 0.5)
    assert asked.due_at == NOW + 600
    assert webhooks.settle(waiting("msg_1"), Attempt("gone", is_final=True), NOW, 0.5).is_dead
    assert webhooks.settle(waiting("msg_1"), Attempt(), NOW, 0.5).due_at is None


def names(*messages: Message, limit: int = 10) -> list[str]:
    return [message.id for message in webhooks.in_line(messages, NOW, limit)]


def test_messages_go_out_in_order_and_wait_behind_one_that_failed() -> None:
    assert names(waiting("a"), waiting("b"), waiting("c"), limit=2) == ["a", "b"]
    assert names(waiting("a", attempts=1, due_at=NOW + 1), waiting("b")) == []
    assert names(waiting("a"), waiting("b", attempts=3, due_at=NOW + 1), waiting("c")) == ["a"]


def test_one_that_failed_often_is_passed() -> None:
    assert names(waiting("a", attempts=4, due_at=NOW + 1), waiting("b")) == ["b"]


def test_what_somebody_else_is_sending_holds_up_the_rest() -> None:
    assert names(waiting("a", due_at=NOW + limits.WEBHOOK_LEASE_S), waiting("b")) == []
