"""The calls that need no connection, against the real HTTP face."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from PIL import Image

from heliograph import SDK, DeviceBody, Response, VisibilityRequest
from heliograph.core import account_changes, apps
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.core.ports import Ports
from heliograph.errors import (
    AccountNotFound,
    AuthenticationFailed,
    ContactInvalid,
    HeliographError,
    IdentifierInvalid,
    LicenseInvalid,
    LicenseModeMismatch,
    MediaUnsupported,
    MetadataInvalid,
    NotConnected,
    PayloadTooLarge,
    ProfileConflict,
    ProfileInvalid,
    RateLimited,
    RegistrationUnverified,
    RequestInvalid,
    RouteNotFound,
    SessionLimit,
    SessionNotFound,
    TimedOut,
    TokenRevoked,
    Unreachable,
)

_file = io.BytesIO()
Image.effect_noise((330, 330), 80).save(_file, "PNG")
PNG = _file.getvalue()
assert 65_536 < len(PNG) < 131_072, "two chunks of an upload"


# ---------------------------------------------------------------------------------------------------------- initialize


async def test_initialize_says_how_to_connect(wire: Any, trial_key: str) -> None:
    async with SDK() as sdk:
        response = await sdk.initialize("https://chat.test", trial_key, True, http_transport=wire)
    assert response.data.domain == "sandbox.chat.test"
    assert response.data.is_sandbox
    assert response.to_dict()["data"]["xmppTlsPort"] == 5223


@pytest.mark.parametrize("url", ["https://chat.test/", "https://chat.test/api/v1", "https://chat.test/api/v1/"])
async def test_the_base_url_may_name_the_api(wire: Any, trial_key: str, url: str) -> None:
    async with SDK() as sdk:
        await sdk.initialize(url, trial_key, http_transport=wire)
    assert wire.paths() == ["GET /config"]


@pytest.mark.parametrize("key", ["", "nonsense", "hg_pk_trial_" + "A" * 43, "two\r\nlines", "clé"])
async def test_a_bad_key_fails_at_once(wire: Any, key: str) -> None:
    sdk = SDK()
    with pytest.raises(LicenseInvalid):
        await sdk.initialize("https://chat.test", key, http_transport=wire)
    with pytest.raises(NotConnected):
        await sdk.register("ada")


@pytest.mark.parametrize("environment", Environment)
async def test_a_key_of_the_other_kind_is_a_mismatch(wire: Any, known: NewApp, environment: Environment) -> None:
    key = known.keys[KeyKind.PUBLISHABLE, environment]
    is_trial = environment is Environment.SANDBOX
    async with SDK() as sdk:
        await sdk.initialize("https://chat.test", key, is_trial, http_transport=wire)
        with pytest.raises(LicenseModeMismatch) as caught:
            await sdk.initialize("https://chat.test", key, not is_trial, http_transport=wire)
    assert caught.value.code == "license_mode_mismatch"


@pytest.mark.parametrize("url", ["", "chat.test", "ftp://chat.test", "https://", "http://chat.test:port"])
async def test_a_base_url_that_is_none_is_refused(url: str, trial_key: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await SDK().initialize(url, trial_key)
    assert caught.value.details["field"] == "api_base_url"


async def test_a_certificate_file_that_is_none_is_refused(tmp_path: Path, trial_key: str) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (empty, tmp_path / "missing.pem"):
        with pytest.raises(RequestInvalid) as caught:
            await SDK().initialize("https://chat.test", trial_key, ca_file=file)
        assert caught.value.details["field"] == "ca_file"


async def test_a_listener_under_a_wrong_name_is_refused(trial_key: str) -> None:
    with pytest.raises(RequestInvalid):
        await SDK().initialize("https://chat.test", trial_key, userProfileListener=print)  # type: ignore[call-arg]


async def test_no_call_works_before_initialize() -> None:
    sdk = SDK()
    for call in (sdk.register("ada"), sdk.get_sessions(), sdk.set_user_token(""), sdk.connect("ada", "secret")):
        with pytest.raises(NotConnected):
            await call
    with pytest.raises(NotConnected):
        sdk.events()
    await sdk.close()


# ------------------------------------------------------------------------------------------------------------ register


async def test_register_answers_with_credentials(new_sdk: Any) -> None:
    sdk = await new_sdk()
    response = await sdk.register("ada")
    form = response.to_dict()
    assert (form["statusCode"], form["message"]) == (200, "Success")
    assert form["data"].keys() == {
        "username",
        "password",
        "isProfileUpdated",
        "isSandbox",
        "userJid",
        "token",
        "refreshToken",
        "expiresIn",
        "sessionId",
        "isExisting",
        "config",
    }
    assert (response.data.username, response.data.user_jid) == ("ada", "ada@sandbox.chat.test")
    assert (response.data.is_sandbox, response.data.is_existing, response.data.is_profile_updated) == (
        True,
        False,
        False,
    )
    assert response.data.password not in repr(response)


async def test_metadata_keeps_its_types(new_sdk: Any, ports: Ports) -> None:
    sdk = await new_sdk()
    metadata = {"city": "Łódź", "vip": True, "score": 2.5}
    await sdk.register("ada", register_meta_data=metadata)
    await sdk.register("ada")
    account = await ports.accounts.lookup("ada@sandbox.chat.test")
    assert account is not None
    assert dict(account.metadata) == metadata


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"user_identifier": "Ada"}, IdentifierInvalid),
        ({"user_identifier": ""}, IdentifierInvalid),
        ({"user_identifier": "a" * 192}, IdentifierInvalid),
        ({"user_identifier": "ada", "register_meta_data": {str(n): n for n in range(4)}}, MetadataInvalid),
        ({"user_identifier": "ada", "register_meta_data": {"list": []}}, MetadataInvalid),
        ({"user_identifier": "ada", "replace_session": "nonsense"}, SessionNotFound),
    ],
)
async def test_a_registration_that_breaks_a_rule_is_refused(
    new_sdk: Any, arguments: dict[str, Any], error: type[HeliographError]
) -> None:
    with pytest.raises(error):
        await (await new_sdk()).register(**arguments)


async def test_at_the_cap_force_decides(new_sdk: Any) -> None:
    sdk = await new_sdk()
    sessions = [(await sdk.register("ada")).data.session_id for _ in range(5)]
    with pytest.raises(SessionLimit) as caught:
        await sdk.register("ada", False)
    assert caught.value.status_code == 405
    assert {session["id"] for session in caught.value.details["sessions"]} == set(sessions)
    await sdk.register("ada", False, replace_session=sessions[3])
    await sdk.register("ada")
    left = {session.id for session in (await sdk.get_sessions()).data.sessions}
    assert len(left) == 5
    assert sessions[3] not in left


async def test_a_live_registration_needs_an_assertion(new_sdk: Any, known: NewApp, clock: Any) -> None:
    sdk = await new_sdk(known.keys[KeyKind.PUBLISHABLE, Environment.LIVE])
    with pytest.raises(RegistrationUnverified):
        await sdk.register("ada")
    claims = {"sub": "ada", "iat": int(clock.now()), "jti": "1", "aud": known.app.domain}
    key = ECKey.import_key(json.loads(known.assertion_private_key))
    await sdk.set_user_token(jwt.encode({"alg": "ES256"}, claims, key))
    assert not (await sdk.register("ada")).data.is_sandbox
    with pytest.raises(RegistrationUnverified):
        await sdk.register("ada")


async def test_the_backend_registers_live_users_with_its_secret_key(new_sdk: Any, known: NewApp) -> None:
    sdk = await new_sdk(known.keys[KeyKind.SECRET, Environment.LIVE])
    for identifier in ("ada", "bob"):
        assert (await sdk.register(identifier)).data.username == identifier


# ------------------------------------------------------------------------------------------------------------ profiles


async def test_a_profile_is_set_and_seen(new_sdk: Any) -> None:
    sdk, other = await new_sdk(), await new_sdk()
    await sdk.register("ada")
    await other.register("bob")
    stored = (await sdk.set_user_profile("Ada", "https://a.test/a.png", "Here", "+4930123456", "ada@mail.test")).data
    assert (stored.version, stored.nick_name, stored.email) == (1, "Ada", "ada@mail.test")
    seen = (await other.get_user_profile("ada")).data
    assert (seen.nick_name, seen.image, seen.status, seen.mobile_number) == ("Ada", "https://a.test/a.png", "Here", "")
    assert seen == (await other.get_user_profile("ada@sandbox.chat.test")).data


async def test_none_leaves_a_field_and_the_empty_text_clears_it(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    await sdk.set_user_profile("Ada", "https://a.test/a.png", "Here")
    stored = (await sdk.set_user_profile(image="", status=None)).data
    assert (stored.nick_name, stored.image, stored.status) == ("Ada", "", "Here")


async def test_update_profile_also_says_who_may_see(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    response = await sdk.update_profile(nick_name="Ada", visibility=VisibilityRequest(nick_name="nobody"))
    assert response.data.visibility.nick_name == "nobody"
    assert response.data.visibility.status == "everyone"


async def test_a_version_that_is_no_longer_current_changes_nothing(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    first = (await sdk.set_user_profile("Ada")).data
    await sdk.set_user_profile("Ada B", version=first.version)
    for conflicting in (
        sdk.set_user_profile("Ada C", version=first.version),
        sdk.update_profile(nick_name="Ada C", version=first.version),
    ):
        with pytest.raises(ProfileConflict):
            await conflicting
    assert (await sdk.get_user_profile("ada")).data.nick_name == "Ada B"


async def test_a_profile_field_that_breaks_its_rule_is_named(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    with pytest.raises(ProfileInvalid) as caught:
        await sdk.set_user_profile("Ada", email="no address")
    assert caught.value.details["field"] == "email"


@pytest.mark.parametrize("form", ["bytes", "path", "text path", "file"])
async def test_a_picture_is_uploaded(new_sdk: Any, tmp_path: Path, form: str) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    path = tmp_path / "ada.png"
    path.write_bytes(PNG)
    image: Any = {"bytes": PNG, "path": path, "text path": str(path), "file": io.BytesIO(PNG)}[form]
    progress: list[tuple[int, int]] = []
    stored = (await sdk.set_user_profile("Ada", image, on_upload_progress=lambda *at: progress.append(at))).data
    assert stored.file_token_thumb == f"{stored.file_token}-96"
    assert stored.image.endswith(f"/media/{stored.file_token}")
    assert progress == [(65536, len(PNG)), (len(PNG), len(PNG))]
    again = (await sdk.set_user_profile("Ada B", stored.file_token)).data
    assert again.image == stored.image


@pytest.mark.parametrize(
    ("image", "error"),
    [
        ("/no/such/file.png", ProfileInvalid),
        ("nul\0byte", ProfileInvalid),
        (io.StringIO("text"), ProfileInvalid),
        (b"no picture", MediaUnsupported),
        (bytes(10 * 1024 * 1024 + 1), PayloadTooLarge),
        ("0" * 64, ProfileInvalid),
    ],
)
async def test_a_picture_that_is_none_is_refused(new_sdk: Any, image: Any, error: type[HeliographError]) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    with pytest.raises(error):
        await sdk.set_user_profile("Ada", image)
    assert (await sdk.get_user_profile("ada")).data.version == 0


# ------------------------------------------------------------------------------------------------ contacts and sessions


async def test_contacts_are_made_and_removed(new_sdk: Any) -> None:
    sdk, other = await new_sdk(), await new_sdk()
    await sdk.register("ada")
    await other.register("bob")
    assert (await sdk.add_contact("bob")).data.state == "friend"
    assert [contact.user_id for contact in (await other.get_friends_list()).data.contacts] == ["ada"]
    assert (await other.remove_contact("ada")).data is None
    assert (await sdk.get_friends_list()).data.contacts == ()


async def test_a_contact_that_cannot_be_is_refused(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    for identifier, error in (("ada", ContactInvalid), ("nobody", AccountNotFound), ("", RequestInvalid)):
        with pytest.raises(error):
            await sdk.add_contact(identifier)
    for trick in (".", "..", "../account", "x?y=z", "a/b"):
        with pytest.raises((RequestInvalid, AccountNotFound, RouteNotFound)):
            await sdk.remove_contact(trick)
    assert (await sdk.get_user_profile("ada")).data.user_id == "ada"


async def test_sessions_are_listed_and_ended(new_sdk: Any) -> None:
    phone = await new_sdk(device=DeviceBody(device="Phone", os="Plan 9"))
    web = await new_sdk(device=DeviceBody(browser="Lynx"))
    tablet = await new_sdk()
    for sdk in (phone, web, tablet):
        await sdk.register("ada")
    sessions = (await phone.get_sessions()).data.sessions
    assert [(session.device, session.os, session.current) for session in sessions if session.device == "Phone"] == [
        ("Phone", "Plan 9", True)
    ]
    assert len((await phone.logout_web_sessions()).data.session_ids) == 1
    with pytest.raises(TokenRevoked):
        await web.get_sessions()
    tablet_session = next(session.id for session in (await tablet.get_sessions()).data.sessions if session.current)
    assert (await phone.logout_other_sessions()).data.session_ids == (tablet_session,)
    with pytest.raises(SessionNotFound):
        await phone.logout_session(tablet_session)
    assert len((await phone.get_sessions()).data.sessions) == 1


async def test_after_logout_nobody_is_known(new_sdk: Any) -> None:
    sdk = await new_sdk()
    with pytest.raises(NotConnected):
        await sdk.get_current_user_jid()
    data = (await sdk.register("ada")).data
    assert (await sdk.get_current_user_jid()).to_dict()["data"] == {"userJid": "ada@sandbox.chat.test"}
    assert (await sdk.logout()).status_code == 200
    with pytest.raises(NotConnected):
        await sdk.get_current_user_jid()
    with pytest.raises(AuthenticationFailed):
        await sdk.get_user_token("ada", data.password)


async def test_a_user_deletes_the_own_account(new_sdk: Any) -> None:
    sdk, other = await new_sdk(), await new_sdk()
    await sdk.register("ada")
    await other.register("bob")
    await sdk.delete_my_account("Moving on")
    with pytest.raises(AccountNotFound):
        await other.get_user_profile("ada")


async def test_a_message_needs_a_connection_a_receiver_and_a_text(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    with pytest.raises(NotConnected):
        await sdk.send_message("bob", "Hi")
    for jid, text in (("bob@", "Hi"), ("bob", ""), ("bob", "a\x00b"), ("bob", "\ud800")):
        with pytest.raises(RequestInvalid):
            await sdk.send_message(jid, text)
    with pytest.raises(PayloadTooLarge):
        await sdk.send_message("bob", "x" * 65536)


# -------------------------------------------------------------------------------------------------------------- errors


async def test_an_error_carries_all_that_the_server_says(new_sdk: Any, wire: Any) -> None:
    sdk = await new_sdk()
    body = {"statusCode": 429, "message": "Slow down", "code": "rate_limited", "details": {"per": "minute"}}

    async def limit(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json=body, headers={"Retry-After": "17"})

    wire.intercept = limit
    with pytest.raises(RateLimited) as caught:
        await sdk.register("ada")
    assert caught.value.retry_after_s == 17.0
    assert caught.value.body() == body


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ReadTimeout("late"), TimedOut),
        (httpx.ConnectTimeout("late"), TimedOut),
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.RemoteProtocolError("cut"), Unreachable),
        (httpx.Response(502, text="<html>Bad gateway</html>"), Unreachable),
        (httpx.Response(200, text="<html>Please log in to the hotel's network</html>"), Unreachable),
        (httpx.Response(200, json={"statusCode": 200, "message": "Success"}), Unreachable),
        (httpx.Response(404, json=["nothing"]), Unreachable),
        (httpx.Response(307, headers={"Location": "https://elsewhere.test"}), Unreachable),
    ],
)
async def test_a_server_that_does_not_answer_as_it_should_is_an_error_of_the_peer(
    new_sdk: Any, wire: Any, failure: httpx.Response | httpx.TransportError, error: type[HeliographError]
) -> None:
    sdk = await new_sdk()

    async def fail(_: httpx.Request) -> httpx.Response:
        if isinstance(failure, httpx.Response):
            return failure
        raise failure

    wire.intercept = fail
    with pytest.raises(error) as caught:
        await sdk.register("ada")
    assert caught.value.status_code in (503, 504)


async def test_a_server_that_is_not_there_is_unreachable(trial_key: str, free_ports: Any) -> None:
    with pytest.raises(Unreachable):
        await SDK().initialize(f"http://127.0.0.1:{free_ports(1)[0]}", trial_key)


async def test_a_blocked_user_is_told_so(new_sdk: Any, ports: Ports, known: NewApp) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    backend = await apps.authenticate_key(ports, known.keys[KeyKind.SECRET, Environment.SANDBOX])
    await account_changes.set_blocked(ports, backend, "ada", True)
    with pytest.raises(HeliographError) as caught:
        await sdk.register("ada")
    assert (caught.value.status_code, caught.value.code) == (403, "admin_blocked")


def test_a_response_is_a_frozen_value() -> None:
    response = Response(200, "Success", None)
    assert response == Response(200, "Success", None)
    assert response.to_dict() == {"statusCode": 200, "message": "Success"}
    with pytest.raises(AttributeError):
        response.message = "Other"  # type: ignore[misc]
