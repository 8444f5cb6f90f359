"""Whatever is set through whichever view, by whichever client: all views of a profile show the same record.

Three kinds of client of one user set it: the SDK over HTTP, slixmpp, and a raw client. After each change the record is
read through every view, and a contact has been told of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import xml.etree.ElementTree as ET
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from slixmpp import ClientXMPP

from heliograph import SDK
from heliograph.core import limits
from heliograph.core.apps import Environment, KeyKind
from heliograph.media.image_worker import Rendition, renditions
from patience import PATIENCE_S
from profile_events import NS_PROFILE, VCARD4, presence_of

NICK, METADATA, DATA = "http://jabber.org/protocol/nick", "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"
PUBSUB, VCARD = "http://jabber.org/protocol/pubsub", "urn:ietf:params:xml:ns:vcard-4.0"
CLIENTS = ("slixmpp", "raw")


def drawn(color: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(file, "PNG")
    ((_, _, made),) = renditions(file.getvalue(), [Rendition(192, "png")], limits.IMAGE_MAX_PIXELS)
    return made


PICTURES = {color: drawn(color) for color in ("red", "green", "blue")}

# -------------------------------------------------------------------------------------------------------------- changes

WORDS = st.text("aZ9é<&>'\"\u2603\U0001f600", min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
NUMBERS = st.integers(0, 9_999_999).map(lambda number: f"+4930{number:07}")
EMAILS = st.sampled_from(["ada@mail.test", "lovelace@mail.test"])
WHOLE = st.fixed_dictionaries(
    {"name": TEXTS, "status": TEXTS | st.just(""), "mobile": NUMBERS | st.just(""), "email": EMAILS | st.just("")}
)
FIELDS = ("name", "status", "mobile", "email")
CHANGES = st.one_of(
    st.tuples(st.just("http"), st.just("sdk"), WHOLE),
    st.tuples(st.just("picture"), st.just("sdk"), st.sampled_from([*PICTURES, ""])),
    st.tuples(st.just("vcard4"), st.sampled_from(CLIENTS), WHOLE),
    st.tuples(st.just("vcard_temp"), st.sampled_from(CLIENTS), st.tuples(WHOLE, st.sampled_from([*PICTURES, ""]))),
    st.tuples(st.just("nick"), st.sampled_from(CLIENTS), TEXTS),
    st.tuples(st.just("avatar"), st.sampled_from(CLIENTS), st.sampled_from([*PICTURES, ""])),
)


def published(node: str, item_id: str, payload: str) -> str:
    item = f"<item id='{item_id}'>{payload}</item>"
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'>{item}</publish></pubsub>"


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def vcard4(fields: dict[str, str]) -> str:
    parts = [f"<nickname><text>{escape(fields['name'])}</text></nickname>"]
    parts += [f"<note><text>{escape(fields['status'])}</text></note>"] if fields["status"] else []
    parts += [f"<tel><uri>tel:{fields['mobile']}</uri></tel>"] if fields["mobile"] else []
    parts += [f"<email><text>{fields['email']}</text></email>"] if fields["email"] else []
    return published(VCARD4, "current", f"<vcard xmlns='{VCARD}'>{''.join(parts)}</vcard>")


def vcard_temp(fields: dict[str, str], color: str) -> str:
    parts = [f"<NICKNAME>{escape(fields['name'])}</NICKNAME>"]
    parts += [f"<DESC>{escape(fields['status'])}</DESC>"] if fields["status"] else []
    parts += [f"<TEL><CELL/><NUMBER>{fields['mobile']}</NUMBER></TEL>"] if fields["mobile"] else []
    parts += [f"<EMAIL><USERID>{fields['email']}</USERID></EMAIL>"] if fields["email"] else []
    if color:
        binval = b64encode(PICTURES[color]).decode()
        parts.append(f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{binval}</BINVAL></PHOTO>")
    return f"<vCard xmlns='vcard-temp'>{''.join(parts)}</vCard>"


# -------------------------------------------------------------------------------------------------------------- clients


@dataclass
class Clients:
    """Ada's three clients, and a contact of hers who is told."""

    place: Any
    sdk: SDK
    slixmpp: ClientXMPP
    raw: Any
    bob: Any

    async def ask(self, client: str, kind: str, payload: str) -> ET.Element:
        """The answer to a request to Ada's own account, by one of the XMPP clients."""
        if client == "raw":
            got = await self.raw.ask(payload, kind=kind)
            assert got.get("type") == "result", got.xml
            return ET.fromstring(f"<s xmlns='jabber:client'>{got.xml}</s>")
        iq = self.slixmpp.make_iq(itype=kind)
        iq.append(ET.fromstring(payload))
        return ET.fromstring(f"<s>{await iq.send(timeout=PATIENCE_S)}</s>")

    async def read(self, client: str, node: str) -> ET.Element:
        return await self.ask(client, "get", f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>")

    async def carry_out(self, view: str, client: str, value: Any) -> None:
        if view == "http":
            await self.sdk.set_user_profile(value["name"], None, value["status"], value["mobile"], value["email"])
        elif view == "picture":
            await self.sdk.set_user_profile(image=PICTURES[value] if value else "")
        elif view == "vcard4":
            await self.ask(client, "set", vcard4(value))
        elif view == "vcard_temp":
            await self.ask(client, "set", vcard_temp(*value))
        elif view == "nick":
            await self.ask(client, "set", published(NICK, "current", f"<nick xmlns='{NICK}'>{escape(value)}</nick>"))
        elif value:
            await self._publish_avatar(client, PICTURES[value])
        else:
            await self.ask(client, "set", published(METADATA, "current", f"<metadata xmlns='{METADATA}'/>"))

    async def _publish_avatar(self, client: str, data: bytes) -> None:
        content = f"<data xmlns='{DATA}'>{b64encode(data).decode()}</data>"
        await self.ask(client, "set", published(DATA, sha1(data), content))
        info = f"<info bytes='{len(data)}' id='{sha1(data)}' type='image/png'/>"
        await self.ask(
            client, "set", published(METADATA, sha1(data), f"<metadata xmlns='{METADATA}'>{info}</metadata>")
        )


@pytest.fixture(scope="module")
async def clients(running_place: Any) -> AsyncIterator[Clients]:
    place = running_place
    key = place.app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    async with SDK() as sdk:
        await sdk.initialize(place.node.public_url, key, True, ca_file=place.node.certificate_file)
        await sdk.register("ada")
        ada = await place.register("ada")
        bob = await place.sign_in(await place.register("bob"))
        await place.call("PUT", "/contacts/bob", ada)
        announced, known = presence_of(VCARD4)
        await bob.send(announced)
        asked = await bob.gets("iq", type="get")
        await bob.send(f"<iq type='result' id='{asked.get('id')}' to='{bob.host}'>{known}</iq>")
        foreign = ClientXMPP(f"{ada.jid}/foreign", ada.password)
        foreign.enable_direct_tls, foreign.enable_starttls = True, False
        foreign.ca_certs = place.node.certificate_file
        foreign.connect("127.0.0.1", place.node.xmpps_port)
        await foreign.wait_until("session_start", PATIENCE_S)
        yield Clients(place, sdk, foreign, await place.sign_in(ada, "raw"), bob)
        foreign.disconnect()
        await asyncio.wait_for(foreign.disconnected, PATIENCE_S)


# ----------------------------------------------------------------------------------------------------------- one record


def text(element: ET.Element, path: str) -> str:
    found = element.findtext(path)
    return "" if found is None else found


def of_vcard4(answer: ET.Element) -> dict[str, str]:
    name = text(answer, f".//{{{VCARD}}}nickname/{{{VCARD}}}text")
    return {
        "name": name,
        "status": text(answer, f".//{{{VCARD}}}note/{{{VCARD}}}text"),
        "mobile": text(answer, f".//{{{VCARD}}}tel/{{{VCARD}}}uri").removeprefix("tel:"),
        "email": text(answer, f".//{{{VCARD}}}email/{{{VCARD}}}text"),
        "image": text(answer, f".//{{{VCARD}}}photo/{{{VCARD}}}uri"),
    }


def of_vcard_temp(answer: ET.Element) -> tuple[dict[str, str], str]:
    """The fields, and the SHA-1 of the picture."""
    paths = {
        "name": "NICKNAME",
        "status": "DESC",
        "mobile": "TEL/{vcard-temp}NUMBER",
        "email": "EMAIL/{vcard-temp}USERID",
    }
    fields = {name: text(answer, f".//{{vcard-temp}}{path}") for name, path in paths.items()}
    binval = text(answer, ".//{vcard-temp}BINVAL")
    return fields, sha1(b64decode(binval)) if binval else ""


async def told(bob: Any) -> ET.Element:
    """The last event of Ada's that the contact got."""
    events = [got.element for got in await bob.so_far() if got.element.find(f".//{{{VCARD}}}vcard") is not None]
    return events[-1]


async def check(clients: Clients, last: ET.Element, client: str) -> dict[str, str]:
    """Read the record through every view, by one of the clients; all say the same."""
    profile = (await clients.sdk.get_user_profile("ada")).data
    record = {
        "name": profile.nick_name,
        "status": profile.status,
        "mobile": profile.mobile_number,
        "email": profile.email,
        "image": profile.image,
    }
    assert of_vcard4(last) == record
    assert last.find(f".//{{{NS_PROFILE}}}profile").get("version") == str(profile.version)
    assert of_vcard4(await clients.read(client, VCARD4)) == record
    assert text(await clients.read(client, NICK), f".//{{{NICK}}}nick") == record["name"]
    fields, picture = of_vcard_temp(await clients.ask(client, "get", "<vCard xmlns='vcard-temp'/>"))
    assert fields == {name: record[name] for name in FIELDS}
    if record["image"]:
        info = (await clients.read(client, METADATA)).find(f".//{{{METADATA}}}info")
        data = text(await clients.read(client, DATA), f".//{{{DATA}}}data")
        assert info.get("id") == picture == sha1(b64decode(data))
    else:
        assert picture == ""
    return record


@given(changes=st.lists(CHANGES, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_all_views_show_one_record_whatever_is_set_by_whichever_client(
    clients: Clients, changes: list[tuple[str, str, Any]]
) -> None:
    await clients.sdk.set_user_profile("Ada", "", "", "", "")
    await clients.sdk.set_user_profile("Ada again", PICTURES["red"])
    clients.place.node.ports.rates._arrivals.clear()  # the examples are not one user's doing
    last = await told(clients.bob)
    for view, client, value in changes:
        before = (await clients.sdk.get_user_profile("ada")).data.version
        await clients.carry_out(view, client, value)
        if (await clients.sdk.get_user_profile("ada")).data.version != before:
            last = await told(clients.bob)
        record = await check(clients, last, "raw" if client == "slixmpp" else "slixmpp")
        fields, color = value if view == "vcard_temp" else (value, value)
        if view in ("http", "vcard4", "vcard_temp"):
            assert {name: record[name] for name in FIELDS} == fields
        if view == "nick":
            assert record["name"] == value
        if view in ("picture", "avatar", "vcard_temp"):
            assert bool(record["image"]) == bool(color)
        if view == "vcard4":
            assert record["image"] == ""
