"""Sign in by QR code, on the side that shows it and on the side that approves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import NoneType
from urllib.parse import urlsplit

from heliograph import wire
from heliograph.errors import AccessDenied, AlreadyConnected, RequestInvalid
from heliograph.sdk import callbacks, qr_text
from heliograph.sdk.accounts import AccountCalls
from heliograph.sdk.api import segment
from heliograph.sdk.images import Image
from heliograph.sdk.qr_code import QrCode, read_logo
from heliograph.sdk.qr_signal import AskCode, SignalClient, SignalTerms
from heliograph.sdk.response import Response
from heliograph.wire import qr as wire_qr

Draw = Callable[[QrCode], Awaitable[None] | None]
"""Draws a code in place of the last one."""
TellState = Callable[[str], Awaitable[None] | None]
"""Is told how far the sign-in is: `scanned`, `verify` (the check code is asked for), `approved`."""
Callback = Callable[[Response[wire.RegisterData]], Awaitable[None] | None]


class QrConsent(wire_qr.QrScanData, frozen=True, kw_only=True):
    """What the user has to see before approving, and what the approval needs.

    Attributes:
        key_hash: the thumbprint of the browser's key, as this device has read it out of the QR code; `None` of a typed
            code.
    """

    key_hash: str | None = None


Confirm = Callable[[QrConsent], Awaitable[bool] | bool]
"""Shows the consent screen and says what the user decided; the place to ask for a PIN or a fingerprint as well."""


class _Screen:
    """Brings what happens to the app's callbacks."""

    def __init__(self, draw: Draw, logo: bytes | None, on_state: TellState | None) -> None:
        self._draw = draw
        self._logo = logo
        self._on_state = on_state

    async def show(self, code: wire_qr.CodeShown) -> None:
        await callbacks.call(self._draw, QrCode(code.qr, code.typed_code, code.expires_in, self._logo))

    async def tell(self, state: str) -> None:
        if self._on_state is not None:
            await callbacks.call(self._on_state, state)


