#!/usr/bin/env python3
"""Makes the pages of docs/reference from the code, so that they cannot say anything else than the code does.

`make docs` runs it; a test fails where a page is stale.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from pydantic.fields import FieldInfo

from heliograph.errors import TABLE, HeliographError
from heliograph.server.endpoints import PREFIX, Endpoint, NoBody, Shown
from heliograph.server.http import ENDPOINTS
from heliograph.settings import ENV_PREFIX, Settings

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"

NOTE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n"


def generate() -> dict[str, str]:
    """Every generated page by its file name."""
    return {"api.md": api_page(), "errors.md": errors_page(), "settings.md": settings_page()}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a `|` inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


# ------------------------------------------------------------------------------------------------------------ errors


WHAT_TO_DO = {
    400: "Correct the call; the message says where.",
    401: "Send valid credentials: the key, the token or the password was missing, wrong or over.",
    403: "Do not repeat it: somebody with more rights has to change something first.",
    404: "Check the name or the id.",
    405: "The call is well formed, but not possible here as things stand; `details` says what stands in the way.",
    409: "Read the current state, then decide again.",
    413: "Send less.",
    415: "Send one of the accepted types.",
    429: "Wait as long as `Retry-After` says.",
    500: "Report it with the `errorId` of `details`; try again later.",
    503: "Try again later, each time after a longer wait. The SDK does so by itself.",
    504: "Try again later. The call may have had its effect.",
}


ERROR_COLUMNS = ["Code", "Status", "Meaning", "Message", "Again?", "Stanza error", "SASL failure"]


def errors_page() -> str:
    """The error table by HTTP status and code, after what to do for each status."""
    classes = sorted(TABLE.values(), key=lambda cls: (cls.row.status, cls.row.code))
    statuses = sorted({cls.row.status for cls in classes})
    return f"""{NOTE}
# Errors

Every answer that is not a success has the same body: `{{statusCode, message, code, details?}}`. Programs look at
`code`: it is stable. People read `message`. `details` holds facts for a program, where there are any. An answer that
says when to come back carries `Retry-After` in seconds.

The Python SDK raises the class of the same name (`session_limit` is `SessionLimit`) with `status_code`, `code`,
`message` and `details`. Over XMPP the same error is a stanza error, and at sign-in a SASL failure, with the condition
that the table gives.

## What to do

{table(["Status", "What to do"], [[str(status), WHAT_TO_DO[status]] for status in statuses])}
## All codes

"Again?" says whether the same call may succeed later without a change.

{table(ERROR_COLUMNS, [row(cls) for cls in classes])}"""


def row(cls: type[HeliographError]) -> list[str]:
    """One error as cells."""
    meaning = " ".join((inspect.getdoc(cls) or "").split())
    again = "yes" if cls.row.is_retryable else "no"
    stanza = f"`{cls.row.stanza.condition}` ({cls.row.stanza.type})"
    return [f"`{cls.row.code}`", str(cls.row.status), meaning, cls.row.message, again, stanza, f"`{cls.row.sasl}`"]


# --------------------------------------------------------------------------------------------------------------- API

NEEDS = {Shown.KEY: "key", Shown.SECRET_KEY: "secret key", Shown.TOKEN: "key and token"}


def api_page() -> str:
    """All endpoints in the order in which the face lists them."""
    return f"""{NOTE}
# HTTP API

All addresses begin with `{PREFIX}`. Bodies are JSON in UTF-8. A success is `{{statusCode, message, data?}}`; everything
else is an [error](errors.md). A request with a field that is not listed is refused.

- **key**: the app's publishable or secret key, in the header `Heliograph-Key`. It says which app, and live or sandbox.
- **secret key**: as above, and only the secret one.
- **token**: the access token of a session, as `Authorization: Bearer hgt_…`.

A `?` marks what may be left out.

{table(["Call", "Needs", "Takes", "Gives", "What it does"], [endpoint(each) for each in ENDPOINTS])}"""


def endpoint(each: Endpoint) -> list[str]:
    """One endpoint as cells."""
    told = " ".join((inspect.getdoc(each.run) or "").split()).partition("`: ")[2]
    gives = get_type_hints(each.run)["return"]
    call = f"`{each.method} {each.path}`"
    return [call, NEEDS[each.shown], fields(each.takes), fields(gives), told[:1].upper() + told[1:]]


def fields(body: Any) -> str:
    """The fields of a body, as they stand on the wire."""
    if body in (NoBody, NoneType):
        return ""
    if not issubclass(body, msgspec.Struct):
        return str(body.__name__)
    named = [f"{found.encode_name}{'' if found.required else '?'}" for found in msgspec.structs.fields(body)]
    return f"`{', '.join(named)}`" if named else ""


# ---------------------------------------------------------------------------------------------------------- settings


def settings_page() -> str:
    """All settings in the order of the model."""
    rows = [
        [
            f"`{name}`",
            kind(field.annotation),
            default(field),
            bounds(field),
            " ".join((field.description or "").split()),
        ]
        for name, field in Settings.model_fields.items()
    ]
    return f"""{NOTE}
# Settings

A node starts without any setting. Each one can stand in a TOML file (`heliograph serve --config heliograph.toml`) or
in the environment, as `{ENV_PREFIX}` and its name in capitals. The environment wins over the file, the file over the
default. An unknown name in the file, or a value out of its bounds, stops the start with a message that names it.

```toml
# heliograph.toml
domain = "chat.example"
public_url = "https://chat.example"
xmpp_host = "0.0.0.0"
tls_certificate_file = "/etc/heliograph/chain.pem"
tls_key_file = "/etc/heliograph/key.pem"
```

```sh
{ENV_PREFIX}LOG_LEVEL=debug heliograph serve --config heliograph.toml
```

Names carry their unit: `_s` is seconds, `_bytes` is bytes. A setting can narrow a built-in limit and never widen it.

{table(["Setting", "Type", "Default", "Bounds", "Meaning"], rows)}"""


def setting(name: str, field: FieldInfo) -> list[str]:
    """One setting as cells."""
    meaning = " ".join((field.description or "").split())
    return [f"`{name}`", kind(field.annotation), default(field), bounds(field), meaning]


def kind(annotation: Any) -> str:
    """The type of a setting in words."""
    parts = get_args(annotation)
    if get_origin(annotation) is tuple:
        return "list"
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if parts:  # optional, or annotated with its bounds
        return kind(next(part for part in parts if part is not NoneType))
    return {"str": "text", "int": "whole number", "float": "number", "bool": "`true` or `false`", "Path": "path"}[
        annotation.__name__
    ]


def default(field: FieldInfo) -> str:
    """The default as TOML would write it."""
    if field.default is None:
        return "not set"
    if field.default == ():
        return "`[]`"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, int | float):
        return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"
    return f'`"{field.default}"`'


def bounds(field: FieldInfo) -> str:
    """The least and the greatest value or length."""
    limits = {name: getattr(part, name) for part in field.metadata for name in vars_of(part)}
    if "ge" in limits:
        return f"{limits['ge']} to {limits['le']}"
    if "max_length" in limits:
        return f"{limits['min_length']} to {limits['max_length']} characters"
    return ""


def vars_of(constraint: object) -> list[str]:
    """The limits that one constraint names."""
    return [name for name in ("ge", "le", "min_length", "max_length") if hasattr(constraint, name)]


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in generate().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
