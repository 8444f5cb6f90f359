"""The API's endpoints as data: method, path, who may call, what is taken, and the function that answers.

A route is a function from a call to the data of its answer; it parses nothing, checks no key and raises typed errors.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, overload

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

from heliograph import wire
from heliograph.core.apps import Caller, require_backend
from heliograph.core.ports import Ports
from heliograph.core.tokens import Identity
from heliograph.errors import RequestInvalid
from heliograph.server import answers, auth
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

    def named_jid(self, segment: str) -> str:
        """The bare JID of whom a segment of the path names, by identifier or bare JID."""
        user = self.segment(segment)
        return user if "@" in user else f"{user}@{self.caller.domain}"


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
        caller, identity = await auth.admit(request, services.ports, needs_token=self.shown is Shown.TOKEN)
        if self.shown is Shown.SECRET_KEY:
            require_backend(caller)
        body = await self._body(services, request)
        if identity is None:
            call: Call[Any] = Call(services, request, caller, body)
        else:
            call = UserCall(services, request, caller, body, identity)
        return answers.success(await self.run(call))

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


class _Address:
    """One path with its methods, so that a wrong method is answered with all the right ones.

    Args:
        path: the whole path, with names in braces for what varies.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.by_method: dict[str, Endpoint] = {}
        self._match = compile_path(path)[0].match

    def segments(self, path: str) -> dict[str, str] | None:
        """The named segments of a path; `None` where it is another address."""
        found = self._match(path)
        return None if found is None else found.groupdict()


class Api(BaseRoute):
    """All endpoints as one route. An address is compared with those alone that have its first segment: with all, one
    after the other, the search took more than many a call.

    Args:
        services: what the face was given.
        endpoints: all of them; of two that fit a request, the first one answers.
    """

    def __init__(self, services: Services, endpoints: Sequence[Endpoint]) -> None:
        self._services = services
        self._addresses: dict[str, list[_Address]] = {}
        known: dict[str, _Address] = {}
        for endpoint in endpoints:
            path = PREFIX + endpoint.path
            if path not in known:
                known[path] = _Address(path)
                self._addresses.setdefault(_first_segment(path), []).append(known[path])
            known[path].by_method[endpoint.method] = endpoint
            if endpoint.method == "GET":
                known[path].by_method["HEAD"] = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the API."""
        is_ours = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the endpoint answer.

        Raises:
            HTTPException: there is none (404), or none of this method (405).
            HeliographError: whatever the endpoint raises.
        """
        endpoint = self._find(scope)
        response = await endpoint.answer(self._services, Request(scope, receive, send))
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> Endpoint:
        """The endpoint of a request, whose scope is told the route and the segments of its path."""
        path, method, allowed = scope["path"], scope["method"], dict[str, None]()
        for address in self._addresses.get(_first_segment(path), ()):
            segments = address.segments(path)
            if segments is None:
                continue
            scope["route"] = address
            if method in address.by_method:
                scope["path_params"] = segments
                return address.by_method[method]
            allowed.update(dict.fromkeys(address.by_method))
        if allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        raise HTTPException(404)


def _first_segment(path: str) -> str:
    """The first segment behind the prefix."""
    return path[len(PREFIX) + 1 :].partition("/")[0]
