"""How SASL stands in a stream (RFC 6120, section 6)."""

from __future__ import annotations

from base64 import b64encode
from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp.sasl_claims import Refused
from heliograph.xmpp.sasl_profile import CoreProfile
from heliograph.xmpp.stanza import NS_SASL

PROFILE = CoreProfile()


def element(text: str | None) -> Element:
    made = Element(f"{{{NS_SASL}}}auth", {"mechanism": "PLAIN"})
    made.text = text
    return made


def test_the_first_message_may_come_later_and_an_equals_sign_stands_for_an_empty_one() -> None:
    assert PROFILE.initial(element(None)) is None
    assert PROFILE.initial(element("")) is None
    assert PROFILE.initial(element("=")) == b""
    assert PROFILE.initial(element(b64encode(b"ada").decode())) == b"ada"
    assert PROFILE.read(element(None)) == b""
    assert PROFILE.read(element("=")) == b""


@pytest.mark.parametrize(
    "text", ["*", "A", "AGFkYQ", "AGFk YQ==", "\nAGFkYQ==", "AGFkYQ==\n", "AGFkYR==", "==", "\u00fc"]
)
def test_what_is_not_base64_has_an_incorrect_encoding(text: str) -> None:
    for read in (PROFILE.initial, PROFILE.read):
        with pytest.raises(Refused) as caught:
            read(element(text))
        assert caught.value.condition == "incorrect-encoding"


def test_an_element_with_children_is_malformed() -> None:
    request = element(None)
    request.append(Element("x"))
    for read in (PROFILE.initial, PROFILE.read):
        with pytest.raises(Refused) as caught:
            read(request)
        assert caught.value.condition == "malformed-request"


def test_messages_are_carried_in_base64_and_failures_say_why() -> None:
    assert PROFILE.challenge(b"") == f"<challenge xmlns='{NS_SASL}'/>"
    assert PROFILE.success(b"v=x") == f"<success xmlns='{NS_SASL}'>dj14</success>"
    failure = fromstring(PROFILE.failure("account-disabled", "a < b"))
    assert failure.tag == f"{{{NS_SASL}}}failure"
    assert [child.tag.partition("}")[2] for child in failure] == ["account-disabled", "text"]
    assert failure[1].text == "a < b"
