"""Bodies to JSON, and JSON to bodies: what is wrong with a body is said in our words, and no value is repeated."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from heliograph.errors import RequestInvalid

Read = TypeVar("Read")

_NAMED = re.compile(r"Object (contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_FIELD_MAX_CHARS = 128


def encode(body: object) -> bytes:
    """A body as JSON (RFC 8259)."""
    return msgspec.json.encode(body)


def decode(data: bytes, kind: type[Read]) -> Read:
    """Read a body.

    Args:
        data: JSON in UTF-8.
        kind: the Struct that it has to be.

    Raises:
        RequestInvalid: it is not. `details.field` is the path (with dots) of the field that is missing, unknown or of
            another type; it is absent where the body as a whole is wrong. No value is ever repeated.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RequestInvalid("The body is not JSON in UTF-8") from None
    except RecursionError:
        raise RequestInvalid("The body is nested too deeply") from None


def _refusal(reason: str) -> RequestInvalid:
    """Say in our words what the decoder found wrong, and where."""
    place = _PLACE.match(reason)
    what, path = (place["what"], place["path"] or "$") if place else (reason, "$")
    steps = [step for step in path.removeprefix("$").replace("[...]", "").split(".") if step]
    if named := _NAMED.match(what):
        steps.append(named["name"])
    field = ".".join(steps)[:_FIELD_MAX_CHARS]
    if not field:
        return RequestInvalid("The body has to be a JSON object")
    if named:
        state = "unknown" if "unknown" in named[1] else "missing"
        return RequestInvalid(f"The field {field} is {state}", details={"field": field})
    if what.startswith("Expected"):
        return RequestInvalid(f"The field {field} has the wrong type: {what.lower()}", details={"field": field})
    return RequestInvalid(f"The field {field} has a value that is not allowed", details={"field": field})
