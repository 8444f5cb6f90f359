"""Where stanzas go and what their senders are told (RFC 6120, section 8; RFC 6121, section 8)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Environment, Policy
from patience import PATIENCE_S
from wires import stream_header

NS_UNSERVED = "urn:test:unserved"


async def test_a_forged_sender_is_replaced_and_the_content_passes_byte_for_byte(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    content = "<body>1 &lt; 2 \u2600</body><x xmlns='urn:x' a=\"&quot;'\"><y/>tail</x>"
    await ada.send(
        f"<message from='{bob.jid}' to='{bob.jid}' type='chat' id='m&apos;1' xml:lang='de'>{content}</message>"
    )
    got = await bob.next()
    assert got.as_sent == (
        f"<message from='{ada.jid}' to='{bob.jid}' type='chat' id='m&apos;1' xml:lang='de'>{content}</message>"
    )


@pytest.mark.parametrize("kind", ["presence", "iq"])
async def test_a_forged_sender_is_replaced_in_every_kind_of_stanza(join: Any, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    content = "<q xmlns='urn:q'/>"
    identity = " type='set' id='1'" if kind == "iq" else ""
    await ada.send(f"<{kind} from='{bob.bare}' to='{bob.jid}'{identity}>{content}</{kind}>")
    assert (await bob.next()).xml == f"<{kind} from='{ada.jid}' to='{bob.jid}'{identity}>{content}</{kind}>"


# ------------------------------------------------------------------------------------------------------------ requests


@pytest.mark.parametrize("address", ["server", "account", "own account", "none", "own resource that is gone"])
async def test_a_request_that_nobody_serves_is_refused(join: Any, address: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    to = {
        "server": ada.host,
        "account": bob.bare,
        "own account": ada.bare,
        "none": None,
        "own resource that is gone": f"{ada.bare}/gone",
    }[address]
    answer = await ada.ask(f"<query xmlns='{NS_UNSERVED}'/>", to=to)
    assert (answer.get("type"), answer.error_type, answer.condition) == ("error", "cancel", "service-unavailable")
    assert (answer.get("from"), answer.get("to")) == (to, ada.jid)


@pytest.mark.parametrize(
    "request_xml",
    [
        "<iq type='get'><q xmlns='urn:q'/></iq>",
        "<iq type='get' id='x'/>",
        "<iq type='get' id='x'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
        "<iq type='ask' id='x'><q xmlns='urn:q'/></iq>",
        "<iq id='x'><q xmlns='urn:q'/></iq>",
    ],
    ids=["no id", "no child", "two children", "unknown type", "no type"],
)
async def test_a_request_against_the_rules_is_a_bad_request(join: Any, request_xml: str) -> None:
    ada = await join()
    await ada.send(request_xml)
    answer = await ada.next()
    assert (answer.name, answer.get("type"), answer.condition) == ("iq", "error", "bad-request")
    assert answer.get("id") == ("x" if "id='x'" in request_xml else None)


@pytest.mark.parametrize("kind", ["result", "error"])
async def test_an_answer_that_nobody_waits_for_is_not_answered(join: Any, kind: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    for to in (ada.host, bob.bare, f"{bob.bare}/gone", "elsewhere.example", "@"):
        await ada.send(f"<iq type='{kind}' id='1' to='{to}'/>")
    await ada.send(f"<iq type='{kind}'/>")
    assert await ada.so_far() == []
    assert await bob.so_far() == []


async def test_a_request_to_a_resource_is_answered_by_that_resource(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(f"<iq type='get' id='v' to='{bob.jid}'><query xmlns='{NS_UNSERVED}'/></iq>")
    asked = await bob.next()
    assert asked.xml == f"<iq type='get' id='v' to='{bob.jid}' from='{ada.jid}'><query xmlns='{NS_UNSERVED}'/></iq>"
    await bob.send(f"<iq type='result' id='v' to='{asked.get('from')}'><query xmlns='{NS_UNSERVED}'/></iq>")
    answer = await ada.next()
    assert (answer.get("type"), answer.get("from"), answer.get("id")) == ("result", bob.jid, "v")


async def test_stanzas_of_one_stream_are_handled_in_their_order(join: Any) -> None:
    """Also where some need the database and others do not."""
    ada = await join()
    roster, ping = "<query xmlns='jabber:iq:roster'/>", "<ping xmlns='urn:xmpp:ping'/>"
    asked = [f"<iq type='get' id='{n}'>{(roster, ping)[n % 2]}</iq>" for n in range(300)]
    await ada.send("".join(asked))
    assert [(await ada.next()).get("id") for _ in asked] == [str(n) for n in range(300)]


async def test_what_came_before_the_end_of_a_stream_is_answered_before_it_ends(join: Any) -> None:
    ada = await join()
    await ada.send("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>")
    assert await ada.end() == f"<iq type='result' id='1' to='{ada.jid}'/></stream:stream>"


@pytest.mark.parametrize("payload", ["<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='jabber:iq:roster'/>"])
async def test_what_came_before_an_error_is_answered_before_the_error(join: Any, payload: str) -> None:
    ada = await join()
    await ada.send(f"<iq type='get' id='1'>{payload}</iq><iq type='get' id='2'>{payload}</iq></iq>")
    text = await ada.end()
    assert text.startswith("<iq type='result' id='1'")
    assert text.index("id='2'") < text.index("<stream:error><not-well-formed ")
    assert text.endswith("</stream:stream>")


async def test_a_resource_is_bound_once(join: Any) -> None:
    ada = await join()
    answer = await ada.ask("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>", kind="set")
    assert (answer.get("type"), answer.condition) == ("error", "service-unavailable")


# ------------------------------------------------------------------------------------------------------------ messages


async def test_a_message_to_a_full_jid_reaches_that_resource_alone(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob", "one")
    tablet = await again(bob, "two")
    await bob.so_far()
    for kind in ("chat", "normal", "headline", "groupchat", "error"):
        await ada.send(f"<message to='{tablet.jid}' type='{kind}'/>")
        assert (await tablet.next()).xml == f"<message to='{tablet.jid}' type='{kind}' from='{ada.jid}'/>"
    assert await ada.so_far() == []
    assert await bob.so_far() == []


async def test_a_full_jid_is_prepared_before_it_is_looked_for(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob", "home")
    await ada.send(f"<message to='{bob.account.username.upper()}@{bob.host.upper()}/home' type='groupchat'/>")
    got = await bob.next()
    assert (got.get("to"), got.get("from")) == (bob.jid, ada.jid)


async def test_a_message_to_a_bare_jid_reaches_all_resources_that_want_messages(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob", "one")
    tablet, unwilling, absent = (
        await again(bob, "two"),
        await again(bob, "three"),
        await again(bob, "x", is_present=False),
    )
    await unwilling.send("<presence><priority>-1</priority></presence>")
    await tablet.send("<presence><priority>5</priority></presence>")
    for client in (bob, tablet, unwilling, absent):
        await client.so_far()
    for kind in ("chat", "normal", "headline"):
        await ada.send(f"<message to='{bob.bare}' type='{kind}'><body>hi</body></message>")
        for client in (bob, tablet):
            got = await client.next()
            assert got.as_sent == f"<message to='{bob.bare}' type='{kind}' from='{ada.jid}'><body>hi</body></message>"
    for client in (ada, bob, tablet, unwilling, absent):
        assert await client.so_far() == []


async def test_a_message_without_an_address_comes_back_to_the_account(join: Any) -> None:
    ada = await join()
    await ada.send("<message id='1'><body>note</body></message>")
    got = await ada.next()
    assert got.as_sent == f"<message id='1' from='{ada.jid}' to='{ada.bare}'><body>note</body></message>"


@pytest.mark.parametrize("standing", ["unknown", "absent", "unwilling", "resource that is gone", "server"])
@pytest.mark.parametrize(
    ("kind", "is_refused"),
    [("chat", True), ("normal", True), ("groupchat", True), ("headline", False), ("error", False)],
)
async def test_a_message_that_reaches_nobody_waits_or_is_refused_or_dropped(
    join: Any, standing: str, kind: str, is_refused: bool
) -> None:
    ada, bob = await join("ada"), await join("bob", is_present=False)
    if standing == "unwilling":
        await bob.send("<presence><priority>-1</priority></presence>")
    to = {
        "unknown": f"nobody@{ada.host}",
        "resource that is gone": f"{bob.bare}/gone",
        "server": ada.host,
    }.get(standing, bob.bare)
    await bob.so_far()
    await ada.send(f"<message to='{to}' type='{kind}' id='1'><body>hi</body></message>")
    told = await ada.so_far()
    is_for_account = standing in ("absent", "unwilling") or (standing, kind) == ("resource that is gone", "chat")
    if is_for_account and kind in ("chat", "normal"):
        assert told == []
        await bob.send("<presence/>")
        assert "<delay xmlns='urn:xmpp:delay'" in (await bob.gets("message", from_=ada.jid)).xml
    elif is_refused:
        (refusal,) = told
        assert refusal.name == "message"
        assert (refusal.get("type"), refusal.get("id"), refusal.get("from")) == ("error", "1", to)
        assert (refusal.error_type, refusal.condition) == ("cancel", "service-unavailable")
    else:
        assert told == []
    assert await bob.so_far() == []


async def test_a_groupchat_message_to_an_account_is_refused_though_somebody_is_there(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await ada.send(f"<message to='{bob.bare}' type='groupchat' id='1'/>")
    assert (await ada.next()).condition == "service-unavailable"
    await ada.send(f"<message to='{bob.bare}' type='error' id='1'/>")
    assert await ada.so_far() == []
    assert await bob.so_far() == []


async def test_only_a_chat_to_a_resource_that_is_gone_reaches_the_others(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    gone = f"{bob.bare}/gone"
    await ada.send(f"<message to='{gone}' type='chat'/>")
    assert (await bob.next()).xml == f"<message to='{gone}' type='chat' from='{ada.jid}'/>"
    await ada.send(f"<message to='{gone}'/>")
    assert (await ada.next()).condition == "service-unavailable"
    assert await bob.so_far() == []


@pytest.mark.parametrize("address", ["@", "a@b@c", "ada@/x", "", "a b@{host}", "x" * 1024 + "@{host}"])
@pytest.mark.parametrize("stanza", ["<message to='{to}'/>", "<iq type='get' id='1' to='{to}'><q xmlns='urn:q'/></iq>"])
async def test_an_address_that_is_none_is_told_so(join: Any, stanza: str, address: str) -> None:
    ada = await join()
    await ada.send(stanza.format(to=address.format(host=ada.host)))
    refusal = await ada.next()
    assert (refusal.error_type, refusal.condition) == ("modify", "jid-malformed")


# -------------------------------------------------------------------------------------------------------- other domains


async def test_domains_of_other_apps_and_environments_are_as_far_as_other_servers(join: Any, place: Any) -> None:
    ada = await join("ada")
    live = await place.sign_in(await place.register(place.name("ada"), Environment.LIVE))
    await live.send("<presence/>")
    other = place.name("other") + ".localhost"
    await apps.create(place.node.ports, "Other", other)
    for sender, to in (
        (ada, live.jid),
        (ada, live.bare),
        (ada, live.host),
        (live, ada.jid),
        (ada, f"ada@{other}"),
        (ada, f"ada@sandbox.{other}/x"),
        (ada, "ada@elsewhere.example"),
    ):
        for stanza in (
            f"<message to='{to}' id='1'/>",
            f"<presence to='{to}' id='1'/>",
            f"<presence to='{to}' id='1' type='subscribe'/>",
            f"<iq to='{to}' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        ):
            await sender.send(stanza)
            refusal = await sender.gets(stanza[1:].partition(" ")[0], id="1")
            assert (refusal.get("type"), refusal.condition) == ("error", "remote-server-not-found"), stanza
    assert [got.name for got in await live.so_far()] in ([], ["presence"])


async def test_an_app_that_was_made_while_the_node_runs_is_served_at_once(place: Any) -> None:
    domain = place.name("new") + ".localhost"
    made = await apps.create(place.node.ports, "New", domain)
    wire = await place.dial()
    from_header = f"to='sandbox.{domain}' version='1.0'"
    key = made.keys[apps.KeyKind.SECRET, Environment.SANDBOX]
    body = {"userIdentifier": "ada"}
    answer = await place.http.post("/api/v1/register", json=body, headers={"Heliograph-Key": key})
    assert answer.status_code == 200
    await wire.send(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " + from_header + ">"
    )
    assert "<mechanism>SCRAM-SHA-256</mechanism>" in await wire.until("</stream:features>")


async def test_an_app_without_users_has_its_domains_served(place: Any) -> None:
    """The domains come from the apps, also of one that another process makes while the node runs."""
    made = await apps.create(place.node.ports, "New", "new.localhost", "sandbox.new.localhost", Policy())

    async def answer(host: str) -> str:
        wire = await place.dial()
        await wire.send(stream_header(host))
        return str(await wire.until("</stream:"))

    for host in ("new.localhost", "sandbox.new.localhost"):
        assert "<mechanisms" in await answer(host)
    other = replace(made.app, id="app_other", domain="other.localhost", sandbox_domain="sandbox.other.localhost")
    await place.node.ports.apps.add(other, [])
    async with asyncio.timeout(PATIENCE_S):
        while "host-unknown" in await answer("other.localhost"):
            pass
