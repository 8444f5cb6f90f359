"""Rate limits as the generic cell rate algorithm (GCRA): one number a key, no window edges; and the product's rates.

A client is limited by its network address and together with all clients of its app; an app's own backend, which shows
the secret key and acts for many users from one address, has one rate of its own.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from heliograph.errors import RateLimited

if TYPE_CHECKING:
    from heliograph.core.apps import Caller
    from heliograph.core.ports import Ports


CLOCK_STEP_S = 1e-6
"""A shorter wait is none: a double that counts seconds since 1970 is good for a quarter of a microsecond."""


class Rate(NamedTuple):
    """At most `burst` calls at once, and `per_minute` calls a minute in the long run."""

    per_minute: float
    burst: float


class Verdict(NamedTuple):
    """What a call gets: the new theoretical arrival time to keep, and the seconds to wait (0.0: go ahead)."""

    arrival: float
    wait_s: float


class Quota(NamedTuple):
    """How a key stands after a call: how many calls it may make at once at most, how many of them are left, and in how
    many seconds there is more: all of them again or, where none is left, the next one.
    """

    limit: int
    remaining: int
    reset_s: float


class Draw(NamedTuple):
    """One call to be counted: under which key, against which rate."""

    key: str
    rate: Rate


CALLS_PER_ADDRESS = Rate(per_minute=30_000, burst=30_000)
"""All calls by clients of one address, whatever they call."""
CALLS_PER_APP = Rate(per_minute=600_000, burst=60_000)
"""All calls by all clients of an app in one environment."""
CALLS_PER_ACCOUNT = Rate(per_minute=1_200, burst=600)
"""All calls of one user, on all devices."""
CALLS_PER_KEY = Rate(per_minute=120_000, burst=10_000)
"""All calls that show an app's secret key."""
WRONG_KEYS_PER_ADDRESS = Rate(per_minute=1_200, burst=2_000)
"""Calls of one address with a key that is none, or with a token that is none."""
BACKEND_PER_APP = Rate(per_minute=60_000, burst=5_000)
"""Registrations and token calls by an app's backend; wide enough to move a whole user base in."""
REGISTER_PER_ADDRESS = Rate(per_minute=120, burst=200)
"""Registrations by clients of one address; an office or a school may share one."""
REGISTER_PER_APP = Rate(per_minute=6_000, burst=1_000)
"""Registrations by all clients of an app in one environment."""
TOKENS_PER_ADDRESS = Rate(per_minute=600, burst=600)
"""Token calls (sign-in for tokens, refresh) of one address."""
FAILED_SIGN_INS_PER_ADDRESS = Rate(per_minute=60, burst=60)
"""Wrong passwords from one address, whoever's."""
FAILED_SIGN_INS_PER_ACCOUNT = Rate(per_minute=10, burst=20)
"""Wrong passwords for one account from one address."""
QR_LINKS_PER_ADDRESS = Rate(per_minute=120, burst=200)
"""New QR links by browsers of one address."""
QR_LINKS_PER_APP = Rate(per_minute=6_000, burst=1_000)
"""New QR links of all browsers of an app in one environment."""
QR_CALLS_PER_SESSION = Rate(per_minute=60, burst=30)
"""Scans, approvals and denials of one phone."""
WRONG_QR_CODES_PER_SESSION = Rate(per_minute=10, burst=10)
"""Codes that are none, or no longer, of one phone."""
TYPED_CODES_PER_SESSION = Rate(per_minute=5, burst=5)
"""Typed codes of one phone, right or wrong: they have 34 bits, so guessing has to be slow (RFC 8628, section 5.1)."""
TYPED_CODES_PER_ADDRESS = Rate(per_minute=30, burst=30)
"""Typed codes of all phones of one address."""


def take(arrival: float, rate: Rate, now: float) -> Verdict:
    """Decide one call.

    Args:
        arrival: the key's theoretical arrival time in seconds since the epoch; 0.0 for a key never seen.
        rate: what the key is allowed.
        now: seconds since the epoch.
    """
    interval = 60.0 / rate.per_minute
    start = max(arrival, now)
    wait_s = start - now - interval * (rate.burst - 1)
    if wait_s > CLOCK_STEP_S:
        return Verdict(arrival, wait_s)
    return Verdict(start + interval, 0.0)


def quota(verdict: Verdict, rate: Rate, now: float) -> Quota:
    """What a verdict leaves of a rate."""
    if verdict.wait_s > 0.0:
        return Quota(int(rate.burst), 0, verdict.wait_s)
    used_s = max(0.0, verdict.arrival - now)
    left = rate.burst - used_s * rate.per_minute / 60.0
    return Quota(int(rate.burst), max(0, int(left + CLOCK_STEP_S)), used_s)


