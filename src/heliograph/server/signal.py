"""The QR signal server: a WebSocket on which a browser gets codes, hears of its phone, and is signed in.

One task a socket tells the browser what is new about its link. The bus wakes it at once where the phone's call came to
this process; and as that may be another one, it also looks into the store about twice a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from heliograph import wire
from heliograph.core import apps, limits, opaque, qr_browser, qr_codes, qr_login, rate_limits
from heliograph.core.apps import Caller, QrFormat
from heliograph.core.qr_browser import NewCodes
from heliograph.core.qr_login import Event, QrLink, State
from heliograph.core.rate_limits import Rate
from heliograph.core.sessions import Device
from heliograph.core.user_jids import identifier_of
from heliograph.errors import (
    ExpiredToken,
    HeliographError,
    InternalError,
    PayloadTooLarge,
    PeerError,
    RequestInvalid,
    SlowDown,
    UsageError,
)
from heliograph.server import bodies
from heliograph.server.services import Services
from heliograph.wire import qr as wire_qr

log = structlog.get_logger(__name__)

MESSAGES = Rate(per_minute=120, burst=20)
"""What a browser may send on one socket."""
SEND_TIMEOUT_S = 10.0
"""How long a browser may take to read a message."""
REFUSALS_MAX = 20
"""After so many refused messages the socket is closed."""

_WAITING_MAX = 8
_HOLDER_BYTES = 16
_NORMAL, _POLICY_VIOLATION, _TOO_BIG, _INTERNAL = 1000, 1008, 1009, 1011  # RFC 6455, section 7.4.1


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """How patient the server is, and with how many.

    Attributes:
        look_every_s: how often a socket looks into the store without having been told to.
        hello_timeout_s: how long a socket may take until it has a link.
        sockets_per_address_max: how many sockets one address may hold.
    """

    look_every_s: float = 0.5
    hello_timeout_s: float = limits.QR_HELLO_TIMEOUT_S
    sockets_per_address_max: int = limits.QR_SOCKETS_PER_ADDRESS_MAX


class _Over(Exception):
    """The conversation has ended; the socket closes with this code."""

    def __init__(self, code: int = _NORMAL) -> None:
        self.code: Final = code
        super().__init__(code)


def signal_app(services: Services, bounds: SignalLimits = SignalLimits()) -> ASGIApp:
    """The ASGI application, for the node to mount beside its HTTP routes. A WebSocket without our subprotocol is
    refused, and so is one too many of an address.
    """
    open_sockets: Counter[str] = Counter()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await send({"type": "http.response.start", "status": 426, "headers": [(b"upgrade", b"websocket")]})
            await send({"type": "http.response.body", "body": b""})
            return
        websocket = WebSocket(scope, receive, send)
        address = websocket.client.host if websocket.client else ""
        network = rate_limits.network(address)
        is_ours = wire_qr.SUBPROTOCOL in scope.get("subprotocols", ())
        if not is_ours or open_sockets[network] >= bounds.sockets_per_address_max:
            await websocket.close(_POLICY_VIOLATION)
            return
        open_sockets[network] += 1
        try:
            await websocket.accept(wire_qr.SUBPROTOCOL)
            await _SignalSocket(services, websocket, address, bounds).run()
        finally:
            open_sockets[network] -= 1
            if not open_sockets[network]:
                del open_sockets[network]

    return app


class _SignalSocket:
    """One browser's socket, and the link that it has."""

    def __init__(self, services: Services, websocket: WebSocket, address: str, bounds: SignalLimits) -> None:
        self._services = services
        self._ports = services.ports
        self._websocket = websocket
        self._origin = websocket.headers.get("origin")
        self._address = address
        self._bounds = bounds
        self._holder = opaque.encode("", self._ports.ids.random(_HOLDER_BYTES))
        self._messages: asyncio.Queue[str] = asyncio.Queue(_WAITING_MAX)
        self._wake = asyncio.Event()
        self._is_gone = False
        self._arrival = 0.0
        self._refusals = 0
        self._caller: Caller
        self._link_id = ""
        self._resume_secret = ""
        self._told: tuple[object, ...] = ()
        self._hush: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Talk until the link or the socket is at its end."""
        reader = asyncio.create_task(self._read())
        code = _NORMAL
        try:
            await self._converse()
        except _Over as over:
            code = over.code
        except WebSocketDisconnect:
            pass
        except PeerError as error:  # such as a database that is away: the browser comes back to its link
            log.warning("signal_unanswered", code=error.code, link_id=self._link_id)
            with contextlib.suppress(WebSocketDisconnect):
                await self._send(_refused(error))
            code = _INTERNAL
        except Exception as error:  # noqa: BLE001 - the one place where a bug of a conversation ends
            error_id = self._ports.ids.random(8).hex()
            stack = "".join(traceback.format_exception(error))
            log.error("signal_failed", error_id=error_id, link_id=self._link_id, error=stack)  # noqa: TRY400 - as text: a renderer that shows local variables would show secrets
            with contextlib.suppress(WebSocketDisconnect):
                await self._send(_refused(InternalError(details={"errorId": error_id})))
            code = _INTERNAL
        finally:
            self._hush()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        await self._close(code)

    async def _close(self, code: int) -> None:
        if not self._is_gone and self._websocket.application_state is not WebSocketState.DISCONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it may go at the same moment
                await self._websocket.close(code)

    # ------------------------------------------------------------------------------------------------------- messages

    async def _read(self) -> None:
        """Bring messages in, as fast as they are taken."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._is_gone = True
                self._wake.set()
                return
            await self._messages.put(message.get("text") or "")
            self._wake.set()

    async def _send(self, message: wire_qr.FromServer) -> None:
        if self._is_gone:
            raise WebSocketDisconnect
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.send_text(wire.encode(message).decode())
        except TimeoutError:
            raise _Over(_POLICY_VIOLATION) from None

    async def _next(self) -> str:
        """The next message, before there is a link."""
        while self._messages.empty():
            if self._is_gone:
                raise WebSocketDisconnect
            self._wake.clear()
            await self._wake.wait()
        return self._messages.get_nowait()

    def _decode(self, text: str) -> wire_qr.FromBrowser:
        if len(text.encode("utf-8", "replace")) > limits.QR_SIGNAL_MAX_BYTES:
            raise PayloadTooLarge(details={"maxBytes": limits.QR_SIGNAL_MAX_BYTES})
        verdict = rate_limits.take(self._arrival, MESSAGES, self._ports.clock.now())
        self._arrival = verdict.arrival
        if verdict.wait_s > 0:
            raise SlowDown(retry_after_s=verdict.wait_s)
        return wire.decode(text.encode("utf-8", "replace"), wire_qr.FromBrowser)  # type: ignore[arg-type]

    # --------------------------------------------------------------------------------------------------- conversation

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(self._bounds.hello_timeout_s):
                await self._begin(self._decode(await self._next()))
        except TimeoutError:
            raise _Over(_POLICY_VIOLATION) from None
        except UsageError as error:
            await self._send(_refused(error))
            await self._send(wire_qr.Ended(code=error.code, message=error.message))
            log.info("qr_link_refused", code=error.code, origin=self._origin, address=self._address)
            raise _Over(_TOO_BIG if isinstance(error, PayloadTooLarge) else _POLICY_VIOLATION) from None
        while True:
            with contextlib.suppress(UsageError):  # somebody was faster: the next look shows what stands now
                await self._show()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._bounds.look_every_s):
                    await self._wake.wait()
            self._wake.clear()
            while not self._messages.empty():
                await self._take(self._messages.get_nowait())

    async def _begin(self, message: wire_qr.FromBrowser) -> None:
        if isinstance(message, wire_qr.Hello):
            await self._open(message)
        elif isinstance(message, wire_qr.Resume):
            await self._resume(message)
        else:
            raise RequestInvalid("The first message is hello or resume", details={"field": "type"})

    async def _open(self, hello: wire_qr.Hello) -> None:
        self._caller = await apps.authenticate_key(self._ports, hello.license_key)
        jwk = hello.public_key
        key, challenge = await qr_browser.greet(
            self._ports,
            self._caller,
            self._origin,
            self._address,
            {"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "y": jwk.y},
        )
        await self._send(wire_qr.Challenge(jwe=challenge.jwe))
        proof = self._decode(await self._next())
        if not isinstance(proof, wire_qr.Proof):
            raise RequestInvalid("The answer to a challenge is proof", details={"field": "type"})
        qr_browser.check_proof(challenge, proof.nonce)
        device = Device(hello.device.device, hello.device.browser, hello.device.os, self._address)
        opened = await qr_browser.open_link(self._ports, self._caller, key, device, self._holder)
        self._resume_secret = opened.resume_secret
        self._attach(opened.codes.link.id)
        self._log("qr_link_opened")
        await self._show_codes(opened.codes)

    async def _resume(self, resume: wire_qr.Resume) -> None:
        self._caller = await apps.authenticate_key(self._ports, resume.license_key)
        link = await qr_browser.resume(
            self._ports,
            self._caller,
            self._origin,
            self._address,
            resume.link_id,
            resume.resume_secret,
            self._holder,
        )
        self._resume_secret = resume.resume_secret
        self._attach(link.id)
        self._log("qr_link_resumed")
        if link.state is State.WAITING and not link.is_paused:
            with contextlib.suppress(UsageError):  # scanned in between, as the first look shows
                await self._rotate(Event.ROTATE)

    def _attach(self, link_id: str) -> None:
        self._link_id = link_id
        self._hush = self._ports.bus.listen(qr_browser.topic(link_id), self._wake.set)

    async def _take(self, text: str) -> None:
        """Act on one message; what is wrong with it is told, and the link goes on."""
        try:
            message = self._decode(text)
            if isinstance(message, wire_qr.Continue):
                await self._rotate(Event.CONTINUE)
            elif isinstance(message, wire_qr.CheckCode):
                await self._check(message.code)
            elif isinstance(message, wire_qr.Received):
                await self._deliver()
            elif isinstance(message, wire_qr.Cancel):
                await qr_browser.cancel(self._ports, self._link_id, self._holder)
            else:
                raise RequestInvalid("The link is made already", details={"field": "type"})
        except UsageError as error:
            await self._send(_refused(error))
            self._refusals += 1
            if isinstance(error, PayloadTooLarge):
                raise _Over(_TOO_BIG) from None
            if self._refusals >= REFUSALS_MAX:
                raise _Over(_POLICY_VIOLATION) from None

    # ------------------------------------------------------------------------------------------------------ the link

    async def _show(self) -> None:
        """Tell the browser what is new about its link."""
        if self._is_gone:
            raise WebSocketDisconnect
        link = await qr_browser.look(self._ports, self._link_id)
        if link is None:
            await self._end(ExpiredToken())
        elif link.holder != self._holder or link.state is State.DELIVERED:
            raise _Over
        elif link.is_over:
            await self._end(qr_login.failure_of(link))
        elif link.state is State.WAITING:
            await self._show_waiting(link)
        else:
            await self._show_progress(link)

    async def _end(self, error: HeliographError) -> None:
        self._log("qr_link_ended", code=error.code)
        await self._send(wire_qr.Ended(code=error.code, message=error.message))
        raise _Over

    async def _show_waiting(self, link: QrLink) -> None:
        is_due = self._ports.clock.now() >= link.refresh_at
        if link.is_paused and (is_due or not self._told):
            if self._note("paused"):
                await self._send(wire_qr.Paused())
        elif is_due:
            await self._rotate(Event.ROTATE)

    async def _show_progress(self, link: QrLink) -> None:
        if link.state is State.SCANNED:
            if self._note(State.SCANNED):
                await self._send(wire_qr.Scanned())
        elif link.state is State.APPROVED and link.approval is not None:
            if not link.approval.check_code:
                await self._check(None)
            elif self._note(State.APPROVED, link.approval.tries_left):
                await self._ask(link, link.approval.tries_left)
        elif link.sealed is not None:
            await self._approve(link.sealed)

    def _note(self, *facts: object) -> bool:
        """Note what the browser is told now; whether that is news to it."""
        is_news, self._told = facts != self._told, facts
        return is_news

    async def _ask(self, link: QrLink, tries_left: int) -> None:
        profile = await qr_browser.introduce(self._ports, link)
        user = wire_qr.SigningIn(
            user_id=identifier_of(profile.jid), nick_name=profile.name, image=profile.thumb_image or profile.image
        )
        await self._send(wire_qr.Verify(user=user, tries_left=tries_left))

    async def _rotate(self, event: Event) -> None:
        await self._show_codes(await qr_browser.rotate(self._ports, self._link_id, self._holder, event))

    async def _show_codes(self, codes: NewCodes) -> None:
        link, node = codes.link, urlsplit(self._services.public_url)
        is_link = self._caller.app.policy.qr_format is QrFormat.LINK
        text = qr_codes.text(codes.code, link.key_hash, node.netloc, is_link=is_link, scheme=node.scheme)
        self._note("code")
        await self._send(
            wire_qr.CodeShown(
                link_id=link.id,
                resume_secret=self._resume_secret,
                qr=text,
                typed_code=codes.typed_code,
                key_hash=link.key_hash,
            )
        )

    async def _check(self, code: str | None) -> None:
        """Verify a check code and, with it, sign the browser in."""
        link = await qr_browser.verify(self._ports, self._link_id, self._holder, code)
        if link.state is not State.VERIFIED:
            return  # it has failed, which the next look shows
        self._log("qr_link_verified")
        try:
            registered = await qr_browser.sign_in(self._ports, self._caller, link)
            body = wire.encode(bodies.registered(self._services, self._caller, registered))
            jwe = self._ports.sealer.seal(link.public_key, body, link.id)
            sealed = await qr_browser.seal(self._ports, link, registered, jwe)
        except UsageError as error:
            await self._end(error)
            return
        if sealed.holder == self._holder:
            await self._approve(jwe)

    async def _approve(self, jwe: str) -> None:
        if self._note(State.VERIFIED):
            await self._send(wire_qr.Approved(jwe=jwe))

    async def _deliver(self) -> None:
        await qr_browser.confirm(self._ports, self._link_id, self._holder)
        self._log("qr_link_delivered")
        raise _Over

    def _log(self, event: str, **facts: object) -> None:
        log.info(event, link_id=self._link_id, app_id=self._caller.app.id, **facts)


def _refused(error: HeliographError) -> wire_qr.Refused:
    facts: dict[str, int] = {}
    if error.retry_after_s is not None:
        facts["retry_after"] = max(1, math.ceil(error.retry_after_s))
    if "triesLeft" in error.details:
        facts["tries_left"] = int(error.details["triesLeft"])
    return wire_qr.Refused(code=error.code, message=error.message, **facts)
