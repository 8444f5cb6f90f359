"""The public JSON bodies: what the HTTP API takes and answers. The reference and the browser SDK's types are made from
this module.

Names are camelCase on the wire. An answer is `{statusCode, message, data?}`, an error `{statusCode, message, code,
details?}`. A request with a field that is not named here is refused, so that a misspelt field is noticed and not lost;
an answer may get further fields, and a reader passes over those it does not know.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from heliograph.core import limits
from heliograph.errors import RequestInvalid

Data = TypeVar("Data")

FieldVisibility = Literal["everyone", "contacts", "nobody"]
"""Who may see a profile field."""

FriendState = Literal["friend", "requested", "received"]
"""A mutual contact; one whom the user has asked; one who has asked the user."""

MetaData = Annotated[
    dict[str, Any],
    Meta(
        extra_json_schema={
            "maxProperties": limits.METADATA_MAX_ENTRIES,
            "propertyNames": {"minLength": 1, "maxLength": limits.METADATA_KEY_MAX_CHARS},
            "additionalProperties": {
                "anyOf": [
                    {"type": "string", "maxLength": limits.METADATA_VALUE_MAX_CHARS},
                    {"type": "boolean"},
                    {"type": "number"},
                ]
            },
        }
    ),
]
"""At most 3 entries of String, Boolean or finite Number. The rule is checked by the server's core, which answers
`metadata_invalid`, and so not by the type here.
"""


class Request(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The base of all request bodies."""


class Body(Struct, frozen=True, kw_only=True, rename="camel"):
    """The base of all that answers carry."""


class Secretive:
    """Keeps a body that holds a secret out of logs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


# ------------------------------------------------------------------------------------------------------------ envelope


class Answer(Struct, Generic[Data], frozen=True, kw_only=True, rename="camel"):
    """Every answer that is no error. `data` is absent where a call has nothing to say beyond its success."""

    status_code: int = 200
    message: str = "Success"
    data: Data | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every answer that is an error.

    Attributes:
        status_code: the HTTP status.
        message: one sentence for a person.
        code: the stable name of the error, for programs.
        details: facts for programs, such as `field`, `sessions` or `errorId`.
    """

    status_code: int
    message: str
    code: str
    details: dict[str, Any] | UnsetType = UNSET


# ------------------------------------------------------------------------------------------------------- configuration


class LimitsBody(Body, frozen=True, kw_only=True):
    """Limits that a client should know before it asks, each with its unit in its name.

    Attributes:
        max_sessions: how many device sessions a user of this app may have at once.
    """

    max_sessions: int
    identifier_max_chars: int = limits.IDENTIFIER_MAX_CHARS
    metadata_max_entries: int = limits.METADATA_MAX_ENTRIES
    metadata_key_max_chars: int = limits.METADATA_KEY_MAX_CHARS
    metadata_value_max_chars: int = limits.METADATA_VALUE_MAX_CHARS
    name_max_graphemes: int = limits.NAME_MAX_GRAPHEMES
    status_max_graphemes: int = limits.STATUS_MAX_GRAPHEMES
    image_max_bytes: int = limits.IMAGE_MAX_BYTES
    contacts_max: int = limits.CONTACTS_MAX
    request_max_bytes: int = limits.REQUEST_MAX_BYTES
    stanza_max_bytes: int = limits.STANZA_MAX_BYTES


class Config(Body, frozen=True, kw_only=True):
    """What a client needs to know to connect, for the app and environment of its key.

    Attributes:
        xmpp_host: where XMPP listens.
        xmpp_port: the port with STARTTLS (RFC 6120); `None` where it is closed.
        xmpp_tls_port: the port with direct TLS (XEP-0368); `None` where it is closed.
        websocket_url: XMPP over WebSocket (RFC 7395).
        signal_server_url: the QR signal server; `None` where QR sign-in is not offered.
        domain: the JID domain of the users.
        is_sandbox: whether the key is a trial key.
    """

    xmpp_host: str
    xmpp_port: int | None
    xmpp_tls_port: int | None
    websocket_url: str
    signal_server_url: str | None = None
    domain: str
    is_sandbox: bool
    limits: LimitsBody


