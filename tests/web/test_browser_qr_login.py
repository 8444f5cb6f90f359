"""QR sign-in with the browser SDK on both sides: a page shows a code, another page is the phone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, WebSocketRoute

START = """(async ([options, logo]) => {
  const canvas = document.body.appendChild(document.createElement("canvas"));
  canvas.id = "canvas";
  if (logo) document.body.insertAdjacentHTML("beforeend", logo);
  window.states = [];
  window.results = [];
  const onState = (state) => window.states.push(state);
  const askCode = (ask) => new Promise((resolve) => { window.asked = ask; window.answer = resolve; });
  const given = { askCode, onState, ...options };
  if (options.quiet) { delete given.onState; delete given.askCode; }
  const { data } = await SDK.generateQrCode("canvas", logo ? "logo" : null, null, (r) => window.results.push(r), given);
  window.login = data;
})(args)"""

LOGO = """<svg id="logo" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="10" height="10">
<circle cx="5" cy="5" r="5" fill="#e0a526"/></svg>"""


async def state(page: Any, name: str) -> dict[str, Any]:
    """Wait for a state, or find it among those that were told."""
    handle = await page.page.wait_for_function(f"window.states.find((each) => each.state === {json.dumps(name)})")
    found: dict[str, Any] = await handle.json_value()
    return found


async def shown(page: Any) -> str:
    """The text of the code that the page shows."""
    await state(page, "waiting")
    text = await page.code()
    assert text is not None
    return text


async def test_a_scanned_and_approved_code_signs_the_page_in(new_page: Any) -> None:
    screen, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    await phone.run("await SDK.setUserProfile('Ada')")
    await screen.run(f"await {START}", {}, LOGO)
    text = await shown(screen)

    request = (await phone.run("await SDK.scanQrCode(args[0])", text))["data"]
    assert request["device"]["browser"].startswith("Chrome")
    assert request["needsKeyHash"] is True
    await state(screen, "scanned")
    check_code = (await phone.run("await SDK.approveQrCode(args[0])", request))["data"]["checkCode"]
    asked = await state(screen, "verify")
    assert (asked["user"]["nickName"], asked["triesLeft"]) == ("Ada", 3)
    await screen.run("answer(args[0])", check_code)
    await state(screen, "connected")

    [result] = await screen.run("results")
    assert (result["statusCode"], result["username"]) == (200, "ada")
    assert result["password"]
    assert await screen.run("SDK.connectionStatus") == "CONNECTED"
    told = await phone.hears("sessionListener")
    assert (told["sessionId"], told["via"]) == (result["sessionId"], "qr")
    [session] = [each for each in (await screen.run("await SDK.getSessions()"))["data"]["sessions"] if each["current"]]
    assert session["via"] == "qr"
    await phone.run("await SDK.logoutWebSessions()")
    assert (await screen.hears("connectionListener", "event.status === 'LOGOUT'"))["reason"] == "ended_by_user"


async def test_a_typed_code_and_a_wrong_check_code(new_page: Any) -> None:
    screen, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {}, None)
    typed = (await state(screen, "waiting"))["typedCode"]
    consented = "await SDK.approveQrCode(args[0], { consent: (request) => request.keyHash === null })"
    check_code = (await phone.run(consented, f"{typed[:4].lower()}-{typed[4:]}"))["data"]["checkCode"]
    await state(screen, "verify")
    await screen.run("answer(args[0])", f"{(int(check_code) + 1) % 100:02}")
    await screen.page.wait_for_function("window.asked.triesLeft === 2")
    await screen.run("answer(args[0])", check_code)
    await state(screen, "connected")
    assert (await phone.fails("SDK.scanQrCode(args[0])", typed))["code"] in {"already_used", "expired_token"}


async def test_the_built_in_dialog_asks_for_the_check_code(new_page: Any) -> None:
    screen, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {"quiet": True}, None)
    text = await screen.code()
    approved = await phone.run("await SDK.approveQrCode(args[0], { consent: () => true })", text)
    code = screen.page.get_by_role("textbox", name="Code on your phone")
    assert await screen.page.get_by_role("heading").text_content() == "Sign in as ada?"
    assert await code.evaluate("(input) => input.getRootNode().activeElement === input")
    right = int(approved["data"]["checkCode"])
    await code.fill(f"{(right + 1) % 100:02}")
    await screen.page.keyboard.press("Enter")
    await screen.page.get_by_text("That was not the code. Tries left: 2.").wait_for()
    await code.fill(f"{right:02}")
    await screen.page.keyboard.press("Enter")
    await screen.page.wait_for_function("window.results.length === 1")
    assert await screen.run("SDK.connectionStatus") == "CONNECTED"
    assert await screen.page.locator("heliograph-check-code").count() == 0


async def test_a_denied_code_is_told_once(new_page: Any) -> None:
    screen, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {}, None)
    await phone.run("await SDK.denyQrCode(args[0])", await shown(screen))
    assert (await state(screen, "ended"))["code"] == "access_denied"
    [result] = await screen.run("results")
    assert (result["statusCode"], result["code"]) == (403, "access_denied")


async def test_a_lost_socket_is_resumed(new_page: Any, profile: BrowserContext) -> None:
    sockets: list[WebSocketRoute] = []

    async def watch(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await profile.route_web_socket("**/signal", watch)
    screen, phone = await new_page(profile), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {}, None)
    text = await shown(screen)
    request = (await phone.run("await SDK.scanQrCode(args[0])", text))["data"]
    await state(screen, "scanned")
    await sockets[0].close(code=1011)
    await state(screen, "offline")
    check_code = (await phone.run("await SDK.approveQrCode(args[0])", request))["data"]["checkCode"]
    await state(screen, "verify")
    await screen.run("answer(args[0])", check_code)
    await state(screen, "connected")
    assert len(sockets) == 2


@pytest.mark.parametrize("is_lost", ["credential", "receipt"])
async def test_a_credential_or_a_receipt_that_gets_lost_comes_again(
    new_page: Any, profile: BrowserContext, is_lost: str
) -> None:
    told: list[str] = []

    async def lose_one(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        async def pass_on(text: str | bytes, to: WebSocketRoute, lost: str) -> None:
            kind = json.loads(text)["type"]
            told.append(kind)
            if kind == lost and told.count(kind) == 1:
                await socket.close(code=1011)
                await server.close(code=1011)
            else:
                to.send(text)

        socket.on_message(lambda text: pass_on(text, server, "received" if is_lost == "receipt" else ""))
        server.on_message(lambda text: pass_on(text, socket, "approved" if is_lost == "credential" else ""))

    await profile.route_web_socket("**/signal", lose_one)
    screen, phone = await new_page(profile), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {}, None)
    approved = await phone.run("await SDK.approveQrCode(args[0], { consent: () => true })", await shown(screen))
    await state(screen, "verify")
    await screen.run("answer(args[0])", approved["data"]["checkCode"])
    await state(screen, "connected")
    while told.count("approved") < 2 or told[-1] != "received":
        await screen.page.wait_for_timeout(20)
    assert await screen.run("results.length") == 1


@pytest.mark.parametrize("lie", ["key", "states"])
async def test_a_lying_signal_server_gets_nowhere(new_page: Any, profile: BrowserContext, lie: str) -> None:
    async def meddle(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def from_server(text: str | bytes) -> None:
            message = json.loads(text)
            if message["type"] == "code" and lie == "key":
                version, code, key_hash, host = message["qr"].split(".", 3)
                message |= {"qr": ".".join((version, code, key_hash[::-1], host)), "keyHash": key_hash[::-1]}
            socket.send(json.dumps(message))
            if message["type"] == "code" and lie == "states":
                socket.send(json.dumps({"type": "approved", "jwe": "eyJhbGciOiJkaXIifQ..a.b.c"}))

        server.on_message(from_server)

    await profile.route_web_socket("**/signal", meddle)
    screen = await new_page(profile)
    if lie == "key":
        assert (await screen.fails(START, {}, None))["code"] == "key_mismatch"
        assert await screen.run("document.getElementById('canvas').width") == 300
    else:
        await screen.run(f"await {START}", {}, None)
        assert (await state(screen, "ended"))["code"] == "key_mismatch"
        assert await screen.run("SDK.connectionStatus") == "DISCONNECTED"


@pytest.mark.parametrize("ratio", [1, 1.25])
async def test_a_module_is_a_whole_number_of_device_pixels(new_page: Any, browser: Browser, ratio: float) -> None:
    context = await browser.new_context(bypass_csp=True, device_scale_factor=ratio)
    screen = await new_page(context)
    await screen.run(f"await {START}", {"size": 240}, LOGO)
    await state(screen, "waiting")
    image = await screen.canvas()
    assert abs(image.width - 240 * ratio) <= 1
    above_the_logo = image.crop((0, 0, image.width, image.height // 3))
    assert set(above_the_logo.get_flattened_data()) == {0, 255}, "no module has a grey edge"
    assert await screen.run("document.getElementById('canvas').getBoundingClientRect().width") == 240
    await context.close()


async def test_a_code_is_cancelled_by_the_page(new_page: Any) -> None:
    screen, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    await screen.run(f"await {START}", {}, None)
    text = await shown(screen)
    await screen.run("login.cancel()")
    assert (await state(screen, "ended"))["code"] == "cancelled"
    for _ in range(50):
        error = await phone.run("await attempt(() => SDK.scanQrCode(args[0]))", text)
        if "error" in error:
            break
        await asyncio.sleep(0.1)
    assert error["error"] in {"expired_token", "access_denied", "already_used"}