def weighted(rate: Rate, calls: int) -> Rate:
    """The rate that counts one call as that many."""
    return Rate(rate.per_minute / calls, rate.burst / calls)


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address, since a subscriber has at least that
    much (RFC 6177). What is no address stands for itself.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def for_call(caller: Caller, address: str) -> tuple[Draw, ...]:
    """What each call draws on, whatever it calls.

    Args:
        caller: whose key was shown.
        address: the client's network address; empty where there is none.
    """
    if caller.is_backend:
        return (Draw(f"calls:key:{caller.app.id}:{caller.environment}", CALLS_PER_KEY),)
    app = Draw(f"calls:app:{caller.domain}", CALLS_PER_APP)
    return (*_of_address("calls:address", address, CALLS_PER_ADDRESS), app)


def for_account(jid: str) -> tuple[Draw, ...]:
    """What each call of a signed-in user draws on."""
    return (Draw(f"calls:account:{jid}", CALLS_PER_ACCOUNT),)


def for_wrong_key(address: str) -> tuple[Draw, ...]:
    """What a call draws on that shows no valid key or token; the address as for `for_call`."""
    return _of_address("calls:wrong", address, WRONG_KEYS_PER_ADDRESS)


def for_register(caller: Caller, address: str) -> tuple[Draw, ...]:
    """What a registration draws on.

    Args:
        caller: who registers.
        address: the client's network address; empty where there is none, such as in a call from within the process.
    """
    if caller.is_backend:
        return (_backend(caller),)
    app = Draw(f"register:app:{caller.domain}", REGISTER_PER_APP)
    return (*_of_address("register:address", address, REGISTER_PER_ADDRESS), app)


def for_bulk(caller: Caller, count: int) -> tuple[Draw, ...]:
    """What so many registrations of a backend in one call draw on."""
    return (Draw(f"backend:{caller.app.id}", weighted(BACKEND_PER_APP, count)),)


def for_tokens(caller: Caller, address: str) -> tuple[Draw, ...]:
    """What a token call draws on; arguments as for `for_register`."""
    if caller.is_backend:
        return (_backend(caller),)
    return _of_address("tokens:address", address, TOKENS_PER_ADDRESS)


def for_failed_sign_in(jid: str, address: str) -> tuple[Draw, ...]:
    """What a wrong password draws on.

    Only failures count, and they count per account *and* address: nobody can lock a user out by guessing. The
    passwords are random, so guessing is hopeless anyway and the limit only bounds its cost.

    Args:
        jid: the bare JID that was to be signed in.
        address: as for `for_register`.
    """
    account = Draw(f"sign-in:account:{network(address)}:{jid}", FAILED_SIGN_INS_PER_ACCOUNT)
    return (*_of_address("sign-in:address", address, FAILED_SIGN_INS_PER_ADDRESS), account)


def for_qr_link(caller: Caller, address: str) -> tuple[Draw, ...]:
    """What a new QR link draws on; arguments as for `for_register`."""
    app = Draw(f"qr:app:{caller.domain}", QR_LINKS_PER_APP)
    return (*_of_address("qr:address", address, QR_LINKS_PER_ADDRESS), app)


def for_qr_scan(session_id: str) -> tuple[Draw, ...]:
    """What a phone's call draws on."""
    return (Draw(f"qr:session:{session_id}", QR_CALLS_PER_SESSION),)


def for_wrong_qr_code(session_id: str) -> tuple[Draw, ...]:
    """What a code that is none draws on."""
    return (Draw(f"qr:wrong:{session_id}", WRONG_QR_CODES_PER_SESSION),)


def for_typed_code(session_id: str, address: str) -> tuple[Draw, ...]:
    """What a typed code draws on; the address as for `for_register`."""
    session = Draw(f"qr:typed:{session_id}", TYPED_CODES_PER_SESSION)
    return (*_of_address("qr:typed:address", address, TYPED_CODES_PER_ADDRESS), session)


def for_backend(caller: Caller, calls: int) -> tuple[Draw, ...]:
    """What a call of an app's backend draws on that does the work of so many."""
    draw = _backend(caller)
    return (Draw(draw.key, weighted(draw.rate, calls)),)


def _backend(caller: Caller) -> Draw:
    return Draw(f"backend:{caller.app.id}", BACKEND_PER_APP)


def _of_address(name: str, address: str, rate: Rate) -> tuple[Draw, ...]:
    return (Draw(f"{name}:{network(address)}", rate),) if address else ()


async def check(ports: Ports, *draws: Draw) -> None:
    """Count one call under each key, in order, until one refuses.

    Raises:
        RateLimited: a key is over its rate; `retry_after_s` says when it has room again.
    """
    now = ports.clock.now()
    for draw in draws:
        verdict = await ports.rates.take(draw.key, draw.rate, now)
        if verdict.wait_s > 0.0:
            raise RateLimited(retry_after_s=verdict.wait_s)
