"""Sign in by QR code, as any client of a node does."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from heliograph import SDK, QrCode, QrConsent
from heliograph.cli.options import AsJson
from heliograph.cli.running import run
from heliograph.wire.qr import Verify

commands = typer.Typer(no_args_is_help=True, help="Sign in by QR code, as any client of a node does.")

Url = Annotated[str, typer.Option(help="The node's address.", envvar="HELIOGRAPH_URL")]
Key = Annotated[str, typer.Option(help="The app's publishable key.", envvar="HELIOGRAPH_KEY")]
CaFile = Annotated[
    Path | None, typer.Option(help="Certificates to trust besides the machine's, in PEM form.", dir_okay=False)
]


@commands.command("login")
def qr_login(url: Url, key: Key, ca_file: CaFile = None, as_json: AsJson = False) -> None:
    """Show a QR code here, and sign this terminal in once a phone has approved it.

    With --json the new session's credentials are printed, its password among them.
    """
    run(_qr_login(url, key, ca_file, as_json=as_json))


async def _qr_login(url: str, key: str, ca_file: Path | None, *, as_json: bool) -> None:
    def draw(code: QrCode) -> None:
        print(f"{code.terminal()}Scan it, or type the letters, on a device that is signed in.", file=sys.stderr)

    async def ask_code(request: Verify) -> str:
        name = request.user.nick_name or request.user.user_id
        print(f"You are about to be signed in as {name} ({request.user.user_id}).", file=sys.stderr)
        return await _ask(f"The code on the phone ({request.tries_left} tries left): ")

    async with SDK() as sdk:
        await sdk.initialize(url, key, ca_file=ca_file)
        signed_in = await sdk.generate_qr_code(draw, ask_code=ask_code)
    if as_json:
        print(json.dumps(signed_in.to_dict()["data"], indent=2))
    else:
        print(f"Signed in as {signed_in.data.user_jid}, session {signed_in.data.session_id}")


@commands.command("approve")
def qr_approve(
    code: Annotated[str, typer.Argument(help="The text of the QR code, or the 8 letters below it.")],
    url: Url,
    key: Key,
    username: Annotated[str, typer.Option(help="Who approves.", envvar="HELIOGRAPH_USERNAME")],
    password: Annotated[
        str, typer.Option(help="The password of one of the user's sessions.", envvar="HELIOGRAPH_PASSWORD", prompt=True)
    ],
    ca_file: CaFile = None,
) -> None:
    """Look at what a code asks for, and approve or deny it."""
    run(_qr_approve(code, url, key, username, password, ca_file))


async def _qr_approve(code: str, url: str, key: str, username: str, password: str, ca_file: Path | None) -> None:
    async with SDK() as sdk:
        await sdk.initialize(url, key, ca_file=ca_file)
        await sdk.set_user_token((await sdk.get_user_token(username, password)).data.token)
        approved = await sdk.approve_qr_code(code, _consents)
    if approved.data.check_code is None:
        print("Approved.")
    else:
        print(f"Approved. Type this code on the other device: {approved.data.check_code}")


async def _consents(asking: QrConsent) -> bool:
    """Show who asks, and let a person decide."""
    device = asking.device
    named = ", ".join(filter(None, (device.device, device.browser, device.os))) or "an unnamed device"
    near = {True: "the same network as this device", False: "ANOTHER network", None: "a network that is not compared"}
    print(f"Another device asks to be signed in as you: {named}")
    print(f"  from {asking.ip or 'an unknown address'}, {near[asking.same_network]}")
    print(f"  {asking.requested_ago} seconds ago{', and you have no such device yet' if asking.new_device else ''}")
    print("Go on only if you started this yourself, on a screen before you.")
    return (await _ask("Sign it in? Type yes or no: ")).lower() == "yes"


async def _ask(question: str) -> str:
    """Ask a person; unlike `input`, this can be cancelled."""
    print(question, end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()
