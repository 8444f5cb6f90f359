"""Signing in by QR code: the same on every engine."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph import ConnectionStatus, QrCode
from heliograph.wire.qr import Verify
from patience import PATIENCE_S


async def test_a_phone_lets_a_screen_in_which_is_then_connected_and_can_be_ended_alone(
    join: Any, new_device: Any, user: Any
) -> None:
    name = user("ada")
    phone, screen = await join(name), await new_device(name)
    codes: asyncio.Queue[QrCode] = asyncio.Queue()
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    answers: list[Any] = []

    async def ask_code(_: Verify) -> str | None:
        return await typed.get()

    showing = asyncio.create_task(
        screen.sdk.generate_qr_code(codes.put_nowait, callback=answers.append, ask_code=ask_code)
    )
    async with asyncio.timeout(PATIENCE_S):
        approved = (await phone.sdk.approve_qr_code((await codes.get()).text, confirm=lambda _: True)).data
        typed.put_nowait(approved.check_code)
        answer = await showing
    assert (answer.status_code, answer.data.username, len(answers)) == (200, name, 1)
    assert screen.sdk.connection_status is ConnectionStatus.CONNECTED
    linked = [each for each in (await phone.sdk.get_sessions()).data.sessions if each.via == "qr"]
    await phone.sdk.logout_session(linked[0].id)
    assert (await screen.becomes(ConnectionStatus.LOGOUT)).reason == "ended_by_user"
    assert phone.sdk.connection_status is ConnectionStatus.CONNECTED
