"""An XMPP server whose database cannot answer for a while: clients are told so, and go on when it answers again."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import bugs
from heliograph.errors import StorageUnavailable
from patience import PATIENCE_S
from places import running
from wires import Account, bind_request, plain, stream_header

SASL2 = "urn:xmpp:sasl:2"


def authenticate(account: Account) -> str:
    message = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    initial = f"<initial-response>{message}</initial-response>"
    return f"<authenticate xmlns='{SASL2}' mechanism='PLAIN'>{initial}</authenticate>"


@contextmanager
def without(database: Path, *tables: str) -> Iterator[None]:
    """Takes tables away from a running node, as long as a context lasts."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=PATIENCE_S)
    connection.execute("PRAGMA legacy_alter_table = ON")  # what refers to the table goes on to do so
    try:
        for table in tables:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        yield
        for table in tables:
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
    finally:
        connection.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Any]:
    async with running(tmp_path) as started:
        yield started
        started.hang_up()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (found,) = tmp_path.rglob("*.db")
    return found


def errors(lines: list[Any]) -> list[Any]:
    """The errors that were logged; they are expected here."""
    found = [line for line in lines if line["log_level"] == "error"]
    lines.clear()
    return found


async def test_a_sign_in_fails_for_now_and_works_again(place: Any, database: Path, caplog: Any) -> None:
    account = await place.register("ada")
    signs_in = plain(account.username, account.password)
    wire = await place.open(account)
    with bugs.no_bugs(caplog) as lines:
        for request in (signs_in, authenticate(account)):
            with without(database, "sessions"):
                await wire.send(request)
                answer = await wire.until("</failure>")
            (logged,) = errors(lines)
            assert logged["event"] == "sign_in_unanswered"
            assert isinstance(logged["exc_info"], sqlite3.OperationalError)
            assert "<temporary-auth-failure" in answer
            assert f"Error {logged['error_id']}<" in answer
        await wire.send(signs_in, stream_header(account.jid.partition("@")[2]), bind_request(None))
        assert "<jid>" in await wire.until("</iq>")


async def test_a_resource_is_bound_without_the_store(place: Any, database: Path, caplog: Any) -> None:
    """All that it takes was read when the password was checked."""
    account = await place.register("ada")
    wire = await place.open(account)
    await wire.send(plain(account.username, account.password), stream_header(account.jid.partition("@")[2]))
    await wire.until("</stream:features>")
    with bugs.no_bugs(caplog), without(database, "blocks"):
        await wire.send(bind_request(None))
        assert "<jid>" in await wire.until("</iq>")


async def test_a_request_is_answered_with_an_id_that_the_log_has(place: Any, database: Path, caplog: Any) -> None:
    ada = await place.sign_in(await place.register("ada"))
    roster = "<query xmlns='jabber:iq:roster'><item jid='bob@sandbox.chat.localhost'/></query>"
    with bugs.no_bugs(caplog) as lines:
        with without(database, "rosters"):
            refused = await ada.ask(roster, kind="set")
        (logged,) = errors(lines)
        assert refused.condition == "internal-server-error"
        assert f"Error {logged['error_id']}<" in refused.xml
        assert (await ada.ask(roster, kind="set")).get("type") == "result"


@pytest.mark.parametrize("table", ["offline_messages", "blocks"])
async def test_a_message_that_cannot_be_kept_comes_back(place: Any, database: Path, caplog: Any, table: str) -> None:
    ada, bob = await place.sign_in(await place.register("ada")), await place.register("bob")
    message = f"<message type='chat' id='m1' to='{bob.jid}'><body>Hi</body></message>"
    with bugs.no_bugs(caplog) as lines:
        with without(database, table):
            await ada.send(message)
            refused = await ada.gets("message", id="m1")
        (logged,) = errors(lines)
        assert (refused.get("type"), refused.condition) == ("error", "internal-server-error")
        assert f"Error {logged['error_id']}<" in refused.xml
        await ada.send(message)
        assert await ada.so_far() == []


async def test_a_presence_whose_contacts_cannot_be_read_is_answered(place: Any, database: Path, caplog: Any) -> None:
    ada = await place.sign_in(await place.register("ada"))
    with bugs.no_bugs(caplog) as lines:
        with without(database, "rosters"):
            await ada.send("<presence id='p1'/>")
            refused = await ada.gets("presence", id="p1")
        (logged,) = errors(lines)
        assert (refused.get("type"), refused.condition) == ("error", "internal-server-error")
        assert f"Error {logged['error_id']}<" in refused.xml


async def test_a_message_that_cannot_be_archived_is_delivered_and_the_loss_logged(
    place: Any, database: Path, caplog: Any
) -> None:
    ada, bob = [await place.sign_in(await place.register(name)) for name in ("ada", "bob")]
    await bob.send("<presence/>")
    await bob.so_far()
    archive = place.node.ports.archive
    with bugs.no_bugs(caplog) as lines:
        with without(database, "archived_messages"):
            await ada.send(f"<message type='chat' id='m1' to='{bob.bare}'><body>Hi</body></message>")
            await bob.gets("message", id="m1")
            with suppress(StorageUnavailable, sqlite3.Error):  # unless it was written, or not, before
                await archive.flush()
        assert "archive_not_written" in [line["event"] for line in errors(lines)]
        await ada.send(f"<message type='chat' id='m2' to='{bob.bare}'><body>Ho</body></message>")
        await bob.gets("message", id="m2")
        await archive.flush()
