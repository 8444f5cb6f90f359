"""The worker that delivers webhooks' messages, and one attempt at a time for each webhook.

It takes messages out of the store under a lease, sends them in order, and stores how that ended. A process that is
killed in between loses nothing: once the lease is over, the messages are due again, with the same ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
from collections.abc import Sequence

import structlog

from heliograph.core import limits, outbound, webhooks
from heliograph.core.media_ports import Outbound
from heliograph.core.outbound import Answer
from heliograph.core.ports import Ports
from heliograph.core.webhooks import Attempt, Batch, Message, Settled
from heliograph.errors import PeerError, RemoteFailed, RemoteRefused

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5
"""How often the worker looks for messages."""
_SENDERS = 16
"""How many webhooks are served at the same time."""
_CHANCE_BYTES = 4
_GONE = 410


class WebhookDelivery:
    """Delivers messages until it is cancelled.

    Args:
        ports: the node's ports.
        calls: how it calls receivers.
        look_every_s: how often it looks for messages where nothing tells it to.
    """

    def __init__(self, ports: Ports, calls: Outbound, look_every_s: float = LOOK_EVERY_S) -> None:
        self._ports = ports
        self._calls = calls
        self._look_every_s = look_every_s
        self._senders = asyncio.Semaphore(_SENDERS)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Look for messages and send them, for ever. A slow receiver holds up nobody else."""
        async with asyncio.TaskGroup() as sending:
            while True:
                self._wake.clear()
                for batch in await self._take():
                    sending.create_task(self._send_all(batch))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):  # wait_for may swallow the end of the node
                        await self._wake.wait()

    async def _take(self) -> Sequence[Batch]:
        now = self._ports.clock.now()
        try:
            return await self._ports.webhooks.take(now, now + limits.WEBHOOK_LEASE_S, limits.WEBHOOK_BATCH)
        except PeerError as error:  # a database that is away, which has them all
            log.warning("webhooks_not_taken", problem=error.code)
            return ()
        except Exception:  # a store that fails now may work in a moment; the messages are safe in it
            log.exception("webhooks_not_taken")
            return ()

    async def _send_all(self, batch: Batch) -> None:
        """Send a batch in order; behind the first that fails, and when the node stops, the others wait on."""
        settled: list[Settled] = []
        try:
            async with self._senders:
                for message in batch.messages:
                    attempt = await send(self._ports, self._calls, batch.webhook.url, batch.secret, message)
                    settled.append(webhooks.settle(message, attempt, self._ports.clock.now(), self._chance()))
                    if attempt.problem:
                        self._log(batch, settled[-1])
                        break
        finally:
            await self._settle(batch, [*settled, *self._released(batch.messages[len(settled) :])])

    async def _settle(self, batch: Batch, settled: Sequence[Settled]) -> None:
        try:
            await self._ports.webhooks.settle(settled)
        except PeerError as error:
            log.warning("webhooks_not_settled", webhook_id=batch.webhook.id, problem=error.code)
        except Exception:  # once the lease is over, they are due again
            log.exception("webhooks_not_settled", webhook_id=batch.webhook.id)
        self._wake.set()

    def _released(self, untried: Sequence[Message]) -> list[Settled]:
        now = self._ports.clock.now()
        return [webhooks.release(message, now) for message in untried]

    def _chance(self) -> float:
        return int.from_bytes(self._ports.ids.random(_CHANCE_BYTES)) / 256.0**_CHANCE_BYTES

    def _log(self, batch: Batch, failed: Settled) -> None:
        log.warning(
            "webhook_dead_letter" if failed.is_dead else "webhook_not_taken",
            webhook_id=batch.webhook.id,
            message_id=failed.message.id,
            attempts=failed.message.attempts + 1,
            problem=failed.problem,
        )


async def send(ports: Ports, calls: Outbound, url: str, secret: str, message: Message) -> Attempt:
    """Send one message, once.

    Args:
        ports: the node's ports.
        calls: how the receiver is called.
        url: where it is.
        secret: the webhook's signing secret.
        message: what to send.
    """
    now = ports.clock.now()
    request = outbound.Request(
        "POST",
        url,
        headers=webhooks.headers(secret, message, now),
        body=message.body.encode(),
        max_bytes=limits.WEBHOOK_ANSWER_MAX_BYTES,
        timeout_s=limits.WEBHOOK_TIMEOUT_S,
    )
    try:
        answer = await calls.request(request)
    except (RemoteRefused, RemoteFailed) as error:
        return Attempt(error.message)
    return _attempt(answer, now)


def _attempt(answer: Answer, now: float) -> Attempt:
    """What an answer says. A receiver that is gone (410) is not tried again, as Standard Webhooks has it."""
    if 200 <= answer.status < 300:
        return Attempt()
    problem = f"The receiver answered with status {answer.status}"
    return Attempt(problem, _retry_after_s(answer.headers.get("retry-after", ""), now), answer.status == _GONE)


def _retry_after_s(value: str, now: float) -> float:
    """The seconds that `Retry-After` asks for (RFC 9110, section 10.2.3)."""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return 0.0
