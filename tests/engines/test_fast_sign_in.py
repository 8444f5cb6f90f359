"""Tokens with which a client signs in again (XEP-0484), and access tokens (RFC 7628), over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from base64 import b64decode, b64encode
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from heliograph.core import limits
from heliograph.core.apps import Environment

NS = "urn:xmpp:sasl:2"
NS_FAST = "urn:xmpp:fast:0"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"
AGENT = f"<user-agent id='{CLIENT}'/>"
NONE, ENDP = "HT-SHA-256-NONE", "HT-SHA-256-ENDP"


def request_token(mechanism: str = NONE) -> str:
    return f"<request-token xmlns='{NS_FAST}' mechanism='{mechanism}'/>"


async def authenticate(wire: Any, mechanism: str, message: bytes, wishes: str) -> Element:
    """The answer to a request: a success, whose features have come too, or a failure."""
    data = b64encode(message).decode()
    await wire.send(
        f"<authenticate xmlns='{NS}' mechanism='{mechanism}'><initial-response>{data}</initial-response>{wishes}"
        "</authenticate>"
    )
    start = await wire.until(">")
    if "<failure" in start:
        return fromstring(start + await wire.until("</failure>"))
    answer = fromstring(start + await wire.until("</success>"))
    await wire.until("</stream:features>")
    return answer


def shown(wire: Any) -> bytes:
    """The channel binding, as the client makes it of the certificate that it was shown."""
    certificate = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA256())


def hashed(token: str, role: str = "Initiator", binding: bytes = b"") -> bytes:
    return hmac.new(token.encode(), role.encode() + binding, hashlib.sha256).digest()


async def with_password(place: Any, account: Any, wishes: str) -> Element:
    wire = await place.open(account)
    return await authenticate(wire, "PLAIN", f"\0{account.username}\0{account.password}".encode(), wishes)


async def with_token(
    place: Any, account: Any, token: str, *, mechanism: str = NONE, use: str = "", wishes: str = "", agent: str = AGENT
) -> Element:
    wire = await place.open(account)
    binding = shown(wire) if mechanism == ENDP else b""
    message = f"{account.username}\0".encode() + hashed(token, binding=binding)
    answer = await authenticate(wire, mechanism, message, f"{agent}<fast xmlns='{NS_FAST}' {use}/>{wishes}")
    if answer.tag.endswith("success"):
        assert b64decode(answer.findtext(f"{{{NS}}}additional-data") or "") == hashed(token, "Responder", binding)
    return answer


def given(answer: Element) -> str:
    """The token that came, or `""`."""
    found = answer.find(f"{{{NS_FAST}}}token")
    return "" if found is None else found.get("token", "")


def outcome(answer: Element) -> str:
    return "success" if answer.tag.endswith("success") else answer[0].tag.rpartition("}")[2]


async def first_token(place: Any, account: Any, mechanism: str = NONE) -> str:
    token = given(await with_password(place, account, AGENT + request_token(mechanism)))
    assert token.startswith("hgf_")
    return token


@pytest.mark.parametrize("mechanism", [NONE, ENDP])
async def test_a_token_signs_its_client_in_again_and_again(place: Any, mechanism: str) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account, mechanism)
    for _ in range(3):
        answer = await with_token(place, account, token, mechanism=mechanism)
        assert outcome(answer) == "success"
        assert given(answer) == ""
    assert answer.findtext(f"{{{NS}}}authorization-identifier") == account.jid


async def test_a_token_is_worth_nothing_for_another_mechanism_client_user_or_domain(place: Any) -> None:
    account, other = await place.register(place.name("ada")), await place.register(place.name("bob"))
    token = await first_token(place, account)
    bound = await first_token(place, other, ENDP)
    assert outcome(await with_token(place, account, token, mechanism=ENDP)) == "not-authorized"
    assert outcome(await with_token(place, other, bound)) == "not-authorized"  # without its channel binding
    assert outcome(await with_token(place, other, token)) == "not-authorized"
    stranger = AGENT.replace("d4565fa7", "00000000")
    assert outcome(await with_token(place, account, token, agent=stranger)) == "not-authorized"
    assert outcome(await with_token(place, account, token, agent="")) == "malformed-request"
    assert outcome(await with_token(place, account, token)) == "success"


async def test_a_token_that_was_bound_to_another_certificate_is_refused(place: Any) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account, ENDP)
    wire = await place.open(account)
    message = f"{account.username}\0".encode() + hashed(token, binding=bytes(32))
    answer = await authenticate(wire, ENDP, message, f"{AGENT}<fast xmlns='{NS_FAST}'/>")
    assert outcome(answer) == "not-authorized"


async def test_the_first_use_of_the_next_token_ends_the_one_before(place: Any) -> None:
    account = await place.register(place.name("ada"))
    first = await first_token(place, account)
    second = given(await with_token(place, account, first, wishes=request_token()))
    assert second not in ("", first)
    assert outcome(await with_token(place, account, first)) == "success"  # the answer may have been lost
    assert outcome(await with_token(place, account, second)) == "success"
    assert outcome(await with_token(place, account, first)) == "not-authorized"
    assert outcome(await with_token(place, account, second)) == "success"


async def test_a_token_that_was_never_used_gives_way_to_the_next(place: Any) -> None:
    account = await place.register(place.name("ada"))
    first, second = await first_token(place, account), await first_token(place, account)
    assert outcome(await with_token(place, account, first)) == "not-authorized"
    assert outcome(await with_token(place, account, second)) == "success"


async def test_a_sign_in_that_was_recorded_cannot_be_played_again(place: Any) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account)
    assert outcome(await with_token(place, account, token, use="count='2'")) == "success"
    for count in (2, 1):
        assert outcome(await with_token(place, account, token, use=f"count='{count}'")) == "not-authorized"
    assert outcome(await with_token(place, account, token, use="count='3'")) == "success"
    assert outcome(await with_token(place, account, token, use="count='0'")) == "malformed-request"


async def test_a_client_can_have_its_token_forgotten(place: Any) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account)
    answer = await with_token(place, account, token, use="invalidate='true'")
    assert (outcome(answer), given(answer)) == ("success", "")
    assert outcome(await with_token(place, account, token)) == "not-authorized"


async def test_tokens_come_to_clients_that_name_their_installation_and_a_mechanism_on_offer(place: Any) -> None:
    account = await place.register(place.name("ada"))
    assert given(await with_password(place, account, request_token())) == ""
    assert given(await with_password(place, account, AGENT + request_token("HT-SHA-512-NONE"))) == ""
    assert given(await with_password(place, account, AGENT)) == ""


@pytest.mark.parametrize("end", ["session", "block", "eviction"])
async def test_a_token_is_dead_with_its_session(place: Any, end: str) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account)
    if end == "session":
        await place.call("DELETE", f"/sessions/{account.session_id}", account)
    elif end == "block":
        await place.call("POST", f"/users/{account.username}/block")
        await place.call("POST", f"/users/{account.username}/unblock")
    else:
        for _ in range(3):
            await place.register(account.username)
    assert outcome(await with_token(place, account, token)) == "not-authorized"


async def test_a_session_that_ends_during_the_sign_in_lets_nobody_in(place: Any, gated: Any) -> None:
    account = await place.register(place.name("ada"))
    token = await first_token(place, account)
    wire = await place.open(account)
    message = b64encode(f"{account.username}\0".encode() + hashed(token)).decode()
    with gated("fast_tokens", "lookup") as gate:
        await wire.send(
            f"<authenticate xmlns='{NS}' mechanism='{NONE}'><initial-response>{message}</initial-response>{AGENT}"
            f"<fast xmlns='{NS_FAST}'/></authenticate>"
        )
        await gate.entered.wait()
        await place.call("DELETE", f"/sessions/{account.session_id}", account)
        gate.opened.set()
        assert outcome(fromstring(await wire.until("</failure>"))) == "not-authorized"


async def test_tokens_stand_in_no_table(start: Any, tmp_path: Any) -> None:
    place = await start()
    account = await place.register("ada")
    token = await first_token(place, account)
    rows = sqlite3.connect(tmp_path / "heliograph.db").execute("SELECT client, record FROM fast_tokens").fetchall()
    assert len(rows) == 1
    assert token not in repr(rows)
    assert place.node.engine.secret == bytes.fromhex((tmp_path / "secret").read_text())
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


async def test_a_token_that_is_due_is_followed_by_another_and_an_old_one_has_expired(place: Any, clocked: Any) -> None:
    account = await place.register(place.name("ada"), Environment.LIVE)  # in the sandbox the user would be gone
    token = await first_token(place, account)
    clocked(limits.FAST_ROTATE_S)
    second = given(await with_token(place, account, token))
    assert second.startswith("hgf_")
    clocked(limits.FAST_TOKEN_TTL_S)
    assert outcome(await with_token(place, account, token)) == "credentials-expired"


@pytest.fixture
def clocked(place: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the node's clock ahead, for tokens alone."""
    clock = place.node.ports.clock
    real = clock.now

    def ahead(seconds: float) -> None:
        monkeypatch.setattr(type(clock), "now", lambda _: real() + seconds)

    return ahead


