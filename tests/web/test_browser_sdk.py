"""The browser SDK in a real browser, against a running node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, WebSocketRoute

from heliograph import SDK
from heliograph.core import limits
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
FILE = "new File([Uint8Array.from(atob(args[0]), (c) => c.charCodeAt(0))], 'a.png', { type: 'image/png' })"


async def test_two_people_register_connect_become_contacts_and_see_each_others_profile(new_page: Any) -> None:
    ada, bob = await new_page(), await new_page()
    account = await ada.sign_in("ada")
    await bob.sign_in("bob")
    assert account["username"] == "ada"
    assert account["isSandbox"] is True
    assert [event["status"] for event in await ada.heard("connectionListener")] == ["CONNECTING", "CONNECTED"]

    await ada.run("await SDK.addContact('bob')")
    assert (await bob.hears("friendsListListener"))["state"] == "friend"
    await bob.hears("presenceListener", "event.userId === 'ada' && event.isOnline")

    answer = await ada.run(f"await SDK.setUserProfile('Ada', {FILE}, 'hi', '+14155552671', 'ada@example.com')", PIXEL)
    assert answer["data"]["nickName"] == "Ada"
    told = await bob.hears("userProfileListener", "event.nickName === 'Ada'")
    assert told["image"] == answer["data"]["image"]
    assert told["mobileNumber"] == "+14155552671"
    await ada.hears("userProfileListener", "event.nickName === 'Ada'")
    shown = await bob.run("await SDK.getUserProfile('ada')")
    assert shown["data"] == told


async def test_each_version_of_a_profile_comes_once_and_in_order(new_page: Any) -> None:
    ada, bob = await new_page(), await new_page()
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await ada.run("await SDK.addContact('bob')")
    for name in ("One", "Two", "Three"):
        await ada.run("await SDK.updateProfile({ nickName: args[0] })", name)
    await bob.hears("userProfileListener", "event.nickName === 'Three'")
    names = [event["nickName"] for event in await bob.heard("userProfileListener") if event["userId"] == "ada"]
    assert [name for name in names if name] == ["One", "Two", "Three"]


async def test_a_message_goes_both_ways_also_to_the_python_sdk(new_page: Any, node: Node, web_app: NewApp) -> None:
    ada = await new_page()
    await ada.sign_in("ada")
    key = web_app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    async with SDK() as python:
        await python.initialize(node.public_url, key, ca_file=node.certificate_file)
        account = (await python.register("bob")).data
        await python.connect(account.username, account.password)
        events = python.events()
        await ada.run("await SDK.sendMessage('bob', 'Grüße & <b>')")
        message = await anext(event async for event in events if getattr(event, "text", None))
        assert message.text == "Grüße & <b>"
        await python.send_message("ada", "back")
        assert (await ada.hears("messageListener"))["text"] == "back"


async def test_errors_are_typed(new_page: Any) -> None:
    ada, bob = await new_page(), await new_page()
    await bob.sign_in("bob")
    assert (await ada.fails("SDK.register('No Such Form')"))["code"] == "identifier_invalid"
    assert (await ada.fails("SDK.connect('ada', 'wrong')"))["code"] == "authentication_failed"
    assert (await ada.fails("SDK.getSessions()"))["code"] == "token_missing"
    assert (await ada.fails("SDK.sendMessage('bob', 'hi')"))["code"] == "not_connected"
    assert (await ada.fails("SDK.initializeSDK({ apiBaseUrl: location.origin, licenseKey: 'nope' })"))[
        "statusCode"
    ] == 401


async def test_an_ended_session_is_told_why_and_does_not_come_back(new_page: Any) -> None:
    first, second = await new_page(), await new_page()
    account = await first.sign_in("ada")
    await second.sign_in("ada")
    sessions = (await second.run("await SDK.getSessions()"))["data"]["sessions"]
    assert [session["browser"].split()[0] for session in sessions] == ["Chrome", "Chrome"]
    await second.run("await SDK.logoutSession(args[0])", account["sessionId"])
    assert (await first.hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "ended_by_user"
    assert (await first.fails("SDK.getSessions()"))["code"] == "token_missing"
    assert await first.run("SDK.connectionStatus") == "LOGOUT"


async def test_logging_out_ends_the_session(new_page: Any) -> None:
    ada = await new_page()
    account = await ada.sign_in("ada")
    await ada.run("await SDK.logout()")
    assert (await ada.hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "logout"
    assert (await ada.fails("SDK.connect('ada', args[0])", account["password"]))["code"] == "authentication_failed"


async def test_the_session_cap_lists_the_sessions_and_one_can_be_replaced(new_page: Any) -> None:
    pages = [await new_page() for _ in range(6)]
    accounts = [await page.sign_in("ada") for page in pages[:5]]
    full = await pages[5].fails("SDK.register('ada', false)")
    assert full["statusCode"] == 405
    assert len(full["details"]["sessions"]) == 5
    await pages[5].run("await SDK.register('ada', { replaceSession: args[0] })", accounts[2]["sessionId"])
    assert (await pages[2].hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "replaced"


UPLOAD = """(async () => {
  const picture = Uint8Array.from(atob(args[0]), (c) => c.charCodeAt(0));
  const steps = [];
  const onProgress = (sent, total) => steps.push([sent, total]);
  await SDK.setUserProfile("A", new File([picture, new Uint8Array(300000)], "a.png"), null, null, null, { onProgress });
  return steps;
})()"""


async def test_uploads_report_progress(new_page: Any) -> None:
    ada = await new_page()
    await ada.sign_in("ada")
    steps = await ada.run(f"await {UPLOAD}", PIXEL)
    assert steps[-1][0] == steps[-1][1] > 300_000


@dataclass
class Network:
    """What a browser's WebSockets go through: it can be cut and mended, and garble which stream is to be resumed."""

    is_up: bool = True
    garbles_resume: bool = False
    sockets: list[WebSocketRoute] = field(default_factory=list)

    async def take(self, socket: WebSocketRoute) -> None:
        if self.is_up:
            self.sockets.append(socket)
            server = socket.connect_to_server()
            socket.on_message(lambda frame: server.send(self.garbled(frame)))
        else:
            await socket.close(code=1011)

    def garbled(self, frame: str | bytes) -> str | bytes:
        assert isinstance(frame, str)
        return frame.replace('previd="', 'previd="not-') if self.garbles_resume else frame

    async def cut(self) -> None:
        self.is_up = False
        await self.sockets[-1].close(code=1011)


