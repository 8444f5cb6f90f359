"""What a client might send, as hypothesis strategies: well-formed stanzas that make sense or do not, streams that are
almost right, and bytes that mean harm.
"""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

NS_PUBSUB = "http://jabber.org/protocol/pubsub"

PAYLOADS = (  # namespace, name
    ("http://jabber.org/protocol/disco#info", "query"),
    ("http://jabber.org/protocol/disco#items", "query"),
    ("jabber:iq:roster", "query"),
    ("jabber:iq:roster", "item"),
    ("jabber:iq:version", "query"),
    ("jabber:iq:last", "query"),
    ("jabber:x:data", "x"),
    ("jabber:x:data", "field"),
    ("jabber:x:data", "value"),
    ("urn:xmpp:ping", "ping"),
    ("urn:xmpp:time", "time"),
    ("urn:xmpp:blocking", "block"),
    ("urn:xmpp:blocking", "unblock"),
    ("urn:xmpp:blocking", "blocklist"),
    ("urn:xmpp:blocking", "item"),
    ("urn:xmpp:carbons:2", "enable"),
    ("urn:xmpp:carbons:2", "private"),
    ("urn:xmpp:mam:2", "query"),
    ("urn:xmpp:mam:2", "prefs"),
    ("http://jabber.org/protocol/rsm", "set"),
    ("http://jabber.org/protocol/rsm", "max"),
    ("http://jabber.org/protocol/rsm", "after"),
    ("urn:xmpp:sid:0", "stanza-id"),
    ("urn:xmpp:sid:0", "origin-id"),
    ("urn:xmpp:receipts", "request"),
    ("urn:xmpp:receipts", "received"),
    ("urn:xmpp:chat-markers:0", "displayed"),
    ("urn:xmpp:hints", "no-store"),
    ("urn:xmpp:hints", "store"),
    ("urn:xmpp:delay", "delay"),
    ("http://jabber.org/protocol/caps", "c"),
    ("http://jabber.org/protocol/chatstates", "composing"),
    ("vcard-temp", "vCard"),
    ("vcard-temp", "PHOTO"),
    ("vcard-temp", "BINVAL"),
    ("vcard-temp", "FN"),
    ("vcard-temp:x:update", "x"),
    ("vcard-temp:x:update", "photo"),
    ("urn:ietf:params:xml:ns:vcard-4.0", "vcard"),
    ("urn:ietf:params:xml:ns:vcard-4.0", "fn"),
    ("urn:ietf:params:xml:ns:vcard-4.0", "text"),
    ("urn:xmpp:avatar:data", "data"),
    ("urn:xmpp:avatar:metadata", "metadata"),
    ("urn:xmpp:avatar:metadata", "info"),
    ("http://jabber.org/protocol/nick", "nick"),
    (NS_PUBSUB, "pubsub"),
    (NS_PUBSUB, "publish"),
    (NS_PUBSUB, "publish-options"),
    (NS_PUBSUB, "items"),
    (NS_PUBSUB, "item"),
    (NS_PUBSUB, "retract"),
    (NS_PUBSUB, "create"),
    (NS_PUBSUB, "configure"),
    (f"{NS_PUBSUB}#owner", "pubsub"),
    (f"{NS_PUBSUB}#owner", "configure"),
    (f"{NS_PUBSUB}#owner", "delete"),
    (f"{NS_PUBSUB}#owner", "purge"),
    ("urn:ietf:params:xml:ns:xmpp-bind", "bind"),
    ("urn:ietf:params:xml:ns:xmpp-session", "session"),
    ("urn:ietf:params:xml:ns:xmpp-stanzas", "gone"),
    ("jabber:client", "body"),
    ("jabber:client", "thread"),
    ("jabber:client", "show"),
    ("jabber:client", "status"),
    ("jabber:client", "priority"),
    ("jabber:client", "error"),
    ("jabber:client", "message"),
    ("urn:example:unknown", "thing"),
    ("", "naked"),
)
NONZAS = (
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
    "<enable xmlns='urn:xmpp:sm:3' resume='true' max='-1'/>",
    "<r xmlns='urn:xmpp:sm:3'/>",
    "<a xmlns='urn:xmpp:sm:3' h='0'/>",
    "<a xmlns='urn:xmpp:sm:3' h='4294967296'/>",
    "<a xmlns='urn:xmpp:sm:3'/>",
    "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>",
    "<resume xmlns='urn:xmpp:sm:3' h='-1'/>",
    "<active xmlns='urn:xmpp:csi:0'/>",
    "<inactive xmlns='urn:xmpp:csi:0'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AAAA</response>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AA==</initial-response></authenticate>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    " ",
)
HOSTILE = (
    b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>",
    b"<!-- -->",
    b"<?xml version='1.0'?>",
    b"<?pi?>",
    b"&b;",
    b"&#0;",
    b"&#xD800;",
    b"\x00",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xef\xbb\xbf",
    b"]]>",
    b"<![CDATA[",
    b"</stream:stream>",
    b"<stream:stream>",
    b"<stream:error/>",
    b"<a:b/>",
    b"<a xmlns:a=''/>",
    b"<x xmlns='http://etherx.jabber.org/streams'/>",
    b"<d>" * 200,
    b"<e a='" + b"x" * 5000 + b"'/>",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
)
_NODES = ("urn:xmpp:vcard4", "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data", "urn:example:node", "", "x" * 1100)
_ATTRIBUTES = (
    "id", "type", "to", "from", "node", "jid", "name", "subscription", "ask", "var", "ver", "hash", "xml:lang", "bytes",
    "category", "notify", "max_items", "stamp", "label", "url", "action", "queryid", "index",
)  # fmt: skip
_VALUES = (
    "", "1", "-1", "0", "true", "get", "set", "result", "error", "chat", "groupchat", "headline", "subscribe",
    "subscribed", "unsubscribe", "unsubscribed", "unavailable", "probe", "both", "remove", "sha-1", "submit", "cancel",
    "99999999999999999999", "1e9", "NaN", "2026-11-24T12:00:00Z", "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#node_config", "pubsub#access_model", "pubsub#max_items", "FORM_TYPE",
)  # fmt: skip
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def addresses(*known: str) -> st.SearchStrategy[str]:
    """Addresses: of the test's users, of nobody, of elsewhere, and what is none."""
    strange = ("", "@", "a@", "@b", "nobody@elsewhere.example", "elsewhere.example", "a@b@c/d", "/", "xn--a.example")
    return st.sampled_from((*known, *strange)) | _TEXTS