# ------------------------------------------------------------------------------------------------------- OAUTHBEARER


async def bearer(place: Any, account: Any, token: str, authzid: str = "") -> str:
    """How a sign-in with an access token ends, under the profile of RFC 6120."""
    wire = await place.open(account)
    gs2 = f"n,a={authzid}," if authzid else "n,,"
    message = b64encode(f"{gs2}\x01auth=Bearer {token}\x01\x01".encode()).decode()
    await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='OAUTHBEARER'>{message}</auth>")
    answer = await wire.until(">")
    if "<challenge" in answer:
        challenge = await wire.until("</challenge>")
        assert b64decode(challenge.partition("<")[0]) == b'{"status":"invalid_token"}'
        await wire.send(f"<response xmlns='{NS_SASL}'>AQ==</response>")
        answer = await wire.until(">")
    if "<success" in answer:
        return "success"
    return fromstring(answer + await wire.until("</failure>"))[0].tag.rpartition("}")[2]


async def test_an_access_token_signs_its_own_session_in(place: Any) -> None:
    account = await place.register(place.name("ada"))
    assert await bearer(place, account, account.token) == "success"
    assert await bearer(place, account, account.token, account.jid) == "success"
    assert await bearer(place, account, account.token, "eve@sandbox.chat.localhost") == "invalid-authzid"
    wire = await place.open(account)
    message = f"n,,\x01auth=Bearer {account.token}\x01\x01".encode()
    answer = await authenticate(wire, "OAUTHBEARER", message, "<bind xmlns='urn:xmpp:bind:0'/>")
    jid = answer.findtext(f"{{{NS}}}authorization-identifier") or ""
    assert place.node.engine.router.full[jid].session_id == account.session_id


@pytest.mark.parametrize("token", ["hgt_" + "x" * 43, "hgr_" + "x" * 43, "something"])
async def test_what_is_no_access_token_signs_nobody_in(place: Any, token: str) -> None:
    assert await bearer(place, await place.register(place.name("ada")), token) == "not-authorized"


async def test_the_token_of_a_session_that_ended_is_refused(place: Any) -> None:
    account = await place.register(place.name("ada"))
    await place.call("DELETE", f"/sessions/{account.session_id}", account)
    assert await bearer(place, account, account.token) == "not-authorized"


async def test_a_token_whose_hour_is_over_has_expired(place: Any, clocked: Any) -> None:
    account = await place.register(place.name("ada"))
    clocked(limits.ACCESS_TOKEN_TTL_S + 1)
    assert await bearer(place, account, account.token) == "credentials-expired"


async def test_the_token_of_the_other_environment_is_refused(place: Any) -> None:
    live = await place.register(place.name("ada"), Environment.LIVE)
    sandbox = await place.register(place.name("ada"))
    assert await bearer(place, sandbox, live.token) == "not-authorized"
