"""Raw clients that wait for each answer before they go on: not every server takes what comes before it has answered."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence

from patience import PATIENCE_S
from places import Place
from profile_events import presence_of
from wires import Account, Client, Got, Wire, bind_request, plain, stream_header

PUBSUB = "http://jabber.org/protocol/pubsub"


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


async def watching_client(place: Place, account: Account, *nodes: str) -> Client:
    """A client of a make of its own, which the server does not know yet, that is told of nodes of personal eventing."""
    client = await bare_client(place, account, is_present=False)
    await client.send(_presence_of(client, nodes)[0])
    await answer_what_is_asked(client, *nodes)
    return client


async def answer_what_is_asked(client: Client, *nodes: str) -> None:
    """Wait for the question what the client is, and answer that it wants to be told of those nodes."""
    while (asked := await client.next()).name != "iq" or asked.get("type") != "get":
        pass
    info = _presence_of(client, nodes)[1]
    await client.send(f"<iq type='result' id='{asked.get('id')}' to='{asked.get('from')}'>{info}</iq>")


def _presence_of(client: Client, nodes: Sequence[str]) -> tuple[str, str]:
    presence, info = presence_of(*nodes)
    own = f"urn:client:{client.jid}"
    return presence.replace("urn:news", own), info.replace("urn:news", own)


async def event_of(client: Client, node: str, holds: str) -> Got:
    """The next notification of a node that holds some text."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            got = await client.gets("message")
            items = got.element.find(f".//{{{PUBSUB}#event}}items")
            if items is not None and items.get("node") == node and holds in got.xml:
                return got


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
