"""Versions of the roster (RFC 6121, section 2.6): a client that has it is not told it again."""

from __future__ import annotations

from typing import Any

ROSTER = "<query xmlns='jabber:iq:roster'{}/>"


def version_of(got: Any) -> str | None:
    query = got.element.find("{jabber:iq:roster}query")
    return None if query is None else query.get("ver")


async def test_a_client_that_has_the_roster_is_not_told_it_again(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    first = version_of(await ada.ask(ROSTER.format(" ver=''")))
    assert first
    same = await ada.ask(ROSTER.format(f" ver='{first}'"))
    assert (same.get("type"), len(same.element)) == ("result", 0)
    await ada.ask(f"<query xmlns='jabber:iq:roster'><item jid='{bob.bare}'/></query>", kind="set")
    laptop = await again(ada, "laptop")
    newer = version_of(await laptop.ask(ROSTER.format(f" ver='{first}'")))
    assert newer not in (None, first)
    await laptop.ask(f"<query xmlns='jabber:iq:roster'><item jid='{bob.bare}' name='Bob'/></query>", kind="set")
    pushed = version_of(await ada.gets("iq", type="set"))
    while pushed == newer:
        pushed = version_of(await ada.gets("iq", type="set"))
    assert version_of(await ada.ask(ROSTER.format(f" ver='{pushed}'"))) is None


async def test_a_client_that_asks_without_a_version_gets_it_with_the_next_push(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    assert version_of(await ada.ask(ROSTER.format(""))) is None
    await ada.send(f"<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='{bob.bare}'/></query></iq>")
    pushed = version_of(await ada.gets("iq", type="set"))
    assert version_of(await ada.ask(ROSTER.format(f" ver='{pushed}'"))) is None


async def test_a_new_account_of_an_old_name_has_other_versions(place: Any, join: Any) -> None:
    ada = await join("ada")
    version = version_of(await ada.ask(ROSTER.format(" ver=''")))
    await place.call("DELETE", f"/users/{ada.account.username}")
    later = await place.sign_in(await place.register(ada.account.username))
    assert version_of(await later.ask(ROSTER.format(f" ver='{version}'"))) not in (None, version)
