"""A browser's part in QR sign-in, played by the SDK: a key pair, codes, the check code, and the sealed credential."""

from __future__ import annotations

import asyncio
import hmac
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64encode
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedOK, WebSocketException
from websockets.typing import Subprotocol

from heliograph import wire
from heliograph.errors import (
    AlreadyUsed,
    HeliographError,
    KeyMismatch,
    RequestInvalid,
    TimedOut,
    Unreachable,
    error_from_body,
)
from heliograph.sdk import callbacks
from heliograph.sdk.reconnect import ReconnectPolicy, backoff_s
from heliograph.wire import qr as wire_qr

RESUMES_MAX = 10
"""How often a lost socket is replaced."""
_MESSAGE_MAX_BYTES = 64 * 1024
_ALGORITHMS = ["ECDH-ES", "A256GCM"]

AskCode = Callable[[wire_qr.Verify], Awaitable[str | None] | str | None]
"""Asks a person for the check code that the phone shows; `None` gives up. It gets who is about to be signed in (`user`)
and how many tries are left (`tries_left`)."""


class Screen(Protocol):
    """What a person sees of a sign-in."""

    async def show(self, code: wire_qr.CodeShown) -> None:
        """Show a new code in place of the last one."""
        ...

    async def tell(self, state: str) -> None:
        """Say how far it is: `scanned`, `verify` or `approved`."""
        ...


@dataclass(frozen=True, slots=True)
class SignalTerms:
    """Where the signal server is, and who asks.

    Attributes:
        url: `wss://…` or, on one machine, `ws://…`.
        license_key: the app's key.
        device: what this device says of itself.
        context: what TLS trusts.
        policy: how patient the connection is.
    """

    url: str
    license_key: str
    device: wire.DeviceBody
    context: ssl.SSLContext
    policy: ReconnectPolicy

    def __repr__(self) -> str:
        return f"SignalTerms({self.url!r})"


