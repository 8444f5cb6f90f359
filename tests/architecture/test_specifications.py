"""What the server says it speaks: each RFC and XEP of the table stands in a module, and a conversation shows it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp.specifications import SPECIFICATIONS, Status

DECLARED = {each.number for each in SPECIFICATIONS}
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DOAP = "{http://usefulinc.com/ns/doap#}"
XMPP = "{https://linkmauve.fr/ns/xmpp-doap#}"


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / "scripts" / "xmpp_pages.py"))


def test_the_table_is_in_order_and_names_nothing_twice() -> None:
    numbers = [each.number for each in SPECIFICATIONS]
    assert numbers == sorted(set(numbers))


def test_every_xep_that_a_module_of_the_server_names_is_declared(pages: dict[str, Any]) -> None:
    named = {number for number in pages["modules"]() if number.startswith("XEP")}
    assert named - DECLARED == set()


def test_everything_declared_is_done_in_some_module(pages: dict[str, Any]) -> None:
    assert DECLARED - pages["modules"]().keys() == set()


def test_everything_declared_is_shown_by_a_conversation(pages: dict[str, Any]) -> None:
    assert DECLARED - pages["conversations"]().keys() == set()


def test_every_xep_that_a_conversation_shows_is_declared(pages: dict[str, Any]) -> None:
    named = {number for number in pages["conversations"]() if number.startswith("XEP")}
    assert named - DECLARED == set()


def test_a_text_may_name_several_xeps_at_once(pages: dict[str, Any]) -> None:
    assert pages["named_in"]("as XEP-0092, 0202 and 0012 say; see RFC 6120, section 8") == {
        "XEP-0092",
        "XEP-0202",
        "XEP-0012",
        "RFC 6120",
    }


def _text(element: Element, tag: str) -> str:
    found = element.findall(tag)
    assert len(found) == 1
    return found[0].text or ""


def test_the_description_of_the_project_is_as_xep_0453_has_it(pages: dict[str, Any]) -> None:
    (project,) = fromstring(pages["doap"]())
    assert project.tag == f"{DOAP}Project"
    assert _text(project, f"{DOAP}name") == "Heliograph"
    (category,) = project.findall(f"{DOAP}category")
    assert category.get(f"{RDF}resource") == "https://linkmauve.fr/ns/xmpp-doap#category-server"
    implemented = project.findall(f"{DOAP}implements")
    assert len(implemented) == len(SPECIFICATIONS)
    for each in implemented:
        if not len(each):
            assert re.fullmatch(r"https://\S+/rfc\d{4}\.html", each.get(f"{RDF}resource", ""))
            continue
        (xep,) = each
        assert xep.tag == f"{XMPP}SupportedXep"
        (address,) = xep.findall(f"{XMPP}xep")
        assert re.fullmatch(r"https://xmpp\.org/extensions/xep-\d{4}\.html", address.get(f"{RDF}resource", ""))
        assert _text(xep, f"{XMPP}status") in set(Status)
        assert re.fullmatch(r"\d+(\.\d+)+", _text(xep, f"{XMPP}version"))
        assert re.fullmatch(r"\d+\.\d+\.\d+", _text(xep, f"{XMPP}since"))
