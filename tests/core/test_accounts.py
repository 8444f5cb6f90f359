"""The rules of a registration: identifiers, metadata, who may register whom, and what is written."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from heliograph.core import accounts, apps
from heliograph.core.accounts import Account, Draft, RegisterRequest, Standing, StandingChanged
from heliograph.core.apps import App, Caller, Environment, Policy, RegistrationPolicy
from heliograph.core.metadata import check_metadata, merge
from heliograph.core.sessions import Credentials, Device, Session, Verifiers, Via
from heliograph.errors import (
    AdminBlocked,
    IdentifierInvalid,
    MetadataInvalid,
    RegistrationUnverified,
    SandboxFull,
    SessionLimit,
    SessionNotFound,
)

NOW = 1_800_000_000.0
PRIVATE, PUBLIC = apps.assertion_key_pair(b"k" * 48)
APP = App("app_a", "A", "a.example", "sandbox.a.example", PUBLIC, NOW)
LIVE = Caller(APP, Environment.LIVE, is_backend=False)
SANDBOX = Caller(APP, Environment.SANDBOX, is_backend=False)
BACKEND = Caller(APP, Environment.LIVE, is_backend=True)
OPEN = Caller(replace(APP, policy=Policy(registration=RegistrationPolicy.OPEN)), Environment.LIVE, is_backend=False)
CREDENTIALS = Credentials("hunter2", b"salt", 4096, Verifiers(b"1", b"2", b"3", b"4", b"5"))
ACCOUNT = Account(7, "app_a", Environment.LIVE, "bob", "bob@a.example", b"salt", 4096, {"vip": True}, False, NOW, None)


# ------------------------------------------------------------------------------------------------------ identifiers


@given(st.text(max_size=6) | st.text("abz019_-A \n", max_size=6) | st.integers(189, 193).map(lambda size: "a" * size))
def test_an_identifier_is_taken_exactly_as_the_rule_says(text: str) -> None:
    if re.match(r"^[a-z0-9_-]{1,191}\Z", text):
        assert accounts.check_identifier(text) == text
    else:
        with pytest.raises(IdentifierInvalid):
            accounts.check_identifier(text)


@pytest.mark.parametrize("text", ["", "Bob", "bob\n", "\nbob", "bob ", "b.b", "böb", "bob@x", "٣", "\uff41", "b" * 192])
def test_an_identifier_is_never_folded(text: str) -> None:
    with pytest.raises(IdentifierInvalid):
        accounts.check_identifier(text)


# --------------------------------------------------------------------------------------------------------- metadata

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = texts | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(texts.filter(bool), values, max_size=3))
def test_metadata_within_its_limits_survives_with_its_types(metadata: dict[str, Any]) -> None:
    checked = check_metadata(metadata)
    assert checked is not metadata
    back = json.loads(json.dumps(checked))
    assert {key: (type(value), value) for key, value in back.items()} == {
        key: (type(value), value) for key, value in metadata.items()
    }


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": 1, "b": 2, "c": 3, "d": 4},
        {"": 1},
        {"k" * 65: 1},
        {1: 1},
        {"\ud800": 1},
        {"a": "v" * 257},
        {"a": "\udfff"},
        {"a": None},
        {"a": []},
        {"a": {}},
        {"a": b"bytes"},
        {"a": 1j},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": float("-inf")},
        {"a": 10**309},
        {"a": 1, "b": None},
    ],
)
def test_other_metadata_is_refused(metadata: dict[Any, Any]) -> None:
    with pytest.raises(MetadataInvalid):
        check_metadata(metadata)


def test_a_patch_sets_and_removes_entries_and_leaves_the_others() -> None:
    assert merge({"plan": "pro", "seats": 3}, {"plan": None, "beta": True}) == {"seats": 3, "beta": True}
    assert merge({}, {"gone": None}) == {}


def test_a_patch_that_would_break_the_limits_is_refused() -> None:
    with pytest.raises(MetadataInvalid):
        merge({"a": 1, "b": 2, "c": 3}, {"d": 4})


def test_the_longest_metadata_is_taken() -> None:
    metadata = {"k" * 64: "v" * 256, "b": False, "c": -1.7976931348623157e308}
    assert check_metadata(metadata) == metadata


# ---------------------------------------------------------------------------------------------- who may register whom


def assertion(sub: str = "bob") -> str:
    claims = {"sub": sub, "aud": "a.example", "iat": NOW, "jti": "one"}
    return jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(json.loads(PRIVATE)))


@pytest.mark.parametrize("caller", [SANDBOX, BACKEND, OPEN], ids=["sandbox", "secret key", "policy open"])
def test_these_callers_register_without_an_assertion(caller: Caller) -> None:
    assert accounts.prove(caller, RegisterRequest("bob"), NOW) is None


def test_a_live_client_needs_an_assertion() -> None:
    with pytest.raises(RegistrationUnverified) as refused:
        accounts.prove(LIVE, RegisterRequest("bob"), NOW)
    assert refused.value.details == {"reason": "missing"}
    assert accounts.prove(LIVE, RegisterRequest("bob", assertion=assertion()), NOW) is not None


@pytest.mark.parametrize("caller", [LIVE, BACKEND, OPEN], ids=["verified", "secret key", "policy open"])
def test_an_assertion_that_is_shown_under_a_live_key_has_to_be_right(caller: Caller) -> None:
    assert accounts.prove(caller, RegisterRequest("bob", assertion=assertion()), NOW) is not None
    with pytest.raises(RegistrationUnverified) as refused:
        accounts.prove(caller, RegisterRequest("bob", assertion=assertion("alice")), NOW)
    assert refused.value.details == {"reason": "subject"}


def test_the_sandbox_does_not_look_at_assertions() -> None:
    assert accounts.prove(SANDBOX, RegisterRequest("bob", assertion="nonsense"), NOW) is None


# ------------------------------------------------------------------------------------------------------ the decision


def draft(caller: Caller = BACKEND, **changes: Any) -> Draft:
    request = RegisterRequest("bob", device=Device("phone"), **changes)
    return Draft(caller, request, f"bob@{caller.domain}", CREDENTIALS, "ses_new", (), NOW)


def live_session(number: int) -> Session:
    return Session(f"ses_{number}", 7, Via.REGISTER, Device(), NOW, NOW + number)


def standing(account: Account | None = ACCOUNT, sessions: int = 0, population: int = 0) -> Standing:
    return Standing(account, tuple(map(live_session, range(sessions))), population, has_name=False)


def test_a_new_user_gets_an_account_under_the_new_salt() -> None:
    written = accounts.decide_registration(standing(None), draft(metadata={"a": 1}))
    assert written.account == Account(
        0, "app_a", Environment.LIVE, "bob", "bob@a.example", b"salt", 4096, {"a": 1}, False, NOW, None
    )
    assert written.session == Session("ses_new", 0, Via.REGISTER, Device("phone"), NOW, NOW)
    assert written.verifiers == CREDENTIALS.verifiers
    assert written.ended == ()


def test_a_sandbox_user_expires_after_the_policys_days() -> None:
    written = accounts.decide_registration(standing(None), draft(SANDBOX))
    assert written.account.expires_at == NOW + 30 * 86400
    assert written.account.is_expired(NOW + 30 * 86400)
    assert not written.account.is_expired(NOW + 30 * 86400 - 1)


def test_the_sandboxs_cap_is_for_new_users_only() -> None:
    existing = replace(ACCOUNT, environment=Environment.SANDBOX, expires_at=NOW + 1)
    accounts.decide_registration(standing(None, population=99), draft(SANDBOX))
    accounts.decide_registration(standing(existing, population=100), draft(SANDBOX))
    with pytest.raises(SandboxFull):
        accounts.decide_registration(standing(None, population=100), draft(SANDBOX))


def test_live_users_are_not_capped() -> None:
    accounts.decide_registration(standing(None, population=10**9), draft())


def test_metadata_that_is_left_out_stays_and_empty_metadata_clears() -> None:
    assert accounts.decide_registration(standing(), draft()).account == ACCOUNT
    assert accounts.decide_registration(standing(), draft(metadata={})).account == replace(ACCOUNT, metadata={})


@pytest.mark.parametrize("account", [replace(ACCOUNT, salt=b"other"), replace(ACCOUNT, iterations=10_000)])
def test_a_password_made_under_another_salt_is_never_written(account: Account) -> None:
    with pytest.raises(StandingChanged):
        accounts.decide_registration(standing(account), draft())


def test_an_expired_account_is_never_written_to() -> None:
    with pytest.raises(StandingChanged):
        accounts.decide_registration(standing(replace(ACCOUNT, expires_at=NOW, is_blocked=True)), draft(SANDBOX))


def test_a_blocked_user_is_refused_before_anything_else() -> None:
    with pytest.raises(AdminBlocked):
        accounts.decide_registration(standing(replace(ACCOUNT, is_blocked=True, salt=b"other"), 5), draft(force=False))


def test_the_cap_of_the_apps_policy_holds() -> None:
    assert accounts.decide_registration(standing(sessions=4), draft()).ended == ()
    assert accounts.decide_registration(standing(sessions=5), draft()).ended == ("ses_0",)
    assert accounts.decide_registration(standing(sessions=5), draft(replace_session="ses_3")).ended == ("ses_3",)
    with pytest.raises(SessionLimit):
        accounts.decide_registration(standing(sessions=5), draft(force=False))


def test_a_new_user_has_no_session_to_replace() -> None:
    with pytest.raises(SessionNotFound):
        accounts.decide_registration(standing(None), draft(replace_session="ses_0"))


def test_a_qr_session_comes_from_the_same_decision() -> None:
    assert accounts.decide_registration(standing(), draft(via=Via.QR)).session.via is Via.QR


def test_secrets_never_show_in_a_repr() -> None:
    request = RegisterRequest("bob", assertion="very.secret.jwt")
    assert "very.secret.jwt" not in repr(request)
    assert "hunter2" not in repr(replace(draft(), request=request))
