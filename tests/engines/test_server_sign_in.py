"""Signing in over real sockets: STARTTLS, direct TLS, SASL, binding (RFC 6120, sections 5 to 7; XEP-0368)."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode, b64encode
from typing import Any

import pytest
from scramp import ScramClient

from heliograph.core.apps import Environment
from patience import PATIENCE_S

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
STARTTLS = f"<starttls xmlns='{NS_TLS}'/>"
HOST = "sandbox.chat.localhost"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    f" to='{HOST}' version='1.0'>"
)
BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
REFUSED = f"<failure xmlns='{NS_SASL}'><not-authorized/></failure>"
SUCCESS = f"<success xmlns='{NS_SASL}'/>"


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def plain(username: str, password: str, authzid: str = "") -> str:
    return (
        f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{base64(f'{authzid}{chr(0)}{username}{chr(0)}{password}')}</auth>"
    )


async def opened(place: Any, *, is_direct_tls: bool = True) -> tuple[Any, str]:
    """A socket with an open stream, and the features that it was offered."""
    wire = await place.dial(is_direct_tls=is_direct_tls)
    await wire.send(HEADER)
    return wire, await wire.until("</stream:features>")


async def scram(wire: Any, mechanism: str, username: str, password: str) -> str:
    """Prove a password; returns the element that ends the attempt."""
    client = ScramClient([mechanism], username, password)
    await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{base64(client.get_client_first())}</auth>")
    challenge = await wire.until("</challenge>")
    client.set_server_first(b64decode(challenge.split(">")[1].split("<")[0]).decode())
    await wire.send(f"<response xmlns='{NS_SASL}'>{base64(client.get_client_final())}</response>")
    end = await wire.until(">")
    if end.startswith("<success"):
        success = end + await wire.until("</success>")
        client.set_server_final(b64decode(success.split(">")[1].split("<")[0]).decode())
        return success
    return end + await wire.until("</failure>")


async def test_a_stream_in_the_clear_offers_tls_and_nothing_else(place: Any) -> None:
    await place.register(place.name("ada"))  # from the first user on, the domain is served
    _, features = await opened(place, is_direct_tls=False)
    header, _, offered = features.partition("'>")
    assert f" from='{HOST}' id='" in header
    assert features.endswith(f"<stream:features><starttls xmlns='{NS_TLS}'><required/></starttls></stream:features>")
    assert "mechanism" not in offered


async def test_starttls_then_scram_then_bind(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place, is_direct_tls=False)
    await wire.send(STARTTLS)
    assert await wire.until("/>") == f"<proceed xmlns='{NS_TLS}'/>"
    await wire.start_tls(place.tls, HOST)
    await wire.send(HEADER)
    features = await wire.until("</stream:features>")
    assert "starttls" not in features
    assert [name.partition("<")[0] for name in features.partition("</mechanisms>")[0].split("<mechanism>")[1:]] == [
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "PLAIN",
        "OAUTHBEARER",
    ]
    assert (await scram(wire, "SCRAM-SHA-256", account.username, account.password)).startswith("<success ")
    await wire.send(HEADER)
    features = await wire.until("</stream:features>")
    assert "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" in features
    await wire.send(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>a b</resource></bind></iq>"
    )
    jid = f"{account.jid}/a b"
    bound = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{jid}</jid></bind>"
    assert await wire.until("</iq>") == f"<iq type='result' id='b' to='{jid}'>{bound}</iq>"
    assert place.node.engine.online(account.jid) == []  # bound, and not yet present


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"])
async def test_every_session_of_a_user_signs_in_with_its_own_password(place: Any, mechanism: str) -> None:
    name = place.name("ada")
    for account in [await place.register(name) for _ in range(3)]:
        wire, _ = await opened(place)
        if mechanism == "PLAIN":
            await wire.send(plain(name, account.password, authzid=account.jid))
            assert await wire.until("/>") == SUCCESS
        else:
            assert (await scram(wire, mechanism, name, account.password)).startswith("<success ")


async def test_plain_text_behind_starttls_is_never_read(place: Any) -> None:
    """RFC 6120, section 5.4.3.3, and the attack of CVE-2011-0411: what was injected must not count after TLS."""
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place, is_direct_tls=False)
    await wire.send(STARTTLS + HEADER + plain(account.username, account.password))
    assert await wire.until("/>") == f"<proceed xmlns='{NS_TLS}'/>"
    await wire.start_tls(place.tls, HOST)
    await wire.send(HEADER)
    assert "<mechanisms " in await wire.until("</stream:features>")
    await wire.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NONE'/>")
    assert await wire.until("</failure>") == f"<failure xmlns='{NS_SASL}'><invalid-mechanism/></failure>"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_current_versions_of_tls_are_spoken(place: Any, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(place.node.certificate_file))
    context.minimum_version = context.maximum_version = version
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", place.node.xmpps_port, ssl=context, server_hostname=HOST
    )
    writer.write(HEADER.encode())
    assert b"features" in await reader.readuntil(b"</stream:features>")
    writer.transport.abort()


@pytest.mark.parametrize("is_direct_tls", [False, True])
async def test_what_is_no_tls_is_hung_up_on(place: Any, is_direct_tls: bool) -> None:
    port = place.node.xmpps_port if is_direct_tls else place.node.xmpp_port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if not is_direct_tls:
        writer.write((HEADER + STARTTLS).encode())
        await reader.readuntil(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    writer.write(b"<stream:stream to='localhost'> and so on")
    async with asyncio.timeout(PATIENCE_S):
        heard = await reader.read()
    assert b"<" not in heard  # at most an alert
    writer.close()


async def test_tls_in_small_pieces(place: Any) -> None:
    """A handshake and records that come byte by byte, both ways of one socket."""
    account = await place.register(place.name("ada"))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = place.tls.wrap_bio(incoming, outgoing, server_hostname=HOST)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.node.xmpps_port)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(6, 1, 1)  # TCP_NODELAY: each byte on its own

    async def pump() -> None:
        for byte in outgoing.read():
            writer.write(bytes([byte]))
            await writer.drain()

    async def feed() -> None:
        async with asyncio.timeout(PATIENCE_S):
            incoming.write(await reader.read(7))

    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            await pump()
            await feed()
    tls.write((HEADER + plain(account.username, account.password)).encode())
    heard = b""
    while not heard.endswith(SUCCESS.encode()):
        await pump()
        try:
            heard += tls.read(65536)
        except ssl.SSLWantReadError:
            await feed()
    writer.close()


# ------------------------------------------------------------------------------------------------------------ refusals


async def test_a_password_is_never_taken_in_the_clear(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place, is_direct_tls=False)
    await wire.send(plain(account.username, account.password))
    assert await wire.until("</failure>") == f"<failure xmlns='{NS_SASL}'><encryption-required/></failure>"


async def test_an_unknown_user_looks_like_a_wrong_password(place: Any) -> None:
    account = await place.register(place.name("ada"))
    nobody = place.name("nobody")
    answers = []
    for username in (account.username, nobody):
        wire, _ = await opened(place)
        await wire.send(plain(username, "wrong"))
        by_plain = await wire.until("</failure>")
        proofs = [await scram(wire, mechanism, username, "wrong") for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1")]
        answers.append([by_plain, *proofs])
    assert answers == [[REFUSED] * 3] * 2


async def test_an_unknown_user_has_a_salt_that_stays(place: Any) -> None:
    account, nobody = await place.register(place.name("ada")), place.name("nobody")

    async def offer(username: str) -> list[str]:
        wire, _ = await opened(place)
        await wire.send(f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{base64(f'n,,n={username},r=abc')}</auth>")
        challenge = b64decode((await wire.until("</challenge>")).split(">")[1].split("<")[0]).decode()
        return challenge.split(",")[1:]  # without the nonce

    known, unknown = [await offer(account.username) for _ in "ab"], [await offer(nobody) for _ in "ab"]
    assert known[0] == known[1]
    assert unknown[0] == unknown[1]
    assert known[0] != unknown[0]
    assert [len(part) for part in known[0]] == [len(part) for part in unknown[0]]
    assert known[0][1] == unknown[0][1] == "i=4096"


async def test_users_of_the_other_environment_do_not_exist_here(place: Any) -> None:
    account = await place.register(place.name("ada"), Environment.LIVE)
    wire, _ = await opened(place)
    await wire.send(plain(account.username, account.password))
    assert await wire.until("</failure>") == REFUSED


async def test_a_blocked_user_is_told_so_and_an_unblocked_one_signs_in_with_a_new_password(place: Any) -> None:
    account = await place.register(place.name("ada"))
    await place.call("POST", f"/users/{account.username}/block")
    wire, _ = await opened(place)
    await wire.send(plain(account.username, account.password))
    assert (await wire.until("</failure>")).startswith(f"<failure xmlns='{NS_SASL}'><account-disabled/>")
    await place.call("POST", f"/users/{account.username}/unblock")
    await wire.send(plain(account.username, account.password))
    assert await wire.until("</failure>") == REFUSED
    await wire.send(plain(account.username, (await place.register(account.username)).password))
    assert await wire.until("/>") == SUCCESS


async def test_the_fifth_failure_ends_the_stream(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place)
    for _ in range(5):
        await wire.send(plain(account.username, "wrong"))
    rest = await wire.rest()
    assert rest.startswith(REFUSED * 5 + "<stream:error><policy-violation ")
    assert rest.endswith("</stream:error></stream:stream>")


@pytest.mark.parametrize("resource", ["x" * 1024, "\u0007", "&#x7f;"])
async def test_a_resource_that_is_none_is_refused_and_another_can_follow(place: Any, resource: str) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place)
    await wire.send(plain(account.username, account.password))
    await wire.until(SUCCESS)
    await wire.send(HEADER)
    await wire.until("</stream:features>")
    bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{}</resource></bind></iq>"
    if resource == "\u0007":  # no XML at all
        await wire.send(bind.format(resource))
        assert "<not-well-formed " in await wire.rest()
        return
    await wire.send(bind.format(resource))
    refusal = await wire.until("</iq>")
    assert "<error type='modify'><bad-request " in refusal
    await wire.send(bind.format("phone"))
    assert f"<jid>{account.jid}/phone</jid>" in await wire.until("</iq>")


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (HEADER.replace(HOST, "elsewhere.example"), "host-unknown"),
        (HEADER.replace(f" to='{HOST}'", ""), "host-unknown"),
        (HEADER.replace("1.0'>", "0.9'>"), "unsupported-version"),
        (HEADER.replace("jabber:client", "jabber:server"), "invalid-namespace"),
        ("GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        ("<a/>", "bad-format"),
    ],
)
async def test_a_stream_that_is_none_of_ours_ends_behind_a_header(place: Any, header: str, condition: str) -> None:
    wire = await place.dial(is_direct_tls=False)
    await wire.send(header)
    text = await wire.rest()
    assert text.startswith("<?xml version='1.0'?><stream:stream ")
    assert f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in text
    assert text.endswith("</stream:error></stream:stream>")


@pytest.mark.parametrize(("port", "method"), [("sign_ins", "by_password"), ("sign_ins", "signed_in")])
async def test_a_store_that_fails_refuses_for_now_what_was_asked(
    place: Any, gated: Any, looked_up_at_bind: Any, no_bugs: Any, port: str, method: str
) -> None:
    account = await place.register(place.name("ada"))
    await looked_up_at_bind(account)
    with gated(port, method) as gate:
        gate.error = ZeroDivisionError()
        gate.opened.set()
        wire, _ = await opened(place)
        await wire.send(plain(account.username, account.password))
        if method == "signed_in":
            await wire.send(HEADER + BIND)
            refused = await wire.until("</iq>")
            assert "<error type='cancel'><internal-server-error " in refused
        else:
            refused = await wire.until("</failure>")
            assert refused.startswith(f"<failure xmlns='{NS_SASL}'><temporary-auth-failure/><text ")
    (logged,) = [line for line in no_bugs if line["log_level"] == "error"]
    assert (logged["event"], logged["exc_info"]) == ("sign_in_unanswered", gate.error)
    assert f"Error {logged['error_id']}<" in refused
    no_bugs.clear()
    again = "" if method == "signed_in" else plain(account.username, account.password) + HEADER
    await wire.send(again + BIND)  # on the same stream
    assert "<jid>" in await wire.until("</iq>")


async def test_a_hundred_resources_of_an_account_and_no_more(place: Any) -> None:
    account = await place.register(place.name("ada"))
    clients = [await place.sign_in(account) for _ in range(100)]
    wire, _ = await opened(place)
    await wire.send(plain(account.username, account.password) + HEADER + BIND)
    assert "<error type='wait'><resource-constraint " in await wire.until("</iq>")
    clients[0].wire.reset()
    await wire.send(BIND.replace("'b'", "'c'"))
    assert "id='c'" in await wire.until("</iq>")


async def test_stanzas_before_a_resource_is_bound_are_not_handled(place: Any) -> None:
    account = await place.register(place.name("ada"))
    for before in ("", plain(account.username, account.password) + HEADER):
        wire, _ = await opened(place)
        await wire.send(before + f"<message to='{account.jid}'><body>hi</body></message>")
        assert "<stream:error><not-authorized " in await wire.rest()


async def test_all_that_a_session_begins_with_may_come_at_once(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire, _ = await opened(place)
    texts = "".join(
        f"<message to='{account.jid}' id='m{number}'><body>{'x' * 1000}</body></message>" for number in range(30)
    )
    roster = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"
    await wire.send(plain(account.username, account.password) + HEADER + BIND + roster + "<presence/>" + texts)
    heard = await wire.until("id='m29'")
    assert SUCCESS in heard
    assert heard.index("id='b'") < heard.index("id='r'") < heard.index("id='m0'")
