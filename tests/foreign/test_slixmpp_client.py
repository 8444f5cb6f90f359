"""slixmpp, a client library, with its plugins as they are."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ElementBase

from patience import PATIENCE_S

PROFILE = ("xep_0030", "xep_0115", "xep_0054", "xep_0060", "xep_0163", "xep_0084", "xep_0172", "xep_0292")


class Note(ElementBase):  # type: ignore[misc]
    """An element that no specification knows."""

    name = plugin_attrib = "note"
    namespace = "urn:example:note"
    interfaces = frozenset({"text"})


def note(text: str) -> Note:
    made = Note()
    made["text"] = text
    return made


class Slixmpp(ClientXMPP):
    """A client that keeps what it is told, event by event."""

    def __init__(self, account: Any, node: Any, plugins: tuple[str, ...]) -> None:
        super().__init__(f"{account.jid}/{uuid4().hex[:8]}", account.password)
        self.node = node
        self.ca_certs = node.certificate_file
        self.enable_direct_tls = False
        self.told: dict[str, asyncio.Queue[Any]] = {}
        for plugin in plugins:
            self.register_plugin(plugin)

    def listen(self, *events: str) -> None:
        """Keep what these events bring."""
        for event in events:
            self.told[event] = asyncio.Queue()
            self.add_event_handler(event, self.told[event].put_nowait)

    async def next(self, event: str) -> Any:
        """What an event brings next."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.told[event].get()

    async def sign_in(self) -> None:
        """Connect, bind, and be there."""
        self.connect("127.0.0.1", self.node.xmpp_port)
        await self.wait_until("session_start", timeout=PATIENCE_S)
        await self.get_roster()
        if "xep_0115" in self.plugin:
            await self.plugin["xep_0115"].update_caps(broadcast=False)
        self.send_presence()


Make = Callable[..., Awaitable[Slixmpp]]


@pytest.fixture
async def client(place: Any) -> AsyncIterator[Make]:
    """Makes clients of accounts that are signed in; `before` has the client before it signs in."""
    clients: list[Slixmpp] = []

    async def make(account: Any, *plugins: str, before: Callable[[Slixmpp], None] | None = None) -> Slixmpp:
        made = Slixmpp(account, place.node, plugins)
        made.listen("message", "presence_available", "roster_update")
        clients.append(made)
        if before is not None:
            before(made)
        await made.sign_in()
        return made

    yield make
    for made in clients:
        made.abort()


@pytest.fixture
async def pair(place: Any) -> tuple[Any, Any]:
    """Two accounts that are contacts of each other."""
    ada, bob = [await place.register(place.name(name)) for name in ("ada", "bob")]
    await place.call("PUT", f"/contacts/{bob.username}", ada)
    return ada, bob


def portrait() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "#7a5c3e").save(data, "PNG")
    return data.getvalue()


async def test_two_users_ask_for_and_approve_each_others_presence(place: Any, client: Make) -> None:
    ada = await client(await place.register(place.name("ada")))
    bob = await client(await place.register(place.name("bob")))  # answers a request by itself, and asks in turn
    ada.send_presence_subscription(pto=bob.boundjid.bare)
    while ada.client_roster[bob.boundjid.bare]["subscription"] != "both":
        await ada.next("roster_update")
    while (await ada.next("presence_available"))["from"] != bob.boundjid:
        pass
    await ada.update_roster(bob.boundjid.bare, name="Bob", groups=["Ridge"])
    item = ada.client_roster[bob.boundjid.bare]
    while item["name"] != "Bob":
        await ada.next("roster_update")
    assert (item["groups"], item["subscription"]) == (["Ridge"], "both")
    await ada.del_roster_item(bob.boundjid.bare)
    while bob.client_roster[ada.boundjid.bare]["subscription"] != "none":
        await bob.next("roster_update")


async def test_a_vcard_is_seen_through_every_profile_protocol(pair: Any, client: Make) -> None:
    def watch(ada: Slixmpp) -> None:
        ada.plugin["xep_0060"].map_node_event("urn:xmpp:vcard4", "vcard4")
        for node in ("urn:xmpp:vcard4", "http://jabber.org/protocol/nick", "urn:xmpp:avatar:metadata"):
            ada.plugin["xep_0163"].add_interest(node)
        ada.listen("vcard4_publish", "user_nick_publish", "avatar_metadata_publish")

    ada, bob = await client(pair[0], *PROFILE, before=watch), await client(pair[1], *PROFILE)
    vcard = bob.plugin["xep_0054"].make_vcard()
    vcard["FN"], vcard["TITLE"] = "Bob \u2600", "Signaller"
    vcard["PHOTO"]["TYPE"], vcard["PHOTO"]["BINVAL"] = "image/png", portrait()
    await bob.plugin["xep_0054"].publish_vcard(vcard)

    event = await ada.next("vcard4_publish")
    assert event["pubsub_event"]["items"]["item"]["vcard"]["full_name"] == "Bob \u2600"
    event = await ada.next("user_nick_publish")
    assert event["pubsub_event"]["items"]["item"]["nick"]["nick"] == "Bob \u2600"
    event = await ada.next("avatar_metadata_publish")
    info = event["pubsub_event"]["items"]["item"]["avatar_metadata"]["info"]
    avatar = await ada.plugin["xep_0084"].retrieve_avatar(bob.boundjid.bare, info["id"])
    data = avatar["pubsub"]["items"]["item"]["avatar_data"]["value"]
    assert (ada.plugin["xep_0084"].generate_id(data), len(data)) == (info["id"], int(info["bytes"]))

    kept = (await ada.plugin["xep_0054"].get_vcard(bob.boundjid.bare))["vcard_temp"]
    assert (kept["FN"], kept["TITLE"], kept["PHOTO"]["BINVAL"]) == ("Bob \u2600", "Signaller", data)


