"""Who sees what: every view of a profile, for every viewer, for every field and visibility, over a running node.

What is looked for is the value of each field anywhere in all that the view gives, so a value that leaks in a form that
nobody thought of is found too.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from heliograph.core import phone_book
from heliograph.core.apps import Environment
from profile_events import VCARD4, presence_of

NICK, METADATA, DATA = "http://jabber.org/protocol/nick", "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"
FIELDS = {
    "nickName": "Countess Lovelace",
    "image": "",
    "status": "Weaving patterns",
    "mobileNumber": "+4930987654",
    "email": "lovelace@mail.test",
}
ALL = frozenset(FIELDS)
VIEWERS = ("self", "contact", "stranger", "blocked", "blocker")
NODES = (VCARD4, NICK, METADATA)


@dataclass
class Cast:
    """The owner of the profile, and those who look at it, each on one device."""

    place: Any
    owner: Any
    viewers: dict[str, Any]
    marks: dict[str, list[str]]
    token: str = ""

    async def http(self, viewer: str, method: str, path: str, body: Any = None) -> str:
        headers = {
            "Heliograph-Key": self.place.key(Environment.SANDBOX),
            "Authorization": f"Bearer {self.viewers[viewer].account.token}",
        }
        answer = await self.place.http.request(method, f"/api/v1{path}", json=body, headers=headers)
        return str(answer.text)

    async def iq(self, viewer: str, payload: str) -> str:
        return str((await self.viewers[viewer].ask(payload, to=self.owner.bare)).xml)

    def shown(self, text: str) -> set[str]:
        """The fields whose value stands in a text."""
        return {field for field, forms in self.marks.items() if any(form in text for form in forms)}


def items(node: str) -> str:
    return f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub>"


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "purple").save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
async def cast(running_place: Any) -> Cast:
    place = running_place
    owner = await place.sign_in(await place.register("owner"), "main")
    viewers = {"self": await place.sign_in(owner.account, "other")}
    for name in VIEWERS[1:]:
        viewers[name] = await place.sign_in(await place.register(name), "main")
        if name != "stranger":
            await place.call("PUT", f"/contacts/{name}", owner.account)
    await place.call("PUT", "/blocked/blocked", owner.account)
    await place.call("PUT", "/blocked/owner", viewers["blocker"].account)
    uploaded = await place.http.post(
        "/api/v1/media",
        content=picture(),
        headers={"Heliograph-Key": place.key(Environment.SANDBOX), "Authorization": f"Bearer {owner.account.token}"},
    )
    token = uploaded.json()["data"]["fileToken"]
    await place.call("PATCH", "/profile", owner.account, {**FIELDS, "image": token})
    await place.call("PUT", "/discoverability", owner.account, {"byPhone": True})
    await come(owner)
    invitation = await place.call("POST", "/contact-invitations", owner.account, {})
    profile = await place.call("GET", "/profile", owner.account)
    info = (await viewers["self"].ask(items(METADATA), to=owner.bare)).xml
    data = (await viewers["self"].ask(items(DATA), to=owner.bare)).xml
    forms = {field: [value, value.replace("+", "")] for field, value in FIELDS.items()}
    forms["image"] = [
        profile["image"],
        profile["thumbImage"],
        info.partition("<item id='")[2].partition("'")[0],
        data.rpartition("avatar:data'>")[2].partition("<")[0][:64],
    ]
    assert all(form for field in forms.values() for form in field)
    return Cast(place, owner, viewers, forms, invitation["token"])


# --------------------------------------------------------------------------------------------------------------- views

View = Callable[[Cast, str], Awaitable[str]]


async def http_profile(cast: Cast, viewer: str) -> str:
    return await cast.http(viewer, "GET", "/profiles/owner")


async def http_contacts(cast: Cast, viewer: str) -> str:
    return await cast.http(viewer, "GET", "/contacts")


async def http_search(cast: Cast, viewer: str) -> str:
    return await cast.http(viewer, "POST", "/users/search", {"search": "owner"})


async def http_preview(cast: Cast, viewer: str) -> str:
    return await cast.http(viewer, "POST", "/contact-invitations/preview", {"token": cast.token})


async def http_phone_book(cast: Cast, viewer: str) -> str:
    hashed = phone_book.text_of(phone_book.digest(cast.owner.host, FIELDS["mobileNumber"]))
    return await cast.http(viewer, "POST", "/phone-book-matches", {"hashes": [hashed]})


async def pep_vcard4(cast: Cast, viewer: str) -> str:
    return await cast.iq(viewer, items(VCARD4))


async def pep_nick(cast: Cast, viewer: str) -> str:
    return await cast.iq(viewer, items(NICK))


async def pep_avatar(cast: Cast, viewer: str) -> str:
    return await cast.iq(viewer, items(METADATA)) + await cast.iq(viewer, items(DATA))


async def vcard_temp(cast: Cast, viewer: str) -> str:
    return await cast.iq(viewer, "<vCard xmlns='vcard-temp'/>")


async def on_arrival(cast: Cast, viewer: str) -> str:
    """All that comes by itself to one who has just come."""
    client = cast.viewers[viewer]
    await client.send("<presence type='unavailable'/>")
    await client.so_far()
    return await come(client)


async def live(cast: Cast, viewer: str) -> str:
    """All that comes by itself to one who is there when the profile changes."""
    client = cast.viewers[viewer]
    await come(client)
    await cast.place.call("PATCH", "/profile", cast.owner.account, {"status": "Else"})
    await client.so_far()
    await cast.place.call("PATCH", "/profile", cast.owner.account, {"status": FIELDS["status"]})
    return "".join(got.xml for got in await client.so_far())


async def come(client: Any) -> str:
    announced, known = presence_of(*NODES)
    await client.send(announced)
    told = await client.so_far()
    for got in [got for got in told if got.name == "iq" and got.get("type") == "get"]:
        await client.send(f"<iq type='result' id='{got.get('id')}' to='{client.host}'>{known}</iq>")
        told += await client.so_far()
    return "".join(got.xml for got in told)


IMAGE, NAME = frozenset({"image"}), frozenset({"nickName"})
VIEWS: dict[View, tuple[frozenset[str], frozenset[str]]] = {
    http_profile: (ALL, frozenset(VIEWERS)),
    http_contacts: (ALL, frozenset({"contact"})),
    http_search: (ALL, frozenset({"contact", "stranger"})),
    http_preview: (ALL, frozenset({"self", "contact", "stranger"})),
    http_phone_book: (ALL, frozenset({"contact", "stranger"})),
    pep_vcard4: (ALL, frozenset(VIEWERS)),
    pep_nick: (NAME, frozenset(VIEWERS)),
    pep_avatar: (IMAGE, frozenset(VIEWERS)),
    vcard_temp: (ALL, frozenset(VIEWERS)),
    on_arrival: (ALL, frozenset({"self", "contact"})),
    live: (ALL - IMAGE, frozenset({"self", "contact"})),
}
"""Each view: the fields that it can show, and the viewers whom it shows anything at all, where nothing is blocked."""

SEES = {
    "self": {"everyone", "contacts", "nobody"},
    "contact": {"everyone", "contacts"},
    "stranger": {"everyone"},
    "blocked": set(),
    "blocker": set(),
}


@pytest.mark.parametrize("visibility", ["everyone", "contacts", "nobody"])
@pytest.mark.parametrize("field", [*FIELDS])
async def test_each_viewer_sees_what_the_owner_lets_them_see_in_every_view(
    cast: Cast, field: str, visibility: str
) -> None:
    chosen = {name: visibility if name == field else "everyone" for name in FIELDS}
    await cast.place.call("PATCH", "/profile", cast.owner.account, {"visibility": chosen})
    wrong = []
    for view, (covered, shown_to) in VIEWS.items():
        for viewer in VIEWERS:
            seen = cast.shown(await view(cast, viewer)) - ({"image"} if view is live else set())
            wanted = {name for name in covered if chosen[name] in SEES[viewer]} if viewer in shown_to else set()
            if view is http_preview and viewer == "self":
                wanted = seen  # whatever it is: one's own invitation shows how strangers see it
            if seen != wanted:
                wrong.append(f"{view.__name__} shows the {viewer} {sorted(seen)} and not {sorted(wanted)}")
    assert wrong == []