def elements(to: st.SearchStrategy[str], names: tuple[tuple[str, str], ...] = PAYLOADS) -> st.SearchStrategy[str]:
    """Elements that the server might look at, one inside the other in ways that make sense or do not."""
    values = st.sampled_from((*_VALUES, *_NODES)) | _TEXTS | to
    attributes = st.dictionaries(st.sampled_from(_ATTRIBUTES), values, max_size=4)
    texts = _TEXTS | st.sampled_from(_VALUES) | to
    leaf = st.builds(_element, st.sampled_from(names), attributes, texts.map(escape))
    return st.recursive(
        leaf,
        lambda inner: st.builds(_element, st.sampled_from(names), attributes, st.lists(inner, max_size=3).map("".join)),
        max_leaves=6,
    )


def _element(name: tuple[str, str], attributes: dict[str, str], content: str) -> str:
    namespace, local = name
    declared = f" xmlns={quoteattr(namespace)}"
    return f"<{local}{declared}{_written(attributes)}>{content}</{local}>"


def _written(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def stanzas(*known: str) -> st.SearchStrategy[str]:
    """Stanzas, well-formed and mostly legal on the outside.

    Args:
        known: addresses that exist.
    """
    to = addresses(*known)
    types = {
        "message": ("", "normal", "chat", "groupchat", "headline", "error", "odd"),
        "presence": (
            "",
            "unavailable",
            "subscribe",
            "subscribed",
            "unsubscribe",
            "unsubscribed",
            "probe",
            "error",
            "odd",
        ),
        "iq": ("get", "set", "result", "error", "", "odd"),
    }
    inner = st.lists(elements(to), max_size=3)

    def build(name: str) -> st.SearchStrategy[str]:
        return st.builds(
            _stanza,
            st.just(name),
            st.sampled_from(types[name]),
            st.none() | to,
            st.none() | _TEXTS,
            inner if name != "iq" else st.lists(elements(to), min_size=1, max_size=1) | inner,
        )

    return st.sampled_from(("message", "presence", "iq")).flatmap(build)


def _stanza(name: str, kind: str, to: str | None, identity: str | None, inner: list[str]) -> str:
    attributes = {"type": kind} if kind else {}
    attributes |= {} if to is None else {"to": to}
    attributes |= {} if identity is None else {"id": identity}
    return f"<{name}{_written(attributes)}>{''.join(inner)}</{name}>"


def streams(*known: str) -> st.SearchStrategy[list[str]]:
    """What a client sends once it is signed in: stanzas, and now and then something about the stream."""
    usual = stanzas(*known)
    return st.lists(usual | usual | usual | usual | st.sampled_from(NONZAS), min_size=1, max_size=10)


def spoilt(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes of which a few were taken away, doubled, changed, or joined by something hostile."""

    @st.composite
    def spoil(draw: st.DrawFn) -> bytes:
        found = bytearray(draw(data))
        for _ in range(draw(st.integers(1, 3))):
            at = draw(st.integers(0, len(found)))
            end = min(len(found), at + draw(st.integers(0, 20)))
            found[at:end] = draw(
                st.just(b"") | st.just(bytes(found[at:end]) * 2) | st.binary(max_size=4) | st.sampled_from(HOSTILE)
            )
        return bytes(found)

    return spoil()


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Bytes cut at those places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]
