"""What a running node does by itself: it sweeps, delivers webhooks, and follows other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_network

import structlog

from heliograph.core import accounts, audit, limits, media, qr_browser, sessions
from heliograph.core.outbound import Reach
from heliograph.core.ports import Ports
from heliograph.errors import PeerError
from heliograph.settings import Settings
from heliograph.system.outbound import GuardedHttp
from heliograph.webhooks.delivery import WebhookDelivery

log = structlog.get_logger(__name__)

_SWEEP_EVERY_S = 60.0
_FOLLOW_EVERY_S = 1.0


async def run(ports: Ports, settings: Settings) -> None:
    """All of it, until it is cancelled."""
    async with webhook_calls(settings) as calls, asyncio.TaskGroup() as tasks:
        tasks.create_task(_every(_SWEEP_EVERY_S, lambda: sweep(ports, settings)))
        tasks.create_task(_let_pictures_go(ports, settings.unused_images_kept_hours * 3600.0))
        tasks.create_task(_follow(ports))
        tasks.create_task(WebhookDelivery(ports, calls).run())


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await _attempt(work)
        await asyncio.sleep(seconds)


async def _attempt(work: Callable[[], Awaitable[None]]) -> None:
    """Do something; where that fails it is told, and the next time is another chance."""
    try:
        await work()
    except PeerError as error:  # such as a database that is away
        log.warning("upkeep_put_off", problem=error.code)
    except Exception:  # what failed is tried again, it does not end the node
        log.exception("upkeep_failed")


def webhook_calls(settings: Settings) -> GuardedHttp:
    """How webhooks' receivers are called: on the public internet, or where the operator lets them be."""
    networks = tuple(ip_network(network) for network in settings.webhook_networks)
    return GuardedHttp(Reach(networks=networks))


async def _follow(ports: Ports) -> None:
    """Cut the connections of sessions that another process ends, such as the command line."""
    seen = await ports.audit.heads()

    async def look() -> None:
        nonlocal seen
        seen = await audit.follow(ports, seen)

    await _every(_FOLLOW_EVERY_S, look)


async def _let_pictures_go(ports: Ports, kept_s: float) -> None:
    """Delete pictures that nobody shows, a piece of the store at a time."""
    after = ""

    async def look() -> None:
        nonlocal after
        after = await media.let_go(ports, after, kept_s)

    await _every(_SWEEP_EVERY_S, look)


async def sweep(ports: Ports, settings: Settings) -> None:
    """Delete sandbox users whose time is over, sessions and QR links that are long over, invitations that are over,
    messages that nobody fetched and entries of the audit trail that are too old, and end linked sessions that idle, or
    that never reached their browser. Put users who are older than the directory into it. What fails stops nothing that
    comes behind it.
    """
    now = ports.clock.now()
    idle_s = settings.qr_session_idle_days * 86400.0
    chores: tuple[Callable[[], Awaitable[int]], ...] = (
        lambda: accounts.delete_expired(ports),
        lambda: sessions.end_idle(ports, idle_s),
        lambda: ports.accounts.forget_sessions(now - limits.ENDED_SESSION_KEPT_S, limits.EXPIRED_BATCH),
        lambda: audit.forget(ports, settings.audit_days * 86400.0),
        lambda: ports.archive.forget(now - settings.archive_days * 86400.0, limits.EXPIRED_BATCH),
        lambda: ports.offline.forget(now - limits.OFFLINE_TTL_S, limits.EXPIRED_BATCH),
        lambda: ports.invitations.forget(now, limits.EXPIRED_BATCH),
        lambda: ports.directory.fill_in(limits.EXPIRED_BATCH),
        lambda: qr_browser.expire_unclaimed(ports),
        lambda: ports.qr_links.forget(now - limits.QR_KEPT_S, now, limits.EXPIRED_BATCH),
    )
    for chore in chores:
        await _attempt(partial(_finish, chore))


async def _finish(chore: Callable[[], Awaitable[int]]) -> None:
    """Do a chore a batch at a time, until there is nothing left to do."""
    while await chore():
        pass
