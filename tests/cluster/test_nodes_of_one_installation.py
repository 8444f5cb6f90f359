"""What an app is promised holds whichever node answers: three nodes over one PostgreSQL and one Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from heliograph.core import audit
from heliograph.core.apps import Environment, KeyKind
from heliograph.core.sessions import EndReason
from patience import PATIENCE_S
from places import Place
from qr_between_nodes import linked

CAP = 3
"""Sessions of a user at a time, as `places.running` makes the app."""


@pytest.fixture
async def nodes(join_in: Callable[..., Awaitable[Place]]) -> list[Place]:
    """Three of them."""
    return [await join_in() for _ in range(3)]


async def test_the_cap_holds_under_registrations_on_all_nodes_at_once(nodes: list[Place]) -> None:
    made = await asyncio.gather(*(nodes[number % 3].register("ada") for number in range(50)))
    live = await nodes[0].call("GET", "/users/ada/sessions")
    assert len(live["sessions"]) == CAP
    assert {each["id"] for each in live["sessions"]} <= {each.session_id for each in made}
    head, problem = await audit.verify(nodes[1].node.ports.audit, nodes[0].app.app.id)
    assert problem is None
    assert head.number >= 50


async def test_without_force_no_node_lets_one_too_many_in(nodes: list[Place]) -> None:
    async def attempt(place: Place) -> int:
        headers = {"Heliograph-Key": place.key(Environment.SANDBOX)}
        body = {"userIdentifier": "ada", "forceRegister": False}
        return (await place.http.post("/api/v1/register", json=body, headers=headers)).status_code

    statuses = await asyncio.gather(*(attempt(nodes[number % 3]) for number in range(50)))
    assert (statuses.count(200), statuses.count(405)) == (CAP, 50 - CAP)


async def test_a_repeated_registration_makes_one_session_on_any_node(nodes: list[Place]) -> None:
    async def repeat(place: Place) -> str:
        headers = {"Heliograph-Key": place.key(Environment.SANDBOX), "Idempotency-Key": "8e03978e"}
        answer = await place.http.post("/api/v1/register", json={"userIdentifier": "ada"}, headers=headers)
        return str(answer.json()["data"]["sessionId"])

    assert len(set(await asyncio.gather(*(repeat(nodes[number % 3]) for number in range(12))))) == 1


async def test_an_account_that_one_node_made_is_known_to_the_next_at_once(nodes: list[Place]) -> None:
    for number in range(20):
        here, there = nodes[number % 3], nodes[(number + 1) % 3]
        account = await here.register(f"user-{number}")
        assert (await there.call("GET", "/profile", account))["userId"] == account.username


async def test_a_refresh_token_is_exchanged_once_whichever_node_is_asked(nodes: list[Place]) -> None:
    """Two that ask at once are the lost reply of one client: both get tokens of one family, and the session lives."""
    headers = {"Heliograph-Key": nodes[0].key(Environment.SANDBOX, KeyKind.PUBLISHABLE)}
    first = await nodes[0].http.post("/api/v1/register", json={"userIdentifier": "ada"}, headers=headers)
    body = {"refreshToken": first.json()["data"]["refreshToken"]}
    asked = (each.http.post("/api/v1/tokens/refresh", json=body, headers=headers) for each in nodes[1:])
    answers = await asyncio.gather(*asked)
    assert [each.status_code for each in answers] == [200, 200]
    pairs = [each.json()["data"] for each in answers]
    bearers = [{**headers, "Authorization": f"Bearer {each['token']}"} for each in pairs]
    known = [(await nodes[0].http.get("/api/v1/sessions", headers=each)).status_code for each in bearers]
    assert sorted(known) == [200, 401]  # the reply that came first is the lost one
    newest = {"refreshToken": pairs[known.index(200)]["refreshToken"]}
    assert (await nodes[0].http.post("/api/v1/tokens/refresh", json=newest, headers=headers)).status_code == 200


async def test_a_rate_is_counted_over_all_nodes(nodes: list[Place]) -> None:
    """Wrong passwords count for the account and the address, wherever they are tried."""
    await nodes[0].register("ada")
    body = {"username": "ada", "password": "wrong"}
    headers = {"Heliograph-Key": nodes[0].key(Environment.SANDBOX, KeyKind.PUBLISHABLE)}

    async def statuses(place: Place) -> list[int]:
        return [(await place.http.post("/api/v1/tokens", json=body, headers=headers)).status_code for _ in range(60)]

    tried = await statuses(nodes[0])
    assert 429 in tried
    assert set((await statuses(nodes[1]))[:3]) == {429}


async def test_a_browser_and_a_phone_at_different_nodes_sign_in_by_qr_code(
    join_in: Callable[..., Awaitable[Place]],
) -> None:
    nodes = [await join_in(domain="localhost") for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        browser = await linked(nodes[0], nodes[1], "ada")
    assert browser.user_jid == f"ada@{nodes[0].app.app.sandbox_domain}"
    live = await nodes[2].call("GET", "/users/ada/sessions")
    assert {each["id"] for each in live["sessions"]} >= {browser.session_id}


async def test_a_connection_is_cut_whichever_node_ends_its_session(nodes: list[Place]) -> None:
    client = await nodes[0].sign_in(await nodes[0].register("ada"))
    await nodes[1].call("POST", "/users/ada/end-sessions", body={})
    assert EndReason.ENDED_BY_ADMIN.value in await client.wire.rest()
