"""The language of a stream goes along with its stanzas, where they name none (RFC 6120, section 8.1.5)."""

from __future__ import annotations

from typing import Any

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


async def test_a_message_and_a_request_have_the_language_of_their_stream_or_their_own(place: Any, join: Any) -> None:
    bob = await join("bob")
    ada = await place.sign_in(await place.register(place.name("ada")), lang="de")
    await ada.send(
        f"<message to='{bob.jid}' type='chat'><body>hallo</body></message>",
        f"<message to='{bob.jid}' xml:lang='fr'><body>salut</body></message>",
        f"<iq to='{bob.jid}' type='get' id='q'><query xmlns='urn:test'/></iq>",
    )
    assert [(await bob.next()).get(LANG) for _ in range(3)] == ["de", "fr", "de"]


async def test_a_presence_has_it_for_all_who_see_it_at_once_or_later(
    place: Any, join: Any, befriend: Any, again: Any
) -> None:
    bob = await join("bob")
    ada = await place.sign_in(await place.register(place.name("ada")), lang="de")
    await befriend(ada, bob)
    await ada.send("<presence><status>da</status></presence>")
    assert (await bob.gets("presence", from_=ada.jid)).get(LANG) == "de"
    laptop = await again(bob, "laptop", is_present=False)
    await laptop.send("<presence/>")
    assert (await laptop.gets("presence", from_=ada.jid)).get(LANG) == "de"
    await ada.send("<presence xml:lang='fr'><status>ici</status></presence>")
    assert (await bob.gets("presence", from_=ada.jid)).get(LANG) == "fr"
    await ada.send("<presence type='unavailable' xml:lang='cs'><status>pryc</status></presence>")
    assert (await bob.gets("presence", from_=ada.jid)).get(LANG) == "cs"
    await ada.send(f"<presence to='{bob.jid}'/>")
    assert (await bob.gets("presence", from_=ada.jid)).get(LANG) == "de"
