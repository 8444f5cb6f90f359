"""Apps, their keys and their policies: which app a call belongs to, and whether it is live or sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from heliograph.core import limits, opaque
from heliograph.errors import AppInvalid, FeatureDisabled, LicenseInvalid, SecretKeyRequired
from heliograph.xmpp.jid import JidMalformed, prepare_domain

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


class Environment(StrEnum):
    """Live users and sandbox users of an app never meet: each environment has a JID domain of its own."""

    LIVE = "live"
    SANDBOX = "sandbox"


class KeyKind(StrEnum):
    """A publishable key goes into clients; a secret key stays on the app's own backend."""

    PUBLISHABLE = "publishable"
    SECRET = "secret"


class RegistrationPolicy(StrEnum):
    """Who may register a live user: `verified` needs the secret key or an identity assertion; `open` is unsafe."""

    VERIFIED = "verified"
    OPEN = "open"


class ContactPolicy(StrEnum):
    """How a contact is made: at once (`open`), or by request and acceptance (`request`)."""

    OPEN = "open"
    REQUEST = "request"


class Verification(StrEnum):
    """Whether the browser asks for the check code that the phone shows (`code`), or approval alone is enough."""

    CODE = "code"
    NONE = "none"


class Proximity(StrEnum):
    """What is made of a browser and a phone that do not come from one public network address."""

    OFF = "off"
    WARN = "warn"
    REQUIRE = "require"


class ProfileField(StrEnum):
    """A field of a profile that has a value."""

    NAME = "name"
    IMAGE = "image"
    STATUS = "status"
    MOBILE = "mobile"
    EMAIL = "email"


class QrFormat(StrEnum):
    """What a QR code holds: text that a camera app does not open (`opaque`), or a link to the node."""

    OPAQUE = "opaque"
    LINK = "link"


class Feature(StrEnum):
    """What an app may switch off."""

    QR_SIGN_IN = "qr_sign_in"
    USER_SEARCH = "user_search"
    ACCOUNT_DELETION = "account_deletion"
    LAST_SEEN = "last_seen"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an app may set for itself, within `limits`.

    Attributes:
        origins: the web origins (`https://chat.example`) whose pages may ask for QR sign-in; none given means all.
        name_max_graphemes, status_max_graphemes: how many characters a person sees of these profile fields at most.
        required_profile_fields: those that a user has to fill in: out of `name`, `image`, `status`, `mobile`, `email`.
        statuses: the status texts that the app offers to its users.
        invite_url: what the address of an invitation begins with, the token follows; `""` for the node's own page.
        deletion_grace_live_days, deletion_grace_sandbox_days: how long a deleted user can be restored.
        disabled_features: what the app does not offer.
    """

    max_sessions: int = limits.SESSIONS_DEFAULT
    registration: RegistrationPolicy = RegistrationPolicy.VERIFIED
    contacts_live: ContactPolicy = ContactPolicy.REQUEST
    contacts_sandbox: ContactPolicy = ContactPolicy.OPEN
    sandbox_max_users: int = limits.SANDBOX_USERS_DEFAULT
    sandbox_user_days: int = limits.SANDBOX_USER_DAYS_DEFAULT
    verification: Verification = Verification.CODE
    proximity: Proximity = Proximity.WARN
    qr_format: QrFormat = QrFormat.OPAQUE
    origins: tuple[str, ...] = ()
    name_max_graphemes: int = limits.NAME_MAX_GRAPHEMES
    status_max_graphemes: int = limits.STATUS_MAX_GRAPHEMES
    required_profile_fields: tuple[ProfileField, ...] = ()
    statuses: tuple[str, ...] = ()
    invite_url: str = ""
    deletion_grace_live_days: int = limits.DELETION_GRACE_DAYS_DEFAULT
    deletion_grace_sandbox_days: int = 0
    disabled_features: tuple[Feature, ...] = ()

    def deletion_grace_s(self, environment: Environment) -> float:
        """How many seconds a deleted user of an environment can be restored."""
        is_live = environment is Environment.LIVE
        return 86400.0 * (self.deletion_grace_live_days if is_live else self.deletion_grace_sandbox_days)

    def contacts(self, environment: Environment) -> ContactPolicy:
        """The contact policy of an environment."""
        return self.contacts_live if environment is Environment.LIVE else self.contacts_sandbox


@dataclass(frozen=True, slots=True)
class App:
    """A tenant: one chat product with its users.

    Attributes:
        id: public identifier, such as `app_x7Kq…`.
        domain: the JID domain of its live users.
        sandbox_domain: the JID domain of its sandbox users.
        assertion_key: the public JWK (JSON text) that checks identity assertions; the private half is never stored.
        created_at: seconds since the epoch.
    """

    id: str
    name: str
    domain: str
    sandbox_domain: str
    assertion_key: str
    created_at: float
    policy: Policy = field(default_factory=Policy)

    def host(self, environment: Environment) -> str:
        """The JID domain of an environment."""
        return self.domain if environment is Environment.LIVE else self.sandbox_domain


@dataclass(frozen=True, slots=True)
class AppKey:
    """A key at rest: its SHA-256, and the key itself only where it is publishable.

    Attributes:
        created_at: seconds since the epoch.
        expires_at: until when a key that was replaced is in force; `None` for one that was not.
    """

    hash: bytes
    app_id: str
    kind: KeyKind
    environment: Environment
    publishable: str | None
    created_at: float
    expires_at: float | None = None

    def is_in_force(self, now: float) -> bool:
        """Whether the key still lets its bearer in."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as its key says: the app, the environment, and whether it is the app's own backend."""

    app: App
    environment: Environment
    is_backend: bool

    @property
    def domain(self) -> str:
        """The JID domain that this caller's users live in."""
        return self.app.host(self.environment)


