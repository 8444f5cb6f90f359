"""Which connection belongs to which session, on a real ejabberd."""

from __future__ import annotations

from typing import Any

import pytest

from ejabberd_clients import bare_client, ends, is_refused

pytestmark = pytest.mark.cluster


async def test_connections_end_with_their_session_and_never_stay(both: Any) -> None:
    place, _ = both
    phone, tablet = await place.register("ada"), await place.register("ada")
    on_phone, on_tablet = await bare_client(place, phone), await bare_client(place, tablet)
    again_on_phone = await bare_client(place, phone)
    await place.call("DELETE", "/sessions/current", phone)
    for client in (on_phone, again_on_phone):
        assert "urn:heliograph:session:1#logout" in await ends(client)
    assert (await on_tablet.ask("<ping xmlns='urn:xmpp:ping'/>")).get("type") == "result"
    assert await is_refused(place, phone)

    # Two that have not shown themselves cannot be told apart: the one that may stay is asked to sign in again.
    third = await place.register("ada")
    silent = [await bare_client(place, each, is_present=False) for each in (tablet, third)]
    await place.call("DELETE", "/sessions/current", third)
    for client in silent:
        assert "urn:heliograph:session:1#sign_in_again" in await ends(client)
    assert await is_refused(place, third)
    assert not await is_refused(place, tablet)


async def test_a_plain_clients_change_of_its_roster_is_refused(both: Any) -> None:
    place, _ = both
    ada = await bare_client(place, await place.register("ada"))
    bob = await place.register("bob")
    item = f"<query xmlns='jabber:iq:roster'><item jid='{bob.jid}'/></query>"
    assert (await ada.ask(item, kind="set")).get("type") == "error"
    await ada.send(f"<presence type='subscribe' to='{bob.jid}'/>")
    assert (await ada.gets("presence", type="error")).get("from") == bob.jid
