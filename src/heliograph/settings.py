"""The settings of a node: one frozen record, each setting with its meaning, its bounds and its unit in its name.

A value comes from the first of these that has it: the environment (`HELIOGRAPH_` and the setting's name in capitals),
the TOML file, the default. A setting can narrow a limit of `core.limits`, never widen it. The reference page
`docs/reference/settings.md` is made from this module.
"""

from __future__ import annotations

import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    WebsocketUrl,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from heliograph.core import limits
from heliograph.errors import SettingsInvalid

ENV_PREFIX = "HELIOGRAPH_"

KIB = 1024


def _without_trailing_slash(url: str) -> str:
    HttpUrl(url)
    return url.rstrip("/")


def _websocket_url(url: str) -> str:
    WebsocketUrl(url)
    return url


def _split(names: object) -> object:
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else names


_LISTENER = r"^[^\s/@]+:[0-9]{1,5}$"
_URI = r"^[a-z][a-z0-9+.-]*:[^\s,]+$"


def _network(name: str) -> str:
    return str(ip_network(name, strict=False))


Host = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s/@\[\]]+$")]
Port = Annotated[int, Field(ge=0, le=65535)]
Url = Annotated[str, AfterValidator(_without_trailing_slash)]
WsUrl = Annotated[str, AfterValidator(_websocket_url)]
Urls = Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_split)]
Listeners = Annotated[tuple[Annotated[str, Field(pattern=_LISTENER)], ...], NoDecode, BeforeValidator(_split)]
Uris = Annotated[tuple[Annotated[str, Field(pattern=_URI)], ...], NoDecode, BeforeValidator(_split)]
Network = Annotated[str, AfterValidator(_network)]


