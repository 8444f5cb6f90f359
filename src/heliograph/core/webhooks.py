"""Webhooks: an app's backend is told of what happens, signed, at least once, as Standard Webhooks has it
(https://www.standardwebhooks.com).

A message is written in the transaction of the change that it tells of, one for each webhook that wants it. It waits
there until the receiver has answered with 2xx, through retries with growing pauses; then it is over, or it lies among
the dead letters until it is replayed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.core import limits, opaque, outbound
from heliograph.core.apps import Environment
from heliograph.core.audit import Entry, Event, Kind, Owner
from heliograph.core.timestamps import iso
from heliograph.core.user_jids import identifier_of
from heliograph.errors import RemoteRefused, WebhookInvalid, WebhookNotFound

if TYPE_CHECKING:
    from heliograph.core.apps import App
    from heliograph.core.ports import Ports

KINDS = (
    Kind.USER_REGISTERED,
    Kind.SESSION_CREATED,
    Kind.SESSION_ENDED,
    Kind.PROFILE_UPDATED,
    Kind.QR_APPROVED,
    Kind.USER_DELETED,
)
"""What a webhook can be told of."""

TEST_KIND = "webhook.test"
"""The type of the message by which an operator tries a webhook."""

_SECRET_PREFIX = "whsec_"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an app's backend listens.

    Attributes:
        id: such as `whk_x7Kq…`.
        environment: whose users it is told of, live or sandbox ones.
        url: where the messages go.
        kinds: which ones.
        waiting: how many messages wait for it.
        dead: how many are dead letters.
        dropped: how many were not taken, because as many waited as may.
    """

    id: str
    app_id: str
    environment: Environment
    url: str
    kinds: tuple[Kind, ...]
    created_at: float
    waiting: int = 0
    dead: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one webhook.

    Attributes:
        id: the same in every attempt and replay, so that a receiver can pass over what it has had.
        body: what is sent, as JSON text.
        attempts: how often it was tried in vain.
        due_at: when it may be tried next.
        problem: why the last attempt failed; `""` where there was none.
    """

    id: str
    webhook_id: str
    kind: str
    body: str
    created_at: float
    attempts: int = 0
    due_at: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one webhook to be sent now, in order, by whoever took them."""

    webhook: Webhook
    secret: str = field(repr=False)
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended: accepted, or not, for the reason `problem`.

    Attributes:
        retry_after_s: how long the receiver asks to be left alone.
        is_final: whether trying again is no use.
    """

    problem: str = ""
    retry_after_s: float = 0.0
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a message: over (`due_at` is `None`), tried again at `due_at`, or a dead letter."""

    message: Message
    due_at: float | None = None
    problem: str = ""
    is_dead: bool = False
    is_tried: bool = True


# --------------------------------------------------------------------------------------------------------------- rules


def check_url(url: str, *, allows_private: bool) -> str:
    """The address of a webhook.

    Args:
        url: as the operator gives it.
        allows_private: whether plain HTTP will do. Where the name leads is judged when it is called.

    Raises:
        WebhookInvalid: it cannot be called, or is not HTTPS.
    """
    try:
        target = outbound.parse(url)
    except RemoteRefused as error:
        raise WebhookInvalid(error.message) from error
    if target.scheme != "https" and not allows_private:
        raise WebhookInvalid("A webhook's address begins with https://")
    return url


def check_kinds(names: Iterable[str]) -> tuple[Kind, ...]:
    """The kinds of messages that a webhook wants; none given means all.

    Raises:
        WebhookInvalid: there is no such kind.
    """
    known = {kind.value: kind for kind in KINDS}
    wanted = dict.fromkeys(names)
    if unknown := [name for name in wanted if name not in known]:
        raise WebhookInvalid(f"There is no event {unknown[0]}; there are {', '.join(known)}")
    return tuple(kind for kind in KINDS if kind.value in wanted) if wanted else KINDS


def new_secret(chance: bytes) -> str:
    """A signing secret in its written form."""
    return _SECRET_PREFIX + base64.b64encode(chance).decode()


