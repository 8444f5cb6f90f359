"""The configuration of nodes, and what their owner asks for (XEP-0060, sections 7.1.5 and 8)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp import pep_config, pep_owner
from heliograph.xmpp.pep_config import AccessModel, NodeConfig, SendLast
from heliograph.xmpp.pep_owner import OwnerAction, OwnerRequest
from heliograph.xmpp.stanza_error import StanzaError

OWNER = "http://jabber.org/protocol/pubsub#owner"
BOOKMARKS = {
    "pubsub#persist_items": ("true",),
    "pubsub#max_items": ("max",),
    "pubsub#send_last_published_item": ("never",),
    "pubsub#access_model": ("whitelist",),
    "pubsub#notify_delete": ("0",),
    "pubsub#notify_retract": ("1",),
}


def owner(content: str) -> str:
    return f"<pubsub xmlns='{OWNER}'>{content}</pubsub>"


def test_the_options_of_a_private_list_are_understood() -> None:
    wanted = NodeConfig(AccessModel.WHITELIST, True, 256, SendLast.NEVER, True, False)
    assert pep_config.changed(NodeConfig(), BOOKMARKS, 256) == wanted
    assert pep_config.is_met(wanted, BOOKMARKS, 256)
    assert not pep_config.is_met(NodeConfig(), BOOKMARKS, 256)


@pytest.mark.parametrize(
    ("var", "values"),
    [
        ("pubsub#access_model", ("authorize",)),
        ("pubsub#access_model", ("open", "presence")),
        ("pubsub#max_items", ("0",)),
        ("pubsub#max_items", ("257",)),
        ("pubsub#max_items", ("²",)),
        ("pubsub#max_items", ("9" * 5000,)),
        ("pubsub#persist_items", ("yes",)),
        ("pubsub#send_last_published_item", ("always",)),
        ("pubsub#unheard_of", ("1",)),
        ("pubsub#max_items", ()),
        ("pubsub#publish_model", ("open",)),
        ("pubsub#item_expire", ("3600",)),
        ("pubsub#title", ("x" * 257,)),
        ("pubsub#roster_groups_allowed", ("x" * 257,)),
        ("pubsub#roster_groups_allowed", tuple(map(str, range(33)))),
    ],
)
def test_what_cannot_be_configured_is_refused_and_never_met(var: str, values: tuple[str, ...]) -> None:
    with pytest.raises(StanzaError) as raised:
        pep_config.changed(NodeConfig(), {var: values}, 256)
    assert raised.value.condition == ("modify", "not-acceptable")
    assert not pep_config.is_met(NodeConfig(), {var: values}, 256)


def test_what_is_so_of_every_node_may_be_said() -> None:
    said = {"pubsub#publish_model": ("publishers",), "pubsub#item_expire": ("max",), "pubsub#purge_offline": ("false",)}
    assert pep_config.changed(NodeConfig(), said, 256) == NodeConfig()


def test_the_form_that_is_given_can_be_sent_back() -> None:
    config = NodeConfig(
        AccessModel.ROSTER, False, 7, SendLast.ON_SUB, False, True, False, ("a", "b"), "T", "D", "urn:t"
    )
    given = fromstring(pep_owner.configure_xml("n", config))
    form = given[0][0]
    form.set("type", "submit")
    request = pep_owner.parse_owner_set(given)
    assert (request.node, request.action) == ("n", OwnerAction.CONFIGURE)
    assert request.options is not None
    assert pep_config.changed(NodeConfig(), request.options, 256) == config


def test_the_default_configuration_is_given_without_a_node() -> None:
    xml = pep_owner.configure_xml(None, NodeConfig())
    assert xml.startswith(f"<pubsub xmlns='{OWNER}'><default><x ")
    assert pep_owner.parse_owner_get(fromstring(owner("<default/>"))) is None
    assert pep_owner.parse_owner_get(fromstring(owner("<configure node='n'/>"))) == "n"


def test_purge_delete_and_a_cancelled_form_are_read() -> None:
    read = pep_owner.parse_owner_set
    assert read(fromstring(owner("<purge node='n'/>"))) == OwnerRequest("n", OwnerAction.PURGE, None)
    assert read(fromstring(owner("<delete node='n'/>"))) == OwnerRequest("n", OwnerAction.DELETE, None)
    cancelled = owner("<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>")
    assert read(fromstring(cancelled)) == OwnerRequest("n", OwnerAction.CONFIGURE, None)


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        ("", "bad-request"),
        ("<delete/>", "bad-request"),
        ("<purge node='n'/><purge node='m'/>", "bad-request"),
        ("<unheard-of node='n'/>", "bad-request"),
    ],
)
def test_other_requests_are_refused(content: str, condition: str) -> None:
    for parse in (pep_owner.parse_owner_set, pep_owner.parse_owner_get):
        with pytest.raises(StanzaError) as raised:
            parse(fromstring(owner(content)))
        assert raised.value.condition.condition == condition


def test_a_form_of_another_type_is_refused() -> None:
    field = "<field var='FORM_TYPE'><value>urn:other</value></field>"
    form = f"<configure node='n'><x xmlns='jabber:x:data' type='submit'>{field}</x></configure>"
    with pytest.raises(StanzaError):
        pep_owner.parse_owner_set(fromstring(owner(form)))


def test_the_end_of_a_node_is_told() -> None:
    told = pep_owner.ended("ada@x", "n&m", OwnerAction.DELETE).to("bob@x/pc")
    assert told == (
        b"<message type='headline' from='ada@x' to='bob@x/pc'>"
        b"<event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='n&amp;m'/></event></message>"
    )


def test_who_is_tied_to_a_node_is_asked() -> None:
    for name in ("affiliations", "subscriptions"):
        request = pep_owner.parse_owner_relations(fromstring(owner(f"<{name} node='n'/>")))
        assert request is not None
        assert (request.relation, request.node) == (name, "n")
    assert pep_owner.parse_owner_relations(fromstring(owner("<default/>"))) is None
