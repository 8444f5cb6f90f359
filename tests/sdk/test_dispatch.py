"""How events reach listeners and iterators."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from heliograph.errors import RequestInvalid
from heliograph.sdk.dispatch import Dispatcher, check_listeners
from heliograph.sdk.events import (
    ConnectionUpdate,
    Event,
    MessageReceived,
    TokenUpdate,
)
from heliograph.sdk.states import ConnectionStatus
from patience import PATIENCE_S


def message(number: int) -> MessageReceived:
    return MessageReceived(message_id=str(number), user_id="bob", user_jid="bob@chat.test", text="Hi")


async def test_each_listener_gets_its_own_events_in_order() -> None:
    heard: list[tuple[str, Event]] = []

    async def on_message(event: MessageReceived) -> None:
        await asyncio.sleep(0)
        heard.append(("message", event))

    dispatcher = Dispatcher(
        {"message_listener": on_message, "connection_listener": lambda event: heard.append(("connection", event))}
    )
    connected = ConnectionUpdate(status=ConnectionStatus.CONNECTED)
    events = [message(1), connected, message(2), message(3)]
    for event in events:
        dispatcher.emit(event)
    dispatcher.emit(TokenUpdate(token="t", refresh_token="r", expires_in=3600))
    await dispatcher.close()
    assert heard == list(zip(["message", "connection", "message", "message"], events, strict=True))


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_listener_that_raises_is_logged_and_the_next_one_runs(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Event) -> None:
        raise ZeroDivisionError("the app's own bug")

    async def fail_later(event: Event) -> None:
        fail(event)

    heard: list[Event] = []
    dispatcher = Dispatcher({"message_listener": fail_later if is_async else fail, "connection_listener": heard.append})
    connected = ConnectionUpdate(status=ConnectionStatus.CONNECTED)
    for event in (message(1), connected, message(2), connected):
        dispatcher.emit(event)
    await dispatcher.close()
    assert heard == [connected, connected]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "ZeroDivisionError" in caplog.text


async def test_a_listener_that_is_cancelled_from_within_does_not_silence_the_others() -> None:
    async def await_the_cancelled(_: Event) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    heard: list[Event] = []
    dispatcher = Dispatcher({"message_listener": await_the_cancelled, "connection_listener": heard.append})
    connected = ConnectionUpdate(status=ConnectionStatus.CONNECTED)
    dispatcher.emit(message(1))
    dispatcher.emit(connected)
    await dispatcher.close()
    assert heard == [connected]


async def test_emitting_never_waits_for_a_listener() -> None:
    is_released = asyncio.Event()
    heard: list[str] = []

    async def slow(event: MessageReceived) -> None:
        await is_released.wait()
        heard.append(event.message_id)

    dispatcher = Dispatcher({"message_listener": slow})
    for number in range(100):
        dispatcher.emit(message(number))
    is_released.set()
    await dispatcher.close()
    assert heard == [str(number) for number in range(100)]


async def test_a_listener_may_close_the_sdk() -> None:
    closed = asyncio.Event()

    async def close(_: Event) -> None:
        await dispatcher.close()
        closed.set()

    dispatcher = Dispatcher({"message_listener": close})
    dispatcher.emit(message(1))
    await asyncio.wait_for(closed.wait(), PATIENCE_S)


async def test_every_iterator_gets_all_events_from_its_begin_to_the_close() -> None:
    dispatcher = Dispatcher({})
    first = dispatcher.iterate()
    dispatcher.emit(message(1))
    second = dispatcher.iterate()
    dispatcher.emit(message(2))
    await dispatcher.close()
    dispatcher.emit(message(3))
    assert [event async for event in first] == [message(1), message(2)]
    assert [event async for event in second] == [message(2)]


async def test_an_iterator_waits_for_the_next_event() -> None:
    dispatcher = Dispatcher({})
    iterator = dispatcher.iterate()
    waiting = asyncio.ensure_future(anext(iterator))
    await asyncio.sleep(0)
    assert not waiting.done()
    dispatcher.emit(message(1))
    assert await waiting == message(1)
    await dispatcher.close()


async def test_an_iterator_that_is_not_fetched_from_drops_the_oldest_and_counts_them() -> None:
    dispatcher = Dispatcher({})
    slow, quick = dispatcher.iterate(max_events=3), dispatcher.iterate()
    for number in range(10):
        dispatcher.emit(message(number))
    await dispatcher.close()
    assert [event async for event in slow] == [message(7), message(8), message(9)]
    assert slow.dropped == 7
    assert [event async for event in quick] == [message(number) for number in range(10)]
    assert quick.dropped == 0


async def test_an_abandoned_iterator_is_forgotten() -> None:
    dispatcher = Dispatcher({})
    iterator = dispatcher.iterate()
    assert len(dispatcher._iterators) == 1
    del iterator
    assert len(dispatcher._iterators) == 0
    await dispatcher.close()


@pytest.mark.parametrize("listeners", [{"messageListener": print}, {"message_listener": "print"}, {"": print}])
async def test_a_listener_under_a_wrong_name_is_refused(listeners: Any) -> None:
    with pytest.raises(RequestInvalid) as caught:
        check_listeners(listeners)
    assert caught.value.details["field"] == next(iter(listeners))


def test_an_event_with_secrets_does_not_show_them() -> None:
    update = TokenUpdate(token="hgt_secret", refresh_token="hgr_secret", expires_in=3600)
    assert "secret" not in repr(update)
    assert update.to_dict() == {"token": "hgt_secret", "refreshToken": "hgr_secret", "expiresIn": 3600}


def test_a_connection_update_leaves_out_what_it_does_not_know() -> None:
    assert ConnectionUpdate(status=ConnectionStatus.CONNECTED).to_dict() == {"status": "CONNECTED"}
    assert ConnectionUpdate(status=ConnectionStatus.RECONNECTING, attempt=2).to_dict() == {
        "status": "RECONNECTING",
        "attempt": 2,
    }
