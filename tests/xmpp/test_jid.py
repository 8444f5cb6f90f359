from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp import jid
from heliograph.xmpp.jid import Jid, JidMalformed, parse, prepare_domain, prepare_local, prepare_resource

VALID = [  # RFC 7622, table 1
    ("juliet@example.com", Jid("juliet", "example.com")),
    ("juliet@example.com/foo", Jid("juliet", "example.com", "foo")),
    ("juliet@example.com/foo bar", Jid("juliet", "example.com", "foo bar")),
    ("juliet@example.com/foo@bar", Jid("juliet", "example.com", "foo@bar")),
    ("foo\\20bar@example.com", Jid("foo\\20bar", "example.com")),
    ("fussball@example.com", Jid("fussball", "example.com")),
    ("fu\u00dfball@example.com", Jid("fu\u00dfball", "example.com")),
    ("\u03c0@example.com", Jid("\u03c0", "example.com")),
    ("\u03a3@example.com/foo", Jid("\u03c3", "example.com", "foo")),
    ("\u03c3@example.com/foo", Jid("\u03c3", "example.com", "foo")),
    ("\u03c2@example.com/foo", Jid("\u03c2", "example.com", "foo")),
    ("king@example.com/\u265a", Jid("king", "example.com", "\u265a")),
    ("example.com", Jid("", "example.com")),
    ("example.com/foobar", Jid("", "example.com", "foobar")),
    ("a.example.com/b@example.net", Jid("", "a.example.com", "b@example.net")),
    ("juliet@example.com/ foo", Jid("juliet", "example.com", " foo")),  # table 2 forbids it, erratum 4560 allows it
]

INVALID = [  # RFC 7622, table 2
    '"juliet"@example.com',
    "foo bar@example.com",
    "@example.com/",
    "user@example.com/",
    "henry\u2163@example.com",
    "\u265a@example.com",
    "juliet@",
    "/foobar",
]


@pytest.mark.parametrize(("text", "expected"), VALID)
def test_the_valid_examples_of_rfc_7622_are_read(text: str, expected: Jid) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", INVALID)
def test_the_invalid_examples_of_rfc_7622_are_refused(text: str) -> None:
    with pytest.raises(JidMalformed):
        parse(text)


@pytest.mark.parametrize("character", "\"&'/:<>@ \x00\n\x7f\u00a0")
def test_a_localpart_does_not_hold_what_is_excluded(character: str) -> None:
    with pytest.raises(JidMalformed):
        prepare_local(f"ju{character}liet")


def test_an_excluded_character_that_mapping_makes_is_refused_too() -> None:
    with pytest.raises(JidMalformed):
        parse("ju\uff20liet@example.com")  # a fullwidth at sign


def test_the_parts_have_their_text_forms() -> None:
    full = parse("Juliet@Example.COM/Balcony")
    assert (str(full), full.bare) == ("juliet@example.com/Balcony", "juliet@example.com")
    assert (str(parse("Example.com/x")), parse("example.com/x").bare) == ("example.com/x", "example.com")


def test_case_counts_in_the_resourcepart_alone() -> None:
    assert parse("JULIET@EXAMPLE.COM/x") == parse("juliet@example.com/x") != parse("juliet@example.com/X")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example.COM.", "example.com"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[0:0::1]", "[::1]"),
        ("[2001:DB8::A]", "[2001:db8::a]"),
        ("xn--bcher-kva.example", "b\u00fccher.example"),
        ("B\u00dcCHER.example", "b\u00fccher.example"),
        ("b\u00fccher\uff0eexample\u3002", "b\u00fccher.example"),
        ("\uff25x.example", "ex.example"),
        ("fa\u00df.example", "fa\u00df.example"),
        (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["a" * 63] * 3 + ["b" * 61])),
    ],
)
def test_a_domain_has_one_form(text: str, expected: str) -> None:
    assert prepare_domain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a..b", "-a", "a-", "a_b.example", "ab--c.example", "\u265a.example", "\u00adx", "a@b", "a\n",
        "xn--\u00fc", "xn--a", "a\ud800", "[::1", "[]", "[fe80::1%eth0]", "[127.0.0.1]", "a" * 64, "\u00fc" * 64,
        ".".join(["a" * 63] * 3 + ["b" * 62]), "\u00fc." * 127, "x" * 70_000,
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(JidMalformed):
        prepare_domain(text)


@pytest.mark.parametrize("unit", ["a", "\u00e9"])
def test_a_part_has_at_most_1023_bytes(unit: str) -> None:
    fits = 1023 // len(unit.encode())
    assert len(parse(f"{unit * fits}@example.com/{unit * fits}").local) == fits
    for text in (f"{unit * (fits + 1)}@example.com", f"example.com/{unit * (fits + 1)}"):
        with pytest.raises(JidMalformed):
            parse(text)


@pytest.mark.parametrize("text", ["a\x00", "\ud800", "", "\x1f"])
def test_what_is_no_resourcepart_is_refused(text: str) -> None:
    with pytest.raises(JidMalformed):
        prepare_resource(text)


def test_other_spaces_of_a_resourcepart_become_plain_ones() -> None:
    assert prepare_resource("foo\u00a0bar") == "foo bar"


ODD = "\u00fc\u00df\u0130\u03a3\u03c2\uff21\uff20\u3002\u05d0\u0627\u200d"
ALPHABET = st.one_of(st.sampled_from(f"abAZ09.-_@/:[] {ODD}"), st.characters())


@given(st.text(ALPHABET, max_size=20))
def test_a_prepared_jid_is_its_own_preparation(text: str) -> None:
    try:
        prepared = parse(text)
    except JidMalformed:
        return
    assert parse(str(prepared)) == prepared
    assert prepared.domain
    assert parse(prepared.bare) == Jid(prepared.local, prepared.domain)


@given(st.text(st.characters(max_codepoint=126), max_size=30))
def test_the_ascii_path_agrees_with_the_profiles(text: str) -> None:
    for prepare, profile in ((prepare_local, "UsernameCaseMapped"), (prepare_resource, "OpaqueString")):
        try:
            expected = jid._profile(profile).enforce(text)
        except UnicodeError:
            expected = None
        if profile == "UsernameCaseMapped" and set(text) & set("\"&'/:<>@"):
            expected = None
        try:
            prepared = prepare(text)
        except JidMalformed:
            prepared = None
        assert prepared == expected


def test_the_cache_has_a_bound() -> None:
    before = jid._parse_cached.cache_info()
    assert before.maxsize is not None
    parse(f"juliet@example.com/{'x' * 1000}")
    assert jid._parse_cached.cache_info().currsize == before.currsize


def test_ascii_jids_load_no_unicode_tables() -> None:
    program = (
        "import sys; from heliograph.xmpp import jid; jid.parse('Juliet@example.com/foo bar');"
        "sys.exit('precis_i18n' in sys.modules or 'idna' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
