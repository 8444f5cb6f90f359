"""The description of the API as one page for people: HTML and CSS, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from html import escape
from typing import Any

from heliograph.server.openapi import schemas
from heliograph.server.openapi.schemas import Schema

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --link: #0a58ca; --get: #0a6b3d; --post: #0a58ca; --put: #8a5300; --delete: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --link: #79b8ff; --get: #56d364; --post: #79b8ff; --put: #e3b341; --delete: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; text-transform: capitalize; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; } p { margin: .5rem 0; }
a { color: var(--link); } nav { display: flex; flex-wrap: wrap; gap: .25rem .75rem; padding: .5rem 0; }
nav a { padding: .35rem 0; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; background: var(--card); }
summary { padding: .6rem .75rem; cursor: pointer; min-height: 2.75rem; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
details > div { padding: 0 .75rem .75rem; border-top: 1px solid var(--line); }
.told { color: var(--soft); display: block; } code, pre { font: .875rem/1.5 ui-monospace, monospace; }
b.get { color: var(--get); } b.post { color: var(--post); } b.put, b.patch { color: var(--put); }
b.delete { color: var(--delete); }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--paper); }
dl { margin: .25rem 0; } dt { margin-top: .4rem; } dd { margin: 0 0 0 1rem; color: var(--soft); }
.rows { padding-left: 0; list-style: none; } .rows li { padding: .4rem 0; border-bottom: 1px solid var(--line); }
"""

CONTENT_SECURITY_POLICY = "; ".join([
    "default-src 'none'",
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip
"""Of the page: its one style sheet, and nothing else."""

_NEEDS = {"key": "key", "secretKey": "secret key", "token": "access token"}

_FORM = (
    "Bodies are JSON in UTF-8. A success is `{statusCode, message, data?}`, everything else "
    "`{statusCode, message, code, details?}`. A request with an unknown field is refused."
)


def page(document: dict[str, Any]) -> str:
    """The whole page.

    Args:
        document: what `document.document` made.
    """
    known = document["components"]["schemas"]
    calls = [
        (method, path, operation) for path, found in document["paths"].items() for method, operation in found.items()
    ]
    tags = [tag["name"] for tag in document["tags"]]
    parts = [
        f"<h2 id='{_anchor(tag)}'>{escape(tag)}</h2>"
        + "".join(_call(method, path, each, known) for method, path, each in calls if tag in each["tags"])
        for tag in tags
    ]
    links = "".join(f"<a href='#{_anchor(tag)}'>{escape(tag)}</a>" for tag in [*tags, "errors"])
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Heliograph API</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><main><h1>Heliograph API</h1>{_introduction(document)}"
        f"<nav aria-label='Parts'>{links}</nav>{''.join(parts)}{_errors(document)}</main></body></html>"
    )


def _anchor(text: str) -> str:
    return escape(text.replace(" ", "-"), quote=True)


def _introduction(document: dict[str, Any]) -> str:
    needs = "".join(
        f"<dt><b>{_NEEDS[name]}</b></dt><dd><code>{escape(_header(found))}</code> {_text(found['description'])}</dd>"
        for name, found in document["components"]["securitySchemes"].items()
    )
    return (
        f"<p>{escape(document['info']['summary'])} {_text(_FORM)}</p><dl>{needs}</dl>"
        "<p>For programs: <a href='openapi.json'>openapi.json</a> (OpenAPI 3.1).</p>"
    )


def _header(scheme: dict[str, str]) -> str:
    return f"{scheme['name']}: …" if scheme["type"] == "apiKey" else "Authorization: Bearer …"


def _call(method: str, path: str, operation: dict[str, Any], known: dict[str, Schema]) -> str:
    needs = ", ".join(_NEEDS[name] for name in operation["security"][0])
    return (
        f"<details id='{_anchor(operation['operationId'])}'><summary><b class='{method}'>{method.upper()}</b> "
        f"<code>{escape(path)}</code><span class='told'>{_text(operation.get('summary', ''))}</span></summary><div>"
        f"<p>{_text(operation.get('description', ''))}</p><p>Needs: {needs}.</p>"
        f"{_parameters(operation.get('parameters', ()))}{_body('Takes', operation.get('requestBody'), known)}"
        f"{_body('Gives', operation['responses']['200'], known)}{_refusals(operation['responses'])}</div></details>"
    )


def _parameters(parameters: Iterable[dict[str, Any]]) -> str:
    rows = "".join(
        f"<dt><code>{escape(each['name'])}</code></dt><dd>{_kind(each['schema'])}, in the {escape(each['in'])}</dd>"
        for each in parameters
    )
    return f"<h3>Parameters</h3><dl>{rows}</dl>" if rows else ""


def _body(title: str, body: dict[str, Any] | None, known: dict[str, Schema]) -> str:
    if body is None:
        return ""
    media_type, content = next(iter(body["content"].items()))
    if "example" not in content:
        return f"<h3>{title}</h3><p>A file: <code>{escape(', '.join(body['content']))}</code></p>"
    schema = schemas.resolve(content["schema"], known)
    data = schema["properties"].get("data")
    fields = _fields(schemas.resolve(data, known) if data else schema) if title == "Takes" or data else ""
    shown = json.dumps(content["example"], indent=2, ensure_ascii=False)
    return f"<h3>{title} <code>{escape(media_type)}</code></h3>{fields}<pre tabindex='0'>{escape(shown)}</pre>"


def _fields(schema: Schema) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<dt><code>{escape(name)}{'' if name in required else '?'}</code> {_kind(each)}</dt>"
        f"<dd>{_text(each.get('description', ''))}</dd>"
        for name, each in schema.get("properties", {}).items()
    )
    return f"<dl>{rows}</dl>"


def _kind(schema: Schema) -> str:
    """A type in words."""
    if "$ref" in schema:
        return escape(schema["$ref"].removeprefix(schemas.PREFIX))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(schema.get("type", "anything"))


def _refusals(responses: dict[str, Any]) -> str:
    codes = [
        f"<a href='#{code}'><code>{code}</code></a>"
        for status, found in responses.items()
        if status not in {"200", "default"}
        for code in found["content"]["application/json"]["examples"]
    ]
    return f"<h3>Errors</h3><p>{', '.join(codes)}</p>"


def _errors(document: dict[str, Any]) -> str:
    rows = "".join(
        f"<li id='{code}'><code><b>{each['value']['statusCode']}</b> {code}</code> {_text(each['summary'])} "
        f"<span class='told'>{_text(each['description'])}</span></li>"
        for code, each in sorted(
            document["components"]["examples"].items(), key=lambda found: (found[1]["value"]["statusCode"], found[0])
        )
    )
    return f"<h2 id='errors'>Errors</h2><ul class='rows'>{rows}</ul>"


def _text(text: str) -> str:
    """Text with its code in backticks."""
    pieces = [escape(piece) for piece in text.split("`")]
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
