"""The worked examples of XEP-0115, section 5, and what a poisoner would try."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp.caps import Caps, caps_xml, interests, is_well_formed, learn, parse, verification_string
from heliograph.xmpp.disco import Field, Form, Identity, Info

DISCO = "http://jabber.org/protocol/disco"
SIMPLE = Info(
    (Identity("client", "pc", "Exodus 0.9.1"),),
    (f"{DISCO}#info", f"{DISCO}#items", "http://jabber.org/protocol/muc", "http://jabber.org/protocol/caps"),
)
SOFTWARE = Form(
    (
        Field("FORM_TYPE", ("urn:xmpp:dataforms:softwareinfo",), "hidden"),
        Field("software_version", ("0.11",)),
        Field("ip_version", ("ipv6", "ipv4"), "text-multi"),
        Field("os", ("Mac",)),
        Field("os_version", ("10.5.1",)),
        Field("software", ("Psi",)),
    )
)
COMPLEX = Info(
    (Identity("client", "pc", "Psi 0.11", "en"), Identity("client", "pc", "Ψ 0.11", "el")),
    SIMPLE.features,
    (SOFTWARE,),
)


def announced(attributes: str) -> Caps | None:
    return parse(
        fromstring(
            f"<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' {attributes}/></presence>"
        )
    )


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_simple_example_has_its_hash() -> None:
    assert verification_string(SIMPLE, "sha-1") == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_the_complex_example_has_its_hash() -> None:
    assert verification_string(COMPLEX, "sha-1") == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_another_hash_function_hashes_the_same_text() -> None:
    info = Info((Identity("client", "pc"),), ("b", "a"))
    assert verification_string(info, "sha-256") == sha256("client/pc//<a<b<")
    assert verification_string(info, "md5") is None


def test_an_opening_bracket_inside_a_part_does_not_end_it() -> None:
    info = Info((Identity("client", "pc", "A<b"),), ())
    assert verification_string(info, "sha-256") == sha256("client/pc//A&lt;b<")
    assert verification_string(info, "sha-256") != verification_string(
        Info((Identity("client", "pc", "A"),), ("b",)), "sha-256"
    )


def test_an_announcement_is_read_and_written() -> None:
    caps = announced("hash='sha-1' node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='")
    assert caps == Caps("sha-1", "http://psi-im.org", "q07IKJEyjvHSyhy//CH0CxmKi8w=")
    assert caps is not None
    assert caps.query_node == "http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w="
    assert announced(caps_xml(caps)[2:-2].split(" ", 2)[2]) == caps


@pytest.mark.parametrize(
    "attributes",
    [
        "node='n' ver='0.9' ext='a b'",
        "hash='sha-1' node='n'",
        "hash='sha-1' ver='v'",
        f"hash='sha-1' node='{'n' * 257}' ver='v'",
    ],
)
def test_a_legacy_partial_or_giant_announcement_is_ignored(attributes: str) -> None:
    assert announced(attributes) is None


def test_no_announcement_is_none() -> None:
    assert parse(fromstring("<presence xmlns='jabber:client'/>")) is None


def test_interests_are_the_nodes_with_notify() -> None:
    assert interests(["urn:xmpp:vcard4+notify", "urn:xmpp:ping", "+notify", "a+notify"]) == {"urn:xmpp:vcard4", "", "a"}
    assert len(interests(f"n{number}+notify" for number in range(1000))) == 64


def test_a_true_answer_holds_for_all_who_announce_the_same() -> None:
    info = replace(SIMPLE, features=("urn:xmpp:vcard4+notify", "b"))
    learnt = learn(Caps("sha-1", "n", verification_string(info, "sha-1") or ""), info)
    assert learnt.is_verified
    assert learnt.interests == {"urn:xmpp:vcard4"}
    assert learnt.features == {"urn:xmpp:vcard4+notify", "b"}


@pytest.mark.parametrize("hash_name", ["sha-1", "md5"])
def test_an_answer_that_does_not_match_holds_for_nobody_else(hash_name: str) -> None:
    assert not learn(Caps(hash_name, "n", "QgayPKawpkPSDYmwT/WM94uAlu0=="), SIMPLE).is_verified


def form(*types: str, kind: str = "hidden") -> Form:
    return Form((Field("FORM_TYPE", types, kind), Field("x", ("1",))))


@pytest.mark.parametrize(
    "info",
    [
        Info((Identity("client", "pc"), Identity("client", "pc"))),
        Info(features=("a", "b", "a")),
        Info(forms=(form("t"), form("t"))),
        Info(forms=(form("t", "u"),)),
    ],
)
def test_an_ill_formed_answer_is_never_verified(info: Info) -> None:
    assert not is_well_formed(info)
    caps = Caps("sha-1", "n", verification_string(info, "sha-1") or "")
    assert not learn(caps, info).is_verified


def test_a_repeated_equal_form_type_is_well_formed() -> None:
    assert is_well_formed(Info(forms=(form("t", "t"),)))


@pytest.mark.parametrize("ignored", [form("t", kind="text-single"), Form((Field("x", ("1",)),))])
def test_a_form_without_a_hidden_type_is_ignored(ignored: Form) -> None:
    assert verification_string(replace(SIMPLE, forms=(ignored,)), "sha-1") == verification_string(SIMPLE, "sha-1")
