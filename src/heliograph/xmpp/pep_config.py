"""How a node of a user's own service is configured (XEP-0060, section 8.2; XEP-0163, section 5): read and written as a
form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from heliograph.xmpp.disco import NS_DATA, Field, Form, field_xml
from heliograph.xmpp.stanza_error import StanzaError, not_acceptable

NODE_CONFIG = "http://jabber.org/protocol/pubsub#node_config"
META_DATA = "http://jabber.org/protocol/pubsub#meta-data"
_MAX = "max"
_NUMBER_MAX_CHARS = 9
_TEXT_MAX_CHARS = 256
_GROUPS_MAX = 32


class AccessModel(StrEnum):
    """Who may see a node: everybody, those who see the user's presence, those of them in some groups of the user's
    roster, or whom the user names (XEP-0060, section 4.5).

    There is no `authorize`: a user who is asked for a node would be asked in a message that few clients show, and a
    whitelist says the same beforehand.
    """

    OPEN = "open"
    PRESENCE = "presence"
    ROSTER = "roster"
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
        access_model: who may see it.
        is_persistent: whether items are kept.
        max_items: how many are kept; one more, and the oldest goes.
        send_last: when the last item is sent unasked.
        is_notify_retract: whether the end of an item is told, also where the request does not ask for it.
        is_notify_delete: whether the end of the node is told.
        has_payloads: whether what is told of a new item has its payload.
        roster_groups: those that ROSTER lets see the node.
        title: a name for people.
        description: more of that.
        payload_type: the namespace of the payloads, as the owner says; nothing is checked against it.
    """

    access_model: AccessModel = AccessModel.PRESENCE
    is_persistent: bool = True
    max_items: int = 1
    send_last: SendLast = SendLast.ON_SUB_AND_PRESENCE
    is_notify_retract: bool = True
    is_notify_delete: bool = True
    has_payloads: bool = True
    roster_groups: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    payload_type: str = ""


_VARS: Mapping[str, str] = {
    "pubsub#access_model": "access_model",
    "pubsub#persist_items": "is_persistent",
    "pubsub#max_items": "max_items",
    "pubsub#send_last_published_item": "send_last",
    "pubsub#notify_retract": "is_notify_retract",
    "pubsub#notify_delete": "is_notify_delete",
    "pubsub#deliver_payloads": "has_payloads",
    "pubsub#roster_groups_allowed": "roster_groups",
    "pubsub#title": "title",
    "pubsub#description": "description",
    "pubsub#type": "payload_type",
}

_FALSE, _TRUE = ("0", "false"), ("1", "true")
_FIXED: Mapping[str, tuple[str, ...]] = {
    "pubsub#publish_model": ("publishers",),
    "pubsub#item_expire": (_MAX,),
    "pubsub#notification_type": ("headline",),
    "pubsub#subscribe": _TRUE,
    "pubsub#notify_config": _FALSE,
    "pubsub#notify_sub": _FALSE,
    "pubsub#purge_offline": _FALSE,
    "pubsub#presence_based_delivery": _FALSE,
}
"""What is the same of every node, in all its spellings: the owner alone publishes, and nothing goes by its age."""


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
        if var in _FIXED:
            if len(values) != 1 or values[0] not in _FIXED[var]:
                raise not_acceptable(f"The field {var} is {_FIXED[var][0]} here")
            continue
        name = _VARS.get(var)
        if name == "roster_groups":
            found[name] = _groups(values)
            continue
        if name is None or len(values) != 1:
            raise not_acceptable(f"The field {var} is not supported here")
        found[name] = _READERS[name](values[0], items_max)
    return found


def _groups(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > _GROUPS_MAX:
        raise not_acceptable(f"A node names at most {_GROUPS_MAX} groups")
    return tuple(sorted({_text(value, 0) for value in values}))


def _text(text: str, _items_max: int) -> str:
    if len(text) > _TEXT_MAX_CHARS:
        raise not_acceptable(f"A text has at most {_TEXT_MAX_CHARS} characters")
    return text


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
        raise not_acceptable("The access model is open, presence, roster or whitelist") from None


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
    "has_payloads": _flag,
    "title": _text,
    "description": _text,
    "payload_type": _text,
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
    shown = [Field("FORM_TYPE", (NODE_CONFIG,), "hidden")]
    shown += [_field(var, getattr(config, name)) for var, name in _VARS.items()]
    shown += [Field(var, (spellings[0],), "fixed") for var, spellings in _FIXED.items()]
    return f"<x xmlns='{NS_DATA}' type='form'>{''.join(map(field_xml, shown))}</x>"


def _field(var: str, value: Any) -> Field:
    if isinstance(value, bool):
        return Field(var, (str(int(value)),), "boolean")
    if isinstance(value, tuple):
        return Field(var, value, "list-multi")
    return Field(var, (str(value),), "list-single" if isinstance(value, StrEnum) else "text-single")


def meta_data(config: NodeConfig) -> Form:
    """What service discovery tells of a node to whoever may see it (section 5.4)."""
    named = {"title": config.title, "description": config.description, "type": config.payload_type}
    said = [Field(f"pubsub#{name}", (text,), "text-single") for name, text in named.items() if text]
    model = Field("pubsub#access_model", (config.access_model.value,), "list-single")
    return Form((Field("FORM_TYPE", (META_DATA,), "hidden"), model, *said))
