"""Accounts: one user of one app in one environment, under one bare JID."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from heliograph.core import assertions, limits, rate_limits, sessions, tokens
from heliograph.core.apps import Caller, Environment, RegistrationPolicy
from heliograph.core.assertions import AssertionUse
from heliograph.core.metadata import Metadata, check_metadata
from heliograph.core.retries import Earlier, RetryKey
from heliograph.core.sessions import Credentials, Device, EndReason, Session, Verifiers, Via, admit, clip
from heliograph.core.tokens import TokenPair, TokenRecord
from heliograph.errors import (
    AccessDenied,
    AccountDeleted,
    AccountNotFound,
    AdminBlocked,
    AlreadyUsed,
    IdempotencyMismatch,
    IdentifierInvalid,
    RateLimited,
    RegistrationUnverified,
    SandboxFull,
)

if TYPE_CHECKING:
    from heliograph.core.ports import Ports


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user. All its sessions' verifiers are made under its `salt` and `iterations`, so that one SCRAM
    challenge serves them all.

    Attributes:
        id: the row's number; `0` in a draft that was never stored.
        jid: the bare JID, `identifier@domain`.
        expires_at: seconds since the epoch, for sandbox users; `None` for live ones.
        max_sessions: the user's own cap on sessions; `None` for the app's.
        deleted_at: when its deletion was asked for; `None` where it was not.
        purge_at: when a deleted account goes for good; until then the app can restore it.
    """

    id: int
    app_id: str
    environment: Environment
    identifier: str
    jid: str
    salt: bytes
    iterations: int
    metadata: Metadata
    is_blocked: bool
    created_at: float
    expires_at: float | None
    max_sessions: int | None = None
    deleted_at: float | None = None
    purge_at: float | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether its deletion was asked for. Nobody sees it or signs in as it, and its identifier stays taken."""
        return self.deleted_at is not None

    def is_expired(self, now: float) -> bool:
        """Whether its time is over. Such an account counts as gone, even before the sweep has deleted it."""
        return any(end is not None and end <= now for end in (self.expires_at, self.purge_at))


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store finds for a registration, inside its transaction.

    Attributes:
        account: the account of that JID, if there is one.
        sessions: its live sessions.
        population: how many accounts the app has in this environment.
        has_name: whether a valid profile name was ever saved.
        earlier: what came of the registration before, where this one repeats it.
    """

    account: Account | None
    sessions: tuple[Session, ...]
    population: int
    has_name: bool
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A decision: the rows that one registration writes, all or none.

    Attributes:
        account: the account to insert (`id == 0`), or the existing one with its new metadata.
        session: the new session (its `account_id` is filled in by the store where the account is new).
        verifiers: of the session's password.
        tokens: the session's first tokens.
        ended: ids of the sessions that make room, with all that belongs to them.
        replaced: the one of them that the caller named; the others were evicted.
        is_repeat: whether the session is there already, and gets these verifiers and tokens in place of its own.
    """

    account: Account
    session: Session
    verifiers: Verifiers
    tokens: tuple[TokenRecord, ...]
    ended: tuple[str, ...]
    replaced: str | None = None
    is_repeat: bool = False

    def end_reason(self, session_id: str) -> EndReason:
        """Why one of the `ended` sessions ends."""
        return EndReason.REPLACED if session_id == self.replaced else EndReason.EVICTED


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What a device asks for when it registers.

    Attributes:
        identifier: whom to register.
        force: at the cap, end the least recently active session rather than refuse.
        replace_session: the id of a session to end, also below the cap.
        metadata: the user's metadata; `None` leaves what is there.
        device: what the device says of itself, and its address.
        assertion: an identity assertion.
        via: how the session comes to be.
        approved_by: the id of the user's session that lets this one in; it has to be live when this one is made.
        retry: marks the registration, so that it can be repeated.
        session_id: the id of the session to be, where it was chosen before.
    """

    identifier: str
    force: bool = True
    replace_session: str | None = None
    metadata: Metadata | None = None
    device: Device = field(default_factory=Device)
    assertion: str | None = field(default=None, repr=False)
    via: Via = Via.REGISTER
    approved_by: str | None = None
    retry: RetryKey | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration gives; the password is known to nobody else and is never seen again."""

    account: Account
    session: Session
    password: str = field(repr=False)
    tokens: TokenPair
    is_existing: bool
    is_profile_updated: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A registration as it was prepared before the store's transaction: all that needed time, chance or a slow hash."""

    caller: Caller
    request: RegisterRequest
    jid: str
    credentials: Credentials
    session_id: str
    tokens: tuple[TokenRecord, ...]
    now: float


class StandingChanged(Exception):
    """An account came, another came in its place, or it expired since the draft was prepared: prepare it anew."""


def check_identifier(text: str) -> str:
    """A user identifier, which is never folded.

    Raises:
        IdentifierInvalid: it is not 1 to 191 characters out of a-z, 0-9, hyphen and underscore.
    """
    if re.fullmatch(limits.IDENTIFIER_FORM, text) is None:
        raise IdentifierInvalid
    return text


