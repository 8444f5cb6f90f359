"""The transcript of a user's life: each command runs as shown, and what comes back is what the page says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind
from heliograph.node import run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "the-life-of-a-user.md"
ANY = "…"
END = "end of this block"


def blocks() -> list[tuple[str, list[Any]]]:
    """The commands in order, each with the JSON that the page shows below it."""
    found: list[tuple[str, list[Any]]] = []
    for kind, text in re.findall(r"```(sh|json)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(values(text))
    return found


def values(text: str) -> list[Any]:
    """All JSON values in a text, one after another."""
    decoder, place, found = json.JSONDecoder(), 0, []
    while (text := text[place:].lstrip()) != "":
        value, place = decoder.raw_decode(text)
        found.append(value)
    return found


def is_shown(shown: Any, came: Any) -> bool:
    """Whether what came is what is shown, where `…` stands for anything."""
    if shown == ANY:
        return True
    if isinstance(shown, dict) and isinstance(came, dict):
        is_open = ANY in shown
        named = {name: value for name, value in shown.items() if name != ANY}
        return (is_open or named.keys() == came.keys()) and all(
            name in came and is_shown(value, came[name]) for name, value in named.items()
        )
    if isinstance(shown, list) and isinstance(came, list):
        return len(shown) == len(came) and all(map(is_shown, shown, came))
    return type(shown) is type(came) and bool(shown == came)


class Shell:
    """One shell, in which the reader pastes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def paste(self, text: str) -> str:
        """Paste a block; gives what it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{text}\necho; echo '{END}'\n".encode())
        printed = await asyncio.wait_for(self._process.stdout.readuntil(END.encode()), PATIENCE_S)
        return printed.decode().removesuffix(END)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    settings = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(settings) as node:
        app = await apps.create(node.ports, "My chat", "localhost")
        process = await asyncio.create_subprocess_exec(
            *("bash", "--noprofile", "--norc"),
            env={
                **os.environ,
                "HELIOGRAPH_KEY": app.keys[KeyKind.PUBLISHABLE, Environment.LIVE],
                "HELIOGRAPH_SECRET": app.keys[KeyKind.SECRET, Environment.LIVE],
                "PORT": str(node.http_port),
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        yield Shell(process)
        process.kill()
        await process.wait()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
async def test_the_transcript_is_what_happens(shell: Shell) -> None:
    for commands, shown in blocks():
        printed = await shell.paste(commands.replace(":8080", ":$PORT"))
        came = values(printed) if shown else []
        assert len(came) == len(shown), f"{commands}\n{printed}"
        for wanted, found in zip(shown, came, strict=True):
            assert is_shown(wanted, found), f"{commands}\n{json.dumps(found, indent=2)}"


def test_the_page_shows_something() -> None:
    assert len(blocks()) > 15
    assert is_shown({"a": ANY}, {"a": 1})
    assert not is_shown({"a": 1}, {"a": 1, "b": 2})
    assert is_shown({"a": 1, ANY: ANY}, {"a": 1, "b": 2})
    assert not is_shown({"a": True}, {"a": 1})
