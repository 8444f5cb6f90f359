#!/usr/bin/env python3
"""Makes docs/reference/xmpp.md and docs/reference/heliograph.doap.xml: which RFCs and XEPs the server speaks, where in
the code, and which conversations show it.

The table of `heliograph.xmpp.specifications` says what and how far, the docstrings of modules where, the comments of
conversation scripts by which test. `make docs` runs it; a test fails where a page is stale.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from heliograph.xmpp.specifications import SPECIFICATIONS, Specification

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PACKAGE = ROOT / "src" / "heliograph"
CONVERSATIONS = ROOT / "tests" / "conformance"
SERVER = ("core", "engines", "server", "xmpp")
NOTE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n"
_NAMED = re.compile(r"RFC (?P<rfc>\d{4})|XEP-(?P<xep>\d{4})(?P<more>(?:(?:,| and) \d{4})*)")


def generate() -> dict[str, str]:
    """Both pages by their file names."""
    return {"heliograph.doap.xml": doap(), "xmpp.md": page()}


def named_in(text: str) -> set[str]:
    """The specifications that a text names, as `RFC 6120`, `XEP-0198`, or `XEP-0092, 0202 and 0012`."""
    numbers: set[str] = set()
    for found in _NAMED.finditer(text):
        if found["rfc"]:
            numbers.add(f"RFC {found['rfc']}")
        else:
            numbers |= {f"XEP-{number}" for number in (found["xep"], *re.findall(r"\d{4}", found["more"]))}
    return numbers


def modules() -> dict[str, list[str]]:
    """The server's modules whose docstrings name a specification, by its number."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in SERVER:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            for number in named_in(docstring):
                found[number].append(path.relative_to(PACKAGE).as_posix())
    return dict(found)


def conversations() -> dict[str, list[str]]:
    """The conversation scripts whose comments name a specification, by its number."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(CONVERSATIONS.rglob("*.xmpp")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number in named_in("\n".join(line for line in lines if line.startswith("#"))):
            found[number].append(path.relative_to(CONVERSATIONS).as_posix())
    return dict(found)


def page() -> str:
    """The page for people."""
    where, shown = modules(), conversations()
    rfcs = "".join(_row(each, where, shown) for each in SPECIFICATIONS if each.number.startswith("RFC"))
    xeps = "".join(_row(each, where, shown) for each in SPECIFICATIONS if each.number.startswith("XEP"))
    head = "|---|---|---|---|---|---|\n"
    return f"""{NOTE}
# Supported RFCs and XEPs

What the embedded XMPP server speaks, for programs also as [DOAP](heliograph.doap.xml) (XEP-0453). Each entry is shown
by at least one conversation that is [played on a running node](../how-to/write-a-conversation.md).

## RFCs

| RFC | Title | Status | Note | Where | Conversations |
{head}{rfcs}
## XEPs

| XEP | Title | Version and status | Note | Where | Conversations |
{head}{xeps}"""


def _row(each: Specification, where: dict[str, list[str]], shown: dict[str, list[str]]) -> str:
    files = ", ".join(f"`{path}`" for path in where[each.number])
    scripts = shown.get(each.number, [])
    links = ", ".join(f"[{Path(path).stem}](../../tests/conformance/{path})" for path in scripts[:_SHOWN_MAX])
    more = f" and {len(scripts) - _SHOWN_MAX} more" if len(scripts) > _SHOWN_MAX else ""
    status = f"{each.version}, {each.status}" if each.version else each.status
    return f"| [{each.number}]({each.url}) | {each.title} | {status} | {each.note} | {files} | {links}{more} |\n"


_SHOWN_MAX = 6


def doap() -> str:
    """The description of the project, as XEP-0453 has it."""
    rfcs = "".join(
        f"    <implements rdf:resource={quoteattr(each.url)}/>\n"
        for each in SPECIFICATIONS
        if each.number.startswith("RFC")
    )
    xeps = "".join(_supported(each) for each in SPECIFICATIONS if each.number.startswith("XEP"))
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'
         xmlns='http://usefulinc.com/ns/doap#'
         xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>
  <Project xml:lang='en'>
    <name>Heliograph</name>
    <shortdesc xml:lang='en'>Self-hosted registration, device sessions, XMPP, QR sign-in and live profiles</shortdesc>
    <license rdf:resource='https://www.apache.org/licenses/LICENSE-2.0'/>
    <programming-language>Python</programming-language>
    <os>Linux</os>
    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-server'/>
{rfcs}{xeps}  </Project>
</rdf:RDF>
"""


def _supported(each: Specification) -> str:
    note = f"\n        <xmpp:note xml:lang='en'>{escape(each.note)}</xmpp:note>" if each.note else ""
    return f"""    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource={quoteattr(each.url)}/>
        <xmpp:status>{each.status}</xmpp:status>
        <xmpp:version>{each.version}</xmpp:version>
        <xmpp:since>{each.since}</xmpp:since>{note}
      </xmpp:SupportedXep>
    </implements>
"""


if __name__ == "__main__":
    for name, text in generate().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
