"""Identity assertions: real JWTs, right and wrong in each way."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from heliograph.core import assertions
from heliograph.core.apps import App, assertion_key_pair
from heliograph.errors import RegistrationUnverified

NOW = 1_800_000_000.0
DOMAIN = "a.example"
PRIVATE, PUBLIC = (ECKey.import_key(json.loads(text)) for text in assertion_key_pair(b"k" * 48))


def app_with(key: ECKey | OKPKey, app_id: str = "app_a") -> App:
    return App(app_id, "A", DOMAIN, "sandbox.a.example", json.dumps(key.as_dict(private=False)), NOW)


APP = app_with(PUBLIC)


def signed(key: ECKey | OKPKey | OctKey = PRIVATE, alg: str = "ES256", **changes: Any) -> str:
    """A right assertion for bob, with these claims changed; `...` leaves a claim out."""
    claims = {"sub": "bob", "aud": DOMAIN, "iat": int(NOW), "exp": int(NOW) + 60, "jti": "one"} | changes
    claims = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode({"alg": alg}, claims, key, algorithms=[alg])


def refusal(assertion: str, app: App = APP) -> str:
    with pytest.raises(RegistrationUnverified) as refused:
        assertions.verify(app, DOMAIN, assertion, "bob", NOW)
    assert refused.value.status_code == 401
    return str(refused.value.details["reason"])


def test_a_right_assertion_is_a_use_that_is_remembered_as_long_as_it_could_be_shown_again() -> None:
    use = assertions.verify(APP, DOMAIN, signed(iat=int(NOW) - 100), "bob", NOW)
    assert len(use.hash) == 32
    assert use.expires_at >= NOW - 100 + 300


def test_the_same_id_is_the_same_use_and_another_app_has_ids_of_its_own() -> None:
    first = assertions.verify(APP, DOMAIN, signed(), "bob", NOW)
    again = assertions.verify(APP, DOMAIN, signed(iat=int(NOW) - 5), "bob", NOW)
    other = assertions.verify(APP, DOMAIN, signed(jti="two"), "bob", NOW)
    elsewhere = assertions.verify(app_with(PUBLIC, "app_b"), DOMAIN, signed(), "bob", NOW)
    assert first.hash == again.hash
    assert len({first.hash, other.hash, elsewhere.hash}) == 3


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_an_ed25519_key_signs_by_either_name_of_its_algorithm(alg: str) -> None:
    key = OKPKey.generate_key("Ed25519")
    assertions.verify(app_with(key), DOMAIN, signed(key, alg), "bob", NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": NOW - 300},
        {"iat": NOW + 30},
        {"iat": NOW - 0.5},
        {"exp": ...},
        {"aud": ["other.example", DOMAIN]},
        {"nbf": NOW},
        {"jti": "j" * 128},
        {"iss": "backend", "role": "any"},
    ],
)
def test_an_assertion_is_good(changes: dict[str, Any]) -> None:
    assertions.verify(APP, DOMAIN, signed(**changes), "bob", NOW)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("subject", {"sub": "alice"}),
        ("subject", {"sub": ...}),
        ("subject", {"sub": ["bob"]}),
        ("audience", {"aud": "sandbox.a.example"}),
        ("audience", {"aud": ...}),
        ("audience", {"aud": [DOMAIN.upper()]}),
        ("audience", {"aud": {DOMAIN: 1}}),
        ("issued_at", {"iat": NOW - 301}),
        ("issued_at", {"iat": NOW + 31}),
        ("issued_at", {"iat": ...}),
        ("issued_at", {"iat": None}),
        ("issued_at", {"iat": True}),
        ("issued_at", {"iat": str(int(NOW))}),
        ("issued_at", {"iat": float("nan")}),
        ("issued_at", {"iat": 10**400}),
        ("not_before", {"nbf": NOW + 31}),
        ("not_before", {"nbf": "soon"}),
        ("expired", {"exp": NOW}),
        ("expired", {"exp": NOW - 1}),
        ("expired", {"exp": float("inf")}),
        ("expired", {"exp": None}),
        ("id", {"jti": ...}),
        ("id", {"jti": ""}),
        ("id", {"jti": 7}),
        ("id", {"jti": "j" * 129}),
    ],
)
def test_an_assertion_is_refused_for_its_claims(reason: str, changes: dict[str, Any]) -> None:
    assert refusal(signed(**changes)) == reason


def test_a_strangers_signature_is_refused() -> None:
    assert refusal(signed(ECKey.generate_key("P-256"))) == "signature"


def test_a_changed_claim_breaks_the_signature() -> None:
    header, _, signature = signed(sub="alice").split(".")
    assert refusal(".".join([header, signed().split(".")[1], signature])) == "signature"


def test_the_key_and_not_the_header_chooses_the_algorithm() -> None:
    public_text = json.dumps(PUBLIC.as_dict(private=False))
    confused = signed(OctKey.import_key(public_text), "HS256")
    unsigned = f"{encoded({'alg': 'none'})}.{signed().split('.')[1]}."
    assert refusal(confused) == "algorithm"
    assert refusal(unsigned) == "algorithm"
    assert refusal(signed(OKPKey.generate_key("Ed25519"), "Ed25519")) == "algorithm"


@pytest.mark.parametrize("key", [ECKey.generate_key("P-384"), OKPKey.generate_key("Ed448")])
def test_a_key_of_another_curve_checks_nothing(key: ECKey | OKPKey) -> None:
    assert refusal(signed(), app_with(key)) == "algorithm"


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "assertion",
    [
        "",
        "hgt_" + "a" * 43,
        "a.b.c",
        "é.b.c",
        signed() + ".",
        " " + signed(),
        signed(note="n" * 4096),
        *(
            f"{encoded(header)}.e30.AAAA"
            for header in (
                {"alg": "ES256", "crit": ["exp"]},
                ["alg"],
                "alg",
                5,
                None,
                {"alg": 1},
                {},
                b"\xff",
                b"[" * 300,
            )
        ),
        *(jws.serialize_compact({"alg": "ES256"}, body, PRIVATE) for body in (b"[" * 2000, b"[]", b"x", b'{"iat":1')),
    ],
)
def test_what_is_no_jwt_is_malformed(assertion: str) -> None:
    assert refusal(assertion) == "malformed"


def signed_json(header: dict[str, Any], **changes: Any) -> str:
    """A right assertion whose header and claims may hold what a careful library would not write."""
    claims = {"sub": "bob", "aud": DOMAIN, "iat": NOW, "jti": "one"} | changes
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    return jws.serialize_compact({"alg": "ES256", **header}, json.dumps(claims), PRIVATE, registry=registry)


def test_an_unknown_header_parameter_that_is_not_critical_is_ignored() -> None:
    assertions.verify(APP, DOMAIN, signed_json({"kid": "k1", "note": "n"}), "bob", NOW)


def test_an_id_may_hold_what_json_can_escape() -> None:
    assertions.verify(APP, DOMAIN, signed_json({}, jti="\ud800"), "bob", NOW)