def sign(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`: HMAC-SHA256 over id, time of the attempt and body.

    Args:
        secret: as `new_secret` has written it.
        message_id: the header `webhook-id`.
        timestamp: the header `webhook-timestamp`, in seconds since the epoch.
        body: what is sent.
    """
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers(secret: str, message: Message, now: float) -> dict[str, str]:
    """What goes along with a message that is sent now."""
    return {
        "content-type": "application/json",
        "user-agent": "Heliograph",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": sign(secret, message.id, int(now), message.body),
    }


def message(webhook_id: str, entry: Entry) -> Message:
    """The message for one webhook about an entry of the audit trail.

    Its id is made from the entry's hash, which is there once, and the webhook's.
    """
    event = entry.event
    mark = hashlib.sha256(entry.hash + webhook_id.encode()).digest()[: limits.WEBHOOK_MESSAGE_ID_BYTES]
    body = _body(event.kind.value, event.at, _data(event))
    return Message(opaque.encode("msg_", mark), webhook_id, event.kind.value, body, event.at, due_at=event.at)


def test_message(webhook_id: str, chance: bytes, now: float) -> Message:
    """A message that tells of nothing."""
    return Message(opaque.encode("msg_", chance), webhook_id, TEST_KIND, _body(TEST_KIND, now, {}), now)


def _body(kind: str, at: float, data: dict[str, Any]) -> str:
    return _encode({"type": kind, "timestamp": iso(at), "data": data}).decode()


def _data(event: Event) -> dict[str, Any]:
    owner = event.owner
    session = {"sessionId": event.session_id} if event.session_id else {}
    return {
        "userId": identifier_of(owner.jid),
        "userJid": owner.jid,
        "isSandbox": owner.environment is Environment.SANDBOX,
        **session,
        **event.facts,
    }


def settle(tried: Message, attempt: Attempt, now: float, chance: float) -> Settled:
    """What becomes of a message after an attempt.

    The pause grows fourfold each time, from `WEBHOOK_RETRY_S` to `WEBHOOK_RETRY_MAX_S`, give or take a fifth, so that
    those who failed together do not come back together.

    Args:
        tried: the message, with its attempts before this one.
        attempt: how it went.
        now: seconds since the epoch.
        chance: a number from 0 up to 1.
    """
    if not attempt.problem:
        return Settled(tried)
    attempts = tried.attempts + 1
    if attempt.is_final or attempts >= limits.WEBHOOK_ATTEMPTS_MAX:
        return Settled(tried, now, attempt.problem, is_dead=True)
    grown = min(limits.WEBHOOK_RETRY_S * 4.0**tried.attempts, limits.WEBHOOK_RETRY_MAX_S)
    asked = min(attempt.retry_after_s, limits.WEBHOOK_RETRY_MAX_S)
    return Settled(tried, now + max(grown * (0.8 + 0.4 * chance), asked), attempt.problem)


def release(untried: Message, now: float) -> Settled:
    """A message that was taken and not sent, because the one before it failed: it waits on as before."""
    return Settled(untried, now, untried.problem, is_tried=False)


def in_line(waiting: Iterable[Message], now: float, limit: int) -> tuple[Message, ...]:
    """Those of a webhook's waiting messages that are to be sent now, in the order of their events.

    A message that failed holds up those behind it, for `WEBHOOK_ORDERED_ATTEMPTS` attempts. Then they pass it, so that
    one that its receiver cannot take does not stop all others.
    """
    ready: list[Message] = []
    for each in waiting:
        if each.due_at <= now:
            ready.append(each)
        elif each.attempts <= limits.WEBHOOK_ORDERED_ATTEMPTS:
            break
        if len(ready) >= limit:
            break
    return tuple(ready)


# ----------------------------------------------------------------------------------------------------------- use cases


async def add(
    ports: Ports, app: App, environment: Environment, url: str, kinds: Iterable[str], *, allows_private: bool
) -> tuple[Webhook, str]:
    """Add a webhook; gives it and its signing secret, which is shown this once.

    Raises:
        WebhookInvalid: the address or a kind is wrong, or the app has as many webhooks as it may.
    """
    webhook = Webhook(
        id=opaque.encode("whk_", ports.ids.random(limits.WEBHOOK_ID_BYTES)),
        app_id=app.id,
        environment=environment,
        url=check_url(url, allows_private=allows_private),
        kinds=check_kinds(kinds),
        created_at=ports.clock.now(),
    )
    secret = new_secret(ports.ids.random(limits.WEBHOOK_SECRET_BYTES))
    told = Event(Kind.WEBHOOK_ADDED, Owner(app.id, environment), webhook.created_at, facts={"webhookId": webhook.id})
    await ports.webhooks.add(webhook, secret, limits.WEBHOOKS_PER_APP_MAX, told)
    return webhook, secret


async def lookup(ports: Ports, webhook_id: str) -> Webhook:
    """The webhook of that id.

    Raises:
        WebhookNotFound: there is none.
    """
    for webhook in await ports.webhooks.list():
        if webhook.id == webhook_id:
            return webhook
    raise WebhookNotFound


async def remove(ports: Ports, webhook_id: str) -> None:
    """Remove a webhook with its messages.

    Raises:
        WebhookNotFound: there is none.
    """
    webhook = await lookup(ports, webhook_id)
    owner = Owner(webhook.app_id, webhook.environment)
    told = Event(Kind.WEBHOOK_REMOVED, owner, ports.clock.now(), facts={"webhookId": webhook.id})
    await ports.webhooks.remove(webhook.id, told)
