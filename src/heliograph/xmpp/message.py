"""Where a message goes (RFC 6121, section 8.5): decided from its type and from who is there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

_TYPES = frozenset(("chat", "error", "groupchat", "headline", "normal"))


class Verdict(Enum):
    """What becomes of a message that has no one connected resource as its receiver."""

    DELIVER = "deliver"
    REFUSE = "refuse"
    DROP = "drop"


def message_type(value: str | None) -> str:
    """The type of a message; none or an unknown one means `normal` (RFC 6121, section 5.2.2)."""
    return value if value in _TYPES else "normal"


def to_account(kind: str, priorities: Sequence[int]) -> tuple[Verdict, list[int]]:
    """What becomes of a message to a bare JID (RFC 6121, sections 8.5.2 and 8.5.1).

    Args:
        kind: the message's type.
        priorities: of the account's available resources.

    Returns:
        The verdict and, for `DELIVER`, the indexes of the resources that get the message: all whose priority is not
        negative.
    """
    receivers = [index for index, priority in enumerate(priorities) if priority >= 0]
    if kind == "error":
        return Verdict.DROP, []
    if kind == "groupchat":
        return Verdict.REFUSE, []
    if receivers:
        return Verdict.DELIVER, receivers
    return (Verdict.DROP if kind == "headline" else Verdict.REFUSE), []


def to_missing_resource(kind: str, priorities: Sequence[int]) -> tuple[Verdict, list[int]]:
    """What becomes of a message to a full JID that nobody is connected as (RFC 6121, section 8.5.3.2.1): only a chat
    goes on with the account's other resources.
    """
    if kind == "chat":
        return to_account(kind, priorities)
    return (Verdict.REFUSE if kind in ("normal", "groupchat") else Verdict.DROP), []
