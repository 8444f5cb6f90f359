#!/usr/bin/env python3
"""Makes the pages of docs/reference from the code, so that they cannot say anything else than the code does.

`make docs` runs it; a test fails where a page is stale.
"""

from __future__ import annotations

import ast
import inspect
import json
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from pydantic.fields import FieldInfo

from heliograph.core import limits, qr_codes, rate_limits
from heliograph.core.qr_login import FINAL, Event, State
from heliograph.core.qr_login import TABLE as TABLE_OF_LINKS
from heliograph.errors import TABLE, HeliographError
from heliograph.server.endpoints import PREFIX, Endpoint, NoBody, Shown
from heliograph.server.http import ENDPOINTS
from heliograph.server.openapi.document import WHAT_TO_DO, document
from heliograph.settings import ENV_PREFIX, Settings
from heliograph.wire import qr as wire_qr

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"

NOTE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n"


def generate() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "api.md": api_page(),
        "errors.md": errors_page(),
        "openapi.json": json.dumps(document(ENDPOINTS), indent=1, ensure_ascii=False) + "\n",
        "qr-protocol.md": qr_page(),
        "settings.md": settings_page(),
    }


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a `|` inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


# ------------------------------------------------------------------------------------------------------------ errors


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

A node starts without any setting. Each one can stand in a TOML file (`heliograph serve --config heliograph.toml`, or
`{ENV_PREFIX}CONFIG=heliograph.toml`) or in the environment, as `{ENV_PREFIX}` and its name in capitals. The environment
wins over the file, the file over the default. An unknown name in the file, or a value out of its bounds, stops the
start with a message that names it.

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
    words = {"str": "text", "SecretStr": "text", "int": "whole number", "float": "number", "Path": "path"}
    return {**words, "bool": "`true` or `false`"}[annotation.__name__]


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


# ------------------------------------------------------------------------------------------------------- QR protocol


def qr_page() -> str:
    """QR sign-in: the messages of the signal server, the transition table, and its numbers."""
    return f"""{NOTE}
# QR protocol

What a browser (or anything else without a session) and a phone (a session of the user) say to be done with QR sign-in.
[QR sign-in](../explanation/qr-sign-in.md) tells why it is so.

## The channel of the browser

A WebSocket at `signalServerUrl` of the [client configuration](api.md), with the subprotocol
`{wire_qr.SUBPROTOCOL}`. Each message is one JSON object in UTF-8 of at most {limits.QR_SIGNAL_MAX_BYTES}
bytes, its kind in the field `type`. A `?` marks what may be absent.

The server closes the socket with 1000 after `received` and `ended`, and when another socket has resumed the link; with
1008 after a refused `hello` or `resume`, and after a flood; with 1009 after a message that is too long.

### Browser to server

{table(["Message", "Fields", "Meaning"], [message(kind) for kind in get_args(wire_qr.FromBrowser)])}
### Server to browser

{table(["Message", "Fields", "Meaning"], [message(kind) for kind in get_args(wire_qr.FromServer)])}
The key is made for one link, on P-256, and cannot leave the browser. `challenge` and `approved` are compact JWE
(RFC 7516) with `ECDH-ES` and `A256GCM` (RFC 7518). The browser draws no code whose KEYHASH is not the thumbprint
(RFC 7638, SHA-256) of its own key, and opens no credential whose `apu` and `apv` are not its link's id.

{qr_phone_calls()}
{qr_states()}
## Numbers

{table(["Name", "Value"], [[f"`{name}`", str(value)] for name, value in NUMBERS])}
{table(["Rate", "A minute", "At once"], [[f"`{name}`", f"{rate:g}", str(burst)] for name, (rate, burst) in RATES])}"""


