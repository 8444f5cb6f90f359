#!/usr/bin/env python3
"""Makes `web/sdk/wire.ts` from `heliograph.wire` and `heliograph.errors`: the bodies of the HTTP API, the messages of
the signal server and the codes of errors, as types of the browser SDK.

`make docs` runs it; a test fails where the file is stale.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from heliograph import wire
from heliograph.errors import TABLE
from heliograph.wire import qr as wire_qr

TARGET = Path(__file__).resolve().parents[1] / "web" / "sdk" / "wire.ts"

MODULES = (
    wire.envelope,
    wire.configuration,
    wire.accounts,
    wire.tokens,
    wire.sessions,
    wire.profiles,
    wire.contacts,
    wire.invitations,
    wire.statuses,
    wire.backend_profiles,
    wire.media,
    wire.audit,
    wire.users,
    wire_qr,
)
"""In the order of the file.
"""
NOTE = "// Made from heliograph.wire and heliograph.errors by `make docs`. Change those, not this file.\n"
PLAIN = {str: "string", bool: "boolean", int: "number", float: "number", Any: "unknown", type(None): "null"}


def generate() -> str:
    """The whole file."""
    statuses = "".join(f"  {code}: {TABLE[code].row.status},\n" for code in sorted(TABLE))
    meaning = comment_text(docstring_of("MetaData"))
    parts = [
        NOTE,
        f"/** The HTTP status of every error. */\nexport const ERROR_STATUS = {{\n{statuses}}} as const;\n",
        "/** What a node can answer. */\nexport type ErrorCode = keyof typeof ERROR_STATUS;\n",
        f"/** {meaning} */\nexport type MetaData = Record<string, string | boolean | number>;\n",
        *(interface(body) for body in bodies()),
        *(f"export type {name} = {typescript(union)};\n" for name, union in message_unions()),
    ]
    return "\n".join(parts)


def bodies() -> list[type[msgspec.Struct]]:
    """The public Structs of the modules, in the order of the source, without the bases that have no fields."""
    found = [
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    ]
    return [body for body in found if msgspec.structs.fields(body) or body.__struct_config__.tag is not None]


def message_unions() -> list[tuple[str, Any]]:
    """What each side of the signal socket may send, by name."""
    return [(name, value) for name, value in vars(wire_qr).items() if isinstance(value, types.UnionType)]


def interface(body: type[msgspec.Struct]) -> str:
    """One Struct as an interface. A field with a default may be left out of a request, and always is in an answer."""
    hints = get_type_hints(body, include_extras=True)
    meanings = attributes(body)
    inherited = next((base for base in body.__mro__[1:] if base in bodies()), None)
    known = {field.name for field in msgspec.structs.fields(inherited)} if inherited else set()
    tag = body.__struct_config__.tag
    lines = [f'  {body.__struct_config__.tag_field}: "{tag}";'] if tag is not None else []
    for field in msgspec.structs.fields(body):
        if field.name in known:
            continue
        if field.name in meanings:
            lines.append(f"  /** {meanings[field.name]} */")
        lines.append(
            f"  {field.encode_name}{'?' if is_optional(body, field) else ''}: {typescript(hints[field.name])};"
        )
    parameters = f"<{', '.join(names)}>" if (names := type_parameters(body)) else ""
    base = f" extends {inherited.__name__}" if inherited else ""
    head = f"/** {comment_text(inspect.getdoc(body) or '')} */\nexport interface {body.__name__}{parameters}{base} {{\n"
    return head + "".join(f"{line}\n" for line in lines) + "}\n"


def is_optional(body: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> bool:
    """Whether a field may be absent."""
    may_lack_defaults = issubclass(body, wire.Request) or body.__struct_config__.omit_defaults
    return field.default is UNSET or (may_lack_defaults and not field.required)


def type_parameters(body: type[msgspec.Struct]) -> list[str]:
    """The names of a generic Struct's parameters."""
    return [parameter.__name__ for parameter in getattr(body, "__parameters__", ())]


def typescript(hint: Any) -> str:
    """A Python type as TypeScript writes it."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, TypeVar) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return hint.__name__
    return "MetaData" if hint is wire.MetaData else composed(get_origin(hint), get_args(hint))


def composed(origin: Any, parts: tuple[Any, ...]) -> str:
    """A type with parameters as TypeScript writes it."""
    if origin is Literal:
        return " | ".join(json.dumps(part) for part in parts)
    if origin in (Union, types.UnionType):
        return " | ".join(typescript(part) for part in parts if part is not UnsetType)
    first = typescript(parts[0])
    if origin is tuple:
        return f"readonly ({first})[]" if "|" in first else f"readonly {first}[]"
    if origin is dict:
        return f"Record<{first}, {typescript(parts[1])}>"
    if origin is Annotated:
        return first
    raise TypeError(f"no TypeScript for {origin!r}")


def docstring_of(name: str) -> str:
    """The string below an assignment of `wire.accounts`."""
    found = re.search(rf'^{name} = .*?^"""(.*?)"""', inspect.getsource(wire.accounts), re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def comment_text(docstring: str) -> str:
    """What a docstring says before its list of attributes, in one line, with code names as they are."""
    return " ".join(docstring.partition("\nAttributes:")[0].split()).replace("`None`", "`null`")


def attributes(body: type[msgspec.Struct]) -> dict[str, str]:
    """What a docstring says of each attribute."""
    listed = (inspect.getdoc(body) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    ([a-z_, ]+): (.*(?:\n {5,}.*)*)", listed, re.MULTILINE)
    return {name: comment_text(text) for names, text in entries for name in names.split(", ")}


def main() -> None:
    """Write the file."""
    TARGET.write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
