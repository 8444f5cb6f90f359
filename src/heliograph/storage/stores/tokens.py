"""Access and refresh tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from heliograph.core import limits
from heliograph.core.accounts import Account
from heliograph.core.sessions import Session
from heliograph.core.tokens import Chain, Rotation, TokenKind, TokenRecord
from heliograph.errors import TokenRevoked
from heliograph.storage import rows, sql
from heliograph.storage.database import Cursor, Reader, Writer

TOKENS_PER_SESSION_MAX = 100
"""How many tokens of each kind a session keeps; the oldest go first. Superseded refresh tokens count, which are kept
so that their re-use shows."""


class SqlTokens:
    """The adapter of `TokenStore`; its methods are documented there."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def lookup(self, token_hash: bytes) -> tuple[Account, Session, TokenRecord] | None:
        """A token of a live session."""
        row = await self._reader.row(sql.TOKEN_BY_HASH, (token_hash,))
        if row is None:
            return None
        to_session, to_token = rows.ACCOUNT_WIDTH, rows.ACCOUNT_WIDTH + rows.SESSION_WIDTH
        return rows.account(row[:to_session]), rows.session(row[to_session:to_token]), rows.token(row[to_token:])

    async def add(self, tokens: Sequence[TokenRecord]) -> None:
        """Store tokens of a live session; `TokenRevoked` where the session has ended meanwhile."""
        await self._writer.write(partial(_add, tokens=tokens))

    async def rotate(self, refresh_hash: bytes, decide: Callable[[Chain], Rotation]) -> None:
        """One atomic exchange of a refresh token of a live session; `TokenRevoked`, and whatever `decide` raises."""
        await self._writer.write(partial(_rotate, refresh_hash=refresh_hash, decide=decide), (refresh_hash.hex(),))


def _add(cursor: Cursor, tokens: Sequence[TokenRecord]) -> None:
    for token in tokens:
        row = cursor.execute(sql.LIVE_SESSION_NUMBER, (token.session_id,)).fetchone()
        if row is None:
            raise TokenRevoked
        _put(cursor, row[0], token)


def _rotate(cursor: Cursor, refresh_hash: bytes, decide: Callable[[Chain], Rotation]) -> None:
    row = cursor.execute(sql.REFRESH_TOKEN, (refresh_hash,)).fetchone()
    if row is None:
        raise TokenRevoked
    session, token = row[0], rows.token(row[1:])
    after = None if token.pair is None else cursor.execute(sql.REFRESH_TOKEN, (token.pair,)).fetchone()
    rotation = decide(Chain(token, None if after is None else rows.token(after[1:])))
    for changed in rotation.changed:
        cursor.execute(sql.SET_TOKEN, (changed.superseded_at, changed.pair, changed.hash))
    cursor.execute(sql.SHORTEN_ACCESS_TOKENS, (rotation.until, session, rotation.paired, rotation.until))
    for added in rotation.added:
        _put(cursor, session, added)


def _put(cursor: Cursor, session: int, token: TokenRecord) -> None:
    """Store a token, and forget those of its session that are of no more use."""
    cursor.execute(sql.ADD_TOKEN, rows.token_row(token, session))
    kind = token.kind.value
    cursor.execute(sql.FORGET_OLDEST_TOKENS, (session, kind, session, kind, TOKENS_PER_SESSION_MAX - 1))
    if token.kind is TokenKind.ACCESS:
        # It lives an access token's life from now on: what is over for one such life already is not even worth the
        # answer that it has expired.
        cursor.execute(sql.FORGET_EXPIRED_TOKENS, (session, token.expires_at - 2 * limits.ACCESS_TOKEN_TTL_S))
