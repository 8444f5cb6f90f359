"""Whether an element is what a script expects.

What the pattern says has to be there; what it does not say may be there too. In attributes and texts, `*` is anything
but nothing, `-` (in an attribute) is absence, and `{?name}` is anything, remembered under that name. The children of
`<x:absent/>` are those that must not be there.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from xml.etree.ElementTree import Element, fromstring, tostring

NS_SCRIPT = "urn:heliograph:script"
_ABSENT = f"{{{NS_SCRIPT}}}absent"
_CAPTURE = re.compile(r"\{\?([\w.-]+)\}")
_CONTEXT = f"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x='{NS_SCRIPT}'"

Captured = MutableMapping[str, str]


def parse(xml: str) -> list[Element]:
    """The elements of a pattern, under the namespaces that a stream declares."""
    return list(fromstring(f"<s {_CONTEXT}>{xml}</s>"))


def shown(element: Element) -> str:
    """An element for a person to read."""
    return tostring(element, encoding="unicode")


def difference(pattern: Element, actual: Element, captured: Captured, *, is_exact: bool = False) -> str:
    """What is not as expected; `""` if all is.

    Args:
        pattern: what is expected.
        actual: what came.
        captured: takes what `{?name}` stands for.
        is_exact: whether nothing may be there that the pattern does not say.
    """
    if pattern.tag != actual.tag:
        return f"<{actual.tag}> is no <{pattern.tag}>"
    for name, wanted in pattern.attrib.items():
        if not _equals(wanted, actual.get(name), captured):
            return f"{name}={actual.get(name)!r} is not {wanted!r}"
    if is_exact and (extra := actual.attrib.keys() - pattern.attrib.keys()):
        return f"{sorted(extra)} is there too"
    text, found = (pattern.text or "").strip(), (actual.text or "").strip()
    if (text or is_exact) and not _equals(text, found, captured):
        return f"the text {found!r} is not {text!r}"
    return _children(pattern, actual, captured, is_exact=is_exact)


def _children(pattern: Element, actual: Element, captured: Captured, *, is_exact: bool) -> str:
    left = list(actual)
    for wanted in pattern:
        if wanted.tag == _ABSENT:
            unwanted = [each for each in wanted for child in actual if not difference(each, child, {})]
            if unwanted:
                return f"{shown(unwanted[0])} is there"
            continue
        reasons = []
        for child in left:
            trial = dict(captured)
            reason = difference(wanted, child, trial, is_exact=is_exact)
            if not reason:
                captured.update(trial)
                left.remove(child)
                break
            reasons.append(reason)
        else:
            return f"{shown(wanted)} is missing ({'; '.join(reasons) or 'there is no child'})"
    return f"{shown(left[0])} is there too" if is_exact and left else ""


def _equals(wanted: str, actual: str | None, captured: Captured) -> bool:
    if wanted == "-":
        return actual is None
    if actual is None:
        return False
    if wanted == "*":
        return actual != ""
    capture = _CAPTURE.fullmatch(wanted)
    if capture is None:
        return wanted == actual
    name = capture[1]
    return captured.setdefault(name, actual) == actual
