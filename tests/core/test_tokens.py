"""Tokens: their form, what is stored of them, whose they are, and passwords compared."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from heliograph.core import tokens
from heliograph.core.accounts import Account
from heliograph.core.apps import App, Caller, Environment
from heliograph.core.sessions import Verifiers
from heliograph.core.tokens import TokenKind
from heliograph.errors import AdminBlocked, TokenMalformed, TokenMissing, TokenRevoked

NOW = 1_800_000_000.0
APP = App("app_a", "A", "a.example", "sandbox.a.example", "{}", NOW)
CALLER = Caller(APP, Environment.LIVE, is_backend=False)
ACCOUNT = Account(1, "app_a", Environment.LIVE, "bob", "bob@a.example", b"s", 1, {}, False, NOW, None)


class Counting:
    """Bytes that differ from call to call."""

    def __init__(self) -> None:
        self.calls = 0

    def random(self, size: int) -> bytes:
        self.calls += 1
        return bytes([self.calls]) * size


def test_a_new_pair_is_stored_as_digests_with_lifetimes_and_never_shown_in_a_repr() -> None:
    pair, (access, refresh) = tokens.new_pair(Counting(), "ses_1", NOW)
    assert re.fullmatch("hgt_[A-Za-z0-9_-]{43}", pair.access_token)
    assert re.fullmatch("hgr_[A-Za-z0-9_-]{43}", pair.refresh_token)
    assert pair.expires_in == 3600
    assert access.hash == hashlib.sha256(pair.access_token.encode()).digest()
    assert refresh.hash == hashlib.sha256(pair.refresh_token.encode()).digest()
    assert (access.kind, access.expires_at) == (TokenKind.ACCESS, NOW + 3600)
    assert (refresh.kind, refresh.expires_at) == (TokenKind.REFRESH, NOW + 90 * 86400)
    assert pair.access_token not in repr(pair)
    assert pair.refresh_token not in repr(pair)


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_missing(token: str | None) -> None:
    with pytest.raises(TokenMissing):
        tokens.check_form(token, TokenKind.ACCESS)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "hgt_",
        "hgt_" + "a" * 42,
        "hgt_" + "a" * 44,
        "hgt_" + "a" * 43 + "\n",
        " hgt_" + "a" * 43,
        "hgt_" + "ä" * 43,
        "hgr_" + "a" * 43,
        "HGT_" + "a" * 43,
        "hgt_" + "\ud800" * 43,
    ],
)
def test_another_form_is_malformed(token: str) -> None:
    with pytest.raises(TokenMalformed):
        tokens.check_form(token, TokenKind.ACCESS)


def test_an_account_of_the_callers_app_and_environment_may_call() -> None:
    tokens.check_account(ACCOUNT, CALLER, NOW)


@pytest.mark.parametrize(
    "account",
    [
        replace(ACCOUNT, app_id="app_b"),
        replace(ACCOUNT, environment=Environment.SANDBOX),
        replace(ACCOUNT, expires_at=NOW),
        replace(ACCOUNT, app_id="app_b", is_blocked=True),
    ],
)
def test_a_token_from_elsewhere_or_of_a_user_whose_time_is_over_is_revoked(account: Account) -> None:
    with pytest.raises(TokenRevoked):
        tokens.check_account(account, CALLER, NOW)


def test_a_blocked_user_is_told_so() -> None:
    with pytest.raises(AdminBlocked):
        tokens.check_account(replace(ACCOUNT, is_blocked=True), CALLER, NOW)


def test_a_password_finds_its_own_session_among_several() -> None:
    known = [
        (f"ses_{word}", Verifiers(b"", b"", b"", b"", hashlib.sha256(word.encode()).digest()))
        for word in ("a", "b", "c")
    ]
    assert tokens.match_password("b", known) == "ses_b"
    assert tokens.match_password("d", known) is None
    assert tokens.match_password("\ud800", known) is None
    assert tokens.match_password("a", []) is None
