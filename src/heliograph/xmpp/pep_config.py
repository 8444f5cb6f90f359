"""How a node of a user's own service is configured (XEP-0060, section 8.2; XEP-0163, section 5): read and written as a
form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from heliograph.xmpp.disco import NS_DATA, Field, field_xml
from heliograph.xmpp.stanza_error import StanzaError, not_acceptable

NODE_CONFIG = "http://jabber.org/protocol/pubsub#node_config"
_MAX = "max"
_NUMBER_MAX_CHARS = 9


class AccessModel(StrEnum):
    """Who may see a node: everybody, those who see the user's presence, or the user alone (XEP-0060, section 4.5)."""

    OPEN = "open"
    PRESENCE = "presence"
    WHITELIST = "whitelist"


class SendLast(StrEnum):
    """When the last item is sent unasked: never, or to whom comes or becomes a contact."""

    NEVER = "never"
    ON_SUB = "on_sub"
    ON_SUB_AND_PRESENCE = "on_sub_and_presence"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The configuration of a node; the defaults are those of XEP-0163.

    Attributes:
        access_model: who may see it. A whitelist names nobody but the user.
        is_persistent: whether items are kept.
        max_items: how many are kept; one more, and the oldest goes.
        send_last: when the last item is sent unasked.
        is_notify_retract: whether the end of an item is told, also where the request does not ask for it.
        is_notify_delete: whether the end of the node is told.
    """

    access_model: AccessModel = AccessModel.PRESENCE
    is_persistent: bool = True
    max_items: int = 1
    send_last: SendLast = SendLast.ON_SUB_AND_PRESENCE
    is_notify_retract: bool = True
    is_notify_delete: bool = True


_VARS: Mapping[str, str] = {
    "pubsub#access_model": "access_model",
    "pubsub#persist_items": "is_persistent",
    "pubsub#max_items": "max_items",
    "pubsub#send_last_published_item": "send_last",
    "pubsub#notify_retract": "is_notify_retract",
    "pubsub#notify_delete": "is_notify_delete",
}


def read_options(options: Mapping[str, tuple[str, ...]], items_max: int) -> dict[str, Any]:
    """The attributes of `NodeConfig` that a form names.

    Args:
        options: the form's fields without FORM_TYPE, each with its values.
        items_max: what `max` stands for, and the highest number of items.

    Raises:
        StanzaError: a field or a value is not supported.
    """
    found: dict[str, Any] = {}
    for var, values in options.items():
        name = _VARS.get(var)
        if name is None or len(values) != 1:
            raise not_acceptable(f"The field {var} is not supported here")
        found[name] = _READERS[name](values[0], items_max)
    return found


def _flag(text: str, _items_max: int) -> bool:
    if text not in ("0", "1", "false", "true"):
        raise not_acceptable("A boolean is 0, 1, false or true")
    return text in ("1", "true")


def _count(text: str, items_max: int) -> int:
    if text == _MAX:
        return items_max
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX_CHARS and 1 <= int(text) <= items_max):
        raise not_acceptable(f"A node keeps 1 to {items_max} items")
    return int(text)


def _access(text: str, _items_max: int) -> AccessModel:
    try:
        return AccessModel(text)
    except ValueError:
        raise not_acceptable("The access model is open, presence or whitelist") from None


def _send_last(text: str, _items_max: int) -> SendLast:
    try:
        return SendLast(text)
    except ValueError:
        raise not_acceptable("The last item is sent never, on_sub or on_sub_and_presence") from None


_READERS: Mapping[str, Callable[[str, int], Any]] = {
    "access_model": _access,
    "is_persistent": _flag,
    "max_items": _count,
    "send_last": _send_last,
    "is_notify_retract": _flag,
    "is_notify_delete": _flag,
}


def changed(config: NodeConfig, options: Mapping[str, tuple[str, ...]], items_max: int) -> NodeConfig:
    """The configuration with what a form names; see `read_options`."""
    return replace(config, **read_options(options, items_max))


def is_met(config: NodeConfig, options: Mapping[str, tuple[str, ...]], items_max: int) -> bool:
    """Whether a node is configured as a publisher wants it (XEP-0060, section 7.1.5)."""
    try:
        return changed(config, options, items_max) == config
    except StanzaError:
        return False


def form_xml(config: NodeConfig) -> str:
    """The form in which the owner gets the configuration, to be changed (section 8.2.1)."""
    values = {attribute.name: getattr(config, attribute.name) for attribute in fields(config)}
    shown = [Field("FORM_TYPE", (NODE_CONFIG,), "hidden")]
    for var, name in _VARS.items():
        value = values[name]
        kind = "boolean" if isinstance(value, bool) else "list-single" if isinstance(value, StrEnum) else "text-single"
        shown.append(Field(var, (str(int(value)) if isinstance(value, bool) else str(value),), kind))
    return f"<x xmlns='{NS_DATA}' type='form'>{''.join(map(field_xml, shown))}</x>"
