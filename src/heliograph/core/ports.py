"""What the rules need of the world: stores, engine, time and chance. An adapter of a port passes its suite in
`tests/contracts`. The ports around contacts, messages, pictures, profiles and tokens stand in `contact_ports`,
`messaging_ports`, `media_ports`, `profile_ports` and `token_ports`; `Ports` at the end of this file holds all of them.

A store's atomic change takes a *decision*: a pure function that gets what the store found inside its transaction and
returns what to write, or raises to write nothing. The store may call it again when the transaction has to be repeated.
A look-up that finds nothing gives `None`. A method that writes returns after the commit is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from heliograph.core.account_changes import AccountChange, Feedback
from heliograph.core.accounts import Account, Registration, Standing
from heliograph.core.apps import App, AppKey, Environment
from heliograph.core.assertions import AssertionUse
from heliograph.core.audit import Entry, Event, Head
from heliograph.core.blocking import BlockChange
from heliograph.core.contact_ports import BlockStore, ContactStore, InvitationStore, PhoneBookStore
from heliograph.core.contacts import RosterChange
from heliograph.core.directory import Found as FoundUsers
from heliograph.core.directory import Query, Span
from heliograph.core.media_ports import ImageMaker, MediaStore, Outbound
from heliograph.core.messaging_ports import ArchiveStore, OfflineStore, PepStore, PepTieStore
from heliograph.core.profile_ports import ProfileStore
from heliograph.core.profiles import Profile
from heliograph.core.qr_login import QrLink
from heliograph.core.rate_limits import Rate, Verdict
from heliograph.core.remote_server import RemoteServerStore
from heliograph.core.retries import RetryKey
from heliograph.core.sessions import Activity, Credentials, EndReason, Session, Verifiers, Via
from heliograph.core.token_ports import FastTokenStore, SignInStore, TokenStore
from heliograph.core.webhooks import Batch, Message, Settled, Webhook


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...


class Ids(Protocol):
    """Chance, fit for secrets."""

    def random(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        ...


class CredentialSource(Protocol):
    """New passwords with their verifiers; the key derivation runs beside the event loop, and ahead of need where it
    can.
    """

    @property
    def prepared(self) -> int:
        """How many passwords for new accounts lie ready."""
        ...

    async def fresh(self) -> Credentials:
        """A password under a new salt, for an account that does not exist yet."""
        ...

    async def under(self, salt: bytes, iterations: int) -> Credentials:
        """A further password under an account's own salt."""
        ...


class AppStore(Protocol):
    """Apps and their keys."""

    async def add(self, app: App, keys: Sequence[AppKey]) -> None:
        """Store an app with its keys; `AppInvalid` where its id or a domain of it is taken."""
        ...

    async def lookup(self, app_id: str) -> App | None:
        """The app of that id."""
        ...

    async def lookup_key(self, key_hash: bytes) -> tuple[App, AppKey] | None:
        """The key of that SHA-256 and its app."""
        ...

    async def lookup_domain(self, domain: str) -> tuple[App, Environment] | None:
        """Whose JID domain this is."""
        ...

    async def list(self) -> list[tuple[App, list[AppKey]]]:
        """All apps with their keys, oldest first."""
        ...

    async def set_policy(self, app: App, now: float) -> None:
        """Store the app's policy."""
        ...

    async def replace_key(self, app: App, key: AppKey, until: float) -> None:
        """Add a key; the app's others of its kind and environment are in force up to `until` at most."""
        ...

    async def set_assertion_key(self, app: App, now: float) -> None:
        """Store the app's assertion key."""
        ...


class Directory(Protocol):
    """Who is found by what; the stores of accounts and profiles keep it up with each change."""

    async def search(self, query: Query) -> FoundUsers:
        """Those whom a viewer finds, in the order of the terms that found them; the profiles are whole."""
        ...

    async def page(self, domain: str, identifiers: Span, limit: int) -> list[Account]:
        """The accounts of a domain in the order of their identifiers."""
        ...

    async def fill_in(self, limit: int) -> int:
        """Add what is missing of accounts that were stored before there was a directory, the newest first; gives how
        many were looked at, 0 once there are no more.
        """
        ...


