"""XMPP over WebSocket (RFC 7395), spoken by an independent WebSocket client."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from scramp import ScramClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from heliograph.core import limits
from patience import PATIENCE_S
from wires import parsed

NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
NS_STREAMS = "http://etherx.jabber.org/streams"
HOST = "sandbox.chat.localhost"
OPEN = f"<open xmlns='{NS_FRAMING}' to='{HOST}' version='1.0'/>"
CLOSE = f"<close xmlns='{NS_FRAMING}'/>"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class Browser:
    """A client on a WebSocket: each message is a document of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.jid = ""

    async def say(self, *messages: str) -> None:
        for message in messages:
            await self.socket.send(message)

    async def text(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            message = await self.socket.recv()
        assert isinstance(message, str)  # RFC 7395, section 3.2: text, never binary
        return message

    async def hear(self, local: str) -> Element:
        """The next document, which is of that name."""
        document = fromstring(await self.text())
        assert document.tag.rpartition("}")[2] == local
        return document

    async def opens(self) -> list[str]:
        """Open a stream; the mechanisms that are offered."""
        await self.say(OPEN)
        opened = await self.hear("open")
        assert (opened.tag, opened.get("from"), opened.get("version")) == (f"{{{NS_FRAMING}}}open", HOST, "1.0")
        assert len(opened.get("id") or "") >= 16
        features = await self.hear("features")
        assert features.tag == f"{{{NS_STREAMS}}}features"
        return [name.text or "" for name in features.iterfind(f"{{{NS_SASL}}}mechanisms/{{{NS_SASL}}}mechanism")]

    async def sign_in(self, account: Any, resource: str) -> None:
        """Open, prove the password, open anew, bind."""
        mechanism = (await self.opens())[0]
        client = ScramClient([mechanism], account.username, account.password)
        first = b64encode(client.get_client_first().encode()).decode()
        await self.say(f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{first}</auth>")
        client.set_server_first(b64decode((await self.hear("challenge")).text or "").decode())
        final = b64encode(client.get_client_final().encode()).decode()
        await self.say(f"<response xmlns='{NS_SASL}'>{final}</response>")
        client.set_server_final(b64decode((await self.hear("success")).text or "").decode())
        await self.opens()
        wanted = f"<bind xmlns='{BIND}'><resource>{resource}</resource></bind>"
        await self.say(f"<iq xmlns='jabber:client' type='set' id='b'>{wanted}</iq>")
        result = await self.hear("iq")
        self.jid = result.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") or ""
        assert self.jid == f"{account.jid}/{resource}"

    async def is_closed(self) -> tuple[int | None, str]:
        """Wait for the end of the socket; its close code, and all that came before."""
        heard = ""
        try:
            while True:
                heard += await self.text()
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else None, heard


@pytest.fixture
async def browse(place: Any) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Opens WebSockets."""
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Browser:
            url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
            chosen = {"subprotocols": ["xmpp"], "compression": None, "proxy": None, **options}
            browser = Browser(await stack.enter_async_context(connect(url, **chosen)))
            stack.push_async_callback(browser.socket.close)
            return browser

        yield make


@pytest.fixture
async def sign_in(place: Any, browse: Any) -> Callable[..., Awaitable[Browser]]:
    """Opens WebSockets whose stream is bound."""

    async def make(name: str = "ada", account: Any = None, resource: str = "web") -> Browser:
        browser: Browser = await browse()
        await browser.sign_in(account or await place.register(place.name(name)), resource)
        return browser

    return make


async def test_a_browser_signs_in_and_talks_to_a_client_on_tcp(sign_in: Any, join: Any) -> None:
    ada, bob = await sign_in(), await join("bob")
    assert ada.socket.subprotocol == "xmpp"
    await ada.say("<presence xmlns='jabber:client'/>")
    assert await ada.text() == f"<presence xmlns='jabber:client' from='{ada.jid}' to='{ada.jid}'/>"
    await ada.say(f"<message xmlns='jabber:client' to='{bob.jid}' from='{bob.jid}'><body>a &lt; b</body></message>")
    assert (await bob.next()).as_sent == f"<message to='{bob.jid}' from='{ada.jid}'><body>a &lt; b</body></message>"
    await bob.send(f"<message to='{ada.jid}'><body>\u2600</body></message>")
    assert parsed(await ada.text()).as_sent == (
        f"<message xmlns='jabber:client' to='{ada.jid}' from='{bob.jid}'><body>\u2600</body></message>"
    )


async def test_one_request_signs_in_and_binds_and_brings_a_token_for_next_time(place: Any, browse: Any) -> None:
    """XEP-0388, XEP-0386 and XEP-0484; what is bound to a TLS connection is not offered, as it may end at a proxy."""
    account = await place.register(place.name("ada"))
    browser = await browse()
    await browser.opens()
    message = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    await browser.say(
        f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{message}</initial-response>"
        "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><bind xmlns='urn:xmpp:bind:0'><tag>web</tag></bind>"
        "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-ENDP'/></authenticate>"
    )
    success = fromstring(await browser.text())
    jid = success.findtext("{urn:xmpp:sasl:2}authorization-identifier") or ""
    assert jid.startswith(f"{account.jid}/web/")
    assert success.find("{urn:xmpp:fast:0}token") is None
    assert fromstring(await browser.text()).tag == f"{{{NS_STREAMS}}}features"
    await browser.say("<presence xmlns='jabber:client'/>")
    assert await browser.text() == f"<presence xmlns='jabber:client' from='{jid}' to='{jid}'/>"


async def test_starttls_is_not_offered_and_plain_passwords_are_fine_on_the_loopback(place: Any, browse: Any) -> None:
    """RFC 7395, section 3.9: a WebSocket brings its own TLS; on the loopback nobody listens in."""
    browser = await browse()
    await place.register(place.name("ada"))
    assert await browser.opens() == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "OAUTHBEARER"]
    await browser.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert await browser.text() == "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    assert (await browser.is_closed()) == (1000, CLOSE)


@pytest.mark.parametrize("subprotocols", [None, ["mqtt"]])
async def test_a_websocket_without_the_subprotocol_is_refused(browse: Any, subprotocols: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await browse(subprotocols=subprotocols)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_request_that_is_no_websocket_is_told_what_is_wanted(place: Any, method: str) -> None:
    answer = await place.http.request(method, "/xmpp")
    assert (answer.status_code, answer.headers["upgrade"], answer.content) == (426, "websocket", b"")


async def test_both_sides_close_in_peace(sign_in: Any) -> None:
    ada = await sign_in()
    await ada.say(CLOSE)
    assert await ada.is_closed() == (1000, CLOSE)


async def test_what_came_before_the_close_is_answered_before_it(sign_in: Any) -> None:
    ada = await sign_in()
    await ada.say("<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", CLOSE)
    assert await ada.is_closed() == (1000, f"<iq xmlns='jabber:client' type='result' id='1' to='{ada.jid}'/>{CLOSE}")


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("<message xmlns='jabber:client'><body></message>", "not-well-formed"),
        ("<message xmlns='jabber:client'>", "not-well-formed"),
        ("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", "not-well-formed"),
        ("", "not-well-formed"),
        (" ", "not-well-formed"),
        ("<message/>", "unsupported-stanza-type"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><message xmlns='jabber:client'>&x;</message>", "restricted-xml"),
        ("<message xmlns='jabber:client'><!-- --></message>", "restricted-xml"),
        (OPEN, "bad-format"),
        ("<a xmlns='urn:a'>" * 40 + "</a>" * 40, "policy-violation"),
    ],
)
async def test_a_frame_that_is_no_stanza_ends_the_stream(sign_in: Any, message: str, condition: str) -> None:
    ada = await sign_in()
    await ada.say(message)
    code, heard = await ada.is_closed()
    assert code == 1000
    assert heard.startswith(f"<stream:error xmlns:stream='{NS_STREAMS}'><{condition} xmlns='{NS_ERRORS}'/>")
    assert heard.endswith(f"</stream:error>{CLOSE}")


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (f"<open xmlns='{NS_FRAMING}' to='elsewhere.example' version='1.0'/>", "host-unknown"),
        (f"<open xmlns='{NS_FRAMING}' version='1.0'/>", "host-unknown"),
        (f"<open xmlns='{NS_FRAMING}' to='{HOST}'/>", "unsupported-version"),
        ("<message xmlns='jabber:client'/>", "not-authorized"),
        ("<x" + " " * 10_240 + "/>", "policy-violation"),
    ],
)
async def test_a_stream_that_does_not_open_well_is_opened_and_ended(
    place: Any, browse: Any, message: str, condition: str
) -> None:
    await place.register(place.name("ada"))
    browser = await browse()
    await browser.say(message)
    assert (await browser.hear("open")).get("version") == "1.0"
    error = await browser.hear("error")
    assert error[0].tag == f"{{{NS_ERRORS}}}{condition}"
    assert await browser.is_closed() == (1000, CLOSE)


async def test_a_message_in_binary_frames_is_refused(sign_in: Any) -> None:
    """RFC 7395, section 3.2: data frames are text."""
    ada = await sign_in()
    await ada.socket.send(b"<presence xmlns='jabber:client'/>")
    code, heard = await ada.is_closed()
    assert code == 1000
    assert f"<bad-format xmlns='{NS_ERRORS}'/>" in heard


async def test_a_message_in_fragments_is_one_message(sign_in: Any) -> None:
    ada = await sign_in()
    await ada.socket.send(iter(["<presence xmlns=", "'jabber:client'", "/>"]))
    assert await ada.text() == f"<presence xmlns='jabber:client' from='{ada.jid}' to='{ada.jid}'/>"


async def test_a_message_over_the_largest_frame_closes_the_socket(sign_in: Any, join: Any) -> None:
    ada, bob = await sign_in(), await join("bob")
    await ada.say(f"<message xmlns='jabber:client' to='{bob.jid}'><body>{'x' * 70_000}</body></message>")
    code, _ = await ada.is_closed()
    assert code == 1009
    assert await bob.so_far() == []


async def test_a_socket_that_breaks_ends_the_presence(sign_in: Any, join: Any, befriend: Any, place: Any) -> None:
    bob = await join("bob")
    account = await place.register(place.name("ada"))
    await place.call("PUT", f"/contacts/{bob.account.username}", account)
    ada = await sign_in(account=account)
    await ada.say("<presence xmlns='jabber:client'/>")
    await bob.gets("presence", from_=ada.jid, type=None)
    ada.socket.transport.abort()
    await bob.gets("presence", from_=ada.jid, type="unavailable")


async def test_a_page_that_was_left_waits_for_its_client_only_briefly(
    sign_in: Any, join: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RESUME_LEFT_TTL_S", 0.01)
    bob = await join("bob")
    account = await place.register(place.name("ada"))
    await place.call("PUT", f"/contacts/{bob.account.username}", account)
    left, lost = [await sign_in(account=account, resource=name) for name in ("left", "lost")]
    for client in (left, lost):
        await client.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        await client.hear("enabled")
        await client.say("<presence xmlns='jabber:client'/>")
        await bob.gets("presence", from_=client.jid, type=None)
    lost.socket.transport.abort()
    await left.socket.close(code=1001)
    await bob.gets("presence", from_=left.jid, type="unavailable")
    assert place.node.engine.online(account.jid) == [lost.jid]


async def test_who_takes_too_long_to_sign_in_is_cut_off(start: Any) -> None:
    place = await start(authentication_timeout_s=1)
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    async with connect(url, subprotocols=["xmpp"], proxy=None) as socket:  # type: ignore[list-item]
        code, heard = await Browser(socket).is_closed()
    assert code == 1000
    assert f"<connection-timeout xmlns='{NS_ERRORS}'/>" in heard


async def test_an_ended_session_is_told_why(sign_in: Any, place: Any) -> None:
    account = await place.register(place.name("ada"))
    ada = await sign_in(account=account)
    await place.call("DELETE", "/sessions/current", account)
    code, heard = await ada.is_closed()
    assert code == 1000
    assert f"<not-authorized xmlns='{NS_ERRORS}'/>" in heard
    assert heard.endswith(f"<ended xmlns='urn:heliograph:session:1' reason='logout'/></stream:error>{CLOSE}")


async def test_profile_events_stand_alone_as_documents(sign_in: Any, join: Any, place: Any) -> None:
    bob = await join("bob")
    account = await place.register(place.name("ada"))
    await place.call("PUT", f"/contacts/{bob.account.username}", account)
    await place.call("PATCH", "/profile", bob.account, {"nickName": "Bob"})
    ada = await sign_in(account=account)
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:web' ver='x'/>"
    await ada.say(f"<presence xmlns='jabber:client'>{caps}</presence>")
    while (document := fromstring(await ada.text())).tag != "{jabber:client}iq":
        pass
    features = "<feature var='urn:xmpp:vcard4+notify'/>"
    query = f"<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>"
    await ada.say(f"<iq xmlns='jabber:client' type='result' id='{document.get('id')}'>{query}</iq>")
    event = fromstring(await ada.text())
    assert (event.tag, event.get("from")) == ("{jabber:client}message", bob.bare)
