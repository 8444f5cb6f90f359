"""The tokens of the signed-in user: which goes along with a call, and how the next comes to be."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import re
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from heliograph import wire
from heliograph.errors import PeerError, TokenExpired, TokenMalformed, TokenSubjectMismatch
from heliograph.sdk.api import Api, Upload
from heliograph.sdk.events import Event, TokenUpdate
from heliograph.sdk.response import Response
from heliograph.sdk.token_store import StoredTokens, TokenStore

_RENEWAL_TIMEOUT_S = 5.0
_RENEW_BEFORE_S = 60.0
_ACCESS_TOKEN = re.compile(r"hgt_[A-Za-z0-9_-]{43}")
_JWT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")

Kind = TypeVar("Kind")


class _Claims(msgspec.Struct, frozen=True):
    """What can be read of a JWT without its key (RFC 7519, section 4.1)."""

    sub: str
    exp: float | None = None


class TokenKeeper:
    """Holds the tokens of one user at a time, and calls the API with them.

    Args:
        api: the API.
        emit: gets an event where new tokens came.
        store: keeps the tokens over a restart; `None` for nowhere.
        now: the time, in seconds since the epoch.

    Attributes:
        assertion: an identity assertion for the next registration; it works once.
    """

    def __init__(
        self,
        api: Api,
        emit: Callable[[Event], None],
        store: TokenStore | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.assertion: str | None = None
        self._api = api
        self._emit = emit
        self._access: str | None = None
        self._refresh: str | None = None
        self._credentials: wire.TokenRequest | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._expires_at = math.inf
        self._username: str | None = None
        self._store = store
        self._now = now
        self._changes = 0  # a renewal that began before the last change is of no use

    # --------------------------------------------------------------------------------------------------- who is known

    def restore(self) -> str | None:
        """Take up what was kept from an earlier run; gives the username, if there is one."""
        kept = None if self._store is None else self._store.load()
        if kept is None:
            return None
        self._access, self._refresh, self._expires_at = kept.token, kept.refresh_token, kept.expires_at
        self._username = kept.username
        return kept.username

    def registered(self, data: wire.RegisterData) -> None:
        """A registration brought a session with its first tokens."""
        self.assertion = None
        self._username = data.username
        self._hold(data.token, data.refresh_token, data.expires_in)
        self._credentials = wire.TokenRequest(username=data.username, password=data.password)

    def connected(self, username: str, password: str) -> None:
        """A sign-in worked: its credentials can get tokens. Tokens of another user are forgotten."""
        if self._username not in (None, username):
            self._hold(None, None)
        self._username = username
        self._credentials = wire.TokenRequest(username=username, password=password)

    def set(self, token: str, username: str | None) -> None:
        """Take a token from the app: an access token, or an identity assertion; `""` forgets all that is known.

        Args:
            token: the text.
            username: the signed-in user, if there is one.

        Raises:
            TokenMalformed: it is neither.
            TokenExpired: the assertion's time is over.
            TokenSubjectMismatch: the assertion is of another user.
        """
        if token == "":
            self.forget()
        elif _ACCESS_TOKEN.fullmatch(token):
            if token != self._access:
                self._hold(token, None)
        else:
            _check_claims(_read_claims(token), username, self._now())
            self.assertion = token

    def forget(self) -> None:
        """Know no one."""
        self.assertion = self._credentials = self._username = None
        self._hold(None, None)

    def forget_session(self, username: str, password: str) -> bool:
        """Know no one, if these are the credentials of whom is known; says whether they were."""
        is_known = self._credentials == wire.TokenRequest(username=username, password=password)
        if is_known:
            self.forget()
        return is_known

    def _hold(self, access: str | None, refresh: str | None, expires_in: float = math.inf) -> None:
        self._access, self._refresh = access, refresh
        self._expires_at = self._now() + expires_in
        self._changes += 1
        if self._store is not None:
            self._store.save(self._kept())

    def _kept(self) -> StoredTokens | None:
        """What is worth keeping: a whole pair of a known user."""
        if self._username is None or self._access is None or self._refresh is None:
            return None
        return StoredTokens(
            username=self._username, token=self._access, refresh_token=self._refresh, expires_at=self._expires_at
        )

    # --------------------------------------------------------------------------------------------------------- calling

    async def call(
        self, method: str, path: str, kind: type[Kind], body: wire.Request | Upload | None = None
    ) -> Response[Kind]:
        """A call as the user (see `Api.call`). A token is renewed before it expires; one that has expired all the same
        is renewed once, then the call is repeated.
        """
        used = await self._fresh()
        try:
            return await self._api.call(method, path, kind, body, bearer=used)
        except TokenExpired:
            if self._refresh is None and self._credentials is None:
                raise
        return await self._api.call(method, path, kind, body, bearer=await self._renewed(used))

    async def _fresh(self) -> str | None:
        """The token to go along: the next one, where this one is about to expire and the next is to be had."""
        used = self._access
        if used is None:
            return used if self._credentials is None else await self._renewed(None)
        if self._refresh is not None and self._expires_at - self._now() < _RENEW_BEFORE_S:
            with contextlib.suppress(PeerError):  # it may still do, and the call itself will tell
                return await self._renewed(used)
        return used

    async def close(self) -> None:
        """Let a renewal end that is under way: a refresh token is lost with an answer that nobody takes."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait((self._renewal,), timeout=_RENEWAL_TIMEOUT_S)
            self._renewal.cancel()
            await asyncio.wait((self._renewal,))

    async def _renewed(self, stale: str | None) -> str | None:
        """The token after `stale`. All who need it wait for one renewal, which runs on when one of them gives up: a
        refresh token works once, so an answer that nobody takes would be lost for good.
        """
        if self._access == stale:
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._renew(), name="heliograph token renewal")
                self._renewal.add_done_callback(_retrieve)
            await asyncio.shield(self._renewal)
        return self._access

    async def _renew(self) -> None:
        began_at = self._changes
        tokens = await self._next_tokens()
        if self._changes != began_at:
            return
        self._hold(tokens.token, tokens.refresh_token, tokens.expires_in)
        self._emit(TokenUpdate(token=tokens.token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in))

    async def _next_tokens(self) -> wire.Tokens:
        refresh, credentials = self._refresh, self._credentials
        if refresh is not None:
            try:
                return await self._refreshed(refresh)
            except PeerError:
                # Two answers are lost: whether the server took it is not known, and one more use could end the session.
                if credentials is not None and self._refresh == refresh:
                    self._refresh = None
                raise
            except TokenExpired:
                if credentials is None:
                    raise
        if credentials is None:
            raise TokenExpired
        return (await self._api.call("POST", "/tokens", wire.Tokens, credentials)).data

    async def _refreshed(self, refresh_token: str) -> wire.Tokens:
        """The pair after a refresh token. A lost answer is asked for once more: the server makes that good."""
        body = wire.RefreshRequest(refresh_token=refresh_token)
        try:
            return (await self._api.call("POST", "/tokens/refresh", wire.Tokens, body)).data
        except PeerError:
            return (await self._api.call("POST", "/tokens/refresh", wire.Tokens, body)).data


def _retrieve(task: asyncio.Task[None]) -> None:
    """Its error is raised in those who wait; where they have all gone it concerns nobody."""
    if not task.cancelled():
        task.exception()


def _read_claims(token: str) -> _Claims:
    match = _JWT.fullmatch(token)
    if match is None:
        raise TokenMalformed
    try:
        payload = match[1] + "=" * (-len(match[1]) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(payload), type=_Claims)
    except (ValueError, msgspec.MsgspecError):
        raise TokenMalformed from None


def _check_claims(claims: _Claims, username: str | None, now: float) -> None:
    if claims.exp is not None and claims.exp <= now:
        raise TokenExpired
    if username is not None and claims.sub != username:
        raise TokenSubjectMismatch
