"""Examine a node, and say what to do."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from heliograph.cli.options import AsJson, ConfigFile
from heliograph.cli.running import settings_of
from heliograph.doctor.examination import examine
from heliograph.doctor.findings import Severity

_MARKS = {Severity.OK: "ok     ", Severity.WARNING: "WARNING", Severity.PROBLEM: "PROBLEM"}


def doctor(
    config: ConfigFile = None,
    ask: Annotated[
        str | None, typer.Option(help="A server to compare the clock with, such as https://example.org.")
    ] = None,
    ejabberd: Annotated[
        Path | None,
        typer.Option(help="The ejabberd.yml of this machine; else /etc/ejabberd/ejabberd.yml, if it can be read."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, certificate, ports, database, clock, disk and permissions.

    Exit status 0 means that there is no problem; warnings do not count. It may run beside the node.
    """
    findings = examine(settings_of(config), os.environ, dt.datetime.now(dt.UTC), ask, ejabberd)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.severity]}  {finding.subject}: {finding.text}")
            if finding.advice:
                print(f"         {finding.advice}")
    if any(finding.severity is Severity.PROBLEM for finding in findings):
        raise typer.Exit(1)
