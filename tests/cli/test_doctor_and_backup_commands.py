"""`heliograph doctor` and `heliograph backup`, beside a running node, and a restore."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import httpx

from heliograph.core import accounts, audit
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, KeyKind, NewApp
from heliograph.node import Node, run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301"
    "0100c9fe92ef0000000049454e44ae426082"
)


async def test_the_doctor_says_what_to_do_and_ends_accordingly(cli: Any, node: Node) -> None:
    cli.environment = {f"HELIOGRAPH_{name}_PORT": "0" for name in ("HTTP", "XMPP", "XMPPS")}
    assert (await cli.run("doctor")).startswith("ok       configuration: settings are in order")
    (cli.folder / "heliograph.db").chmod(0o644)
    said = await cli.try_("doctor", "--json")
    problems = [each for each in json.loads(said.out) if each["severity"] == "problem"]
    assert said.status == 1
    assert [each["advice"] for each in problems] == [f"chmod 600 {cli.folder / 'heliograph.db'}"]


async def test_the_doctor_names_a_setting_that_is_out_of_bounds(cli: Any) -> None:
    cli.environment = {"HELIOGRAPH_HTTP_PORT": "70000"}
    said = await cli.try_("doctor")
    assert (said.status, said.err[:27]) == (1, "settings_invalid: http_port")


async def register(node: Node, known: NewApp, identifier: str) -> Any:
    caller = Caller(known.app, Environment.SANDBOX, is_backend=True)
    return await accounts.register(node.ports, caller, RegisterRequest(identifier))


async def test_a_backup_of_a_busy_node_is_restored_whole(
    cli: Any, node: Node, known: NewApp, tmp_path_factory: Any
) -> None:
    ada = await register(node, known, "ada")
    key = known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    headers = {"Heliograph-Key": key, "Authorization": f"Bearer {ada.tokens.access_token}"}
    async with httpx.AsyncClient(base_url=node.public_url, headers=headers, timeout=PATIENCE_S) as http:
        uploaded = (await http.post("/api/v1/media", content=PIXEL)).json()["data"]
    stopped = asyncio.Event()

    async def write_on() -> int:
        count = 0
        while not stopped.is_set():
            await register(node, known, f"user-{count % 50}")
            count += 1
        return count

    folder = tmp_path_factory.mktemp("backups") / "first"
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write_on())
        said = await cli.run("backup", folder)
        stopped.set()
    assert writing.result() > 0
    assert said.startswith(f"{folder}: schema ")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("secret", "tls/key.pem"):
        assert (folder / name).read_bytes() == (cli.folder / name).read_bytes()
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert [path.name for path in folder.parent.iterdir()] == ["first"]
    await restored_is_whole(folder, known, headers, uploaded)


async def restored_is_whole(folder: Path, known: NewApp, headers: dict[str, str], uploaded: dict[str, Any]) -> None:
    mine = Settings(data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with (
        run_node(mine) as node,
        httpx.AsyncClient(base_url=node.public_url, headers=headers, timeout=PATIENCE_S) as http,
    ):
        [session] = (await http.get("/api/v1/sessions")).json()["data"]["sessions"]
        assert session["current"]
        picture = await http.get(httpx.URL(uploaded["image"]).path)
        assert (picture.status_code, len(picture.content) > 0) == (200, True)
        head, problem = await audit.verify(node.ports.audit, known.app.id)
        assert problem is None
        assert head.number >= 3


async def test_a_backup_overwrites_nothing_and_leaves_no_half(cli: Any, node: Node, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("backups")
    said = await cli.try_("backup", folder)
    assert (said.status, said.err) == (1, f"settings_invalid: {folder} is there already\n")
    cli.folder = folder / "no-data"
    said = await cli.try_("backup", folder / "second")
    assert said.status == 1
    assert [*folder.iterdir()] == []