def prove(caller: Caller, request: RegisterRequest, now: float) -> AssertionUse | None:
    """Check that the caller may register this user; gives the use of an identity assertion, if one was shown.

    The sandbox is open. Under a live key an assertion that is shown is always checked and used up, also where the
    secret key or the policy `open` would do without one: a wrong proof is a mistake or an attack, never ignored.

    Raises:
        RegistrationUnverified: a live registration under the policy `verified` has neither the secret key nor an
            assertion (`details.reason` is `missing`), or the assertion is not valid (see `assertions.verify`).
    """
    if caller.environment is Environment.SANDBOX:
        return None
    if request.assertion is not None:
        return assertions.verify(caller.app, caller.domain, request.assertion, request.identifier, now)
    if caller.is_backend or caller.app.policy.registration is RegistrationPolicy.OPEN:
        return None
    raise RegistrationUnverified(details={"reason": "missing"})


def decide_registration(standing: Standing, draft: Draft) -> Registration:
    """Decide one registration over what the store found.

    Raises:
        StandingChanged: the draft was prepared for another state of the account.
        AdminBlocked: the user is blocked.
        AccountDeleted: the user was deleted, and can still be restored.
        SandboxFull: a new user would be one too many.
        SessionLimit, SessionNotFound: see `sessions.admit`.
        AccessDenied: the session that lets this one in has ended.
        IdempotencyMismatch, AlreadyUsed: it repeats another registration, or one whose session has ended.
        AlreadyUsed: a session of that id was made already.
    """
    request = draft.request
    _check_approver(standing, request.approved_by)
    if any(session.id == draft.session_id for session in standing.sessions):
        raise AlreadyUsed
    account = _decide_account(standing, draft)
    if standing.earlier is not None:
        return _repeat(standing, account, standing.earlier, draft)
    cap = account.max_sessions or draft.caller.app.policy.max_sessions
    ended = admit(standing.sessions, cap, request.force, request.replace_session, request.approved_by)
    session = Session(draft.session_id, account.id, request.via, request.device, draft.now, draft.now)
    verifiers = draft.credentials.verifiers
    return Registration(account, session, verifiers, draft.tokens, ended, request.replace_session)


def _repeat(standing: Standing, account: Account, earlier: Earlier, draft: Draft) -> Registration:
    """The registration whose answer was lost: the same session, with a new password and new tokens."""
    if draft.request.retry is None or draft.request.retry.fingerprint != earlier.fingerprint:
        raise IdempotencyMismatch
    session = next((live for live in standing.sessions if live.id == earlier.session_id), None)
    if session is None:
        raise AlreadyUsed("The session of this Idempotency-Key has ended")
    renewed = tuple(replace(token, session_id=session.id) for token in draft.tokens)
    active = replace(session, last_active_at=draft.now)
    return Registration(account, active, draft.credentials.verifiers, renewed, (), is_repeat=True)


def _check_approver(standing: Standing, approver: str | None) -> None:
    if approver is not None and all(session.id != approver for session in standing.sessions):
        raise AccessDenied("The session that approved the sign-in has ended")


def _decide_account(standing: Standing, draft: Draft) -> Account:
    account, credentials, metadata = standing.account, draft.credentials, draft.request.metadata
    if account is None:
        return _new_account(standing.population, draft)
    if account.is_expired(draft.now):
        raise StandingChanged
    if account.is_blocked:
        raise AdminBlocked
    if account.is_deleted:
        raise AccountDeleted
    if (account.salt, account.iterations) != (credentials.salt, credentials.iterations):
        raise StandingChanged
    return account if metadata is None else replace(account, metadata=metadata)


def _new_account(population: int, draft: Draft) -> Account:
    caller, policy = draft.caller, draft.caller.app.policy
    expires_at = None
    if caller.environment is Environment.SANDBOX:
        if population >= policy.sandbox_max_users:
            raise SandboxFull
        expires_at = draft.now + policy.sandbox_user_days * 86400
    return Account(
        id=0,
        app_id=caller.app.id,
        environment=caller.environment,
        identifier=draft.request.identifier,
        jid=draft.jid,
        salt=draft.credentials.salt,
        iterations=draft.credentials.iterations,
        metadata=draft.request.metadata or {},
        is_blocked=False,
        created_at=draft.now,
        expires_at=expires_at,
    )


async def register(ports: Ports, caller: Caller, request: RegisterRequest) -> Registered:
    """Register a user, or a further device of one: each registration makes one session with a password of its own.

    Raises:
        RateLimited: too many registrations.
        IdentifierInvalid: the identifier breaks its rule.
        MetadataInvalid: the metadata breaks its limits.
        RegistrationUnverified: the caller has not shown that it may register this user, or the assertion was used.
        AdminBlocked: the user is blocked.
        AccountDeleted: the user was deleted, and can still be restored.
        SandboxFull: the sandbox takes no further user.
        SessionLimit: the user is at the cap, `force` is off and no session was named.
        SessionNotFound: the named session is not live.
    """
    await rate_limits.check(ports, *rate_limits.for_register(caller, request.device.ip))
    check_identifier(request.identifier)
    return await open_session(ports, caller, request, prove(caller, request, ports.clock.now()))


