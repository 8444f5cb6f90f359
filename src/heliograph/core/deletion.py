"""Deleting an account: at once, or with a grace period in which the app can undo it.

From the moment of the deletion on all sessions are over, nobody sees the user, and its identifier stays taken. What
belongs to the account is kept, so that it can come back whole; when the grace period is over, the sweep deletes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.core import accounts, limits
from heliograph.core.account_changes import AccountChange, Feedback, change
from heliograph.core.accounts import Account
from heliograph.core.apps import Feature, require_backend, require_feature
from heliograph.core.sessions import EndReason, require_own_sign_in
from heliograph.core.unicode_text import is_unicode
from heliograph.errors import AccountNotFound, RequestInvalid

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports
    from heliograph.core.tokens import Identity


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was decided: the time of the deletion, and when the account is gone for good (seconds since the epoch)."""

    deleted_at: float
    purge_at: float


def check_text(name: str, text: str) -> str:
    """What a user says on leaving.

    Raises:
        RequestInvalid: it has more than 2000 characters, or is no Unicode text; `details.field` is `name`.
    """
    if len(text) > limits.FEEDBACK_MAX_CHARS or not is_unicode(text):
        raise RequestInvalid(
            f"The field {name} is text of at most {limits.FEEDBACK_MAX_CHARS} characters",
            details={"field": name, "max": limits.FEEDBACK_MAX_CHARS},
        )
    return text


async def delete_own(ports: Ports, identity: Identity, reason: str = "", feedback: str = "") -> Deletion:
    """Delete the user who asks, and keep what the user has to say of it.

    Raises:
        StepUpRequired: the session was linked by QR code.
        FeatureDisabled: the app does not let users delete themselves.
        RequestInvalid: the reason or the feedback is too long.
    """
    require_feature(identity.caller.app, Feature.ACCOUNT_DELETION)
    require_own_sign_in(identity.session)
    said = (check_text("reason", reason), check_text("feedback", feedback))
    left = Feedback(0, identity.account.jid, *said, created_at=ports.clock.now()) if any(said) else None
    return await _delete(ports, identity.caller, identity.account.jid, left, is_immediate=False)


async def delete(ports: Ports, caller: Caller, identifier: str, *, is_immediate: bool = False) -> Deletion:
    """Delete a user, as the app's backend.

    Args:
        ports: the node's ports.
        caller: the app's backend.
        identifier: of the user, who may be deleted already and wait for the end of the grace period.
        is_immediate: whether there is no grace period.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        AccountNotFound: there is no such user.
    """
    require_backend(caller)
    account = await accounts.lookup(ports, caller, identifier)
    return await _delete(ports, caller, account.jid, None, is_immediate=is_immediate)


async def _delete(ports: Ports, caller: Caller, jid: str, feedback: Feedback | None, *, is_immediate: bool) -> Deletion:
    now = ports.clock.now()
    grace_s = 0.0 if is_immediate else caller.app.policy.deletion_grace_s(caller.environment)

    def decide(found: Account) -> AccountChange:
        deleted_at = now if found.deleted_at is None else found.deleted_at
        purge_at = now + grace_s if is_immediate or found.purge_at is None else found.purge_at
        gone = replace(found, deleted_at=deleted_at, purge_at=purge_at)
        return AccountChange(gone, EndReason.ACCOUNT_DELETED, feedback)

    account, _ = await change(ports, jid, decide)
    if account.is_expired(now):
        await accounts.delete(ports, account)
    return Deletion(account.deleted_at or now, account.purge_at or now)


async def restore(ports: Ports, caller: Caller, identifier: str) -> Account:
    """Undo a deletion within its grace period: the user is there again, with everything but its sessions.

    A user who was not deleted is left as it is, so that the call can be repeated.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
        AccountNotFound: there is no such user, or the grace period is over.
    """
    require_backend(caller)
    account = await accounts.lookup(ports, caller, identifier)
    now = ports.clock.now()

    def decide(found: Account) -> AccountChange:
        if found.is_expired(now):
            raise AccountNotFound
        return AccountChange(replace(found, deleted_at=None, purge_at=None))

    restored, _ = await change(ports, account.jid, decide)
    return restored


async def list_feedback(ports: Ports, caller: Caller, before: int | None, limit: int) -> list[Feedback]:
    """What the users of an app said on leaving, newest first.

    Args:
        ports: the node's ports.
        caller: the app's backend.
        before: only what was said before the feedback of that number.
        limit: how many.

    Raises:
        SecretKeyRequired: the caller is not the app's backend.
    """
    require_backend(caller)
    return await ports.accounts.feedback(caller.app.id, caller.environment, before, limit)
