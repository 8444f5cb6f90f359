"""Records of `core` as bodies of `wire`."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph import wire
from heliograph.core import media
from heliograph.core.accounts import Registered
from heliograph.core.apps import Caller, Environment, Feature
from heliograph.core.contacts import Friend
from heliograph.core.last_seen import LastSeen
from heliograph.core.profiles import DEFAULT_VISIBILITY, Profile
from heliograph.core.sessions import Session, describe
from heliograph.core.tokens import TokenPair
from heliograph.core.user_jids import identifier_of
from heliograph.errors import ProfileInvalid
from heliograph.server.services import Services

PROFILE_FIELDS = {
    "name": "nick_name",
    "image": "image",
    "status": "status",
    "mobile": "mobile_number",
    "email": "email",
}
"""A profile field of `core` -> the attribute of the bodies."""

_PUBLIC_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(wire.ProfileRequest)}


def config(services: Services, caller: Caller, max_sessions: int | None = None) -> wire.Config:
    """What the caller's clients need to know to connect; `max_sessions` is a user's own cap, where it has one."""
    clients = services.clients
    return wire.Config(
        xmpp_host=clients.xmpp_host,
        xmpp_port=clients.xmpp_port,
        xmpp_tls_port=clients.xmpp_tls_port,
        websocket_url=clients.websocket_url,
        signal_server_url=clients.signal_server_url,
        domain=caller.domain,
        is_sandbox=caller.environment is Environment.SANDBOX,
        limits=wire.LimitsBody(
            max_sessions=max_sessions or caller.app.policy.max_sessions,
            request_max_bytes=services.request_max_bytes,
            name_max_graphemes=caller.app.policy.name_max_graphemes,
            status_max_graphemes=caller.app.policy.status_max_graphemes,
        ),
        features=wire.FeaturesBody(
            **{feature.value: feature not in caller.app.policy.disabled_features for feature in Feature}
        ),
        required_profile_fields=tuple(map(public_name, caller.app.policy.required_profile_fields)),
    )


def registered(services: Services, caller: Caller, made: Registered) -> wire.RegisterData:
    """A new device session with its credentials, and how to connect."""
    return wire.RegisterData(**_credentials(made), config=config(services, caller, made.account.max_sessions))


def credentials(made: Registered) -> wire.CredentialsData:
    """A new device session with its credentials."""
    return wire.CredentialsData(**_credentials(made))


def _credentials(made: Registered) -> dict[str, Any]:
    return {
        "username": made.account.identifier,
        "password": made.password,
        "is_profile_updated": made.is_profile_updated,
        "is_sandbox": made.account.environment is Environment.SANDBOX,
        "user_jid": made.account.jid,
        "token": made.tokens.access_token,
        "refresh_token": made.tokens.refresh_token,
        "expires_in": made.tokens.expires_in,
        "session_id": made.session.id,
        "is_existing": made.is_existing,
    }


def tokens(pair: TokenPair) -> wire.Tokens:
    """A pair of tokens."""
    return wire.Tokens(token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in)


def session(record: Session, current_id: str | None = None) -> wire.SessionBody:
    """A session, as the session `current_id` sees it, where one asks."""
    return msgspec.convert(describe(record, current_id), wire.SessionBody)


def profile(record: Profile) -> wire.ProfileBody:
    """A profile that was redacted for its viewer."""
    return wire.ProfileBody(**_profile_fields(record))


def own_profile(services: Services, record: Profile) -> wire.OwnProfileBody:
    """The user's own profile."""
    chosen = {**DEFAULT_VISIBILITY, **record.visibility}
    return wire.OwnProfileBody(
        **_profile_fields(record),
        file_token=file_token(services, record.image),
        file_token_thumb=file_token(services, record.thumb_image),
        visibility=wire.VisibilityBody(**{body: chosen[name].value for name, body in PROFILE_FIELDS.items()}),
    )


def profile_invalid(error: ProfileInvalid) -> ProfileInvalid:
    """The error with `details.field` as the bodies name it."""
    details = {**error.details, "field": public_name(error.details.get("field", ""))}
    if "missing" in details:
        details["missing"] = [public_name(name) for name in details["missing"]]
    return ProfileInvalid(error.message, details=details)


def public_name(name: str) -> str:
    """A profile field of `core` as the bodies name it on the wire."""
    return _PUBLIC_NAMES.get(PROFILE_FIELDS.get(name, name), name)


def contact(friend: Friend) -> wire.ContactBody:
    """A contact of the user."""
    return wire.ContactBody(
        user_id=friend.identifier,
        user_jid=friend.jid,
        state=friend.state.value,
        is_online=friend.is_online,
        profile=profile(friend.profile),
    )


def blocked_user(jid: str) -> wire.BlockedUserBody:
    """A user whom the user blocks."""
    return wire.BlockedUserBody(user_id=identifier_of(jid), user_jid=jid)


def last_seen(seen: LastSeen) -> wire.LastSeenBody:
    """When a user was last there."""
    return wire.LastSeenBody(
        user_id=identifier_of(seen.jid),
        user_jid=seen.jid,
        is_online=seen.is_online,
        last_seen_at=seen.iso,
        seconds=seen.seconds,
    )


def file_token(services: Services, url: str) -> str:
    """The token of a file that is stored here, by its URL; `""` for any other URL."""
    name = url.removeprefix(services.ports.media.url(""))
    return name if media.is_name(name) else ""


def _profile_fields(record: Profile) -> dict[str, Any]:
    user_id = identifier_of(record.jid)
    return {
        "user_id": user_id,
        "user_jid": record.jid,
        "from_user": user_id,
        "nick_name": record.name,
        "image": record.image,
        "thumb_image": record.thumb_image,
        "status": record.status,
        "user_status": record.status,
        "mobile_number": record.mobile,
        "email": record.email,
        "is_admin_blocked": record.is_admin_blocked,
        "version": record.version,
    }