IMPATIENT = {"backoffBaseMs": 50, "backoffMaxMs": 100}


@pytest.fixture
async def network(profile: BrowserContext) -> Network:
    network = Network()
    await profile.route_web_socket("**/xmpp", network.take)
    return network


async def test_a_lost_connection_goes_on_and_nobody_notices(
    new_page: Any, profile: BrowserContext, network: Network
) -> None:
    ada, bob = await new_page(profile, reconnectPolicy=IMPATIENT), await new_page()
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await ada.run("await SDK.addContact('bob')")
    await bob.hears("presenceListener", "event.userId === 'ada' && event.isOnline")
    await network.cut()
    await ada.hears("connectionListener", "event.status === 'RECONNECTING' && event.attempt > 1")
    assert (await ada.fails("SDK.sendMessage('bob', 'hi')"))["code"] == "not_connected"
    await bob.run("await SDK.setUserProfile('Robert')")
    await bob.run("await SDK.sendMessage('ada', 'are you there?')")
    network.is_up = True
    await ada.page.wait_for_function("SDK.connectionStatus === 'CONNECTED'")
    await ada.hears("messageListener", "event.text === 'are you there?'")
    await ada.hears("userProfileListener", "event.nickName === 'Robert'")
    await ada.run("await SDK.sendMessage('bob', 'yes')")
    await bob.hears("messageListener", "event.text === 'yes'")
    assert len(await ada.heard("messageListener")) == 1
    assert all(event["isOnline"] for event in await bob.heard("presenceListener") if event["userId"] == "ada")


async def test_a_stream_that_cannot_be_resumed_begins_anew_and_brings_what_was_missed(
    new_page: Any, profile: BrowserContext, network: Network
) -> None:
    ada, bob = await new_page(profile, reconnectPolicy=IMPATIENT), await new_page()
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await ada.run("await SDK.addContact('bob')")
    await ada.hears("presenceListener", "event.userId === 'bob' && event.isOnline")
    network.garbles_resume = True
    await network.cut()
    await ada.hears("connectionListener", "event.status === 'RECONNECTING' && event.attempt > 1")
    await bob.run("await SDK.setUserProfile('Robert')")
    await bob.run("SDK.close()")
    network.is_up = True
    await ada.page.wait_for_function("SDK.connectionStatus === 'CONNECTED'")
    await ada.hears("userProfileListener", "event.nickName === 'Robert'")
    await ada.hears("presenceListener", "event.userId === 'bob' && !event.isOnline")


