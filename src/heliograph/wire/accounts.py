"""Registration, metadata, and the end of an account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from heliograph.core import limits
from heliograph.wire.configuration import Config
from heliograph.wire.envelope import Body, ErrorBody, Request, Secretive
from heliograph.wire.sessions import DeviceBody

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


class CredentialsData(Secretive, Body, frozen=True, kw_only=True):
    """A new device session and its credentials. The password and the tokens are shown this once.

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


class RegisterData(CredentialsData, frozen=True, kw_only=True):
    """A new device session with its credentials, and how to connect.

    Attributes:
        config: how to connect.
    """

    config: Config


class BulkRequest(Request, frozen=True, kw_only=True):
    """Registrations of 1 to 1,000 users."""

    users: tuple[RegisterRequest, ...]


class BulkResultBody(Body, frozen=True, kw_only=True):
    """What came of one registration.

    Attributes:
        user_identifier: as it was sent.
        status: `registered` (a new user), `existing` (a further session of one) or `failed`.
        data: the session, where there is one.
        error: why there is none.
    """

    user_identifier: str
    status: Literal["registered", "existing", "failed"]
    data: CredentialsData | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET


class BulkData(Body, frozen=True, kw_only=True):
    """What came of each registration, in the order of the request, and how many came to what."""

    registered: int
    existing: int
    failed: int
    results: tuple[BulkResultBody, ...]


class DeletionRequest(Request, frozen=True, kw_only=True):
    """What the user has to say on leaving; each at most 2000 characters."""

    reason: str = ""
    feedback: str = ""


class DeletionData(Body, frozen=True, kw_only=True):
    """A deletion. Until `purge_at` the app can undo it; then the user is gone for good. Times are ISO 8601 in UTC."""

    deleted_at: str
    purge_at: str


class MetaDataBody(Body, frozen=True, kw_only=True):
    """A user's metadata."""

    meta_data: MetaData


class MetaDataRequest(Request, frozen=True, kw_only=True):
    """A user's metadata, whole."""

    meta_data: MetaData


class MetaDataPatch(Request, frozen=True, kw_only=True):
    """Entries of a user's metadata: `null` removes one, all else sets it, and what is not named stays."""

    meta_data: dict[str, Any]