# -------------------------------------------------------------------------------------------------------- registration


class DeviceBody(Request, frozen=True, kw_only=True):
    """What a device says of itself, for the list of sessions; each at most 128 characters, all may be empty."""

    device: str = ""
    browser: str = ""
    os: str = ""


class RegisterRequest(Request, frozen=True, kw_only=True):
    """A registration: a new user, or a further device of one that exists.

    Attributes:
        user_identifier: 1 to 191 characters out of `a-z`, `0-9`, `_` and `-`.
        force_register: at the session cap, end the least recently active session (`true`) or fail (`false`).
        replace_session: the id of the session that makes room, whether or not the cap is reached.
        register_meta_data: the user's metadata; absent or `null` leaves what is stored.
        device: what the device says of itself.
    """

    user_identifier: str
    force_register: bool = True
    replace_session: str | None = None
    register_meta_data: MetaData | None = None
    device: DeviceBody = DeviceBody()


class RegisterData(Secretive, Body, frozen=True, kw_only=True):
    """The new device session and its credentials. The password and the tokens are shown this once.

    Attributes:
        username: the XMPP username (the localpart of the JID), which is the user's identifier.
        password: the password of this device session alone.
        is_profile_updated: whether a valid name was ever saved.
        is_sandbox: whether this is a sandbox user.
        user_jid: the bare JID.
        token: the access token.
        refresh_token: gets the next tokens, once.
        expires_in: the life of the access token in seconds.
        session_id: the id of the new session.
        is_existing: whether the user was registered before.
        config: how to connect.
    """

    username: str
    password: str
    is_profile_updated: bool
    is_sandbox: bool
    user_jid: str
    token: str
    refresh_token: str
    expires_in: int
    session_id: str
    is_existing: bool
    config: Config


class AccountBody(Body, frozen=True, kw_only=True):
    """A user as the app's own backend sees it."""

    user_id: str
    user_jid: str
    is_admin_blocked: bool
    is_sandbox: bool


# -------------------------------------------------------------------------------------------------------------- tokens


class TokenRequest(Secretive, Request, frozen=True, kw_only=True):
    """Sign in for tokens with the credentials of a device session."""

    username: str
    password: str


class RefreshRequest(Secretive, Request, frozen=True, kw_only=True):
    """Exchange a refresh token for the next pair of tokens. Each refresh token works once."""

    refresh_token: str


class Tokens(Secretive, Body, frozen=True, kw_only=True):
    """A pair of tokens; `expires_in` is the life of the access token in seconds."""

    token: str
    refresh_token: str
    expires_in: int


# ------------------------------------------------------------------------------------------------------------ sessions


class SessionBody(Body, frozen=True, kw_only=True):
    """A live device session. Times are ISO 8601 in UTC; `current` marks the one that asks."""

    id: str
    device: str
    browser: str
    os: str
    ip: str
    created_at: str
    last_active_at: str
    via: Literal["register", "qr"]
    current: bool = False


class SessionsData(Body, frozen=True, kw_only=True):
    """The user's live sessions."""

    sessions: tuple[SessionBody, ...]


class EndOthersRequest(Request, frozen=True, kw_only=True):
    """End all other sessions of the user, or only those that a browser holds (`onlyWeb`)."""

    only_web: bool = False


class EndedData(Body, frozen=True, kw_only=True):
    """The ids of the sessions that were ended."""

    session_ids: tuple[str, ...]


# ------------------------------------------------------------------------------------------------------------ profiles


