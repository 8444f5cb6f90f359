from __future__ import annotations

import pytest

from heliograph.errors import ProfileInvalid
from heliograph.xmpp.vcard_extra import check, hide, supersede

HOME = "<tel><parameters><type><text>home</text></type></parameters><uri>tel:+441</uri></tel>"
WORK = "<tel><uri>tel:+492</uri></tel>"
ORG = "<org><text>Engines</text></org>"
TEMP = "<vCard xmlns='vcard-temp'><TEL><HOME/><NUMBER>+441</NUMBER></TEL><TITLE>x</TITLE></vCard>"


def test_hiding_a_field_hides_all_that_tells_of_it() -> None:
    group = "<group name='g'><tel><uri>tel:+33</uri></tel></group>"
    assert (
        hide(HOME + WORK + ORG + group + TEMP, ["mobile"]) == ORG + "<vCard xmlns='vcard-temp'><TITLE>x</TITLE></vCard>"
    )


def test_hiding_the_name_hides_formal_and_structured_names() -> None:
    assert hide("<fn><text>A</text></fn><n><given>A</given></n>" + ORG, ["name"]) == ORG
    assert hide(ORG, []) == ORG
    assert hide("", ["name"]) == ""


def test_a_changed_field_drops_what_stood_for_its_old_value_alone() -> None:
    kept = supersede(HOME + WORK + TEMP, "mobile", "+441", "+33")
    assert kept == WORK + "<vCard xmlns='vcard-temp'><TITLE>x</TITLE></vCard>"


def test_a_cleared_field_drops_all_that_tells_of_it() -> None:
    assert supersede(HOME + WORK + ORG, "mobile", "+441", "") == ORG


def test_a_new_picture_replaces_all_pictures() -> None:
    picture = "<photo><uri>data:image/png;base64,aGk=</uri></photo>"
    assert supersede(picture + ORG, "image", "", "https://x/p.png") == ORG


def test_a_formal_name_that_was_the_name_goes_with_it() -> None:
    formal = "<fn><parameters><language>en</language></parameters><text>Ada</text></fn>"
    assert supersede(formal + ORG, "name", "Ada", "Countess") == ORG
    assert supersede(formal + ORG, "name", "ada", "Countess") == formal + ORG


def test_an_unchanged_field_and_a_first_value_drop_nothing() -> None:
    assert supersede(HOME, "mobile", "+441", "+441") == HOME
    assert supersede("<tel><uri>sip:x@y</uri></tel>", "mobile", "", "+1") == "<tel><uri>sip:x@y</uri></tel>"


def test_what_is_checked_comes_back_compact() -> None:
    assert check(f"\n  {ORG}\n  {TEMP}\n", 1000) == ORG + TEMP


@pytest.mark.parametrize(
    "text",
    ["<org>", "</vcard><vcard>", "<!DOCTYPE x>", "<!-- c --><org/>", "<?pi?>", "<![CDATA[x]]>", "&lol;", "x" * 1001],
)
def test_what_is_no_plain_xml_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        check(text, 1000)
    assert caught.value.details == {"field": "vcard_extra"}
