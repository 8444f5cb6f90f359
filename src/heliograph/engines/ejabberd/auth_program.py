"""ejabberd's external authentication: it asks on the program's input, one question at a time, and waits for the answer.

A question is two bytes with its length and then words with colons between them: `auth:user:server:password`, or
`isuser:user:server`. The last word may hold colons itself. The answer is a number of two bytes: 1 for yes, 0 for no.
Where the database cannot be asked, the program tries again for some time, as ejabberd 23.01 knows no way to tell its
client that a sign-in failed for now. Then the answer is neither: ejabberd writes into its log that the program failed,
and refuses the client.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from heliograph.core import remote_server
from heliograph.core.remote_server import PasswordPorts
from heliograph.xmpp.jid import JidMalformed, parse

log = structlog.get_logger("heliograph.ejabberd_auth")

YES, NO, UNKNOWN = b"\0\2\0\1", b"\0\2\0\0", b"\0\2\0\2"
PATIENCE_S = 20.0
"""How long a question may take; ejabberd waits for thirty seconds, and its client for as long."""
RETRY_S = 0.2
_LENGTH_BYTES = 2

Open = Callable[[], AbstractAsyncContextManager[PasswordPorts]]


class AuthProgram:
    """Answers ejabberd's questions from the stores.

    Args:
        open_ports: opens the database; called again after it has failed.
        now: the time.
        patience_s: how long a question may take.
    """

    def __init__(self, open_ports: Open, now: Callable[[], float], patience_s: float = PATIENCE_S) -> None:
        self._open = open_ports
        self._now = now
        self._patience_s = patience_s
        self._stack = contextlib.AsyncExitStack()
        self._ports: PasswordPorts | None = None

    async def run(self, questions: asyncio.StreamReader, answer: Callable[[bytes], object]) -> None:
        """Answer until ejabberd closes the input.

        Args:
            questions: the program's input.
            answer: writes to its output.
        """
        try:
            while True:
                try:
                    length = int.from_bytes(await questions.readexactly(_LENGTH_BYTES), "big")
                    question = await questions.readexactly(length)
                except asyncio.IncompleteReadError:
                    return
                answer(await self.answer(question))
        finally:
            await self._close()

    async def answer(self, question: bytes) -> bytes:
        """The answer to one question; whatever goes wrong, there is one."""
        try:
            async with asyncio.timeout(self._patience_s):
                while (answer := await self._try(question)) is None:  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(RETRY_S)
        except TimeoutError:
            await self._close()
            return UNKNOWN
        return answer

    async def _try(self, question: bytes) -> bytes | None:
        try:
            return YES if await self._decide(question) else NO
        except Exception as error:  # noqa: BLE001 - a database that is away must not end the program
            log.warning("not_answered", error=type(error).__name__)  # and never the question: it holds a password
            await self._close()
            return None

    async def _decide(self, question: bytes) -> bool:
        try:
            verb, user, server, *rest = question.decode().split(":", 3)
            jid = parse(f"{user}@{server}").bare
        except (UnicodeDecodeError, ValueError, JidMalformed):
            return False
        ports = self._ports or await self._opened()
        match verb, rest:
            case "auth", [password]:
                return await remote_server.check_password(ports, jid, password, self._now())
            case "isuser", []:
                return await remote_server.exists(ports, jid, self._now())
            case "removeuser", []:  # ejabberd forgets a user that Heliograph has forgotten, and no other
                return not await remote_server.exists(ports, jid, self._now())
        return False  # setpass, tryregister and certauth: passwords are made by Heliograph alone

    async def _opened(self) -> PasswordPorts:
        self._ports = await self._stack.enter_async_context(self._open())
        return self._ports

    async def _close(self) -> None:
        """Let go of the database; the next question opens it again."""
        self._ports = None
        stack, self._stack = self._stack, contextlib.AsyncExitStack()
        with contextlib.suppress(Exception):
            await stack.aclose()