async def test_who_leaves_the_page_is_soon_gone(new_page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RESUME_LEFT_TTL_S", 0.01)
    ada, bob = await new_page(), await new_page()
    await ada.sign_in("ada")
    await bob.sign_in("bob")
    await ada.run("await SDK.addContact('bob')")
    await bob.hears("presenceListener", "event.userId === 'ada' && event.isOnline")
    await ada.page.goto("about:blank")
    await bob.hears("presenceListener", "event.userId === 'ada' && !event.isOnline")


async def test_a_blocked_user_is_hidden_and_every_device_is_told(new_page: Any) -> None:
    ada, phone, bob = [await new_page() for _ in range(3)]
    await ada.sign_in("ada")
    await phone.sign_in("ada")
    await bob.sign_in("bob")
    await ada.run("await SDK.addContact('bob')")
    await ada.hears("presenceListener", "event.userId === 'bob' && event.isOnline")
    assert (await ada.run("await SDK.getLastSeen('bob')"))["data"]["isOnline"] is True
    await ada.run("await SDK.blockUser('bob')")
    for page in (ada, phone):
        assert (await page.hears("blockUserListener"))["isBlocked"] is True
    await ada.hears("presenceListener", "event.userId === 'bob' && !event.isOnline")
    assert (await bob.fails("SDK.getUserProfile('ada')"))["code"] == "account_not_found"
    blocked = (await phone.run("await SDK.getUsersIBlocked()"))["data"]["blocked"]
    assert [user["userId"] for user in blocked] == ["bob"]
    await ada.run("await SDK.unblockUser('bob')")
    await phone.hears("blockUserListener", "!event.isBlocked")
    assert (await ada.fails("SDK.blockUser('ada')"))["code"] == "block_invalid"


async def test_an_expired_token_is_renewed_once_for_all_calls(new_page: Any) -> None:
    ada = await new_page()
    account = await ada.sign_in("ada")
    renewals: list[str] = []

    async def expire(route: Route) -> None:
        if account["token"] in (route.request.headers["authorization"]):
            body = '{"statusCode":401,"message":"Token Expired","code":"token_expired"}'
            await route.fulfill(status=401, content_type="application/json", body=body)
        else:
            await route.continue_()

    async def count(route: Route) -> None:
        renewals.append(route.request.url)
        await route.continue_()

    await ada.page.route("**/api/v1/sessions", expire)
    await ada.page.route("**/api/v1/tokens/**", count)
    answers = await ada.run("await Promise.all([1, 2, 3].map(() => SDK.getSessions()))")
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    assert len(renewals) == 1
    assert (await ada.hears("tokenListener"))["token"] != account["token"]


async def test_a_lost_answer_to_a_renewal_is_made_good(new_page: Any) -> None:
    ada = await new_page()
    account = await ada.sign_in("ada")
    lost: list[str] = []

    async def expire(route: Route) -> None:
        if account["token"] in route.request.headers["authorization"]:
            body = '{"statusCode":401,"message":"Token Expired","code":"token_expired"}'
            await route.fulfill(status=401, content_type="application/json", body=body)
        else:
            await route.continue_()

    async def lose(route: Route) -> None:
        if lost:
            await route.continue_()
        else:
            lost.append((await route.fetch()).url)  # the node has done it
            await route.abort()

    await ada.page.route("**/api/v1/sessions", expire)
    await ada.page.route("**/api/v1/tokens/refresh", lose)
    assert (await ada.run("await SDK.getSessions()"))["statusCode"] == 200
    assert len(lost) == 1


async def test_the_other_devices_hear_of_a_session_whose_refresh_token_was_used_by_two(
    new_page: Any, node: Node, web_app: NewApp
) -> None:
    laptop, robbed = await new_page(), await new_page()
    await laptop.sign_in("ada")
    account = await robbed.sign_in("ada")
    body = {"refreshToken": account["refreshToken"]}
    key = web_app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    url, headers = f"{node.public_url}/api/v1/tokens/refresh", {"Heliograph-Key": key}
    answers = [await robbed.page.request.post(url, data=body, headers=headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 401]
    told = await laptop.hears("sessionEndedListener")
    assert (told["sessionId"], told["reason"]) == (account["sessionId"], "token_reused")
    assert told["browser"].startswith("Chrome")
    assert (await robbed.hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "token_reused"


async def test_a_listener_that_throws_harms_nobody(new_page: Any) -> None:
    ada, bob = await new_page(), await new_page()
    await bob.sign_in("bob")
    throwing = """await (async () => {
      const { HeliographSDK } = await import("/sdk/heliograph.js");
      const heard = [];
      const sdk = new HeliographSDK();
      const callbackListeners = {
        connectionListener: ({ status }) => { heard.push(status); throw new Error("the page's own bug"); },
        presenceListener: async () => { throw new Error("another one"); },
        noSuchListener: () => undefined,
      };
      await sdk.initializeSDK({ apiBaseUrl: location.origin, licenseKey: args[0], callbackListeners });
      const { data } = await sdk.register("ada");
      await sdk.connect(data.username, data.password);
      await sdk.addContact("bob");
      await sdk.close();
      await new Promise((resolve) => setTimeout(resolve));
      return heard;
    })()"""
    key = ada.app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    assert await ada.run(throwing, key) == ["CONNECTING", "CONNECTED", "DISCONNECTED"]


async def test_the_page_s_own_globals_stay_as_they_are(new_page: Any) -> None:
    ada = await new_page()
    assert await ada.run("[typeof Strophe, typeof $iq, typeof stx]") == ["undefined", "undefined", "undefined"]
