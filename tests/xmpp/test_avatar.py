from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.errors import ProfileInvalid
from heliograph.xmpp.avatar import (
    AvatarInfo,
    data_xml,
    metadata_xml,
    parse_data,
    parse_metadata,
    photo_update_xml,
    presence_content,
    with_photo,
)
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError

SHA1 = "111f4b3c50d7b0df729d299bc6f8e9ef9066971f"
INFO = AvatarInfo(SHA1, "image/png", 12345, "https://x/a.png?b&c", 64, 32)


def test_metadata_are_read_as_they_were_written() -> None:
    assert metadata_xml([INFO]) == (
        f"<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='12345' height='32' id='{SHA1}' type='image/png' "
        "url='https://x/a.png?b&amp;c' width='64'/></metadata>"
    )
    assert parse_metadata(fromstring(metadata_xml([INFO]))) == [INFO]


def test_no_form_means_no_picture() -> None:
    assert metadata_xml([]) == "<metadata xmlns='urn:xmpp:avatar:metadata'/>"
    assert parse_metadata(fromstring(metadata_xml([]))) == []


@pytest.mark.parametrize(
    "attributes",
    [
        "bytes='1' type='image/png'",
        f"bytes='1' id='{SHA1}'",
        "bytes='1' id='x' type='image/png'",
        f"bytes='-1' id='{SHA1}' type='image/png'",
        f"bytes='1' id='{SHA1}' type='image/png' url='file:///etc/passwd'",
    ],
)
def test_incomplete_metadata_are_refused(attributes: str) -> None:
    with pytest.raises(StanzaError) as caught:
        parse_metadata(fromstring(f"<metadata xmlns='urn:xmpp:avatar:metadata'><info {attributes}/></metadata>"))
    assert "invalid-payload" in caught.value.application


def test_data_are_read_as_they_were_written() -> None:
    assert data_xml(b"hi") == "<data xmlns='urn:xmpp:avatar:data'>aGk=</data>"
    assert parse_data(fromstring("<data xmlns='urn:xmpp:avatar:data'>\n aG\n k=\n</data>")) == b"hi"
    with pytest.raises(ProfileInvalid):
        parse_data(fromstring("<data xmlns='urn:xmpp:avatar:data'>?</data>"))


@pytest.mark.parametrize(
    ("identity", "content"), [(SHA1.upper(), f"><photo>{SHA1}</photo></x>"), ("", "><photo/></x>"), (None, "/>")]
)
def test_a_presence_tells_of_the_picture(identity: str | None, content: str) -> None:
    assert photo_update_xml(identity) == f"<x xmlns='vcard-temp:x:update'{content}"


def presence(content: str) -> Stanza:
    return Stanza("presence", fromstring(f"<presence xmlns='jabber:client'>{content}</presence>"), content.encode())


def test_a_presence_says_the_picture_of_the_profile_and_not_that_of_the_client() -> None:
    plain, forged = "<show>away</show>", f"{photo_update_xml('0' * 40)}<show>away</show>"
    assert presence_content(presence(plain), "") == plain.encode()
    assert presence_content(presence(plain), SHA1) == f"{plain}{photo_update_xml(SHA1)}".encode()
    assert presence_content(presence(forged), SHA1) == f"{plain}{photo_update_xml(SHA1)}".encode()
    assert presence_content(presence(forged), "") == f"{plain}{photo_update_xml('')}".encode()


def test_the_next_picture_takes_the_place_of_the_one_before() -> None:
    before = presence_content(presence("<show>away</show>"), SHA1)
    cleared = with_photo(before, SHA1, "")
    assert cleared == f"<show>away</show>{photo_update_xml('')}".encode()
    assert with_photo(cleared, "", SHA1) == before
    assert with_photo(b"<show>away</show>", "", SHA1) == before
