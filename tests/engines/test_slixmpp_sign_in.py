"""A client of another make that knows channel binding, and another kind of it than we do (slixmpp: `tls-unique`)."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest
from slixmpp import ClientXMPP

from patience import PATIENCE_S


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_that_cannot_bind_to_the_certificate_signs_in_without(
    place: Any, version: ssl.TLSVersion
) -> None:
    account = await place.register(place.name("ada"))
    client = ClientXMPP(account.jid, account.password)
    client.enable_plaintext = client.enable_starttls = False
    client.enable_direct_tls = True
    context = ssl.create_default_context(cafile=str(place.node.certificate_file))
    context.minimum_version = context.maximum_version = version
    client.get_ssl_context = lambda: context  # type: ignore[method-assign]
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    client.add_event_handler("session_start", lambda _: started.set_result(None))
    client.connect("127.0.0.1", place.node.xmpps_port)
    async with asyncio.timeout(PATIENCE_S):
        await started
    assert client.transport.get_extra_info("ssl_object").version() == f"TLSv1.{version.name[-1]}"
    assert len(place.node.engine.router.resources(account.jid)) == 1
    client.abort()