class ProfileBody(Body, frozen=True, kw_only=True):
    """A profile as its viewer may see it, and what `userProfileListener` gets. An unset or hidden field is `""`.

    Attributes:
        user_id: the user's identifier.
        user_jid: the user's bare JID.
        from_user: the identifier of the user whose profile this is; always equal to `user_id`.
        nick_name: the display name.
        image: the URL of the picture.
        thumb_image: the URL of its thumbnail.
        status: the status text.
        user_status: the same text, under the second name that existing clients read.
        mobile_number: digits as given, with or without `+`.
        is_admin_blocked: whether the app's administrator has blocked the user.
        version: counts the changes; 0 where no profile was ever saved.
    """

    user_id: str
    user_jid: str
    from_user: str
    nick_name: str = ""
    image: str = ""
    thumb_image: str = ""
    status: str = ""
    user_status: str = ""
    mobile_number: str = ""
    email: str = ""
    is_admin_blocked: bool = False
    version: int = 0


class VisibilityBody(Body, frozen=True, kw_only=True):
    """Who may see each field of a profile."""

    nick_name: FieldVisibility
    image: FieldVisibility
    status: FieldVisibility
    mobile_number: FieldVisibility
    email: FieldVisibility


class OwnProfileBody(ProfileBody, frozen=True, kw_only=True):
    """The user's own profile, complete.

    Attributes:
        file_token: names the picture where it was uploaded here; `""` where it is a foreign URL or unset.
        file_token_thumb: the same of the thumbnail.
        visibility: who may see each field.
    """

    file_token: str = ""
    file_token_thumb: str = ""
    visibility: VisibilityBody


class VisibilityRequest(Request, frozen=True, kw_only=True):
    """Who may see which field from now on; an absent field keeps its visibility."""

    nick_name: FieldVisibility | None = None
    image: FieldVisibility | None = None
    status: FieldVisibility | None = None
    mobile_number: FieldVisibility | None = None
    email: FieldVisibility | None = None


class ProfileRequest(Request, frozen=True, kw_only=True):
    """A change of the user's own profile: `null` or absent leaves a field as it is, `""` clears it.

    Attributes:
        image: a URL, or the `fileToken` of an uploaded picture.
        version: the version that this change builds on; any other current version is a `profile_conflict`.
    """

    nick_name: str | None = None
    image: str | None = None
    status: str | None = None
    mobile_number: str | None = None
    email: str | None = None
    visibility: VisibilityRequest | None = None
    version: int | None = None


# ------------------------------------------------------------------------------------------------------------ contacts


class ContactBody(Body, frozen=True, kw_only=True):
    """A contact of the user.

    Attributes:
        user_id: the contact's identifier.
        user_jid: the contact's bare JID.
        state: `friend` (mutual), `requested` (the user has asked) or `received` (the contact has asked).
        is_online: whether the contact is connected; always `false` of one who is no friend.
        profile: the contact's profile as the user may see it.
    """

    user_id: str
    user_jid: str
    state: FriendState
    is_online: bool
    profile: ProfileBody


class ContactsData(Body, frozen=True, kw_only=True):
    """The user's contacts."""

    contacts: tuple[ContactBody, ...]


class BlockedUserBody(Body, frozen=True, kw_only=True):
    """A user whom the user blocks: identifier and bare JID, and nothing of the profile."""

    user_id: str
    user_jid: str


class BlockedData(Body, frozen=True, kw_only=True):
    """The users whom the user blocks."""

    blocked: tuple[BlockedUserBody, ...]


class LastSeenBody(Body, frozen=True, kw_only=True):
    """When a user was last there: ISO 8601 in UTC, and seconds ago; now and 0 of one who is there."""

    user_id: str
    user_jid: str
    is_online: bool
    last_seen_at: str
    seconds: int


# --------------------------------------------------------------------------------------------------------------- media


class MediaBody(Body, frozen=True, kw_only=True):
    """A stored picture.

    Attributes:
        file_token: names it in a later `ProfileRequest`.
        image: its public URL.
        mime_type: what its content is.
        size: in bytes.
    """

    file_token: str
    image: str
    mime_type: str
    size: int


# ------------------------------------------------------------------------------------------------------------- reading

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