class QrCalls(AccountCalls):
    """The calls of QR sign-in."""

    async def generate_qr_code(
        self,
        draw: Draw,
        logo: Image | None = None,
        signal_server_url: str | None = None,
        callback: Callback | None = None,
        ask_code: AskCode | None = None,
        *,
        on_state: TellState | None = None,
    ) -> Response[wire.RegisterData]:
        """Show QR codes until a phone has approved one; then this device has a session of its own and is connected.

        Args:
            draw: gets a `QrCode` at each refresh, with `.text`, `.typed_code`, `.png()`, `.svg()`, `.terminal()`.
            logo: for the middle of the code: a path, bytes or a file; at most a quarter of the code's width is used.
            signal_server_url: where the signal server is; `None` for where the server says.
            callback: called once, when this device is connected, with what the call returns.
            ask_code: asks a person for the check code that the phone shows; needed unless the app's policy
                `verification` is `none`.
            on_state: is told how far it is.

        Raises:
            AccessDenied: the user said no, or the phone's session has ended.
            ExpiredToken: the phone or the person took too long.
            CheckCodeMismatch: the check code was wrong three times.
            TimedOut: nobody has scanned the codes for five minutes.
            KeyMismatch: somebody between this device and the server plays with keys.
            OriginForbidden, RateLimited: the server refuses.
            AlreadyConnected: this SDK is connected already.
        """
        runtime = self._on
        if runtime.connection.user_jid is not None:
            raise AlreadyConnected("Already connected")
        url = signal_server_url or runtime.config.signal_server_url
        if url is None or urlsplit(url).scheme not in ("ws", "wss"):
            raise RequestInvalid("There is no signal server to ask", details={"field": "signal_server_url"})
        terms = SignalTerms(url, runtime.api.license_key, runtime.device, runtime.terms.context, runtime.terms.policy)
        screen = _Screen(draw, await read_logo(logo), on_state)
        async with SignalClient(terms, screen, ask_code).sign_in() as data:
            runtime.tokens.registered(data)
            await self.connect(data.username, data.password)
        response = Response(200, "Success", data)
        if callback is not None:
            await callbacks.call(callback, response)
        return response

    async def scan_qr_code(self, scanned_text: str) -> Response[QrConsent]:
        """Take a code for this session: what comes back is for the consent screen. Nobody else can take it any more.

        Args:
            scanned_text: the text of the QR code, or the typed code.

        Raises:
            RequestInvalid: it is no such code.
            AccessDenied: it is of another server, or the app wants both devices on one network.
            ExpiredToken: there is no such code, or its time is over.
            AlreadyUsed: somebody has scanned it before.
            StepUpRequired: this session was itself linked by QR code.
        """
        scanned = qr_text.read(scanned_text)
        config = self._on.config
        ours = [urlsplit(url).netloc for url in (config.websocket_url, config.signal_server_url or "")]
        if scanned.host is not None and scanned.host not in ours:
            raise AccessDenied("The code is of another server", details={"host": scanned.host})
        body = wire_qr.QrScanRequest(code=scanned.code)
        found = await self._on.tokens.call("POST", "/qr-links/scan", wire_qr.QrScanData, body)
        data = found.data
        consent = QrConsent(
            link_id=data.link_id,
            device=data.device,
            ip=data.ip,
            ip_hint=data.ip_hint,
            requested_ago=data.requested_ago,
            expires_in=data.expires_in,
            same_network=data.same_network,
            new_device=data.new_device,
            needs_key_hash=data.needs_key_hash,
            key_hash=scanned.key_hash,
        )
        return Response(found.status_code, found.message, consent)

    async def approve_qr_code(
        self,
        scanned: str | QrConsent,
        confirm: Confirm | None = None,
        *,
        force_register: bool = True,
        replace_session: str | None = None,
    ) -> Response[wire_qr.QrApproveData]:
        """Let the device in that shows a code. What comes back is the check code to show to the user, if there is one.

        Args:
            scanned: the text of the QR code or the typed code; or what `scan_qr_code` gave, after the user agreed.
            confirm: shows the consent screen; a text is never approved without it. If it says no, the code is denied.
            force_register: at the session cap, end the least recently active session (`True`) or fail (`False`).
            replace_session: the id of a session that makes room.

        Raises:
            AccessDenied: the user said no (by `confirm`); or as for `scan_qr_code`, as all the others.
            KeyMismatch: the code that was scanned was not made for the device that asks; nothing is approved.
            SessionLimit: `details["sessions"]` lists the sessions; call again with the result of `scan_qr_code`.
            AlreadyUsed: it was approved before.
        """
        if isinstance(scanned, str):
            if confirm is None:
                raise RequestInvalid("Nothing is approved unseen: give confirm", details={"field": "confirm"})
            scanned = (await self.scan_qr_code(scanned)).data
        if confirm is not None and not await callbacks.call(confirm, scanned):
            await self.deny_qr_code(scanned)
            raise AccessDenied("The user said no")
        body = wire_qr.QrApproveRequest(
            key_hash=scanned.key_hash, force_register=force_register, replace_session=replace_session
        )
        path = f"/qr-links/{segment(scanned.link_id)}/approve"
        return await self._on.tokens.call("POST", path, wire_qr.QrApproveData, body)

    async def deny_qr_code(self, scanned: str | QrConsent) -> Response[None]:
        """Do not let the device in, and tell it so.

        Args:
            scanned: as for `approve_qr_code`.

        Raises:
            ExpiredToken, AccessDenied, AlreadyUsed: it is too late, or not this session's to say.
        """
        consent = (await self.scan_qr_code(scanned)).data if isinstance(scanned, str) else scanned
        return await self._on.tokens.call("POST", f"/qr-links/{segment(consent.link_id)}/deny", NoneType)
