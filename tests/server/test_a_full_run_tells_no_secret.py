"""A node as an operator runs it, at its most talkative: none of the secrets that it issues or takes shows in what it
writes, nor in what it keeps on the disk.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from heliograph import SDK, HeliographError
from heliograph.core import apps, webhooks
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import open_ports
from heliograph.settings import Settings
from patience import PATIENCE_S

WRONG = "wrong-password-that-was-typed"


@dataclass
class Run:
    """A node in a process of its own, with an app and a webhook that nobody answers."""

    folder: Path
    known: NewApp
    webhook_secret: str
    url: str = ""
    written: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> set[str]:
        """What was issued before the start."""
        return {*self.known.keys.values(), self.known.assertion_private_key, self.webhook_secret}

    async def sdk(self, environment: Environment = Environment.SANDBOX) -> SDK:
        sdk = SDK()
        key = self.known.keys[KeyKind.PUBLISHABLE, environment]
        await sdk.initialize(self.url, key, ca_file=self.folder / "tls" / "certificate.pem")
        return sdk


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    async with open_ports(Settings(data_dir=tmp_path)) as ports:
        known = await apps.create(ports, "Chat", "localhost", "sandbox.localhost")
        _, secret = await webhooks.add(
            ports, known.app, Environment.SANDBOX, "http://127.0.0.1:9/hooks", (), allows_private=True
        )
    mine = {
        "HELIOGRAPH_DATA_DIR": str(tmp_path),
        "HELIOGRAPH_LOG_LEVEL": "debug",
        "HELIOGRAPH_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "HELIOGRAPH_DRAIN_TIMEOUT_S": "1",
        **{f"HELIOGRAPH_{name}_PORT": "0" for name in ("HTTP", "XMPP", "XMPPS")},
    }
    node = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliograph.cli", "serve"),
        env={**os.environ, **mine},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert node.stdout is not None
    found = Run(tmp_path, known, secret)
    is_up = asyncio.Event()

    async def keep(lines: asyncio.StreamReader) -> None:
        while line := (await lines.readline()).decode():
            found.written.append(line)
            if up := re.search(r"Heliograph is up: (\S+),", line):
                found.url = up[1]
                is_up.set()

    keeping = asyncio.create_task(keep(node.stdout))
    await asyncio.wait_for(is_up.wait(), PATIENCE_S)
    try:
        yield found
    finally:
        if node.returncode is None:
            node.terminate()
        await asyncio.wait_for(node.wait(), PATIENCE_S)
        await keeping


async def credentials(sdk: SDK, data: Any) -> set[str]:
    """Sign in with what a registration gave, by SCRAM and for tokens, and with a wrong password too."""
    tokens = (await sdk.get_user_token(data.username, data.password)).data
    with pytest.raises(HeliographError):
        await sdk.get_user_token(data.username, WRONG)
    with pytest.raises(HeliographError):
        await sdk.connect(data.username, WRONG)
    await sdk.connect(data.username, data.password)
    return {data.password, data.token, data.refresh_token, tokens.token, tokens.refresh_token}


async def linked(run: Run, phone: SDK, browser: SDK) -> set[str]:
    """Sign a browser in by QR code; its codes and credentials are secrets."""
    codes: asyncio.Queue[Any] = asyncio.Queue()
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    signing_in = asyncio.create_task(browser.generate_qr_code(codes.put_nowait, ask_code=lambda _request: typed.get()))
    shown = await codes.get()
    approved = await phone.approve_qr_code(shown.text, lambda _consent: True)
    await typed.put(approved.data.check_code)
    data = (await signing_in).data
    secret = shown.text.split(".")[1]
    return {secret, shown.typed_code, data.password, data.token, data.refresh_token}


async def story(run: Run) -> set[str]:
    """A user's life over all doors."""
    async with await run.sdk() as phone, await run.sdk() as browser, await run.sdk(Environment.LIVE) as stranger:
        ada = (await phone.register("ada")).data
        secrets = await credentials(phone, ada)
        secrets |= await linked(run, phone, browser)
        invitation = (await phone.create_invitation()).data
        with pytest.raises(HeliographError):
            await stranger.register("eve")
        with pytest.raises(HeliographError):
            await stranger.set_user_token(WRONG)
        await browser.logout()
        await phone.delete_my_account("bye")
    return secrets | {invitation.token, WRONG}


async def test_no_secret_of_a_full_run_is_written_or_kept(run: Run) -> None:
    async with asyncio.timeout(PATIENCE_S):
        secrets = run.secrets | await story(run)
        while not any("webhook_not_taken" in line for line in run.written):  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.05)
    written = "".join(run.written)
    assert len(run.written) > 20
    assert "/api/v1/tokens" in written
    assert [secret for secret in secrets if secret in written] == []
    kept = b"".join(path.read_bytes() for path in run.folder.glob("heliograph.db*"))
    shown_again = {run.known.keys[KeyKind.PUBLISHABLE, environment] for environment in Environment}
    assert [each for each in secrets - shown_again - {run.webhook_secret} if each.encode() in kept] == []
