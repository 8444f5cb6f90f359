"""Service discovery (XEP-0030), with extended information (XEP-0128) in data forms (XEP-0004)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import XML_LANG, escape, quote
from heliograph.xmpp.stanza_error import bad_request

NS_DISCO_INFO = "http://jabber.org/protocol/disco#info"
NS_DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
NS_DATA = "jabber:x:data"

INFO_TAG = f"{{{NS_DISCO_INFO}}}query"
ITEMS_TAG = f"{{{NS_DISCO_ITEMS}}}query"

_IDENTITY = f"{{{NS_DISCO_INFO}}}identity"
_FEATURE = f"{{{NS_DISCO_INFO}}}feature"
_FORM = f"{{{NS_DATA}}}x"
_FIELD = f"{{{NS_DATA}}}field"
_VALUE = f"{{{NS_DATA}}}value"

ENTRIES_MAX = 1024
"""How many identities, features and fields together an answer of a client may list."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an entity is (XEP-0030, section 3.1)."""

    category: str
    type: str
    name: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a data form, with its values as they were sent."""

    var: str
    values: tuple[str, ...]
    type: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A data form that extends the information (XEP-0128)."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """All that an entity says of itself. Nothing is sorted, and what was sent twice stands here twice."""

    identities: tuple[Identity, ...] = ()
    features: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an entity (XEP-0030, section 4)."""

    jid: str
    node: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A request: for information or, if not, for items; `node` is `None` where the entity itself is meant."""

    is_info: bool
    node: str | None


def parse_query(element: Element) -> Query | None:
    """Read the payload of an IQ get; `None` if it is no service discovery."""
    if element.tag not in (INFO_TAG, ITEMS_TAG):
        return None
    return Query(element.tag == INFO_TAG, element.get("node"))


def _optional(**attributes: str | None) -> str:
    return "".join(f" {name}={quote(value)}" for name, value in attributes.items() if value)


def info_xml(
    identities: Iterable[Identity], features: Iterable[str], node: str | None = None, forms: Iterable[Form] = ()
) -> str:
    """The result of an information request (XEP-0030, section 3.1).

    Args:
        identities: what the entity is, at least one.
        features: namespaces that the entity supports.
        node: the node of the request, which the answer repeats.
        forms: extended information.
    """
    parts = [_identity_xml(identity) for identity in identities]
    parts += [f"<feature var={quote(feature)}/>" for feature in features]
    parts += [_form_xml(form) for form in forms]
    return f"<query xmlns='{NS_DISCO_INFO}'{_optional(node=node)}>{''.join(parts)}</query>"


def _identity_xml(identity: Identity) -> str:
    lang = f" xml:lang={quote(identity.lang)}" if identity.lang else ""
    named = _optional(category=identity.category, type=identity.type, name=identity.name)
    return f"<identity{lang}{named}/>"


def _form_xml(form: Form) -> str:
    return f"<x xmlns='{NS_DATA}' type='result'>{''.join(field_xml(field) for field in form.fields)}</x>"


def field_xml(field: Field) -> str:
    """One field of a data form (XEP-0004, section 3.2), inside the form's namespace."""
    values = "".join(f"<value>{escape(value)}</value>" for value in field.values)
    return f"<field{_optional(var=field.var, type=field.type)}>{values}</field>"


def items_xml(items: Iterable[Item], node: str | None = None) -> str:
    """The result of an items request (XEP-0030, section 4.1)."""
    parts = [f"<item{_optional(jid=item.jid, node=item.node, name=item.name)}/>" for item in items]
    return f"<query xmlns='{NS_DISCO_ITEMS}'{_optional(node=node)}>{''.join(parts)}</query>"


def parse_info(element: Element) -> Info:
    """Read the result of an information request.

    Raises:
        StanzaError: it is none, or it lists more than `ENTRIES_MAX` entries.
    """
    if element.tag != INFO_TAG:
        raise bad_request("This is no service discovery information")
    forms = tuple(parse_form(form) for form in element.iterfind(_FORM))
    if len(element) + sum(len(form.fields) for form in forms) > ENTRIES_MAX:
        raise bad_request("The service discovery information has too many entries")
    identities = tuple(
        Identity(found.get("category", ""), found.get("type", ""), found.get("name", ""), found.get(XML_LANG, ""))
        for found in element.iterfind(_IDENTITY)
    )
    return Info(identities, tuple(found.get("var", "") for found in element.iterfind(_FEATURE)), forms)


def parse_form(element: Element) -> Form:
    """Read the fields of a data form `<x xmlns='jabber:x:data'/>`."""
    return Form(
        tuple(
            Field(
                field.get("var", ""),
                tuple(value.text or "" for value in field.iterfind(_VALUE)),
                field.get("type", ""),
            )
            for field in element.iterfind(_FIELD)
        )
    )


def parse_items(element: Element) -> list[Item]:
    """Read the result of an items request.

    Raises:
        StanzaError: it is none.
    """
    if element.tag != ITEMS_TAG:
        raise bad_request("This is no list of service discovery items")
    found = element.iterfind(f"{{{NS_DISCO_ITEMS}}}item")
    return [Item(item.get("jid", ""), item.get("node", ""), item.get("name", "")) for item in found]
