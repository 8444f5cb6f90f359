"""Conversation scripts: what clients send and receive, written to be read. `docs/how-to/write-a-conversation.md` tells
the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERBS = (
    "is registered",
    "connects",
    "secures",
    "sends",
    "receives exactly",
    "receives in any order",
    "receives nothing",
    "receives",
    "skips",
    "drops",
    "is closed",
    "calls",
    "negotiated",
    "reads",
)
_NAME = r"[a-z]+(?:/\w+)?"
_STEP = re.compile(rf"({_NAME}) ({'|'.join(VERBS)})(?:[:,]?\s(.*))?", re.DOTALL)
_FRIENDS = re.compile(r"([a-z]+) and ([a-z]+) are friends")
_SPECIFICATION = re.compile(r"(RFC \d{4}|XEP-\d{4})")


@dataclass(frozen=True)
class Step:
    """One line of a script, with the lines that continue it.

    Attributes:
        line: its number in the file.
        actor: a user, or a user and a resource: `ada`, `ada/phone`; the other of two friends stands in `text`.
        verb: one of `VERBS`, or `befriends`.
        text: what follows it.
    """

    line: int
    actor: str
    verb: str
    text: str

    @property
    def user(self) -> str:
        """The actor's user."""
        return self.actor.partition("/")[0]


@dataclass(frozen=True)
class Script:
    """A conversation.

    Attributes:
        title: its first comment, which names the specification and says what is shown.
        specifications: those that its comments name, such as `RFC 6121` and `XEP-0198`.
    """

    path: Path
    title: str
    specifications: frozenset[str]
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Its folder and file name without the ending."""
        return f"{self.path.parent.name}/{self.path.stem}"


def read(path: Path) -> Script:
    """Read a script.

    Raises:
        ValueError: a line says nothing that the format knows, or the first line is no comment.
    """
    text = path.read_text(encoding="utf-8")
    comments = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
    if not text.startswith("# "):
        raise ValueError(f"{path.name}: the first line says which specification is shown")
    steps = tuple(_step(path, number, line) for number, line in _lines(text))
    return Script(path, comments[0], frozenset(_SPECIFICATION.findall("\n".join(comments))), steps)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Statements with the numbers of their lines; an indented line goes on with the statement before."""
    statement, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace():
            statement += f"\n{line.strip()}"
            continue
        if statement:
            yield start, statement
        statement, start = line.rstrip(), number
    if statement:
        yield start, statement


def _step(path: Path, number: int, statement: str) -> Step:
    friends = _FRIENDS.fullmatch(statement)
    if friends is not None:
        return Step(number, friends[1], "befriends", friends[2])
    found = _STEP.fullmatch(statement)
    if found is None:
        raise ValueError(f"{path.name}, line {number}: what does this say? {statement}")
    return Step(number, found[1], found[2], (found[3] or "").strip())