class AccountStore(Protocol):
    """Accounts."""

    async def lookup(self, jid: str) -> Account | None:
        """The account of that bare JID."""
        ...

    async def register(
        self,
        jid: str,
        decide: Callable[[Standing], Registration],
        assertion: AssertionUse | None = None,
        retry: RetryKey | None = None,
    ) -> Registration:
        """One atomic registration; returns what was written, with the account's real id. One that is marked by `retry`
        is remembered with its session, and the standing of the next one of that mark names it.

        Raises `RegistrationUnverified` where the assertion was used before, and whatever `decide` raises.
        """
        ...

    async def change(
        self, jid: str, now: float, decide: Callable[[Account], AccountChange]
    ) -> tuple[AccountChange, list[str]]:
        """One atomic change of an account, with the end of all its sessions where it says so, whose ids come back.

        `AccountNotFound`, and whatever `decide` raises. Where it blocks or unblocks, the profile's
        `is_admin_blocked` follows, and the profile gets a new mark.
        """
        ...

    async def delete(self, account_id: int, reason: EndReason, now: float) -> list[RosterChange]:
        """Delete an account with all that belongs to it; the changes are those of other users' rosters."""
        ...

    async def expired(self, now: float, limit: int) -> list[Account]:
        """Accounts whose life is over, or the grace period after their deletion, oldest first."""
        ...

    async def feedback(self, app_id: str, environment: Environment, before: int | None, limit: int) -> list[Feedback]:
        """What users said on leaving, newest first, before the feedback of that number."""
        ...

    async def forget_sessions(self, before: float, limit: int) -> int:
        """Delete at most `limit` sessions that ended before then; when their accounts were last active stays known."""
        ...


class SessionStore(Protocol):
    """Live sessions and their verifiers."""

    async def lookup(self, session_id: str) -> tuple[Account, Session] | None:
        """A live session with its account."""
        ...

    async def live(self, account_id: int) -> list[Session]:
        """All live sessions of an account, least recently active first."""
        ...

    async def verifiers(self, jid: str) -> tuple[Account, list[tuple[str, Verifiers]]] | None:
        """For a sign-in: the account and, for each live session, its id and verifiers."""
        ...

    async def end(self, account_id: int, session_ids: Sequence[str], reason: EndReason, now: float) -> list[str]:
        """End sessions with their tokens; returns the ids of those that were live."""
        ...

    async def idle(self, via: Via, since: float, limit: int) -> list[tuple[Account, Session]]:
        """Live sessions made in that way and not active since then, least recently active first."""
        ...

    async def last_active(self, jid: str) -> Activity | None:
        """When an account was last active in any session, an ended one too; `None` where there is no account."""
        ...

    async def note_status(self, jid: str, status: str) -> None:
        """Keep what an account's user said on going away; harmless where there is no account."""
        ...

    def touch(self, session_id: str, now: float) -> None:
        """Note that a session is active. Not durable at once, never waits: the next commit carries it."""
        ...


class QrLinkStore(Protocol):
    """QR links and their codes."""

    async def add(self, link: QrLink) -> None:
        """Store a new link with its codes; `CodeTaken` (and nothing written) where a code is another link's."""
        ...

    async def lookup(self, link_id: str) -> QrLink | None:
        """The link of that id."""
        ...

    async def lookup_code(self, code_hash: bytes) -> QrLink | None:
        """The link that has, or had last, the code of that SHA-256."""
        ...

    async def change(self, link_id: str, decide: Callable[[QrLink], QrLink]) -> QrLink | None:
        """One atomic change; `None` where there is no such link. `CodeTaken` as for `add`, and whatever `decide`
        raises; an unchanged link writes nothing. With a link that is over before it was delivered, the session that was
        made for it ends, too (`UNCLAIMED`).
        """
        ...

    async def unclaimed(self, now: float, limit: int) -> list[str]:
        """The ids of verified links whose time is over, the earliest first."""
        ...

    async def forget(self, before: float, now: float, limit: int) -> int:
        """Delete links whose time was over before then, with their codes, and end the sessions that were made for them
        and never delivered; gives their number.
        """
        ...


class AuditStore(Protocol):
    """The audit trail. The other stores write to it, in the transaction of the change itself."""

    async def head(self, app_id: str) -> Head:
        """The newest entry of an app's chain, as it is kept beside the chain."""
        ...

    async def heads(self) -> dict[str, int]:
        """The number of the newest entry of each app's chain."""
        ...

    async def chain(self, app_id: str, after: int, limit: int) -> list[Entry]:
        """At most `limit` entries of an app's chain behind a number, in order."""
        ...

    async def of_user(self, jid: str, since: float, before: int, limit: int) -> list[Entry]:
        """At most `limit` entries about a user, not older than `since` and with numbers below `before`, the newest
        first.
        """
        ...

    async def of_app(self, app_id: str, environment: Environment, before: int, limit: int) -> list[Entry]:
        """The same of all that concerns an app in one environment."""
        ...

    async def anchor(self, app_id: str) -> Head:
        """The entry behind which an app's chain begins; `EMPTY` where none was let go."""
        ...

    async def forget(self, since: float, now: float, limit: int) -> int:
        """Let the entries before `since` go that stand at the beginning of a chain, at most `limit` of each, where
        the first is a day older still, so that a chain tells of it once a day (`Kind.AUDIT_FORGOTTEN`). Returns how
        many went.
        """
        ...


