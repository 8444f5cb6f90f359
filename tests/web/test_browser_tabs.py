"""Several pages of one browser share one session: one holds the connection, the others follow it."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import BrowserContext

from heliograph.node import Node


async def three_tabs(new_page: Any, profile: BrowserContext) -> tuple[list[Any], dict[str, Any]]:
    """Three pages of one browser, connected as one session; the first one leads."""
    tabs = [await new_page(profile) for _ in range(3)]
    account = await tabs[0].sign_in("ada")
    for tab in tabs[1:]:
        await tab.run("await SDK.connect(...args)", account["username"], account["password"])
    return tabs, account


async def test_all_pages_hear_and_speak_over_one_connection(new_page: Any, profile: BrowserContext, node: Node) -> None:
    bob = await new_page()
    await bob.sign_in("bob")
    tabs, account = await three_tabs(new_page, profile)
    assert len(node.engine.online(account["userJid"])) == 1  # it went on with the stream of the page that closed
    assert all(event["isOnline"] for event in await bob.heard("presenceListener") if event["userId"] == "ada")
    for tab in tabs:
        assert await tab.run("SDK.connectionStatus") == "CONNECTED"

    await tabs[1].run("await SDK.addContact('bob')")
    await tabs[2].run("await SDK.sendMessage('bob', 'from a follower')")
    assert (await bob.hears("messageListener"))["text"] == "from a follower"
    await bob.run("await SDK.setUserProfile('Bob')")
    await bob.run("await SDK.sendMessage('ada', 'to all')")
    for tab in tabs:
        await tab.hears("userProfileListener", "event.nickName === 'Bob'")
        assert (await tab.hears("messageListener"))["text"] == "to all"


async def test_a_page_that_joins_later_knows_what_the_others_know(new_page: Any, profile: BrowserContext) -> None:
    bob, first = await new_page(), await new_page(profile)
    await bob.sign_in("bob")
    account = await first.sign_in("ada")
    await first.run("await SDK.addContact('bob')")
    await bob.run("await SDK.setUserProfile('Bob')")
    await first.hears("userProfileListener", "event.nickName === 'Bob'")
    late = await new_page(profile)
    await late.run("await SDK.connect(...args)", account["username"], account["password"])
    await late.hears("userProfileListener", "event.nickName === 'Bob'")
    await late.hears("presenceListener", "event.userId === 'bob' && event.isOnline")
    assert (await late.run("await SDK.getFriendsList()"))["data"]["contacts"][0]["userId"] == "bob"


async def test_when_the_leading_page_closes_another_one_leads(
    new_page: Any, profile: BrowserContext, node: Node
) -> None:
    bob = await new_page()
    await bob.sign_in("bob")
    tabs, account = await three_tabs(new_page, profile)
    await tabs[0].run("await SDK.addContact('bob')")
    await bob.run("await SDK.setUserProfile('Bob')")
    for tab in tabs:
        await tab.hears("userProfileListener", "event.nickName === 'Bob'")
    await tabs[0].page.close()
    for tab in tabs[1:]:
        await tab.hears("connectionListener", "event.status === 'RECONNECTING'")
        await tab.page.wait_for_function("SDK.connectionStatus === 'CONNECTED'")
    assert len(node.engine.online(account["userJid"])) == 1
    await tabs[1].run("await SDK.sendMessage('bob', 'one')")
    await tabs[2].run("await SDK.sendMessage('bob', 'two')")
    await bob.hears("messageListener", "event.text === 'two'")
    await bob.run("await SDK.setUserProfile('Robert')")
    for tab in tabs[1:]:
        await tab.hears("userProfileListener", "event.nickName === 'Robert'")
        names = [event["nickName"] for event in await tab.heard("userProfileListener") if event["userId"] == "bob"]
        assert [name for name in names if name] == ["Bob", "Robert"], "nothing is told twice"


async def test_logging_out_on_one_page_logs_all_out(new_page: Any, profile: BrowserContext) -> None:
    tabs, _ = await three_tabs(new_page, profile)
    await tabs[2].run("await SDK.logout()")
    for tab in tabs:
        await tab.hears("connectionListener", "event.status === 'LOGOUT'")
    free = "navigator.locks.query().then(({ held, pending }) => held.length + pending.length === 0)"
    await tabs[0].page.wait_for_function(free)  # nobody waits to lead
    for tab in tabs:
        assert [event["status"] for event in await tab.heard("connectionListener")][-1] == "LOGOUT"


async def test_a_page_that_closes_its_sdk_leaves_the_others_connected(
    new_page: Any, profile: BrowserContext, node: Node
) -> None:
    tabs, account = await three_tabs(new_page, profile)
    await tabs[0].run("SDK.close()")
    for tab in tabs[1:]:
        await tab.hears("connectionListener", "event.status === 'RECONNECTING'")
        await tab.page.wait_for_function("SDK.connectionStatus === 'CONNECTED'")
    assert len(node.engine.online(account["userJid"])) == 1


async def test_tokens_are_renewed_once_for_all_pages(new_page: Any, profile: BrowserContext) -> None:
    tabs, _ = await three_tabs(new_page, profile)
    refreshed: list[str] = []

    async def expire(route: Any) -> None:
        if len(expired) < len(tabs):
            expired.append(route.request.url)
            body = '{"statusCode":401,"message":"Token Expired","code":"token_expired"}'
            await route.fulfill(status=401, content_type="application/json", body=body)
        else:
            await route.continue_()

    async def count(route: Any) -> None:
        refreshed.append(route.request.url)
        await route.continue_()

    expired: list[str] = []
    await profile.route("**/api/v1/sessions", expire)
    await profile.route("**/api/v1/tokens*", count)
    await profile.route("**/api/v1/tokens/refresh", count)
    answers = await asyncio.gather(*(tab.run("await SDK.getSessions()") for tab in tabs))
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    assert len(refreshed) == 1
    for tab in tabs:
        await tab.hears("tokenListener")


async def test_pages_of_different_sessions_do_not_mix(new_page: Any, profile: BrowserContext, node: Node) -> None:
    one, other = await new_page(profile), await new_page(profile)
    account = await one.sign_in("ada")
    await other.sign_in("ada")
    assert len(node.engine.online(account["userJid"])) == 2
    await one.run("await SDK.logout()")
    await one.hears("connectionListener", "event.status === 'LOGOUT'")
    assert await other.run("SDK.connectionStatus") == "CONNECTED"
