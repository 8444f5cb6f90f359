"""Raw clients of an ejabberd, that wait for each answer before they go on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from patience import PATIENCE_S
from places import Place
from wires import Account, Client, Wire, bind_request, plain, stream_header


async def bare_client(place: Place, account: Account, *, is_present: bool = True) -> Client:
    """A client that is signed in, and there if it is to be."""
    wire = await _signed_in(place, account)
    assert wire is not None, "the password was refused"
    header = stream_header(account.jid.partition("@")[2])
    await wire.send(header)
    opened = await wire.until("<stream:features>")
    await wire.until("</stream:features>")
    await wire.send(bind_request(None))
    jid = (await wire.until("</iq>")).partition("<jid>")[2].partition("</jid>")[0]
    client = Client(wire, account, jid, opened.removesuffix("<stream:features>"))
    if is_present:
        await client.send("<presence/>")
        await client.gets("presence", from_=jid)
        await until(lambda: place.node.engine.router.full[jid].session_id != "" if _is_seen(place, jid) else False)
    return client


def _is_seen(place: Place, jid: str) -> bool:
    return jid in place.node.engine.router.full


async def is_refused(place: Place, account: Account) -> bool:
    """Whether a password is refused."""
    wire = await _signed_in(place, account)
    if wire is not None:
        wire.close()
    return wire is None


async def _signed_in(place: Place, account: Account) -> Wire | None:
    wire = await place.dial(name="localhost")
    await wire.send(stream_header(account.jid.partition("@")[2]))
    await wire.until("</stream:features>")
    await wire.send(plain(account.username, account.password))
    return wire if "<success" in await wire.until("/>") else None


async def ends(client: Client) -> str:
    """All text until the server closes."""
    try:
        return await client.end()
    except (ConnectionError, ssl.SSLError):
        return client.wire.heard


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is true of the node, which tells nobody."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
