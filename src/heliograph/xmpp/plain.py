"""Reads elements of the plainest form without a parser, at half its cost: most of what clients send while they sign in
has it, and most messages.

It is: elements on at most three levels, text in those alone that have no elements in them; names without prefixes
(`xml:lang` aside), one space before each attribute, and no references, no characters that a parser would change and
none that XML forbids. What these bytes mean stands in them alone, so the parser finds the same in them (a test compares
the two). Everything else is the parser's.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

from heliograph.xmpp.stanza import NS_CLIENT, NS_XML, STANZA_NAMES, XML_LANG, Stanza

NS_XMLNS = "http://www.w3.org/2000/xmlns/"
LEVELS_MAX = 3
"""How many elements stand one in the other."""

_NAME = "[a-zA-Z][a-zA-Z0-9-]*"
_VALUE = r"""(?:'[^<>&'\x00-\x1f\ufffe\uffff]*'|"[^<>&"\x00-\x1f\ufffe\uffff]*")"""
_ATTRIBUTES = rf"(?: (?:xml:lang|[a-zA-Z]+)={_VALUE}){{0,16}}"
_TEXT = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*"
_START, _END = rf"<{_NAME}{_ATTRIBUTES} ?", f"</{_NAME}>"
_LEAVES = f"(?:{_START}(?:/>|>{_TEXT}{_END})){{1,32}}"
_CHILDREN = f"(?:{_START}(?:/>|>(?:{_LEAVES}|{_TEXT}){_END})){{1,32}}"


def _element(inside: str) -> re.Pattern[str]:
    """Finds an element's name, its attributes, what stands inside, and the name at its end.

    What follows a repeated part cannot begin as that part does, so giving a part back never leads on, and the time is
    linear in the length. Possessive quantifiers would say so, but find what is not there in the first releases of
    Python 3.11. That the names at the two ends are the same is for the reader to see.
    """
    return re.compile(rf"<({_NAME})({_ATTRIBUTES}) ?(?:/>|>({inside})</({_NAME})>)")


_ROOT = _element(f"(?:{_CHILDREN}|{_TEXT})")
_CHILD = _element(f"(?:{_LEAVES}|{_TEXT})")
_LEAF = _element(_TEXT)
_ATTRIBUTE = re.compile(r"""([a-zA-Z:]+)=(?:'([^']*)'|"([^"]*)")""")
_NOT_DEFAULT = frozenset(("", NS_XML, NS_XMLNS))
_STANZA_TAGS = {f"{{{NS_CLIENT}}}{name}": name for name in STANZA_NAMES}


class _NotPlain(Exception):
    """The parser has a word to say of these attributes or names."""


def read(text: str, start: int = 0, default_ns: str = NS_CLIENT) -> tuple[Stanza | Element, int] | None:
    """Read the plain element that begins at a place.

    Args:
        text: what came from the wire.
        start: where the element begins.
        default_ns: the default namespace there, `""` for none.

    Returns:
        The element, as an event of the stream, and where it ends; `None` where no plain element stands.
    """
    match = _ROOT.match(text, start)
    if match is None:
        return None
    local, attributes, inside, end = match.groups()
    if end is not None and end != local:
        return None
    try:
        attrib, namespace = _attributes(attributes, default_ns)
        root = Element(f"{{{namespace}}}{local}" if namespace else local, attrib)
        if inside:
            _fill(root, inside, namespace)
    except _NotPlain:
        return None
    name = _STANZA_TAGS.get(root.tag)
    if name is None:
        return root, match.end()
    if not inside:
        return Stanza(name, root, b""), match.end()
    return Stanza(name, root, None if "stream:" in inside else inside.encode()), match.end()


def _fill(root: Element, inside: str, namespace: str) -> None:
    """Put children into the outermost element, with theirs, or its text."""
    if inside[0] != "<":
        root.text = inside
        return
    for local, attributes, content, end in _CHILD.findall(inside):
        if end not in ("", local):
            raise _NotPlain
        attrib, own = _attributes(attributes, namespace)
        child = SubElement(root, f"{{{own}}}{local}" if own else local, attrib)
        if not content:
            continue
        if content[0] != "<":
            child.text = content
            continue
        for name, written, text, name_at_end in _LEAF.findall(content):
            if name_at_end not in ("", name):
                raise _NotPlain
            attrib, innermost = _attributes(written, own)
            leaf = SubElement(child, f"{{{innermost}}}{name}" if innermost else name, attrib)
            if text:
                leaf.text = text


def _attributes(written: str, namespace: str) -> tuple[dict[str, str], str]:
    """The attributes of a start tag, and the namespace of its element.

    Raises:
        _NotPlain: one stands twice, or the namespace is none that may be declared.
    """
    attrib: dict[str, str] = {}
    if not written:
        return attrib, namespace
    found = _ATTRIBUTE.findall(written)
    for name, single, double in found:
        attrib[name] = single or double
    if len(attrib) != len(found):
        raise _NotPlain
    if "xmlns" in attrib:
        namespace = attrib.pop("xmlns")
        if namespace in _NOT_DEFAULT or "}" in namespace:
            raise _NotPlain
    if "xml:lang" in attrib:
        attrib = {XML_LANG if name == "xml:lang" else name: value for name, value in attrib.items()}
    return attrib, namespace
