"""Apps, their keys and their policies: which app a call belongs to, and whether it is live or sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from heliograph.core import limits


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


@dataclass(frozen=True, slots=True)
class Policy:
    """What an app may set for itself, within `limits`."""

    max_sessions: int = limits.SESSIONS_DEFAULT
    registration: RegistrationPolicy = RegistrationPolicy.VERIFIED
    contacts_live: ContactPolicy = ContactPolicy.REQUEST
    contacts_sandbox: ContactPolicy = ContactPolicy.OPEN
    sandbox_max_users: int = limits.SANDBOX_USERS_DEFAULT
    sandbox_user_days: int = limits.SANDBOX_USER_DAYS_DEFAULT

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
    """A key at rest: its SHA-256, and the key itself only where it is publishable."""

    hash: bytes
    app_id: str
    kind: KeyKind
    environment: Environment
    publishable: str | None
    created_at: float


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
