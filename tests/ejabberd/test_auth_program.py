"""The authentication program, asked as ejabberd asks."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from heliograph.core import account_changes, accounts, apps, sessions
from heliograph.core.accounts import Account, RegisterRequest
from heliograph.core.apps import Caller, Environment, NewApp
from heliograph.core.ports import Ports
from heliograph.core.remote_server import PasswordPorts
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.auth_program import NO, UNKNOWN, YES, AuthProgram
from heliograph.node import open_ports
from heliograph.settings import Settings
from patience import PATIENCE_S

HOST = "chat.test"


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[Ports]:
    async with open_ports(Settings(data_dir=tmp_path)) as opened:
        yield opened


@pytest.fixture
async def app(ports: Ports) -> NewApp:
    return await apps.create(ports, "Chat", HOST)


@pytest.fixture
def caller(app: NewApp) -> Caller:
    return Caller(app.app, Environment.LIVE, is_backend=True)


@dataclass
class Known:
    password: str
    session_id: str


@pytest.fixture
def register(ports: Ports, caller: Caller) -> Callable[[str], Awaitable[Known]]:
    """Makes a new session of a user."""

    async def make(name: str) -> Known:
        made = await accounts.register(ports, caller, RegisterRequest(name))
        return Known(made.password, made.session.id)

    return make


@pytest.fixture
def program(ports: Ports) -> AuthProgram:
    @asynccontextmanager
    async def open_them() -> AsyncIterator[PasswordPorts]:
        yield PasswordPorts(ports.accounts, ports.sessions, ports.remote_server)

    return AuthProgram(open_them, ports.clock.now)


async def test_the_password_of_each_live_session_is_right_and_written_down(
    ports: Ports, program: AuthProgram, register: Any
) -> None:
    one, two = await register("ada"), await register("ada")
    for each in (one, two):
        assert await program.answer(f"auth:ada:{HOST}:{each.password}".encode()) == YES
    assert await program.answer(f"auth:ada:{HOST}:{one.password}x".encode()) == NO
    assert await program.answer(f"auth:bob:{HOST}:{one.password}".encode()) == NO
    found = await ports.remote_server.sign_ins(f"ada@{HOST}")
    assert [each.session_id for each in found] == [one.session_id, two.session_id]


async def test_a_session_that_has_ended_and_a_user_who_is_blocked_are_refused(
    ports: Ports, program: AuthProgram, register: Any, caller: Caller
) -> None:
    one, two = await register("ada"), await register("ada")
    account = await ports.accounts.lookup(f"ada@{HOST}")
    assert isinstance(account, Account)
    await sessions.end(ports, account, one.session_id, EndReason.ENDED_BY_USER)
    assert await program.answer(f"auth:ada:{HOST}:{one.password}".encode()) == NO
    assert await program.answer(f"auth:ada:{HOST}:{two.password}".encode()) == YES
    await account_changes.set_blocked(ports, caller, "ada", is_blocked=True)
    assert await program.answer(f"auth:ada:{HOST}:{two.password}".encode()) == NO


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (f"isuser:ada:{HOST}", YES),
        (f"isuser:bob:{HOST}", NO),
        ("isuser:ada:elsewhere.test", NO),
        (f"removeuser:ada:{HOST}", NO),
        (f"removeuser:bob:{HOST}", YES),
        (f"setpass:ada:{HOST}:word", NO),
        (f"tryregister:eve:{HOST}:word", NO),
        (f"certauth:ada:{HOST}:pem", NO),
        (f"auth:ada:{HOST}", NO),
        ("auth", NO),
        ("", NO),
        ("isuser:@@:\0", NO),
    ],
)
async def test_each_question_has_its_answer(program: AuthProgram, register: Any, question: str, answer: bytes) -> None:
    await register("ada")
    assert await program.answer(question.encode()) == answer


async def test_a_question_that_is_no_text_is_answered(program: AuthProgram) -> None:
    assert await program.answer(b"auth:\xff:chat.test:\xfe") == NO


async def test_without_its_database_it_waits_then_neither_lets_in_nor_refuses_and_tells_no_password(
    ports: Ports, register: Any
) -> None:
    known = await register("ada")
    away = 10**9

    @asynccontextmanager
    async def open_them() -> AsyncIterator[PasswordPorts]:
        nonlocal away
        away -= 1
        if away > 0:
            raise OSError(f"away: {known.password}")
        yield PasswordPorts(ports.accounts, ports.sessions, ports.remote_server)

    program = AuthProgram(open_them, ports.clock.now, patience_s=0.3)
    question = f"auth:ada:{HOST}:{known.password}".encode()
    with structlog.testing.capture_logs() as lines:
        assert await program.answer(question) == UNKNOWN
    assert lines
    assert known.password not in str(lines)
    away = 2
    patient = AuthProgram(open_them, ports.clock.now)
    assert await patient.answer(question) == YES


async def test_the_command_speaks_the_protocol_on_its_input_and_output(
    ports: Ports, register: Any, tmp_path: Path
) -> None:
    known = await register("ada")
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliograph.cli", "ejabberd-auth"),
        env={**os.environ, "HELIOGRAPH_DATA_DIR": str(tmp_path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    questions = [f"auth:ada:{HOST}:{known.password}", f"auth:ada:{HOST}:wrong", f"isuser:ada:{HOST}"]
    data = b"".join(len(each).to_bytes(2, "big") + each.encode() for each in questions)
    answers, _ = await asyncio.wait_for(running.communicate(data), PATIENCE_S)
    assert (answers, running.returncode) == (YES + NO + YES, 0)
