"""With which errors a call can be refused: by what it has to show, takes and names, and by its use cases, whose
docstrings say what they raise.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from heliograph.errors import (
    TABLE,
    AccountNotFound,
    AdminBlocked,
    HeliographError,
    InternalError,
    LicenseInvalid,
    PayloadTooLarge,
    RateLimited,
    RequestInvalid,
    SecretKeyRequired,
    TokenExpired,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
)
from heliograph.server.endpoints import Endpoint, NoBody, Shown

_ALWAYS: tuple[type[HeliographError], ...] = (LicenseInvalid, RateLimited, InternalError)
_SHOWS: dict[Shown, tuple[type[HeliographError], ...]] = {
    Shown.KEY: (),
    Shown.SECRET_KEY: (SecretKeyRequired,),
    Shown.TOKEN: (TokenMissing, TokenMalformed, TokenExpired, TokenRevoked, AdminBlocked),
}
_BY_NAME = {error.__name__: error for error in TABLE.values()}
_RAISES = re.compile(r"^Raises:\n(?P<text>.*?)(?=^\w|\Z)", re.DOTALL | re.MULTILINE)


def errors_of(endpoint: Endpoint) -> list[type[HeliographError]]:
    """The errors of a call, each once, in no order that means anything."""
    found = [*_ALWAYS, *_SHOWS[endpoint.shown]]
    if endpoint.takes is not NoBody:
        found += [RequestInvalid, PayloadTooLarge]
    if "{identifier}" in endpoint.path:
        found.append(AccountNotFound)
    for use_case in _called(endpoint.run):
        found += _raised(use_case)
    if endpoint.shown is not Shown.SECRET_KEY:
        found = [error for error in found if error is not SecretKeyRequired]
    return [*dict.fromkeys(found)]


def _called(route: Any) -> Iterator[Any]:
    """The functions of other modules that a route calls by `module.function`."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(route)))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = getattr(route.__globals__.get(node.value.id), node.attr, None)
            if inspect.isfunction(called):
                yield called


def _raised(use_case: Any) -> list[type[HeliographError]]:
    """What a docstring names below `Raises:`."""
    match = _RAISES.search(inspect.getdoc(use_case) or "")
    names = re.findall(r"\b[A-Z]\w+", match["text"]) if match else []
    return [_BY_NAME[name] for name in names if name in _BY_NAME]
