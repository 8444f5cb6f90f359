"""The SDK on both sides of QR sign-in, over real sockets and a running node."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from joserfc import jwe
from joserfc.jwk import ECKey
from PIL import Image
from websockets.asyncio.server import ServerConnection, serve

from heliograph import SDK, ConnectionStatus, ConnectionUpdate, NewSession, QrConsent
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, NewApp, Policy, Verification
from heliograph.errors import (
    AccessDenied,
    AlreadyConnected,
    AlreadyUsed,
    CheckCodeMismatch,
    ExpiredToken,
    KeyMismatch,
    RequestInvalid,
    SessionLimit,
    StepUpRequired,
    Unreachable,
)
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

NewSdk = Callable[..., Awaitable[SDK]]
Show = Callable[..., Awaitable[Any]]


def agree(_consent: QrConsent) -> bool:
    return True


async def test_a_device_is_signed_in_connected_and_called_back_once(new_sdk: NewSdk, phone: SDK, show: Show) -> None:
    events = phone.events()
    browser = await new_sdk()
    showing = await show(browser)
    code = await showing.code()
    picture = Image.open(io.BytesIO(code.png()))
    scanned = zxingcpp.read_barcode(picture)
    assert scanned is not None
    seen: list[QrConsent] = []

    async def confirm(consent: QrConsent) -> bool:
        seen.append(consent)
        return True

    approved = await phone.approve_qr_code(scanned.text, confirm)
    await showing.typed.put(approved.data.check_code)
    response = await showing.result()
    assert browser.connection_status is ConnectionStatus.CONNECTED
    assert showing.called_back == [response]
    assert showing.states == ["scanned", "verify", "approved"]
    assert response.data.username == "ada"
    assert (seen[0].ip, seen[0].same_network, seen[0].needs_key_hash) == ("127.0.0.1", True, True)
    assert (showing.asked[0].user.user_id, showing.asked[0].tries_left) == ("ada", 3)
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if isinstance(event, NewSession):
                break
    assert (event.session_id, event.via, event.ip) == (response.data.session_id, "qr", "127.0.0.1")
    sessions = (await browser.get_sessions()).data.sessions
    assert {(session.via, session.current) for session in sessions} == {("qr", True), ("register", False)}
    endings = browser.events()
    await phone.logout_session(event.session_id)  # "that was not me"
    async with asyncio.timeout(PATIENCE_S):
        async for event in endings:
            if isinstance(event, ConnectionUpdate) and event.status is ConnectionStatus.LOGOUT:
                break


async def test_a_typed_code_signs_in_too(phone: SDK, show: Show) -> None:
    showing = await show()
    typed = (await showing.code()).typed_code
    approved = await phone.approve_qr_code(f"{typed[:4].lower()}-{typed[4:].lower()}", agree)
    await showing.typed.put(approved.data.check_code)
    assert (await showing.result()).data.username == "ada"


async def test_a_linked_device_lets_no_further_one_in(new_sdk: NewSdk, phone: SDK, show: Show) -> None:
    browser = await new_sdk()
    showing = await show(browser)
    approved = await phone.approve_qr_code((await showing.code()).text, agree)
    await showing.typed.put(approved.data.check_code)
    await showing.result()
    with pytest.raises(StepUpRequired):
        await browser.scan_qr_code((await (await show()).code()).text)
    with pytest.raises(StepUpRequired):
        await browser.delete_my_account()
    with pytest.raises(AlreadyConnected):
        await browser.generate_qr_code(print)


async def test_who_says_no_denies(phone: SDK, show: Show) -> None:
    showing = await show()
    with pytest.raises(AccessDenied):
        await phone.approve_qr_code((await showing.code()).text, lambda _consent: False)
    with pytest.raises(AccessDenied):
        await showing.result()
    again = await show()
    await phone.deny_qr_code((await again.code()).text)
    with pytest.raises(AccessDenied):
        await again.result()


async def test_nothing_is_approved_unseen(phone: SDK, show: Show) -> None:
    text = (await (await show()).code()).text
    with pytest.raises(RequestInvalid):
        await phone.approve_qr_code(text)
    assert await phone.scan_qr_code(text)


async def test_at_the_cap_the_user_chooses_and_approves_again(
    node: Node, known: NewApp, phone: SDK, show: Show
) -> None:
    await apps.set_policy(node.ports, known.app, Policy(max_sessions=1))
    showing = await show()
    consent = (await phone.scan_qr_code((await showing.code()).text)).data
    with pytest.raises(SessionLimit) as limit:
        await phone.approve_qr_code(consent, force_register=False)
    (session,) = limit.value.details["sessions"]
    approved = await phone.approve_qr_code(consent, agree, replace_session=session["id"])
    await showing.typed.put(approved.data.check_code)
    assert (await showing.result()).data.username == "ada"


async def test_without_check_codes_nobody_is_asked(node: Node, known: NewApp, phone: SDK, show: Show) -> None:
    await apps.set_policy(node.ports, known.app, Policy(verification=Verification.NONE))
    showing = await show(has_person=False)
    approved = await phone.approve_qr_code((await showing.code()).text, agree)
    assert approved.data.check_code is None
    assert (await showing.result()).data.username == "ada"


async def test_a_check_code_that_nobody_can_type_is_the_apps_mistake(phone: SDK, show: Show) -> None:
    showing = await show(has_person=False)
    await phone.approve_qr_code((await showing.code()).text, agree)
    with pytest.raises(RequestInvalid):
        await showing.result()


async def test_wrong_check_codes_end_in_an_error_and_a_person_may_give_up(phone: SDK, show: Show) -> None:
    showing = await show()
    right = (await phone.approve_qr_code((await showing.code()).text, agree)).data.check_code
    assert right is not None
    for _ in range(3):
        await showing.typed.put(f"{(int(right) + 1) % 100:02}")
    with pytest.raises(CheckCodeMismatch):
        await showing.result()
    assert [request.tries_left for request in showing.asked] == [3, 2, 1]
    given_up = await show()
    await phone.approve_qr_code((await given_up.code()).text, agree)
    await given_up.typed.put(None)
    with pytest.raises(ExpiredToken):
        await given_up.result()


async def test_a_code_is_of_use_to_one_phone(new_sdk: NewSdk, phone: SDK, show: Show) -> None:
    text = (await (await show()).code()).text
    thief = await new_sdk()
    await thief.register("eve")
    await thief.scan_qr_code(text)
    with pytest.raises(AlreadyUsed):
        await phone.approve_qr_code(text, agree)


@pytest.mark.parametrize("text", ["", "hello", "https://evil.example/link", "HG1.x.y.z", "HG2." + "x" * 43, "BCDF-GHJ"])
async def test_what_is_no_code_is_not_sent(phone: SDK, text: str) -> None:
    with pytest.raises(RequestInvalid):
        await phone.scan_qr_code(text)


async def test_a_code_of_another_server_is_refused(phone: SDK, show: Show) -> None:
    text = (await (await show()).code()).text
    with pytest.raises(AccessDenied):
        await phone.scan_qr_code(text.rpartition(".")[0] + ".evil")
    swapped = text.split(".", 3)
    swapped[3] = "chat.evil.example"
    with pytest.raises(AccessDenied) as refusal:
        await phone.scan_qr_code(".".join(swapped))
    assert refusal.value.details == {"host": "chat.evil.example"}
    assert await phone.scan_qr_code(text)


async def test_a_code_with_another_browsers_key_is_refused(phone: SDK, show: Show) -> None:
    showing = await show()
    parts = (await showing.code()).text.split(".", 3)
    parts[2] = str(ECKey.generate_key("P-256").thumbprint())
    with pytest.raises(KeyMismatch):
        await phone.approve_qr_code(".".join(parts), agree)
    with pytest.raises(KeyMismatch):
        await showing.result()


# -------------------------------------------------------------------------------------------- a signal server that lies

Lie = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


async def told(sdk: SDK, lie: Lie) -> Any:
    """What an SDK makes of a signal server that says what it wants."""

    async def talk(websocket: ServerConnection) -> None:
        await lie(websocket, json.loads(await websocket.recv()))
        await websocket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, subprotocols=["heliograph-signal-1"]) as server:  # type: ignore[list-item]
        port = server.sockets[0].getsockname()[1]
        shown: list[Any] = []
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises((KeyMismatch, Unreachable)) as refusal:
                await sdk.generate_qr_code(shown.append, None, f"ws://127.0.0.1:{port}/signal", None, lambda _: "00")
        assert shown == []
        return refusal.value


async def say(websocket: ServerConnection, **message: Any) -> None:
    await websocket.send(json.dumps(message))


async def test_a_code_for_another_key_is_not_drawn(new_sdk: NewSdk) -> None:
    async def lie(websocket: ServerConnection, hello: dict[str, Any]) -> None:
        mine = ECKey.generate_key("P-256").thumbprint()
        text = f"HG1.{'x' * 43}.{mine}.chat.example"
        honest = ECKey.import_key(hello["publicKey"]).thumbprint()
        await say(
            websocket,
            type="code",
            linkId="lnk_1",
            resumeSecret="s",
            qr=text,
            typedCode="BBBBBBBB",
            keyHash=honest,
            expiresIn=60,
            refreshIn=25,
        )

    assert isinstance(await told(await new_sdk(), lie), KeyMismatch)


async def test_a_credential_that_is_not_bound_to_the_link_is_refused(new_sdk: NewSdk) -> None:
    async def lie(websocket: ServerConnection, hello: dict[str, Any]) -> None:
        key = ECKey.import_key(hello["publicKey"])
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "apu": "eA", "apv": "eA"}
        forged = jwe.encrypt_compact(header, b"{}", key, algorithms=["ECDH-ES", "A256GCM"])
        await say(websocket, type="approved", jwe=forged)

    assert isinstance(await told(await new_sdk(), lie), KeyMismatch)


async def test_a_credential_for_another_key_is_refused(new_sdk: NewSdk) -> None:
    async def lie(websocket: ServerConnection, _hello: dict[str, Any]) -> None:
        key = ECKey.generate_key("P-256")
        header = {"alg": "ECDH-ES", "enc": "A256GCM"}
        await say(
            websocket, type="challenge", jwe=jwe.encrypt_compact(header, b"x", key, algorithms=["ECDH-ES", "A256GCM"])
        )

    assert isinstance(await told(await new_sdk(), lie), KeyMismatch)


@pytest.mark.parametrize("text", ["", "{", '{"type":"unknown"}', '{"type":"approved"}'])
async def test_what_is_no_signal_server_is_unreachable(new_sdk: NewSdk, text: str) -> None:
    async def lie(websocket: ServerConnection, _hello: dict[str, Any]) -> None:
        await websocket.send(text)

    assert isinstance(await told(await new_sdk(), lie), Unreachable)


async def test_no_signal_server_at_all(new_sdk: NewSdk) -> None:
    sdk = await new_sdk()
    with pytest.raises(Unreachable):
        await sdk.generate_qr_code(print, None, "ws://127.0.0.1:9/signal")
    with pytest.raises(RequestInvalid):
        await sdk.generate_qr_code(print, None, "https://chat.example/signal")


# ------------------------------------------------------------------------------------------------------- two processes


async def test_signal_server_and_api_in_two_processes_over_one_database(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "shared", http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with asyncio.timeout(PATIENCE_S), run_node(settings) as node:
        signal_port = _free_port()
        environment = {
            **os.environ,
            "HELIOGRAPH_DATA_DIR": str(settings.data_dir),
            "HELIOGRAPH_PUBLIC_URL": node.public_url,
            "HELIOGRAPH_HTTP_PORT": str(signal_port),
            "HELIOGRAPH_XMPP_PORT": "0",
            "HELIOGRAPH_XMPPS_PORT": "0",
            "HELIOGRAPH_LOG_LEVEL": "error",
        }
        signal = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "heliograph.cli", "serve", env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert signal.stdout is not None
            assert b"Heliograph is up" in await signal.stdout.readline()
            await _sign_in(node, f"ws://127.0.0.1:{signal_port}/signal")
        finally:
            signal.terminate()
            await signal.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _sign_in(node: Node, signal_server_url: str) -> None:
    app = await apps.create(node.ports, "Chat", "localhost", "sandbox.localhost")
    key = app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    async with SDK() as phone, SDK() as browser:
        for sdk in (phone, browser):
            await sdk.initialize(node.public_url, key, ca_file=node.certificate_file)
        ada = (await phone.register("ada")).data
        await phone.connect(ada.username, ada.password)
        news = phone.events()
        codes: asyncio.Queue[Any] = asyncio.Queue()
        typed: asyncio.Queue[str | None] = asyncio.Queue()
        signing_in = asyncio.create_task(
            browser.generate_qr_code(codes.put_nowait, None, signal_server_url, ask_code=lambda _request: typed.get())
        )
        approved = await phone.approve_qr_code((await codes.get()).text, agree)
        await typed.put(approved.data.check_code)
        linked = (await signing_in).data
        assert linked.username == "ada"
        assert browser.connection_status is ConnectionStatus.CONNECTED
        told = await anext(event async for event in news if isinstance(event, NewSession))
        assert told.session_id == linked.session_id  # though another process has let it in