def qr_phone_calls() -> str:
    """What the phone sends, and the code that it reads."""
    return f"""## The calls of the phone

{table(["Call", "Takes", "Gives", "What it does"], [phone_call(each) for each in PHONE_CALLS])}
## The code

- QR text: `{qr_codes.text("CODE", "KEYHASH", "HOST", is_link=False)}`. CODE is 256 random bits and KEYHASH the
  thumbprint, both in base64url (43 characters). HOST is the host, and the port where there is one, of the node's public
  address.
- The same as a link, where the app's policy `qr_format` says so:
  `{qr_codes.text("CODE", "KEYHASH", "HOST", is_link=True)}`.
- Typed code: {limits.QR_TYPED_CODE_CHARS} letters out of `{qr_codes.TYPED_ALPHABET}`. Case, blanks, dots and dashes do
  not matter.
"""


def qr_states() -> str:
    """The transition table as a diagram and as a table."""
    states = [state for state in State if state not in FINAL]
    over = [
        f"`{state}`: every event is refused with {outcome(TABLE_OF_LINKS[state][Event.SCAN])}" for state in FINAL_ORDER
    ]
    return f"""## States

```mermaid
stateDiagram-v2
{diagram()}
```

A row is an event, a column a state. A cell is the next state (bold), or the code of the refusal. When a state's time
is over, every event but `expire` is refused with `expired_token`.

{table(["Event", *(f"`{state}`" for state in states)], [event_row(event, states) for event in Event])}
{"".join(f"- {line}" + chr(10) for line in over)}
A link that has failed tells its own reason: `check_code_mismatch`, `key_mismatch`, `session_limit`, or `access_denied`
where the phone's session has ended.

{table(["Event", "Who, and what"], [[f"`{event}`", EVENT_MEANINGS[event.name]] for event in Event])}"""


PHONE_CALLS = [each for each in ENDPOINTS if each.path.startswith("/qr-links")]
FINAL_ORDER = [state for state in State if state in FINAL]
NUMBERS = [(name, value) for name, value in vars(limits).items() if name.startswith("QR_")]
RATES = [
    (name, rate)
    for name, rate in vars(rate_limits).items()
    if isinstance(rate, rate_limits.Rate) and ("QR" in name or "TYPED" in name)
]


def meanings(enum: type[Event]) -> dict[str, str]:
    """The text under each member of an enumeration, by its name."""
    (body,) = ast.parse(inspect.getsource(enum)).body
    parts = body.body if isinstance(body, ast.ClassDef) else []
    return {
        member.targets[0].id: text.value.value
        for member, text in pairwise(parts)
        if isinstance(member, ast.Assign)
        and isinstance(member.targets[0], ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


EVENT_MEANINGS = meanings(Event)


def message(kind: Any) -> list[str]:
    """One signal message as cells."""
    told = " ".join((inspect.getdoc(kind) or "").partition("Attributes:")[0].split())
    return [f"`{kind.__struct_config__.tag}`", fields(kind), told]


def phone_call(each: Endpoint) -> list[str]:
    """One call of the phone as cells."""
    call, _, takes, gives, told = endpoint(each)
    return [call, takes, gives, told]


def event_row(event: Event, states: list[State]) -> list[str]:
    """What an event does in each state that is not final."""
    return [f"`{event}`", *(outcome(TABLE_OF_LINKS[state][event]) for state in states)]


def outcome(found: Any) -> str:
    """The next state, or the code of the refusal."""
    return f"**{found}**" if isinstance(found, State) else f"`{found.row.code}`"


def diagram() -> str:
    """The table as a diagram: one arrow for each pair of states, with its events."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, row_of_state in TABLE_OF_LINKS.items():
        for event, found in row_of_state.items():
            if isinstance(found, State):
                arrows.setdefault((state, found), []).append(event)
    lines = [f"    [*] --> {State.WAITING}"]
    lines += [f"    {start} --> {end}: {', '.join(events)}" for (start, end), events in arrows.items()]
    lines += [f"    {state} --> [*]" for state in FINAL_ORDER]
    return "\n".join(lines)


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in generate().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