@dataclass(frozen=True, slots=True)
class NewApp:
    """What creating an app gives. The secrets are shown this once: of secret keys only the digest is stored, of the
    assertion key only the public half.

    Attributes:
        keys: the four keys in their written form.
        assertion_private_key: the private JWK (JSON text, ES256) with which the app's backend signs identity
            assertions.
    """

    app: App
    keys: Mapping[tuple[KeyKind, Environment], str] = field(repr=False)
    assertion_private_key: str = field(repr=False)


_KIND_MARKS: Mapping[KeyKind, str] = {KeyKind.PUBLISHABLE: "pk", KeyKind.SECRET: "sk"}
_ENVIRONMENT_MARKS: Mapping[Environment, str] = {Environment.LIVE: "live", Environment.SANDBOX: "trial"}
_KEY_FORM = re.compile(f"hg_(pk|sk)_(live|trial)_{opaque.SECRET_FORM}")

_ORIGIN_FORM = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")

_POLICY_BOUNDS: Mapping[str, tuple[int, int]] = {
    "max_sessions": (1, limits.SESSIONS_MAX),
    "sandbox_max_users": (1, limits.SANDBOX_USERS_MAX),
    "sandbox_user_days": (1, limits.SANDBOX_USER_DAYS_MAX),
    "name_max_graphemes": (1, limits.NAME_MAX_GRAPHEMES),
    "status_max_graphemes": (1, limits.STATUS_MAX_GRAPHEMES),
    "deletion_grace_live_days": (0, limits.DELETION_GRACE_DAYS_MAX),
    "deletion_grace_sandbox_days": (0, limits.DELETION_GRACE_DAYS_MAX),
}

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the base point of P-256 (SEC 2, section 2.4.2)."""
_P256_SEED_BYTES = 48


def check_name(name: str) -> str:
    """An app's name without outer blanks.

    Raises:
        AppInvalid: it is empty, longer than 64 characters, or not all printable.
    """
    name = name.strip()
    if not 1 <= len(name) <= limits.APP_NAME_MAX_CHARS or not name.isprintable():
        raise AppInvalid("An app's name has 1 to 64 printable characters", details={"field": "name"})
    return name


def check_domain(domain: str, field_name: str = "domain") -> str:
    """A host name as a JID domainpart in its canonical form: lower case, with U-labels (RFC 7622, section 3.2).

    Raises:
        AppInvalid: it is no domainpart, or not in lower case; `details.field` is `field_name`.
    """
    try:
        if domain != domain.lower() or domain.endswith("."):
            raise JidMalformed
        return prepare_domain(domain)
    except JidMalformed as error:
        raise AppInvalid(
            "A domain is a host name in lower case without a final dot", details={"field": field_name}
        ) from error


def check_origin(origin: str) -> str:
    """A web origin as a browser writes it (RFC 6454, section 6.2): scheme, host, and a port that is not the usual one.

    Raises:
        AppInvalid: it is none; `details.field` is `origins`.
    """
    if len(origin) > limits.QR_ORIGIN_MAX_CHARS or _ORIGIN_FORM.fullmatch(origin) is None:
        raise AppInvalid("An origin is like https://chat.example, in lower case", details={"field": "origins"})
    return origin


def _check_invite_url(url: str) -> None:
    is_web = url.startswith(("https://", "http://")) and url.isascii() and url.isprintable() and " " not in url
    if url and (not is_web or len(url) > limits.INVITE_URL_MAX_CHARS):
        raise AppInvalid("An invitation's address is an http or https URL", details={"field": "invite_url"})


def check_policy(policy: Policy) -> Policy:
    """A policy whose numbers lie within their bounds, and whose origins and addresses can be such.

    Raises:
        AppInvalid: something is wrong; `details.field` names it, and of a number there are `min` and `max` beside it.
    """
    if len(policy.origins) > limits.QR_ORIGINS_MAX:
        raise AppInvalid(
            f"An app has at most {limits.QR_ORIGINS_MAX} origins",
            details={"field": "origins", "max": limits.QR_ORIGINS_MAX},
        )
    for origin in policy.origins:
        check_origin(origin)
    _check_invite_url(policy.invite_url)
    for name, (minimum, maximum) in _POLICY_BOUNDS.items():
        if not minimum <= getattr(policy, name) <= maximum:
            raise AppInvalid(
                f"{name} lies between {minimum} and {maximum}",
                details={"field": name, "min": minimum, "max": maximum},
            )
    return policy


def require_feature(app: App, feature: Feature) -> None:
    """Let pass what the app offers.

    Raises:
        FeatureDisabled: it does not offer this; `details.feature` names it.
    """
    if feature in app.policy.disabled_features:
        raise FeatureDisabled(details={"feature": feature.value})


def require_backend(caller: Caller) -> None:
    """Let only the app's own backend pass.

    Raises:
        SecretKeyRequired: the caller shows a publishable key.
    """
    if not caller.is_backend:
        raise SecretKeyRequired


def key_text(kind: KeyKind, environment: Environment, chance: bytes) -> str:
    """A licence key in its written form, `hg_{pk|sk}_{live|trial}_{43 characters}`, out of 32 random bytes."""
    return opaque.encode(f"hg_{_KIND_MARKS[kind]}_{_ENVIRONMENT_MARKS[environment]}_", chance)


def assertion_key_pair(chance: bytes) -> tuple[str, str]:
    """A key pair for identity assertions (ES256) out of 48 random bytes: the private and the public JWK (RFC 7517).

    The scalar is drawn with extra bits, so that its distribution is uniform but for 2^-128 (FIPS 186-5, A.2.1).
    """
    scalar = int.from_bytes(chance) % (_P256_ORDER - 1) + 1
    key = ECKey.import_key(ec.derive_private_key(scalar, ec.SECP256R1()))
    purpose = {"alg": "ES256", "use": "sig", "kid": key.thumbprint()}
    private = {**key.as_dict(private=True), **purpose}
    public = {**key.as_dict(private=False), **purpose}
    return json.dumps(private), json.dumps(public)


async def authenticate_key(ports: Ports, key: str | None) -> Caller:
    """Say who is calling, by its licence key (publishable or secret).

    Raises:
        LicenseInvalid: the key is missing, malformed, unknown, or was replaced and is in force no more.
    """
    if key is None or _KEY_FORM.fullmatch(key) is None:
        raise LicenseInvalid
    found = await ports.apps.lookup_key(opaque.digest(key))
    if found is None:
        raise LicenseInvalid
    app, record = found
    if not record.is_in_force(ports.clock.now()):
        raise LicenseInvalid
    return Caller(app, record.environment, is_backend=record.kind is KeyKind.SECRET)


async def create(
    ports: Ports, name: str, domain: str, sandbox_domain: str | None = None, policy: Policy = Policy()
) -> NewApp:
    """Create an app with its four keys and the key pair of its identity assertions.

    Args:
        ports: the node's ports.
        name: 1 to 64 printable characters.
        domain: the JID domain of its live users.
        sandbox_domain: the JID domain of its sandbox users; without it, `sandbox.` before `domain`.
        policy: the app's policy, within the bounds of `limits`.

    Raises:
        AppInvalid: one of these is not valid, or a domain belongs to an app already; `details.field` names it.
    """
    live = check_domain(domain)
    sandbox = check_domain(f"sandbox.{live}" if sandbox_domain is None else sandbox_domain, "sandbox_domain")
    if live == sandbox:
        raise AppInvalid("Live and sandbox users live under different domains", details={"field": "sandbox_domain"})
    private_jwk, public_jwk = assertion_key_pair(ports.ids.random(_P256_SEED_BYTES))
    app_id = opaque.encode("app_", ports.ids.random(limits.APP_ID_BYTES))
    app = App(app_id, check_name(name), live, sandbox, public_jwk, ports.clock.now(), check_policy(policy))
    keys = {
        (kind, environment): key_text(kind, environment, ports.ids.random(limits.TOKEN_BYTES))
        for kind in KeyKind
        for environment in Environment
    }
    at_rest = [_at_rest(app, kind, environment, key, app.created_at) for (kind, environment), key in keys.items()]
    await ports.apps.add(app, at_rest)
    for served in (app.domain, app.sandbox_domain):
        ports.engine.provision(served)
    return NewApp(app, keys, private_jwk)


async def set_policy(ports: Ports, app: App, policy: Policy) -> App:
    """Give an app another policy; what it already has (such as more sessions than a lowered cap) stays until it moves.

    Raises:
        AppInvalid: a number is out of its bounds.
    """
    changed = replace(app, policy=check_policy(policy))
    await ports.apps.set_policy(changed, ports.clock.now())
    return changed


async def replace_key(ports: Ports, app: App, kind: KeyKind, environment: Environment, keep_s: float = 0) -> str:
    """Give an app another key in the place of one; those before it stay in force for a while, or end at once.

    Args:
        ports: the node's ports.
        app: the app.
        kind: whether the key goes into clients or stays on the backend.
        environment: for live or for sandbox users.
        keep_s: for how many seconds from now the keys before it stay in force, 0 to 365 days. One whose time is
            over sooner than that gets no more of it.

    Returns:
        The key in its written form. A secret key is shown this once.

    Raises:
        AppInvalid: `keep_s` is out of its bounds; `details.field` is `keep`.
    """
    if not 0 <= keep_s <= limits.APP_KEY_KEEP_MAX_S:
        raise AppInvalid(
            "A replaced key is kept for at most 365 days",
            details={"field": "keep", "min": 0, "max": limits.APP_KEY_KEEP_MAX_S},
        )
    now = ports.clock.now()
    key = key_text(kind, environment, ports.ids.random(limits.TOKEN_BYTES))
    await ports.apps.replace_key(app, _at_rest(app, kind, environment, key, now), now + keep_s)
    return key


async def replace_assertion_key(ports: Ports, app: App) -> str:
    """Give an app another key pair for identity assertions. What was signed with the one before is refused from now on.

    Returns:
        The private JWK (JSON text, ES256), shown this once.
    """
    private_jwk, public_jwk = assertion_key_pair(ports.ids.random(_P256_SEED_BYTES))
    await ports.apps.set_assertion_key(replace(app, assertion_key=public_jwk), ports.clock.now())
    return private_jwk


def changed_policy(before: Policy, after: Policy) -> list[str]:
    """The names of what differs between two policies."""
    return [each.name for each in fields(Policy) if getattr(before, each.name) != getattr(after, each.name)]


def _at_rest(app: App, kind: KeyKind, environment: Environment, key: str, now: float) -> AppKey:
    publishable = key if kind is KeyKind.PUBLISHABLE else None
    return AppKey(opaque.digest(key), app.id, kind, environment, publishable, now)
