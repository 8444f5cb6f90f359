"""Status texts to choose from."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from heliograph.core import limits
from heliograph.wire.envelope import Body, Request


class StatusesBody(Body, frozen=True, kw_only=True):
    """What a user may choose a status from.

    Attributes:
        current: the user's status text.
        offered: what the app offers, in its order.
        recent: what the user had last, at most 10, the newest first.
    """

    current: str
    offered: tuple[str, ...]
    recent: tuple[str, ...]


class ForgetStatusRequest(Request, frozen=True, kw_only=True):
    """Take a text off the recent ones; without `status`, all of them."""

    status: str | None = None


class OfferedStatusesRequest(Request, frozen=True, kw_only=True):
    """What the app offers to all its users from now on."""

    statuses: Annotated[tuple[str, ...], Meta(max_length=limits.OFFERED_STATUSES_MAX)]


class OfferedStatusesBody(Body, frozen=True, kw_only=True):
    """What the app offers."""

    statuses: tuple[str, ...]
