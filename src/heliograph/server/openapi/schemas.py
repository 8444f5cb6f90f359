"""The bodies of `wire` as JSON Schema (2020-12, which OpenAPI 3.1 takes as it is), with the meaning of each field."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import msgspec

PREFIX = "#/components/schemas/"

Schema = dict[str, Any]

_ATTRIBUTE = re.compile(
    r"^ {4}(?P<names>\w+(?:, \w+)*): (?P<text>.*?)(?=^ {4}\w+(?:, \w+)*: |\Z)", re.DOTALL | re.MULTILINE
)


def components(bodies: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    """The schemas of bodies and of all that they hold, by name."""
    wanted = [*bodies]
    _, generated = msgspec.json.schema_components(wanted, ref_template=f"{PREFIX}{{name}}")
    found = msgspec.json.decode(msgspec.json.encode(generated))  # as JSON has it: defaults may be tuples
    known = {kind.__name__: kind for kind in _all_kinds(wanted)}
    return {name: _explained(schema, known.get(name)) for name, schema in sorted(found.items())}


def _all_kinds(bodies: Iterable[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    """The bodies, and every Struct in their fields."""
    found: dict[type[msgspec.Struct], None] = {}

    def visit(kind: Any) -> None:
        if isinstance(kind, msgspec.inspect.StructType) and kind.cls not in found:
            found[kind.cls] = None
            for field in kind.fields:
                visit(field.type)
        for name in ("item_type", "key_type", "value_type"):
            if hasattr(kind, name):
                visit(getattr(kind, name))
        for part in (*getattr(kind, "types", ()), *getattr(kind, "item_types", ())):
            visit(part)

    for body in bodies:
        visit(msgspec.inspect.type_info(body))
    return [*found]


def _explained(schema: Schema, kind: type[msgspec.Struct] | None) -> Schema:
    if kind is None:
        return schema
    told = inspect.getdoc(kind) or ""
    text, _, attributes = told.partition("\nAttributes:")
    meanings = {
        name: _line(found["text"]) for found in _ATTRIBUTE.finditer(attributes) for name in found["names"].split(", ")
    }
    public = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    properties = {
        name: _with_text(found, meanings.get(public.get(name, name)))
        for name, found in schema.get("properties", {}).items()
    }
    return {**schema, "description": _line(text), "properties": properties}


def _with_text(schema: Schema, text: str | None) -> Schema:
    """A field with its meaning; beside a reference it may stand as it is (JSON Schema 2020-12, section 8.2.3.1)."""
    return schema if text is None else {**schema, "description": text}


def _line(text: str) -> str:
    return " ".join(text.split()).replace("`None`", "`null`")


def resolve(schema: Schema, known: dict[str, Schema]) -> Schema:
    """A schema, or the one that it refers to."""
    reference = schema.get("$ref")
    return known[reference.removeprefix(PREFIX)] if reference is not None else schema