class Settings(BaseModel):
    """What an operator decides about one node. `Settings()` is a node for one machine, ready to start."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    data_dir: Path = Path("data")
    """The folder of all that the node keeps: the database, stored images, the self-signed certificate."""
    database_url: SecretStr | None = None
    """The PostgreSQL database that holds the records, such as `postgresql://user:password@host/heliograph`; all nodes
    of an installation share it. Not set: SQLite, in `data_dir`. Takes the extra `postgres`."""
    redis_url: SecretStr | None = None
    """The Redis or Valkey server by which nodes tell each other what has changed and count rates together, such as
    `redis://user:password@host:6379/0`, or `rediss://` with TLS. Not set: each node for itself. While the server is
    away, nodes go on for themselves, too. Takes the extra `redis`."""
    database_connections_max: int = Field(default=16, ge=2, le=200)
    """How many connections a node keeps to PostgreSQL for transactions at most, and as many for look-ups."""
    secret_file: Path | None = None
    """The file with the secret of the installation, from which the tokens are derived with which XMPP clients sign in
    again. Not set: `secret` in `data_dir`, made at the first start. Nodes that share a database need the same one; with
    a new one clients have to sign in with their passwords once more."""
    domain: Host = "localhost"
    """The DNS name by which clients reach this node's XMPP server; apps get JID domains under it."""

    http_host: Host = "127.0.0.1"
    """The address on which HTTP and WebSocket listen."""
    http_port: Port = 8080
    """The port of HTTP and WebSocket; 0 takes a free one."""
    public_url: Url | None = None
    """The address by which clients reach the HTTP side, such as `https://chat.example`. Not set: made from
    `http_host` and the port that is really open."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)] = ()
    """Addresses or networks (`10.0.0.0/8`) of proxies that are believed when they say, in `X-Forwarded-For` and
    `X-Forwarded-Proto`, who is calling. A list, or text with commas."""

    pages_app: str | None = None
    """The id of the app whose sandbox users the node's own pages (`/` and `/phone`) sign in. Not set: the only app, if
    there is one."""
    admin_console: bool = True
    """Whether the admin console is served at `/admin`. It is a page without rights of its own: who uses it types in the
    secret key of an app."""

    signal_server_url: WsUrl | None = None
    """The address of the QR signal server that clients are told, such as `wss://signal.chat.example/signal`. Not set:
    the one of this node. Another node, or a relay before one, has to stand there, over the same database."""
    qr_session_idle_days: int = Field(default=limits.QR_SESSION_IDLE_DAYS, ge=1, le=limits.QR_SESSION_IDLE_DAYS_MAX)
    """After so many days without use, a session that was linked by QR code ends."""

    xmpp_host: Host = "127.0.0.1"
    """The address on which XMPP listens."""
    xmpp_port: Port = 5222
    """The port of XMPP with STARTTLS; 0 takes a free one."""
    xmpps_port: Port = 5223
    """The port of XMPP with direct TLS (XEP-0368); 0 takes a free one."""
    xmpp_requires_tls: bool = True
    """Whether a client has to start TLS before it may sign in. Switch it off for measurements on one machine only."""

    media_store: Literal["files", "s3"] = "files"
    """Where pictures are kept: in a folder of `data_dir`, or in a bucket of an S3-compatible object store."""
    s3_endpoint: Url | None = None
    """The address of the object store, such as `https://s3.chat.example`. Not set: Amazon's, of the region."""
    s3_bucket: str | None = Field(default=None, min_length=1, max_length=255)
    """The bucket for pictures; it is there already."""
    s3_region: str = Field(default="us-east-1", min_length=1, max_length=64)
    """The region, as the object store calls it."""
    s3_prefix: str = Field(default="", min_length=0, max_length=255)
    """What the names of pictures begin with in the bucket, such as `heliograph/media`."""
    s3_access_key_id: str | None = None
    """The id of the credentials for the bucket. Not set: those that the machine has, such as a role."""
    s3_secret_access_key: SecretStr | None = None
    """The secret of these credentials."""
    s3_secret_access_key_file: Path | None = None
    """A file that holds the secret, in place of the secret itself."""
    image_workers: int = Field(default=limits.IMAGE_WORKERS, ge=1, le=limits.IMAGE_WORKERS_MAX)
    """How many processes decode pictures at the same time; each starts when it is first needed and may take 1 GiB."""
    unused_images_kept_hours: int = Field(default=limits.IMAGE_KEPT_HOURS, ge=1, le=limits.IMAGE_KEPT_HOURS_MAX)
    """After so many hours a picture is deleted that no profile shows."""
    fetch_remote_images: bool = False
    """Whether a picture that a user names by the address of another server is fetched and kept like an uploaded one. If
    not, its address is stored as it is, and whoever sees the profile loads it from there."""

    engine: Literal["embedded", "ejabberd"] = "embedded"
    """Where clients' XMPP connections live: in this process, or on an ejabberd server or cluster, which `heliograph
    ejabberd configure` writes the configuration for. `xmpp_host`, `xmpp_port` and `xmpps_port` are then ejabberd's."""
    ejabberd_api_url: Url = "http://127.0.0.1:5280/api"
    """The address of ejabberd's HTTP API."""
    ejabberd_api_token: SecretStr | None = None
    """A token for the HTTP API (`ejabberdctl oauth_issue_token`), where its permissions ask for one."""
    ejabberd_component_host: Host = "127.0.0.1"
    """Where ejabberd listens for external components."""
    ejabberd_component_port: Port = 5275
    """The port of it."""
    ejabberd_cluster_api_urls: Urls = ()
    """The HTTP APIs of the other nodes of an ejabberd cluster, which are called when one does not answer. A list, or
    text with commas."""
    ejabberd_cluster_components: Listeners = ()
    """Where the other nodes of an ejabberd cluster listen for external components, as `host:port`. This node connects
    to all of them, as each tells of its own clients alone. A list, or text with commas."""
    ejabberd_component_name: Host | None = None
    """The name under which this node connects to ejabberd as a component; nodes have different ones. Not set:
    `heliograph.` before `domain`."""
    ejabberd_component_secret: SecretStr | None = None
    """The secret of the component. Not set: derived from the secret of the installation."""
    ejabberd_websocket_url: WsUrl | None = None
    """The address of ejabberd's WebSocket that browsers are told, such as `wss://xmpp.chat.example/ws`. Not set: made
    of `ejabberd_api_url`."""

    admin_addresses: Uris = ()
    """How to reach who runs this node, for its users and for other operators (XEP-0157): URIs such as
    `mailto:admin@chat.example`. A list, or text with commas."""
    abuse_addresses: Uris = ()
    """The same, for reports of abuse."""
    security_addresses: Uris = ()
    """The same, for reports of security problems."""
    support_addresses: Uris = ()
    """The same, for users who need help."""

    tls_certificate_file: Path | None = None
    """The certificate chain in PEM form. Not set: a self-signed one is made in `data_dir` at the first start."""
    tls_key_file: Path | None = None
    """The private key of the certificate in PEM form, without a passphrase."""

    archive_days: int = Field(default=limits.ARCHIVE_DAYS, ge=0, le=limits.ARCHIVE_DAYS_MAX)
    """How many days one-to-one messages stay in their users' archives on the server (XEP-0313), from where a new device
    fetches what was said before. 0 keeps none."""
    archive_messages_max: int = Field(default=limits.ARCHIVE_MESSAGES, ge=100, le=limits.ARCHIVE_MESSAGES_MAX)
    """How many messages the archive of one user keeps; the oldest go."""

    audit_days: int = Field(default=limits.AUDIT_DAYS, ge=0, le=limits.AUDIT_DAYS_MAX)
    """How many days entries of the audit trail are kept; `heliograph audit verify` still proves what is left, and says
    where it begins. 0 keeps them for ever."""

    request_max_bytes: int = Field(default=limits.REQUEST_MAX_BYTES, ge=4 * KIB, le=limits.REQUEST_MAX_BYTES)
    """The largest body of an HTTP request."""
    stanza_max_bytes: int = Field(default=limits.STANZA_MAX_BYTES, ge=10 * KIB, le=limits.STANZA_MAX_BYTES)
    """The largest stanza of a signed-in client."""
    pending_output_max_bytes: int = Field(
        default=limits.PENDING_OUTPUT_MAX_BYTES, ge=64 * KIB, le=limits.PENDING_OUTPUT_MAX_BYTES
    )
    """How much may wait for a client that reads slowly, before it is disconnected."""
    stanzas_per_s: int = Field(default=limits.STANZAS_PER_S, ge=10, le=limits.STANZAS_PER_S)
    """How many stanzas a connection may send a second in the long run; each KiB counts as one more. One that sends more
    is made to wait, and at last disconnected."""
    authentication_timeout_s: float = Field(
        default=limits.AUTHENTICATION_TIMEOUT_S, ge=1, le=limits.AUTHENTICATION_TIMEOUT_S
    )
    """How long a connection may take to sign in."""
    connections_per_address_max: int = Field(
        default=limits.CONNECTIONS_PER_ADDRESS_MAX, ge=1, le=limits.CONNECTIONS_PER_ADDRESS_MAX
    )
    """How many XMPP connections one IP address may hold."""
    unauthenticated_per_address_max: int = Field(
        default=limits.UNAUTHENTICATED_PER_ADDRESS_MAX, ge=1, le=limits.UNAUTHENTICATED_PER_ADDRESS_MAX
    )
    """How many of them may be signing in at the same time."""

    metrics_host: Host | None = None
    """The address on which Prometheus may read metrics, at `/metrics`. Not set: nowhere. Whoever reaches it may read
    them, so let it be an inner one."""
    metrics_port: Port = 9464
    """The port of the metrics; 0 takes a free one."""

    webhook_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)] = ()
    """Networks (`10.0.0.0/8`) in which webhooks may have their receivers although they are not public, on any port.
    Where there are any, a webhook's address may also begin with `http://`. A list, or text with commas."""

    shutdown_delay_s: float = Field(default=0.0, ge=0, le=300)
    """How long a stopping node goes on taking requests after `/readyz` has begun to say that it is not ready: as long
    as a load balancer takes to notice. 0 where there is none."""
    drain_timeout_s: float = Field(default=10.0, ge=0, le=300)
    """How long a stopping node waits for requests and streams to end before it cuts them."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line that is written."""
    log_format: Literal["text", "json"] = "text"
    """Log lines for people (`text`) or for programs (`json`)."""

    @model_validator(mode="after")
    def _certificate_comes_with_key(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_certificate_file and tls_key_file are set together")
        return self

    @model_validator(mode="after")
    def _bucket_is_named_with_whole_credentials(self) -> Self:
        if self.media_store == "s3" and self.s3_bucket is None:
            raise ValueError("s3_bucket is set where media_store is s3")
        secrets = [self.s3_secret_access_key, self.s3_secret_access_key_file]
        if sum(secret is not None for secret in secrets) != (self.s3_access_key_id is not None):
            raise ValueError("s3_access_key_id comes with one of s3_secret_access_key and s3_secret_access_key_file")
        return self

    @classmethod
    def load(cls, config_file: Path | None = None) -> Settings:
        """The settings of this process: environment, then file, then defaults.

        Args:
            config_file: a TOML file with settings as top-level keys; `None` for none. Paths in it are relative to the
                working directory.

        Raises:
            SettingsInvalid: the file cannot be read, or a setting is unknown or out of bounds. The message names the
                settings at fault, and not their values.
        """
        in_file = {} if config_file is None else _read(config_file)
        try:
            found = _EnvironmentOverFile(**in_file)
        except ValidationError as error:
            raise _invalid(error) from None
        return cls(**found.model_dump(exclude_unset=True))

    @property
    def sqlite_file(self) -> Path:
        """The database of a node without `database_url`."""
        return self.data_dir / "heliograph.db"

    @property
    def media_folder(self) -> Path:
        """The pictures of a node whose `media_store` is `files`."""
        return self.data_dir / "media"

    @property
    def tls_folder(self) -> Path:
        """The self-signed certificate and its key, where no other one is set."""
        return self.data_dir / "tls"

    @property
    def installation_secret_file(self) -> Path:
        """The file with the secret of the installation: `secret_file`, or the usual one."""
        return self.secret_file or self.data_dir / "secret"

    def public_url_at(self, http_port: int) -> str:
        """The public address without a final slash, given the port on which HTTP really listens."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        return f"http://{host}:{http_port}"


class _EnvironmentOverFile(Settings, BaseSettings):
    """The same settings, where the environment wins over what the constructor is given."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """First the environment, then the file's values, which come as arguments. The signature is the library's."""
        return env_settings, init_settings


def _read(config_file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{config_file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{config_file}: not a TOML file: {error}") from None


_WORDS = {"extra_forbidden": "there is no such setting"}
"""What the library says in words of its own code."""


def _invalid(error: ValidationError) -> SettingsInvalid:
    faults = [
        (str(fault["loc"][0]) if fault["loc"] else "", _WORDS.get(fault["type"], fault["msg"]))
        for fault in error.errors(include_input=False)
    ]
    sentence = "; ".join(f"{name}: {reason}" if name else reason for name, reason in faults)
    return SettingsInvalid(sentence, details={"settings": sorted({name for name, _ in faults if name})})
