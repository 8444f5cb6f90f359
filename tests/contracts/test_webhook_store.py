"""The contract of `WebhookStore`, over every adapter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import limits, webhooks
from heliograph.core.apps import App, Environment
from heliograph.core.audit import Event, Kind, Owner
from heliograph.core.sessions import EndReason
from heliograph.core.webhooks import Attempt, Batch, Webhook
from heliograph.errors import WebhookInvalid, WebhookNotFound

NOW = 1_800_000_000.0
ADA = "ada@chat.example"
LATER = NOW + 300


def told(app: App) -> Event:
    return Event(Kind.WEBHOOK_ADDED, Owner(app.id, Environment.LIVE), NOW)


@pytest.fixture
async def webhook(stores: Any, app: App) -> Webhook:
    """One that wants all of the live users."""
    made = Webhook("whk_1", app.id, Environment.LIVE, "https://backend.example/", webhooks.KINDS, NOW)
    await stores.webhooks.add(made, "whsec_AAAA", 2, told(app))
    return made


async def taken(stores: Any, now: float = NOW, limit: int = 16) -> Batch:
    [batch] = await stores.webhooks.take(now, now + 300, limit)
    return batch


async def test_a_webhook_comes_back_as_it_was_stored_without_its_secret(stores: Any, webhook: Webhook) -> None:
    assert await stores.webhooks.list() == [webhook]
    assert await stores.webhooks.secret("whk_1") == "whsec_AAAA"
    assert "whsec" not in repr(await stores.webhooks.list())
    with pytest.raises(WebhookNotFound):
        await stores.webhooks.secret("whk_2")


async def test_an_app_has_so_many_webhooks_and_no_more(stores: Any, webhook: Webhook, app: App) -> None:
    await stores.webhooks.add(replace(webhook, id="whk_2"), "whsec_AAAA", 2, told(app))
    with pytest.raises(WebhookInvalid):
        await stores.webhooks.add(replace(webhook, id="whk_3"), "whsec_AAAA", 2, told(app))
    assert len(await stores.webhooks.list()) == 2


async def test_each_event_waits_for_each_webhook_that_wants_it(
    stores: Any, webhook: Webhook, app: App, registrar: Any
) -> None:
    wants_ends = replace(webhook, id="whk_2", kinds=(Kind.SESSION_ENDED,), created_at=NOW + 1)
    of_sandbox = replace(webhook, id="whk_3", environment=Environment.SANDBOX, created_at=NOW + 2)
    for each in (wants_ends, of_sandbox):
        await stores.webhooks.add(each, "whsec_AAAA", 9, told(app))
    made = await registrar.register(ADA)
    await stores.sessions.end(made.account.id, [made.session.id], EndReason.LOGOUT, NOW)
    batches = {batch.webhook.id: batch for batch in await stores.webhooks.take(NOW, LATER, 16)}
    kinds = {name: [message.kind for message in batch.messages] for name, batch in batches.items()}
    assert kinds == {"whk_1": ["user.registered", "session.created", "session.ended"], "whk_2": ["session.ended"]}
    assert [found.waiting for found in await stores.webhooks.list()] == [3, 1, 0]
    assert batches["whk_1"].secret == "whsec_AAAA"
    assert "whsec" not in repr(batches)


async def test_what_was_taken_is_left_alone_until_the_lease_is_over(
    stores: Any, webhook: Webhook, registrar: Any
) -> None:
    await registrar.register(ADA)
    first = await taken(stores)
    assert await stores.webhooks.take(NOW + 299, NOW + 600, 16) == []
    again = await taken(stores, NOW + 300)
    assert [message.id for message in again.messages] == [message.id for message in first.messages]


async def test_messages_are_taken_in_order_and_so_many_at_once(stores: Any, webhook: Webhook, registrar: Any) -> None:
    await registrar.register(ADA)
    assert [message.kind for message in (await taken(stores, limit=1)).messages] == ["user.registered"]


async def test_a_delivered_message_is_gone(stores: Any, webhook: Webhook, registrar: Any) -> None:
    await registrar.register(ADA)
    batch = await taken(stores)
    settled = [webhooks.settle(message, Attempt(), NOW, 0.5) for message in batch.messages]
    await stores.webhooks.settle(settled)
    await stores.webhooks.settle(settled)  # a second worker, whose lease was over
    assert await stores.webhooks.take(NOW + 1000, NOW + 2000, 16) == []
    [found] = await stores.webhooks.list()
    assert (found.waiting, found.dead) == (0, 0)


async def test_a_failed_message_waits_and_holds_up_the_next(stores: Any, webhook: Webhook, registrar: Any) -> None:
    await registrar.register(ADA)
    first, second = (await taken(stores)).messages
    failed = webhooks.settle(first, Attempt("no"), NOW, 0.5)
    await stores.webhooks.settle([failed, webhooks.release(second, NOW)])
    assert await stores.webhooks.take(NOW + 4, LATER, 16) == []
    again, other = (await taken(stores, NOW + 5)).messages
    assert (again.id, again.attempts, again.problem) == (first.id, 1, "no")
    assert (other.id, other.attempts) == (second.id, 0)


async def test_dead_letters_are_listed_and_replayed(stores: Any, webhook: Webhook, registrar: Any) -> None:
    await registrar.register(ADA)
    first, second = (await taken(stores)).messages
    await stores.webhooks.settle(
        [webhooks.settle(message, Attempt("gone", is_final=True), NOW, 0.5) for message in (first, second)]
    )
    dead = await stores.webhooks.dead("whk_1", 10)
    assert [(message.id, message.problem) for message in dead] == [(first.id, "gone"), (second.id, "gone")]
    [found] = await stores.webhooks.list()
    assert (found.waiting, found.dead) == (0, 2)
    assert await stores.webhooks.replay("whk_1", second.id, NOW) == 1
    assert await stores.webhooks.replay("whk_1", None, NOW) == 1
    assert await stores.webhooks.replay("whk_1", None, NOW) == 0
    [found] = await stores.webhooks.list()
    assert (found.waiting, found.dead) == (2, 0)
    assert [(message.id, message.attempts) for message in (await taken(stores)).messages] == [
        (first.id, 0),
        (second.id, 0),
    ]


async def test_as_many_wait_as_may_and_the_rest_is_counted(
    stores: Any, webhook: Webhook, registrar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_WAITING_MAX", 3)
    for _ in range(4):
        await registrar.register(ADA)
    [found] = await stores.webhooks.list()
    assert (found.waiting, found.dropped) == (3, 2)


async def test_the_oldest_dead_letters_go_first(
    stores: Any, webhook: Webhook, registrar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_DEAD_MAX", 2)
    for _ in range(3):
        await registrar.register(ADA)
    messages = (await taken(stores)).messages
    assert len(messages) == 4
    for message in messages:
        await stores.webhooks.settle([webhooks.settle(message, Attempt("gone", is_final=True), NOW, 0.5)])
    assert [message.id for message in await stores.webhooks.dead("whk_1", 10)] == [each.id for each in messages[2:]]


async def test_a_removed_webhook_takes_its_messages_along(
    stores: Any, webhook: Webhook, app: App, registrar: Any
) -> None:
    await registrar.register(ADA)
    await stores.webhooks.remove("whk_1", replace(told(app), kind=Kind.WEBHOOK_REMOVED))
    assert await stores.webhooks.take(NOW, LATER, 16) == []
    with pytest.raises(WebhookNotFound):
        await stores.webhooks.remove("whk_1", told(app))
    [*_, last] = await stores.audit.chain(app.id, 0, 100)
    assert last.event.kind is Kind.WEBHOOK_REMOVED
