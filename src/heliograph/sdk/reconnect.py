"""When to try again: exponential backoff with full jitter, and the patience of a connection."""

from __future__ import annotations

from dataclasses import dataclass

_EXPONENT_MAX = 30  # a larger one says no more, and would overflow in the end


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """How patient a connection is; all in seconds.

    Attributes:
        attempt_timeout_s: how long one attempt to connect may take, sign-in included.
        close_timeout_s: how long the server may take to say goodbye when the connection is closed from this side.
        ping_after_s: a stream that was silent so long is asked for a sign of life (XEP-0199).
        ping_timeout_s: how long it may take to give one.
        backoff_base_s: the longest wait before the first attempt to reconnect; each further one may wait twice as long.
        backoff_max_s: the longest wait of all.
        stable_after_s: a connection that held so long starts the backoff anew.
    """

    attempt_timeout_s: float = 20.0
    close_timeout_s: float = 2.0
    ping_after_s: float = 60.0
    ping_timeout_s: float = 20.0
    backoff_base_s: float = 1.0
    backoff_max_s: float = 60.0
    stable_after_s: float = 30.0


def backoff_s(policy: ReconnectPolicy, attempt: int, chance: float) -> float:
    """How long to wait before an attempt: anything from nothing to a bound that doubles, so that the clients of a
    server that comes back do not all come at once.

    Args:
        policy: base and maximum.
        attempt: 1 for the first attempt after a loss.
        chance: a number from 0 up to 1.
    """
    bound = policy.backoff_base_s * 2.0 ** min(attempt - 1, _EXPONENT_MAX)
    return chance * min(policy.backoff_max_s, bound)
