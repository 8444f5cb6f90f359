"""The Python SDK's stream binds its sign-in to the certificate that it was shown (RFC 5802), on a running node."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.errors import AuthenticationFailed
from heliograph.sdk import transport
from heliograph.sdk.stream import Credentials, Stream
from heliograph.sdk.transport import Target
from heliograph.xmpp.sasl_claims import CredentialsWanted
from heliograph.xmpp.scram import END_POINT, ChannelBinding


@pytest.fixture
def asked(place: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The mechanisms with which clients sign in."""
    sign_in = place.node.engine.sign_in
    look_up, mechanisms = sign_in.look_up, []

    def note(connection: Any, wanted: CredentialsWanted) -> Any:
        mechanisms.append(wanted.mechanism)
        return look_up(connection, wanted)

    monkeypatch.setattr(sign_in, "look_up", note)
    return mechanisms


async def opened(place: Any, account: Any, *, is_direct_tls: bool) -> Stream:
    host = account.jid.partition("@")[2]
    port = place.node.xmpps_port if is_direct_tls else place.node.xmpp_port
    stream = Stream(Credentials(account.username, host, account.password), lambda _stream, _stanza: None)
    await stream.open(Target("127.0.0.1", port, is_direct_tls), place.tls)
    return stream


@pytest.mark.parametrize("is_direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
async def test_the_sdk_binds_its_sign_in_to_the_connection(place: Any, asked: list[str], is_direct_tls: bool) -> None:
    account = await place.register(place.name("ada"))
    stream = await opened(place, account, is_direct_tls=is_direct_tls)
    assert stream.jid.startswith(account.jid)
    assert asked == ["SCRAM-SHA-256-PLUS"]
    await stream.close(5)


async def test_the_sdk_signs_in_nowhere_where_another_certificate_was_shown(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await place.register(place.name("ada"))
    other = ChannelBinding(END_POINT, bytes(32))
    monkeypatch.setattr(transport.Transport, "channel_binding", lambda _: other)
    with pytest.raises(AuthenticationFailed):
        await opened(place, account, is_direct_tls=True)
