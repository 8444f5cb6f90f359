"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: how bad it is; a node with a problem does not work, or soon will not, or is not safe.
        subject: what was looked at, such as `certificate`.
        text: what was found, in one sentence.
        advice: what to do; `""` where there is nothing to do.
    """

    severity: Severity
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Severity.OK, subject, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(Severity.WARNING, subject, text, advice)


def problem(subject: str, text: str, advice: str) -> Finding:
    """It has to be mended."""
    return Finding(Severity.PROBLEM, subject, text, advice)
