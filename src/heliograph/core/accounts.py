"""Accounts: one user of one app in one environment, under one bare JID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.core.apps import Environment
from heliograph.core.sessions import Session, Verifiers
from heliograph.core.tokens import TokenRecord

Metadata = Mapping[str, str | bool | int | float]


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user. All its sessions' verifiers are made under its `salt` and `iterations`, so that one SCRAM
    challenge serves them all.

    Attributes:
        id: the row's number; `0` in a draft that was never stored.
        jid: the bare JID, `identifier@domain`.
        expires_at: seconds since the epoch, for sandbox users; `None` for live ones.
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store finds for a registration, inside its transaction.

    Attributes:
        account: the account of that JID, if there is one.
        sessions: its live sessions.
        population: how many accounts the app has in this environment.
        has_name: whether a valid profile name was ever saved.
    """

    account: Account | None
    sessions: tuple[Session, ...]
    population: int
    has_name: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """A decision: the rows that one registration writes, all or none.

    Attributes:
        account: the account to insert (`id == 0`), or the existing one with its new metadata.
        session: the new session (its `account_id` is filled in by the store where the account is new).
        verifiers: of the session's password.
        tokens: the session's first tokens.
        ended: ids of the sessions that make room, with all that belongs to them.
    """

    account: Account
    session: Session
    verifiers: Verifiers
    tokens: tuple[TokenRecord, ...]
    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """The single use of an identity assertion: its id hashed, and when the record may be forgotten."""

    hash: bytes
    expires_at: float