async def test_a_published_avatar_and_nickname_are_in_the_vcard(pair: Any, client: Make) -> None:
    ada, bob = await client(pair[0], *PROFILE), await client(pair[1], *PROFILE)
    data = portrait()
    identity = bob.plugin["xep_0084"].generate_id(data)
    await bob.plugin["xep_0084"].publish_avatar(data)
    metadata = {"id": identity, "type": "image/png", "bytes": str(len(data)), "width": "64", "height": "64"}
    await bob.plugin["xep_0084"].publish_avatar_metadata([metadata])
    await bob.plugin["xep_0172"].publish_nick("Bob of the ridge")
    kept = (await ada.plugin["xep_0054"].get_vcard(bob.boundjid.bare))["vcard_temp"]
    assert kept["FN"] == "Bob of the ridge"
    assert Image.open(io.BytesIO(kept["PHOTO"]["BINVAL"])).size == (64, 64)


async def test_what_is_stored_in_private_is_nobody_elses(pair: Any, client: Make) -> None:
    plugins = ("xep_0060", "xep_0163", "xep_0222", "xep_0223")
    ada, bob = await client(pair[0], *plugins), await client(pair[1], *plugins)
    await ada.plugin["xep_0223"].store(note("secret"), node="urn:example:own", id="a")
    fetched = await ada.plugin["xep_0223"].retrieve("urn:example:own")
    assert fetched["pubsub"]["items"]["item"]["payload"].get("text") == "secret"
    with pytest.raises(IqError):
        await bob.plugin["xep_0060"].get_item(ada.boundjid.bare, "urn:example:own", "a")
    await ada.plugin["xep_0222"].store(note("shown"), node="urn:example:open", id="a")
    shown = await bob.plugin["xep_0060"].get_item(ada.boundjid.bare, "urn:example:open", "a")
    assert shown["pubsub"]["items"]["item"]["payload"].get("text") == "shown"


async def test_the_other_device_gets_copies_of_both_sides(pair: Any, client: Make) -> None:
    first, second = await client(pair[0], "xep_0280"), await client(pair[0], "xep_0280")
    bob = await client(pair[1])
    second.listen("carbon_received", "carbon_sent")
    await second.plugin["xep_0280"].enable()
    first.send_message(mto=bob.boundjid.bare, mbody="Can you see it?", mtype="chat")
    assert (await bob.next("message"))["body"] == "Can you see it?"
    assert (await second.next("carbon_sent"))["carbon_sent"]["body"] == "Can you see it?"
    bob.send_message(mto=first.boundjid.full, mbody="Yes", mtype="chat")
    assert (await first.next("message"))["body"] == "Yes"
    assert (await second.next("carbon_received"))["carbon_received"]["body"] == "Yes"


async def test_who_is_blocked_gets_an_error_and_is_listed(pair: Any, client: Make) -> None:
    ada, bob = await client(pair[0], "xep_0191"), await client(pair[1])
    bob.listen("message_error")
    await ada.plugin["xep_0191"].block(bob.boundjid.bare)
    bob.send_message(mto=ada.boundjid.bare, mbody="Hello?", mtype="chat")
    assert (await bob.next("message_error"))["error"]["condition"] == "service-unavailable"
    blocked = await ada.plugin["xep_0191"].get_blocked_jids()
    assert {str(jid) for jid in blocked} == {bob.boundjid.bare}
    await ada.plugin["xep_0191"].unblock(bob.boundjid.bare)
    bob.send_message(mto=ada.boundjid.bare, mbody="Hello!", mtype="chat")
    assert (await ada.next("message"))["body"] == "Hello!"


async def test_a_lost_connection_is_resumed_without_loss(pair: Any, client: Make) -> None:
    ada = await client(pair[0], "xep_0198", before=lambda client: client.listen("session_resumed", "disconnected"))
    bob = await client(pair[1])
    bound = ada.boundjid
    assert ada.transport is not None
    ada.transport.abort()
    await ada.next("disconnected")
    bob.send_message(mto=bound.full, mbody="While you were away", mtype="chat")
    ada.connect("127.0.0.1", ada.node.xmpp_port)
    await ada.next("session_resumed")
    assert (await ada.next("message"))["body"] == "While you were away"
    assert ada.boundjid == bound


async def test_the_archive_has_both_sides_of_a_conversation(pair: Any, client: Make) -> None:
    ada, bob = await client(pair[0], "xep_0313"), await client(pair[1])
    ada.send_message(mto=bob.boundjid.bare, mbody="Can you see it?", mtype="chat")
    await bob.next("message")
    bob.send_message(mto=ada.boundjid.bare, mbody="Yes", mtype="chat")
    await ada.next("message")
    found = await ada.plugin["xep_0313"].retrieve(with_jid=bob.boundjid.bare)
    bodies = [result["mam_result"]["forwarded"]["stanza"]["body"] for result in found["mam"]["results"]]
    assert bodies == ["Can you see it?", "Yes"]


async def test_small_questions_are_answered(pair: Any, client: Make) -> None:
    ada = await client(pair[0], "xep_0030", "xep_0092", "xep_0199", "xep_0012")
    host = ada.boundjid.domain
    assert (await ada.plugin["xep_0092"].get_version(host))["software_version"]["name"] == "Heliograph"
    assert await ada.plugin["xep_0199"].ping(host) < PATIENCE_S
    assert (await ada.plugin["xep_0012"].get_last_activity(host))["last_activity"]["seconds"] >= 0
    info = await ada.plugin["xep_0030"].get_info(jid=host)
    assert ("server", "im", None, "Heliograph") in info["disco_info"]["identities"]
