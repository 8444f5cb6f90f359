"""PostgreSQL goes away and comes back: callers are told so, nothing that was acknowledged is lost, and of a commit
that nobody heard of again it is told that its outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import bugs
import needs
from heliograph.core.apps import Environment
from patience import PATIENCE_S
from places import SANDBOX, Place, running
from postgres_server import RestartablePostgres, empty_database
from severed import Cut, Severed, severed
from wires import Client, bind_request, plain, stream_header

PROFILE = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Ada</text></fn></vcard>"


@pytest.fixture(scope="module")
def installed() -> Iterator[RestartablePostgres]:
    needs.postgres()
    with RestartablePostgres.running() as running:
        yield running


@pytest.fixture
async def server(installed: RestartablePostgres) -> AsyncIterator[RestartablePostgres]:
    """One that is up, without a record."""
    async with empty_database(installed.database_url.removesuffix("heliograph")):
        yield installed
    installed.start()


@pytest.fixture
async def place(tmp_path: Path, server: RestartablePostgres) -> AsyncIterator[Place]:
    async with running(tmp_path, database_url=server.database_url) as started:
        yield started
        started.hang_up()


async def register(place: Place, name: str, key: str = "") -> httpx.Response:
    """The answer, whatever it is."""
    headers = {"Heliograph-Key": place.key(Environment.SANDBOX)} | ({"Idempotency-Key": key} if key else {})
    return await place.http.post("/api/v1/register", json={"userIdentifier": name}, headers=headers, timeout=60)


async def until_it_answers(place: Place) -> None:
    """Until a write works again."""
    async with asyncio.timeout(PATIENCE_S):
        while (await register(place, "canary")).status_code != 200:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def test_a_write_and_a_read_are_refused_for_now_and_work_again(
    place: Place, server: RestartablePostgres, caplog: Any
) -> None:
    ada = await place.register("ada")
    own = {"Authorization": f"Bearer {ada.token}", "Heliograph-Key": place.key(Environment.SANDBOX)}
    with bugs.no_bugs(caplog) as lines:
        server.kill()
        answers = [
            await register(place, "bob"),
            await place.http.patch("/api/v1/profile", json={"name": "Ada"}, headers=own, timeout=60),
            await place.http.get("/api/v1/profile", headers=own, timeout=60),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable"), answer.text
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text
        assert "postgres_lost" in [line["event"] for line in lines]
        server.start()
        await until_it_answers(place)
        assert "postgres_back" in [line["event"] for line in lines]
    assert (await place.call("GET", "/users/ada/sessions"))["sessions"][0]["id"] == ada.session_id
    assert (await register(place, "bob")).json()["data"]["isExisting"] is False


async def test_a_refusal_comes_soon_once_the_loss_is_known(place: Place, server: RestartablePostgres) -> None:
    server.kill()
    await register(place, "ada")
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await register(place, "ada")).status_code == 503
    assert loop.time() - began < 5


async def test_over_xmpp_requests_and_sign_ins_fail_for_now_and_streams_and_begun_sign_ins_go_on(
    place: Place, server: RestartablePostgres, caplog: Any
) -> None:
    ada: Client = await place.sign_in(await place.register("ada"))
    bob = await place.register("bob")
    signs_in = plain(bob.username, bob.password)
    waiting, binding = await place.open(bob), await place.open(bob)
    await binding.send(signs_in, stream_header(SANDBOX))
    await binding.until("</stream:features>")
    roster = f"<query xmlns='jabber:iq:roster'><item jid='{bob.jid}'/></query>"
    with bugs.no_bugs(caplog):
        server.kill()
        refused = await ada.ask(roster, kind="set")
        assert (refused.condition, "type='wait'" in refused.xml) == ("resource-constraint", True)
        await waiting.send(signs_in)
        assert "<temporary-auth-failure" in await waiting.until("</failure>")
        await binding.send(bind_request(None))
        assert "<jid>" in await binding.until("</iq>")  # all that it takes was read when the password was checked
        server.start()
        await until_it_answers(place)
        assert (await ada.ask(roster, kind="set")).get("type") == "result"
        await waiting.send(signs_in)
        await waiting.until("<success")


async def test_what_was_acknowledged_before_a_crash_is_there_after_it(
    place: Place, server: RestartablePostgres
) -> None:
    acknowledged: dict[str, str] = {}
    is_over = asyncio.Event()

    async def client(number: int) -> None:
        for attempt in range(10_000):
            if is_over.is_set():
                return
            name = f"user-{number}-{attempt}"
            answer = await register(place, name)
            if answer.status_code == 200:
                acknowledged[name] = answer.json()["data"]["sessionId"]
            else:
                assert (answer.status_code, answer.json()["code"]) in (
                    (503, "storage_unavailable"),
                    (504, "outcome_unknown"),
                )
                assert "Retry-After" in answer.headers
                await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(client(number))
        for crash in range(1, 4):
            while len(acknowledged) < 40 * crash:  # noqa: ASYNC110 - any number of them
                await asyncio.sleep(0.01)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await until_it_answers(place)
        is_over.set()
    for name, session_id in acknowledged.items():
        sessions = (await place.call("GET", f"/users/{name}/sessions"))["sessions"]
        assert session_id in [each["id"] for each in sessions], name


@pytest.fixture
async def cut_off(tmp_path: Path, server: RestartablePostgres) -> AsyncIterator[tuple[Place, Severed]]:
    """A node whose connection to PostgreSQL can be cut."""
    async with (
        severed(server.database_url) as (between, url),
        running(tmp_path, database_url=url) as started,
    ):
        yield started, between


@pytest.mark.parametrize("cut", Cut)
async def test_a_commit_of_which_nobody_heard_is_told_as_unknown_and_may_be_repeated(
    cut_off: tuple[Place, Severed], cut: Cut
) -> None:
    place, between = cut_off
    await place.register("bob")
    between.cut, between.whose = cut, b"ada@"
    answer = await register(place, "ada", "retry-1")
    assert (answer.status_code, answer.json()["code"]) == (504, "outcome_unknown")
    assert int(answer.headers["Retry-After"]) > 0
    await until_it_answers(place)
    found = await place.http.get(
        "/api/v1/users/ada/sessions", headers={"Heliograph-Key": place.key(Environment.SANDBOX)}
    )
    assert found.status_code == (200 if cut is Cut.AFTER_COMMIT else 404)
    repeated = await register(place, "ada", "retry-1")
    sessions = (await place.call("GET", "/users/ada/sessions"))["sessions"]
    assert [each["id"] for each in sessions] == [repeated.json()["data"]["sessionId"]]
