"""The API's endpoints as data: method, path, who may call, what is taken, and the function that answers.

A route is a function from a call to the data of its answer; it parses nothing, checks no key and raises typed errors.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, overload

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph import wire
from heliograph.core.apps import Caller, require_backend
from heliograph.core.ports import Ports
from heliograph.core.tokens import Identity
from heliograph.errors import RequestInvalid
from heliograph.server import answers, auth, quotas
from heliograph.server.reading import read
from heliograph.server.services import Services

PREFIX = "/api/v1"

Taken = TypeVar("Taken")

_DIGITS = re.compile(r"[0-9]{1,16}")


class NoBody:
    """What a call takes that has no JSON body; what is sent all the same stays unread."""


class Shown(StrEnum):
    """What a call has to show."""

    KEY = "key"
    SECRET_KEY = "secret_key"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class Call(Generic[Taken]):
    """One request, as a route sees it.

    Attributes:
        services: what the face was given.
        request: the HTTP request.
        caller: the app and environment of the key.
        body: the decoded body.
    """

    services: Services
    request: Request
    caller: Caller
    body: Taken

    @property
    def ports(self) -> Ports:
        """The node's ports."""
        return self.services.ports

    @property
    def address(self) -> str:
        """The client's network address, or `""` where it is unknown."""
        return self.request.client.host if self.request.client else ""

    def flag(self, name: str) -> bool | None:
        """A parameter of the query that is true or false; `None` where it is absent.

        Raises:
            RequestInvalid: it is something else.
        """
        text = self.request.query_params.get(name)
        if text not in {None, "true", "false"}:
            raise RequestInvalid(f"The parameter {name} is true or false", details={"field": name})
        return None if text is None else text == "true"

    @overload
    def number(self, name: str, default: int, maximum: int) -> int: ...
    @overload
    def number(self, name: str, default: None, maximum: int) -> int | None: ...
    def number(self, name: str, default: int | None, maximum: int) -> int | None:
        """A parameter of the query that is a whole number from 1 on; `default` where it is absent.

        Raises:
            RequestInvalid: it is something else.
        """
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= maximum:
            raise RequestInvalid(
                f"The parameter {name} lies between 1 and {maximum}", details={"field": name, "min": 1, "max": maximum}
            )
        return int(text)

    def segment(self, name: str) -> str:
        """The named segment of the path."""
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class UserCall(Call[Taken]):
    """A request by a signed-in user."""

    identity: Identity

    @property
    def jid(self) -> str:
        """The user's bare JID."""
        return self.identity.account.jid


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes:
        method: the HTTP method.
        path: below `/api/v1`.
        shown: what a call has to show.
        takes: the body's Struct, or `NoBody`.
        run: the route: from a call to the data of its answer, or to `None`.
        body_max_bytes: the largest body, where it may be larger than `services.request_max_bytes`.
        is_body_optional: whether no body stands for one without fields.
    """

    method: str
    path: str
    shown: Shown
    takes: type[Any]
    run: Callable[[Any], Awaitable[object]]
    body_max_bytes: int = 0
    is_body_optional: bool = False

    async def answer(self, services: Services, request: Request) -> Response:
        """Find out who is calling and how often, then read the body, then run the route."""
        observed = quotas.observe(request, services.ports.rates)
        told = replace(services, ports=replace(services.ports, rates=observed))
        caller, identity = await auth.admit(request, told.ports, needs_token=self.shown is Shown.TOKEN)
        if self.shown is Shown.SECRET_KEY:
            require_backend(caller)
        body = await self._body(services, request)
        if identity is None:
            call: Call[Any] = Call(told, request, caller, body)
        else:
            call = UserCall(told, request, caller, body, identity)
        return quotas.tell(request, answers.success(await self.run(call)))

    async def _body(self, services: Services, request: Request) -> Any:
        if self.takes is NoBody:
            return NoBody()
        data = await read(request, max(self.body_max_bytes, services.request_max_bytes))
        return wire.decode(data or b"{}" if self.is_body_optional else data, self.takes)


def by_key(method: str, path: str, takes: type[Taken], run: Callable[[Call[Taken]], Awaitable[object]]) -> Endpoint:
    """An endpoint for whoever has a key of the app."""
    return Endpoint(method, path, Shown.KEY, takes, run)


def by_secret_key(
    method: str,
    path: str,
    takes: type[Taken],
    run: Callable[[Call[Taken]], Awaitable[object]],
    body_max_bytes: int = 0,
) -> Endpoint:
    """An endpoint for the app's own backend."""
    return Endpoint(method, path, Shown.SECRET_KEY, takes, run, body_max_bytes)


def by_token(
    method: str,
    path: str,
    takes: type[Taken],
    run: Callable[[UserCall[Taken]], Awaitable[object]],
    body_max_bytes: int = 0,
    *,
    is_body_optional: bool = False,
) -> Endpoint:
    """An endpoint for a signed-in user."""
    return Endpoint(method, path, Shown.TOKEN, takes, run, body_max_bytes, is_body_optional)


def routes(services: Services, endpoints: Sequence[Endpoint]) -> list[Route]:
    """One route a path, so that a wrong method is answered with all the right ones."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [Route(PREFIX + path, _dispatch(services, found), methods=[*found]) for path, found in paths.items()]


def _dispatch(services: Services, by_method: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await by_method[method].answer(services, request)

    return answer
