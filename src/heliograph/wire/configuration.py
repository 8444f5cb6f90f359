"""What a client asks first: how to connect, and the limits that it should know."""

from __future__ import annotations

from heliograph.core import limits
from heliograph.wire.envelope import Body


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


class FeaturesBody(Body, frozen=True, kw_only=True):
    """What the app offers.

    Attributes:
        qr_sign_in: sign-in by QR code.
        user_search: finding users (`getUsersList`).
        account_deletion: users delete themselves (`deleteMyAccount`).
        last_seen: when a contact was last there (`getLastSeen`).
    """

    qr_sign_in: bool = True
    user_search: bool = True
    account_deletion: bool = True
    last_seen: bool = True


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
        features: what the app offers.
        required_profile_fields: what a user of this app has to fill in, as `ProfileRequest` names it.
    """

    xmpp_host: str
    xmpp_port: int | None
    xmpp_tls_port: int | None
    websocket_url: str
    signal_server_url: str | None = None
    domain: str
    is_sandbox: bool
    limits: LimitsBody
    features: FeaturesBody = FeaturesBody()
    required_profile_fields: tuple[str, ...] = ()
