"""A running SQLite node moves to PostgreSQL: `heliograph export`, `heliograph import`, and what refuses to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import shutil
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from heliograph.core import audit
from heliograph.storage import interchange, migrations
from heliograph.storage.sqlite import tables
from places import Place, running
from postgres_server import empty_database
from wires import Account, Client

SASL2 = "urn:xmpp:sasl:2"
FAST = "urn:xmpp:fast:0"
AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
NODE = "urn:example:notes"
PUBSUB = "http://jabber.org/protocol/pubsub"


async def sasl2(place: Place, account: Account, mechanism: str, message: bytes, wishes: str) -> str:
    """Sign in with SASL2; the whole answer."""
    wire = await place.open(account)
    data = b64encode(message).decode()
    begin = f"<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>"
    await wire.send(f"{begin}<initial-response>{data}</initial-response>{AGENT}{wishes}</authenticate>")
    return await wire.until("</success>")


async def fast_token(place: Place, account: Account) -> str:
    password = f"\0{account.username}\0{account.password}".encode()
    wish = f"<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>"
    token = fromstring(await sasl2(place, account, "PLAIN", password, wish)).find(f"{{{FAST}}}token")
    assert token is not None
    return token.attrib["token"]


async def sign_in_with(place: Place, account: Account, token: str) -> None:
    proof = hmac.new(token.encode(), b"Initiator", hashlib.sha256).digest()
    message = f"{account.username}\0".encode() + proof
    assert "<success" in await sasl2(place, account, "HT-SHA-256-NONE", message, f"<fast xmlns='{FAST}'/>")


async def live(place: Place, cli: Any) -> tuple[Client, Account, str]:
    """Leave something in (nearly) every table; a client, a user who is away, and a token of hers."""
    await cli.run("webhook", "add", place.app.app.id, "http://127.0.0.1:9/hooks", "--sandbox")
    ada = await place.sign_in(await place.register("ada", registerMetaData={"team": "blue", "n": 1.5}), "phone")
    bob = await place.register("bob")
    await place.call("PUT", "/contacts/bob", ada.account)
    await place.call("PATCH", "/profile", ada.account, {"nickName": "Adä 🌄", "status": "Here"})
    await place.call("POST", "/contact-invitations", ada.account, {})
    await ada.send("<presence/>")
    item = f"<publish node='{NODE}'><item id='1'><note xmlns='urn:x'>kept</note></item></publish>"
    await ada.ask(f"<pubsub xmlns='{PUBSUB}'>{item}</pubsub>", kind="set")
    await ada.send(f"<message to='{bob.jid}' type='chat' id='m1'><body>while you were away</body></message>")
    await ada.so_far()
    await place.call("DELETE", "/sessions/current", await place.register("eve"))
    await place.call("PUT", "/blocked/eve", await place.register("dora"))
    return ada, bob, await fast_token(place, ada.account)


async def moved_is_whole(place: Place, ada: Account, bob: Account, token: str) -> None:
    """Everybody comes back with what they have, and finds what they left."""
    back = await place.sign_in(ada, "phone")
    found = await back.ask(f"<pubsub xmlns='{PUBSUB}'><items node='{NODE}'/></pubsub>")
    assert "kept" in found.xml
    assert f"jid='{bob.jid}'" in (await back.ask("<query xmlns='jabber:iq:roster'/>")).xml
    archive = await back.ask("<query xmlns='urn:xmpp:mam:2'/>", kind="set")
    assert archive.get("type") == "result"
    waiting = await place.sign_in(bob, "phone")
    await waiting.send("<presence/>")
    message = await waiting.gets("message", id="m1")
    assert "while you were away" in message.xml
    await sign_in_with(place, ada, token)
    profile = await place.call("GET", "/profile", ada)
    assert (profile["nickName"], profile["status"]) == ("Adä 🌄", "Here")
    assert [each["current"] for each in (await place.call("GET", "/sessions", ada))["sessions"]] == [True]
    head, problem = await audit.verify(place.node.ports.audit, place.app.app.id)
    assert problem is None
    assert head.number >= 8
    again = await place.node.ports.accounts.lookup(ada.jid)
    new = await place.node.ports.accounts.lookup((await place.register("frank")).jid)
    assert again is not None
    assert new is not None
    assert new.id > again.id


def records(file: Path) -> list[bytes]:
    """All that an export holds; the order of a table's rows is the database's own."""
    *lines, _end = file.read_bytes().splitlines()
    return sorted(lines)


async def test_a_busy_sqlite_node_moves_to_postgresql_and_nothing_is_lost(
    cli: Any, tmp_path: Path, postgres_url: str, tmp_path_factory: Any
) -> None:
    other = tmp_path_factory.mktemp("other")
    first, second = other / "first.jsonl", other / "second.jsonl"
    stopped = asyncio.Event()

    async def write_on(place: Place) -> None:
        while not stopped.is_set():
            await place.register(place.name("busy"))

    async with running(tmp_path, webhook_networks=("127.0.0.0/8",)) as place:
        ada, bob, token = await live(place, cli)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write_on(place))
            said = await cli.try_("export", first)
            stopped.set()
        keys = place.app
    assert said.status == 0, said.err
    assert f"{tmp_path / 'tls'}" in said.err
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    shutil.copytree(tmp_path / "tls", other / "data" / "tls")
    async with empty_database(postgres_url) as url:
        cli.folder, cli.environment = other / "data", {"HELIOGRAPH_DATABASE_URL": url}
        assert int((await cli.run("import", first)).split()[0]) > 40
        await cli.run("export", second)
        assert records(second) == records(first)
        said = await cli.try_("import", first)
        assert (said.status, "not empty" in said.err) == (1, True)
        async with running(other / "data", is_new=False, database_url=url) as place:
            place.app = keys
            await moved_is_whole(place, ada.account, bob, token)


async def test_postgresql_moves_back_to_sqlite(cli: Any, postgres_url: str, tmp_path_factory: Any) -> None:
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    async with empty_database(postgres_url) as url:
        async with running(here, database_url=url) as place:
            await place.register("ada")
        cli.folder, cli.environment = here, {"HELIOGRAPH_DATABASE_URL": url}
        await cli.run("export", here / "first")
    cli.folder, cli.environment = there, {}
    await cli.run("import", here / "first")
    await cli.run("export", there / "second")
    assert records(there / "second") == records(here / "first")
    assert (there / "secret").read_text() == (here / "secret").read_text()


@pytest.fixture
async def exported(cli: Any, tmp_path: Path) -> Path:
    """An export of a node with a user; the command line is then over a folder of its own."""
    async with running(tmp_path / "one") as place:
        await place.register("ada")
    cli.folder = tmp_path / "one"
    await cli.run("export", tmp_path / "whole")
    cli.folder = tmp_path / "two"
    return tmp_path / "whole"


async def refused(cli: Any, file: Path) -> str:
    """Why an import is refused; it left the database empty."""
    said = await cli.try_("import", file)
    assert said.status == 1
    with tables.reading(cli.folder / "heliograph.db") as database:
        assert database.first_filled() is None
    assert not (cli.folder / "secret").exists()
    return str(said.err)


async def test_a_damaged_export_leaves_nothing_behind(cli: Any, exported: Path) -> None:
    whole = await asyncio.to_thread(exported.read_bytes)
    lines = whole.splitlines(keepends=True)
    for damaged, reason in [
        (lines[:-1], "ends before its end"),
        (lines[:20], "ends before its end"),
        ([line.replace(b"ada@", b"eve@") for line in lines], "not those that were written"),
        ([lines[0], *lines[2:]], "first row has no table"),
        ([lines[0].replace(b'Export":1', b'Export":2'), *lines[1:]], "this Heliograph reads 1"),
        ([lines[0], b"\xff\n"], "line 2"),
        ([line.replace(b'"created_at"', b'"x; --"') for line in lines], "the columns of apps are others"),
        ([], "ends before its end"),
    ]:
        await asyncio.to_thread(exported.write_bytes, b"".join(damaged))
        assert reason in await refused(cli, exported)


async def test_another_schema_is_refused(cli: Any, exported: Path) -> None:
    whole = await asyncio.to_thread(exported.read_bytes)
    header, rest = whole.split(b"\n", 1)
    other = json.dumps(json.loads(header) | {"schema": 3}).encode()
    await asyncio.to_thread(exported.write_bytes, other + b"\n" + rest)
    assert "The records are of schema 3" in await refused(cli, exported)


async def test_the_secret_of_another_installation_is_not_overwritten(cli: Any, exported: Path) -> None:
    cli.folder.mkdir()
    (cli.folder / "secret").write_text("00" * 32)
    said = await cli.try_("import", exported)
    assert (said.status, "another installation" in said.err) == (1, True)
    assert (cli.folder / "secret").read_text() == "00" * 32


async def test_an_export_overwrites_nothing(cli: Any, exported: Path) -> None:
    cli.folder = exported.parent / "one"
    before = await asyncio.to_thread(exported.read_bytes)
    assert (await cli.try_("export", exported)).status == 1
    assert await asyncio.to_thread(exported.read_bytes) == before


async def test_migrate_says_from_where_to_where(cli: Any) -> None:
    newest = migrations.newest()
    assert await cli.run("migrate") == f"schema 0 -> {newest}\n"
    assert await cli.run("migrate") == f"schema {newest}, as before\n"


async def test_migrate_makes_the_tables_of_postgresql(cli: Any, postgres_url: str) -> None:
    cli.environment = {"HELIOGRAPH_DATABASE_URL": f"{postgres_url}heliograph"}
    assert await cli.run("migrate") == f"schema {migrations.newest()}, as before\n"
    cli.environment = {"HELIOGRAPH_DATABASE_URL": f"{postgres_url}no-such-database"}
    assert (await cli.try_("migrate")).status == 1


def test_every_table_is_moved_after_those_that_it_refers_to(tmp_path: Path) -> None:
    with tables.filling(tmp_path / "heliograph.db") as database:
        ask = database._connection.execute
        there = {name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert there - {"schema_versions", "sqlite_sequence"} == set(migrations.tables())
        seen: set[str] = set()
        for name in migrations.tables():
            assert {row[2] for row in ask(f"PRAGMA foreign_key_list({name})")} <= seen
            seen.add(name)


def test_a_stream_holds_few_rows_at_a_time() -> None:
    """The lines of a table are written as its rows are read."""
    written: list[bytes] = []

    class Long:
        def tables(self) -> Any:
            yield interchange.Table("numbers", ("n",), None), self.rows()

        def rows(self) -> Any:
            for number in range(1000):
                assert len(written) >= number + 2
                yield (number,)

    assert interchange.write(Long(), interchange.Header(1, None), written.append) == 1000