class WebhookStore(Protocol):
    """Webhooks and their messages. The other stores write the messages, in the transaction of the change itself."""

    async def add(self, webhook: Webhook, secret: str, max_webhooks: int, told: Event) -> None:
        """Store a webhook, and tell the audit trail; `WebhookInvalid` where the app has as many as it may."""
        ...

    async def list(self) -> list[Webhook]:
        """All webhooks, oldest first."""
        ...

    async def secret(self, webhook_id: str) -> str:
        """The signing secret; `WebhookNotFound`."""
        ...

    async def remove(self, webhook_id: str, told: Event) -> None:
        """Delete a webhook with its messages, and tell the audit trail; `WebhookNotFound`."""
        ...

    async def take(self, now: float, until: float, limit: int) -> Sequence[Batch]:
        """Take what is to be sent now (`webhooks.in_line`), at most `limit` messages of each webhook. Nobody else gets
        them before `until`, and then they are due again, unless they were settled.
        """
        ...

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Store how attempts ended: each message is deleted, or due again, or a dead letter."""
        ...

    async def dead(self, webhook_id: str, limit: int) -> Sequence[Message]:
        """At most `limit` dead letters, oldest first."""
        ...

    async def replay(self, webhook_id: str, message_id: str | None, now: float) -> int:
        """Let dead letters wait again as if new, one or all of them; gives their number."""
        ...


class RateCounters(Protocol):
    """Counters that a rate limit reads and moves in one step."""

    async def take(self, key: str, rate: Rate, now: float) -> Verdict:
        """Take one call of `key` (see `rate_limits.take`); one that has to wait takes nothing."""
        ...


class Bus(Protocol):
    """Word from node to node that something has changed, and not what: who hears it looks into the store.

    It makes waiting short. Word can be lost, so who waits also looks now and then.
    """

    def publish(self, topic: str) -> None:
        """Tell all that listen to a topic. Never waits."""
        ...

    def listen(self, topic: str, hear: Callable[[], None]) -> Callable[[], None]:
        """Call `hear` at each word of that topic; what comes back ends it. `hear` only takes note, it does no work."""
        ...


class Sealer(Protocol):
    """Seals what is for the holder of one key alone."""

    def seal(self, public_key: str, plaintext: bytes, party: str | None = None) -> str:
        """A compact JWE (RFC 7516; ECDH-ES on P-256 and A256GCM, RFC 7518) for the holder of a key.

        Args:
            public_key: the JWK as JSON text, checked.
            plaintext: what to seal.
            party: bound to the key agreement as `apu`, and the key's thumbprint with it as `apv`.
        """
        ...


class Engine(Protocol):
    """What the rules ask of an XMPP server. Methods enqueue; none waits for a peer's socket.

    Attributes:
        reaches_all: whether it reaches the connections of all nodes, and not those of this process alone.
    """

    reaches_all: bool

    def provision(self, jid: str) -> None:
        """An account was registered, or the domain of a new app is to be served: let clients sign in.

        Args:
            jid: a bare JID or a domain.
        """
        ...

    def disconnect_session(self, jid: str, session_id: str, reason: EndReason) -> None:
        """Close the connections of an ended session, telling them why."""
        ...

    def disconnect_account(self, jid: str, reason: EndReason) -> None:
        """Close all connections of an account, telling them why."""
        ...

    def prepare_profile(self, profile: Profile) -> Callable[[], None]:
        """Prepare to bring a profile to the user's own sessions and to the contacts' sessions, once each. What comes
        back does so; it is called once the profile is stored for good.
        """
        ...

    def contacts_changed(self, changes: Sequence[RosterChange]) -> None:
        """Push stored roster changes to the owners' sessions and exchange presence where a subscription began or
        ended.
        """
        ...

    def blocks_changed(self, change: BlockChange) -> None:
        """Push a stored change of a block list to the owner's sessions, and hide or show presence and profile."""
        ...

    def online(self, jid: str) -> list[str]:
        """The full JIDs that are connected as this bare JID."""
        ...

    def announce_session(self, jid: str, session: Session, ended: EndReason | None = None) -> None:
        """Tell the connections of a user's other sessions that a session was let in, or why it ended. The same again
        is told to nobody.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of a node, as `node` has wired them.

    Attributes:
        remote_images: fetches pictures of other servers; `None` where their addresses are stored as they are.
    """

    clock: Clock
    ids: Ids
    credentials: CredentialSource
    apps: AppStore
    accounts: AccountStore
    directory: Directory
    sessions: SessionStore
    tokens: TokenStore
    fast_tokens: FastTokenStore
    sign_ins: SignInStore
    profiles: ProfileStore
    contacts: ContactStore
    invitations: InvitationStore
    phone_book: PhoneBookStore
    blocks: BlockStore
    pep: PepStore
    pep_ties: PepTieStore
    offline: OfflineStore
    archive: ArchiveStore
    qr_links: QrLinkStore
    audit: AuditStore
    webhooks: WebhookStore
    remote_server: RemoteServerStore
    media: MediaStore
    images: ImageMaker
    remote_images: Outbound | None
    rates: RateCounters
    bus: Bus
    sealer: Sealer
    engine: Engine
