"""Clients that want to be told of profiles, and what they are told."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

NS_PROFILE = "urn:heliograph:profile:1"
VCARD4 = "urn:xmpp:vcard4"


def presence_of(*nodes: str) -> tuple[str, str]:
    """The presence of a client that wants to be told of these nodes, and what it answers when it is asked for that."""
    features = sorted(f"{node}+notify" for node in nodes)
    text = "client/pc//Test<" + "".join(f"{feature}<" for feature in features)
    ver = b64encode(hashlib.sha1(text.encode()).digest()).decode()
    listed = "".join(f"<feature var='{feature}'/>" for feature in features)
    caps = f"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:news' ver='{ver}'/>"
    return f"<presence>{caps}</presence>", (
        f"<query xmlns='http://jabber.org/protocol/disco#info' node='urn:news#{ver}'>"
        f"<identity category='client' type='pc' name='Test'/>{listed}</query>"
    )


PRESENCE, INFO = presence_of(VCARD4)


def since(mark: int | str) -> str:
    return f"<since xmlns='{NS_PROFILE}' mark='{mark}'/>"


async def appear(client: Any, mark: int = 0) -> dict[str, tuple[int, int]]:
    """Be there with an interest in profiles; whose profiles were told, with version and mark, in order."""
    if mark:
        await client.send(f"<iq type='set' id='since'>{since(mark)}</iq>")
    await client.send(PRESENCE)
    told = await client.so_far()
    for got in [got for got in told if got.name == "iq" and got.get("type") == "get"]:
        await client.send(f"<iq type='result' id='{got.get('id')}' to='{client.host}'>{INFO}</iq>")
        told += await client.so_far()
    return news(told)


def news(told: list[Any]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for got in told:
        facts = got.element.find(f".//{{{NS_PROFILE}}}profile")
        if facts is not None:
            assert got.get("from") not in found, "told twice"
            found[got.get("from")] = int(facts.get("version")), int(facts.get("mark"))
    assert [mark for _, mark in found.values()] == sorted(mark for _, mark in found.values())
    return found
