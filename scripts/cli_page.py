#!/usr/bin/env python3
"""Makes `docs/reference/cli.md` from the commands, so that it cannot say anything else than `--help` does.

`make docs` runs it; a test fails where the page is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from heliograph.cli import main as commands

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"

NOTE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->\n"

HEAD = f"""{NOTE}
# Command line

`heliograph COMMAND --help` says the same. A command that fails says why in one line, `code: message`, and ends with
status 1. Commands that look after apps and users work on the data folder of the settings, also while a node runs on it:
it follows within a second. They act for the app's backend, so whoever may run them may do what the secret key may.
"""


def generate() -> dict[str, str]:
    """The page by its file name."""
    root: Any = typer.main.get_command(commands)
    return {"cli.md": HEAD + "".join(section(path, command) for path, command in walk("heliograph", root))}


def walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from walk(f"{path} {name}", command.get_command(None, name))


def section(path: str, command: Any) -> str:
    """What one command is for, and what it takes."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    words = [f"[{each.metavar or each.name.upper()}]" if not each.required else name_of(each) for each in arguments]
    rows = "".join(row(each) for each in command.params if each.name != "help")
    table = f"\n| Argument or option | Default | Meaning |\n| --- | --- | --- |\n{rows}" if rows else ""
    told = "\n".join(line.strip() for line in (command.help or "").splitlines())
    return f"\n## `{' '.join([path, *words])}`\n\n{told}\n{table}"


def name_of(argument: Any) -> str:
    """An argument as the synopsis shows it."""
    return str(argument.metavar or argument.name.upper())


def row(parameter: Any) -> str:
    """One argument or option as a row of the table."""
    if parameter.param_type_name == "argument":
        name = f"`{name_of(parameter)}`"
    else:
        name = ", ".join(f"`{option}`" for option in parameter.opts)
        choices = [getattr(each, "value", each) for each in parameter.type_descriptor.choices or ()]
        name += " " + " or ".join(f"`{each}`" for each in choices) if choices else ""
    told = (parameter.help or "").replace("|", "\\|")
    variable = f" From `{parameter.envvar}`." if parameter.envvar else ""
    return f"| {name} | {default(parameter)} | {told}{variable} |\n"


def default(parameter: Any) -> str:
    """What stands where nothing is given."""
    value = parameter.default
    if parameter.required:
        return "needed"
    if value is None or value is False or callable(value) or (isinstance(value, int) and value > 10**15):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def main() -> None:
    """Write the page."""
    for name, text in generate().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
