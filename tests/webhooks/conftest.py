"""A receiver of webhooks on a real socket, and a node that calls it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from asgi_server import served
from patience import PATIENCE_S


@dataclass
class Receiver:
    """An app's backend: it checks each signature with the library of Standard Webhooks, and answers as it is told to.

    Attributes:
        answers: the statuses of the next answers; 204 where there are none left.
        tried: the ids of all messages that came, each time.
        taken: the messages that were answered with 2xx.
    """

    url: str = ""
    secret: str = ""
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        message = Verifier(self.secret).verify(body, dict(request.headers)) if self.secret else json.loads(body)
        status = self.answers.pop(0) if self.answers else 204
        async with self._came:
            self.tried.append(request.headers["webhook-id"])
            if status < 300:
                self.taken.append(message)
            self._came.notify_all()
        return Response(status_code=status, headers=self.headers)

    async def until(self, count: int, *, tried: bool = False) -> None:
        """Wait until so many messages were taken, or tried."""
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: len(self.tried if tried else self.taken) >= count)

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.taken]


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hooks", receiver.hear, methods=["POST"])])
    async with served(app) as port:
        receiver.url = f"http://127.0.0.1:{port}/hooks"
        yield receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as found:
        yield found