class SignalClient:
    """One sign-in.

    Args:
        terms: where to, and who asks.
        screen: what a person sees.
        ask_code: asks for the check code; `None` where nobody can be asked.
    """

    def __init__(self, terms: SignalTerms, screen: Screen, ask_code: AskCode | None) -> None:
        self._terms = terms
        self._screen = screen
        self._ask_code = ask_code
        self._key = ECKey.generate_key("P-256", auto_kid=False)
        self._thumbprint = self._key.thumbprint()
        self._link_id = ""
        self._resume_secret = ""
        self._asking: asyncio.Task[str | None] | None = None
        self._refusal: HeliographError | None = None
        self._credential: wire.RegisterData | None = None
        self._arrived = asyncio.Event()

    @asynccontextmanager
    async def sign_in(self) -> AsyncIterator[wire.RegisterData]:
        """Show codes until a phone has approved one; gives the new session, for the block to connect it. Meanwhile the
        server hears that it has come, and at the end of the block it has.

        Raises:
            ExpiredToken, AccessDenied, CheckCodeMismatch, KeyMismatch: it came to nothing.
            TimedOut: nobody has scanned the codes.
            Unreachable: the signal server cannot be reached.
            RequestInvalid: the app asks for a check code, and there is no `ask_code`.
            HeliographError: the signal server refuses for another reason.
        """
        talking = asyncio.create_task(self._talk(), name="heliograph signal")
        arrived = asyncio.create_task(self._arrived.wait())
        try:
            await asyncio.wait((talking, arrived), return_when=asyncio.FIRST_COMPLETED)
            if self._credential is None:
                await talking
                raise Unreachable("The signal server has sent no credential")
            yield self._credential
            await talking
        finally:
            talking.cancel()
            arrived.cancel()
            await asyncio.gather(talking, arrived, return_exceptions=True)

    async def _talk(self) -> None:
        """Talk over one socket after the other, until the server has heard that the credential has come."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt()
            except (OSError, TimeoutError, WebSocketException) as error:
                if self._credential is not None and attempt > RESUMES_MAX:
                    return None  # it is ours, though the server has not heard so
                if not self._link_id or attempt > RESUMES_MAX:
                    raise Unreachable(f"The signal server cannot be reached: {error}") from error
            await asyncio.sleep(backoff_s(self._terms.policy, attempt, random.random()))  # noqa: S311 - a wait, no secret

    async def _attempt(self) -> None:
        terms = self._terms
        async with connect(
            terms.url,
            ssl=terms.context if terms.url.startswith("wss:") else None,
            subprotocols=[Subprotocol(wire_qr.SUBPROTOCOL)],
            max_size=_MESSAGE_MAX_BYTES,
            open_timeout=terms.policy.attempt_timeout_s,
            close_timeout=terms.policy.close_timeout_s,
            proxy=None,
        ) as socket:
            await self._send(socket, self._first())
            try:
                await self._converse(socket)
            finally:
                await self._stop_asking()

    def _first(self) -> wire_qr.FromBrowser:
        key = self._terms.license_key
        if self._link_id:
            return wire_qr.Resume(
                version=wire_qr.VERSION, license_key=key, link_id=self._link_id, resume_secret=self._resume_secret
            )
        jwk = self._key.as_dict(private=False)
        public = wire_qr.PublicKeyBody(x=str(jwk["x"]), y=str(jwk["y"]))
        return wire_qr.Hello(version=wire_qr.VERSION, license_key=key, public_key=public, device=self._terms.device)

    async def _send(self, socket: ClientConnection, message: wire_qr.FromBrowser) -> None:
        await socket.send(wire.encode(message).decode())

    async def _converse(self, socket: ClientConnection) -> None:
        """Take messages, and the check code when a person has typed it, whichever comes first; to the end."""
        receiving = asyncio.ensure_future(socket.recv())
        try:
            while True:
                waiting: set[asyncio.Future[Any]] = {receiving}
                if self._asking is not None:
                    waiting.add(self._asking)
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if self._asking is not None and self._asking.done():
                    await self._answer(socket, self._asking.result())
                if receiving.done():
                    try:
                        message = _decode(receiving.result())
                    except ConnectionClosedOK:
                        if self._credential is None:
                            raise
                        return  # the server has heard that we have it
                    if self._credential is not None and _is_settled(message):
                        return
                    await self._take(socket, message)
                    receiving = asyncio.ensure_future(socket.recv())
        finally:
            receiving.cancel()
            await asyncio.wait((receiving,))

    async def _answer(self, socket: ClientConnection, code: str | None) -> None:
        self._asking = None
        await self._send(socket, wire_qr.Cancel() if code is None else wire_qr.CheckCode(code=code))

    async def _take(self, socket: ClientConnection, message: wire_qr.FromServer) -> None:
        """Act on one message."""
        if isinstance(message, wire_qr.Challenge):
            nonce = self._open(message.jwe, None).decode("ascii", "replace")
            await self._send(socket, wire_qr.Proof(nonce=nonce))
        elif isinstance(message, wire_qr.CodeShown):
            self._check_key(message)
            self._link_id, self._resume_secret = message.link_id, message.resume_secret
            await self._screen.show(message)
        elif isinstance(message, wire_qr.Paused):
            raise TimedOut("Nobody has scanned the code")
        elif isinstance(message, wire_qr.Scanned):
            await self._screen.tell("scanned")
        elif isinstance(message, wire_qr.Verify):
            await self._screen.tell("verify")
            await self._ask(message)
        elif isinstance(message, wire_qr.Approved):
            await self._approved(message)
            await self._send(socket, wire_qr.Received())
        else:
            self._refused(message)

    async def _approved(self, message: wire_qr.Approved) -> None:
        """Keep the credential; it comes again where the server has not heard that we have it."""
        if self._credential is None:
            self._credential = _credential(self._open(message.jwe, self._link_id))
            await self._screen.tell("approved")
            self._arrived.set()

    def _refused(self, message: wire_qr.Ended | wire_qr.Refused) -> None:
        """Note why a message was refused; where the link is over, raise it."""
        retry_after = message.retry_after if isinstance(message, wire_qr.Refused) else msgspec.UNSET
        retry_after_s = None if retry_after is msgspec.UNSET else float(retry_after)
        error = error_from_body(400, {"code": message.code, "message": message.message}, retry_after_s)
        if isinstance(message, wire_qr.Refused):
            self._refusal = error
            return
        raise self._refusal if self._refusal is not None and self._refusal.code == error.code else error

    def _check_key(self, shown: wire_qr.CodeShown) -> None:
        """Draw no code that names another key than ours: its approval would go to somebody else."""
        parts = shown.qr.rpartition("#")[2].split(".", 3)
        if len(parts) != 4 or not hmac.compare_digest(parts[2].encode(), self._thumbprint.encode()):
            raise KeyMismatch("The signal server shows another key than this device's own")

    async def _ask(self, request: wire_qr.Verify) -> None:
        await self._stop_asking()
        if self._ask_code is None:
            raise RequestInvalid("The app asks for a check code: give ask_code", details={"field": "ask_code"})
        self._asking = asyncio.create_task(callbacks.call(self._ask_code, request), name="heliograph check code")

    async def _stop_asking(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.wait((asking,))

    def _open(self, sealed: str, link_id: str | None) -> bytes:
        """Open what is sealed to our key and, once there is a link, bound to it."""
        try:
            opened = jwe.decrypt_compact(sealed, self._key, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            raise KeyMismatch("What came is not sealed to this device's key") from None
        if link_id is not None:
            party = urlsafe_b64encode(link_id.encode()).decode()
            header = opened.headers()
            if (header.get("apu"), header.get("apv")) != (party, self._thumbprint):
                raise KeyMismatch("What came is bound to another link")
        return opened.plaintext or b""


def _decode(data: str | bytes) -> wire_qr.FromServer:
    text = data if isinstance(data, bytes) else data.encode()
    try:
        return wire.decode(text, wire_qr.FromServer)  # type: ignore[arg-type]
    except RequestInvalid:
        raise Unreachable("What answers there is no signal server") from None


def _is_settled(message: wire_qr.FromServer) -> bool:
    """Whether the server says that it had heard before of the credential's arrival."""
    return isinstance(message, wire_qr.Ended) and message.code == AlreadyUsed.row.code


def _credential(plaintext: bytes) -> wire.RegisterData:
    try:
        return wire.decode(plaintext, wire.RegisterData)
    except RequestInvalid:
        raise Unreachable("The signal server has sent no credential") from None
