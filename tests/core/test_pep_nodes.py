"""What a node keeps, who sees it, and where there is no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import limits, pep_nodes
from heliograph.core.pep_nodes import Found, Item
from heliograph.xmpp.pep_config import AccessModel, NodeConfig
from heliograph.xmpp.stanza_error import StanzaError

NEW = Found(None, {}, 0, 0)
SMALL = Item("i", "<x xmlns='urn:x'/>")


def test_the_first_publication_makes_a_node_for_contacts_that_keeps_one_item() -> None:
    outcome = pep_nodes.decide_publish(NEW, SMALL, {})
    assert outcome.config == NodeConfig(AccessModel.PRESENCE, max_items=1)
    assert outcome.put == SMALL


def test_options_make_the_node_and_have_to_be_met_later() -> None:
    options = {"pubsub#access_model": ("open",)}
    made = pep_nodes.decide_publish(NEW, SMALL, options).config
    assert made == NodeConfig(AccessModel.OPEN)
    pep_nodes.decide_publish(Found(made, {}, 0, 1), SMALL, options)
    with pytest.raises(StanzaError) as raised:
        pep_nodes.decide_publish(Found(NodeConfig(), {}, 0, 1), SMALL, options)
    assert raised.value.condition.condition == "conflict"
    assert "precondition-not-met" in raised.value.application


def test_a_node_that_keeps_nothing_puts_nothing() -> None:
    outcome = pep_nodes.decide_publish(Found(NodeConfig(is_persistent=False), {}, 0, 1), SMALL, {})
    assert (outcome.put, outcome.removed) == (None, ())


@given(
    sizes=st.dictionaries(st.text("abcdefghij", min_size=1, max_size=1), st.integers(1, 60_000), max_size=10),
    max_items=st.integers(1, 10),
    name=st.sampled_from("abcx"),
    size=st.integers(1, 60_000),
)
def test_the_oldest_go_and_no_more_than_must(sizes: dict[str, int], max_items: int, name: str, size: int) -> None:
    item = Item(name, "x" * (size - 1))
    outcome = pep_nodes.decide_publish(Found(NodeConfig(max_items=max_items), sizes, sum(sizes.values()), 1), item, {})
    others = [each for each in sizes if each != name]
    assert list(outcome.removed) == others[: len(outcome.removed)]
    kept = others[len(outcome.removed) :]
    assert len(kept) < max_items
    assert sum(sizes[each] for each in kept) + item.size <= limits.PEP_NODE_MAX_BYTES
    if outcome.removed:
        spared = [outcome.removed[-1], *kept]
        total = sum(sizes[each] for each in spared) + item.size
        assert len(spared) >= max_items or total > limits.PEP_NODE_MAX_BYTES


def test_a_payload_an_account_and_the_number_of_nodes_are_bounded() -> None:
    with pytest.raises(StanzaError) as raised:
        pep_nodes.decide_publish(NEW, Item("i", "x" * limits.PEP_ITEM_MAX_BYTES), {})
    assert "payload-too-big" in raised.value.application
    for full in (Found(None, {}, limits.PEP_ACCOUNT_MAX_BYTES, 3), Found(None, {}, 0, limits.PEP_NODES_MAX)):
        with pytest.raises(StanzaError) as raised:
            pep_nodes.decide_publish(full, SMALL, {})
        assert raised.value.condition.condition == "resource-constraint"


def test_fewer_items_for_a_node_let_the_oldest_go() -> None:
    found = Found(NodeConfig(max_items=9), {"a": 1, "b": 1, "c": 1}, 3, 1)
    assert pep_nodes.decide_configure(found, {"pubsub#max_items": ("2",)}).removed == ("a",)
    assert pep_nodes.decide_configure(found, {"pubsub#persist_items": ("0",)}).removed == ("a", "b", "c")


def test_what_is_not_there_cannot_be_changed_and_what_is_there_not_made() -> None:
    for decide in (
        lambda: pep_nodes.decide_configure(NEW, {}),
        lambda: pep_nodes.decide_retract(NEW, "i"),
        lambda: pep_nodes.decide_retract(Found(NodeConfig(), {"a": 1}, 1, 1), "i"),
        lambda: pep_nodes.decide_purge(NEW),
        lambda: pep_nodes.decide_delete(NEW),
    ):
        with pytest.raises(StanzaError) as raised:
            decide()
        assert raised.value.condition.condition == "item-not-found"
    with pytest.raises(StanzaError) as raised:
        pep_nodes.decide_create(Found(NodeConfig(), {}, 0, 1), {})
    assert raised.value.condition.condition == "conflict"