async def open_session(
    ports: Ports, caller: Caller, request: RegisterRequest, assertion: AssertionUse | None = None
) -> Registered:
    """Make a session, and the account if need be, for a caller that has shown that it may (`register`, QR sign-in).

    Args:
        ports: the node's ports.
        caller: which app and environment.
        request: what the device asks for.
        assertion: the identity assertion that this registration uses up, if one was shown.

    Raises:
        As `register`; `RateLimited` only where the account comes and goes all the time.
    """
    metadata = None if request.metadata is None else check_metadata(request.metadata)
    identifier = check_identifier(request.identifier)
    checked = replace(request, metadata=metadata, device=clip(request.device))
    jid = f"{identifier}@{caller.domain}"
    for _ in range(limits.REGISTER_ATTEMPTS):
        draft, pair = await _prepare(ports, caller, checked, jid)
        found: list[Standing] = []
        try:
            written = await ports.accounts.register(jid, partial(_decide, draft, found), assertion, checked.retry)
        except StandingChanged:
            continue
        except SandboxFull:
            if await delete_expired(ports) == 0:
                raise
            continue
        is_existing = found[-1].account is not None
        _tell(ports, written, is_existing)
        return Registered(
            account=written.account,
            session=written.session,
            password=draft.credentials.password,
            tokens=pair,
            is_existing=is_existing and not (written.is_repeat and _is_first(written)),
            is_profile_updated=found[-1].has_name,
        )
    raise RateLimited("The user is being registered and deleted over and over", retry_after_s=1.0)


async def _prepare(ports: Ports, caller: Caller, request: RegisterRequest, jid: str) -> tuple[Draft, TokenPair]:
    """Prepare a draft for the account as it stands; an expired one is deleted first."""
    now = ports.clock.now()
    account = await ports.accounts.lookup(jid)
    if account is not None and account.is_expired(now):
        await delete(ports, account, EndReason.EXPIRED)
        account = None
    if account is None:
        credentials = await ports.credentials.fresh()
    else:
        credentials = await ports.credentials.under(account.salt, account.iterations)
    session_id = request.session_id or sessions.new_id(ports)
    pair, records = tokens.new_pair(ports.ids, session_id, now)
    return Draft(caller, request, jid, credentials, session_id, records, now), pair


def _decide(draft: Draft, found: list[Standing], standing: Standing) -> Registration:
    """The decision for the store, which also notes what it was made over; the store may repeat it."""
    found.append(standing)
    return decide_registration(standing, draft)


def _is_first(written: Registration) -> bool:
    """Whether the session is the one that the account was made with."""
    return written.session.created_at == written.account.created_at


def _tell(ports: Ports, written: Registration, is_existing: bool) -> None:
    """Tell the engine of what is now committed: a new account, ended sessions."""
    if not is_existing:
        ports.engine.provision(written.account.jid)
    for session_id in written.ended:
        ports.engine.disconnect_session(written.account.jid, session_id, written.end_reason(session_id))
    if written.is_repeat:  # who is connected as that session has a password that is void
        ports.engine.disconnect_session(written.account.jid, written.session.id, EndReason.REPLACED)


async def lookup(ports: Ports, caller: Caller, identifier: str) -> Account:
    """The account of an identifier in the caller's app and environment, a deleted one too that can be restored.

    Raises:
        AccountNotFound: there is none, or its time is over.
    """
    account = None
    if re.fullmatch(limits.IDENTIFIER_FORM, identifier) is not None:
        account = await ports.accounts.lookup(f"{identifier}@{caller.domain}")
    if account is None or account.is_expired(ports.clock.now()):
        raise AccountNotFound
    return account


async def delete(ports: Ports, account: Account, reason: EndReason = EndReason.ACCOUNT_DELETED) -> None:
    """Delete an account with all that belongs to it, close its connections for that reason, and take it out of other
    users' rosters.
    """
    changes = await ports.accounts.delete(account.id, reason, ports.clock.now())
    ports.engine.disconnect_account(account.jid, reason)
    ports.engine.contacts_changed(changes)


async def delete_expired(ports: Ports) -> int:
    """Delete the sandbox users whose time is over, and the deleted users whom nobody restored; gives their number."""
    count = 0
    while batch := await ports.accounts.expired(ports.clock.now(), limits.EXPIRED_BATCH):
        for account in batch:
            await delete(ports, account, EndReason.ACCOUNT_DELETED if account.is_deleted else EndReason.EXPIRED)
        count += len(batch)
    return count
