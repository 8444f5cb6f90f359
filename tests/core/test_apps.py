"""The rules of an app's settings, its keys and the key pair of its identity assertions."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, Policy
from heliograph.errors import AppInvalid


@pytest.mark.parametrize("name", ["A", "n" * 64, "Chat für Köln", "Chat 💬"])
def test_a_name_is_short_printable_text(name: str) -> None:
    assert apps.check_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", "n" * 65, "a\nb", "a\x00b", "a\x1b[2Jb"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(AppInvalid) as refused:
        apps.check_name(name)
    assert refused.value.details == {"field": "name"}


@pytest.mark.parametrize(
    ("domain", "canonical"),
    [
        ("chat.example.com", "chat.example.com"),
        ("localhost", "localhost"),
        ("bücher.example", "bücher.example"),
        ("xn--bcher-kva.example", "bücher.example"),
    ],
)
def test_a_domain_is_kept_in_the_form_that_jids_carry(domain: str, canonical: str) -> None:
    assert apps.check_domain(domain) == canonical


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "Example.com",
        "example.com.",
        "example..com",
        "example.com:5222",
        "example.com/x",
        "bob@example.com",
        "exa mple.com",
        "exa_mple.com",
        "-example.com",
        "example.com\n",
        "x" * 64 + ".com",
        "x." * 126 + "com",
        "\ud800.com",
    ],
)
def test_what_is_no_host_name_in_lower_case_is_refused(domain: str) -> None:
    with pytest.raises(AppInvalid) as refused:
        apps.check_domain(domain)
    assert refused.value.details == {"field": "domain"}


@pytest.mark.parametrize(
    ("field", "minimum", "maximum"),
    [("max_sessions", 1, 100), ("sandbox_max_users", 1, 10_000), ("sandbox_user_days", 1, 365)],
)
def test_a_policys_numbers_stay_within_their_bounds(field: str, minimum: int, maximum: int) -> None:
    for number in (minimum, maximum):
        policy = replace(Policy(), **{field: number})
        assert apps.check_policy(policy) is policy
    for number in (minimum - 1, maximum + 1):
        with pytest.raises(AppInvalid) as refused:
            apps.check_policy(replace(Policy(), **{field: number}))
        assert refused.value.details == {"field": field, "min": minimum, "max": maximum}


@pytest.mark.parametrize(
    ("kind", "environment", "prefix"),
    [
        (KeyKind.PUBLISHABLE, Environment.LIVE, "hg_pk_live_"),
        (KeyKind.SECRET, Environment.LIVE, "hg_sk_live_"),
        (KeyKind.PUBLISHABLE, Environment.SANDBOX, "hg_pk_trial_"),
        (KeyKind.SECRET, Environment.SANDBOX, "hg_sk_trial_"),
    ],
)
def test_a_key_says_what_it_is_for(kind: KeyKind, environment: Environment, prefix: str) -> None:
    assert re.fullmatch(prefix + "[A-Za-z0-9_-]{43}", apps.key_text(kind, environment, bytes(32)))


@pytest.mark.parametrize("chance", [bytes(48), b"\xff" * 48, bytes(range(48))])
def test_any_random_bytes_make_an_assertion_key_pair(chance: bytes) -> None:
    private_text, public_text = apps.assertion_key_pair(chance)
    private, public = json.loads(private_text), json.loads(public_text)
    assert "d" not in public
    assert {name: value for name, value in private.items() if name != "d"} == public
    assert (public["kty"], public["crv"], public["alg"], public["use"]) == ("EC", "P-256", "ES256", "sig")
    assert public["kid"] == ECKey.import_key(public).thumbprint()
    numbers = ECKey.import_key(private).raw_value.private_numbers()
    assert (
        numbers.public_numbers
        == ec.derive_private_key(numbers.private_value, ec.SECP256R1()).public_key().public_numbers()
    )


def test_a_key_pair_follows_from_the_random_bytes_alone() -> None:
    assert apps.assertion_key_pair(b"a" * 48) == apps.assertion_key_pair(b"a" * 48)
    assert apps.assertion_key_pair(b"a" * 48) != apps.assertion_key_pair(b"b" * 48)
