"""The ejabberd engine: its configuration."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from heliograph.cli.options import ConfigFile
from heliograph.cli.running import run, settings_of
from heliograph.engines.ejabberd.api import ApiRefused, ApiUnavailable, EjabberdApi
from heliograph.engines.ejabberd.configuration import fragment, whole
from heliograph.errors import Unreachable
from heliograph.node import ejabberd_api_token, ejabberd_configuration
from heliograph.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="The ejabberd engine.")


@commands.command()
def configure(
    config: ConfigFile = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it, for its owner alone to read; else it is printed.")
    ] = None,
    component: Annotated[
        list[str] | None, typer.Option(help="The names of all nodes' components, if there is more than one node.")
    ] = None,
    is_fragment: Annotated[
        bool, typer.Option("--fragment", help="Only what an existing ejabberd.yml lacks, for these hosts alone.")
    ] = False,
    is_reloaded: Annotated[
        bool,
        typer.Option("--reload", help="Let the running ejabberd (ejabberd_api_url) read it at once; with --output."),
    ] = False,
) -> None:
    """Write the ejabberd.yml that serves this installation's users, with the reasons as comments.

    It holds the component's secret. Write it again after an app was created, and let ejabberd reload it, on each node
    of an ejabberd cluster.
    """
    settings = settings_of(config)
    program = [sys.executable, "-m", "heliograph.cli", "ejabberd-auth"]
    if config is not None:
        program += ["--config", str(config.absolute())]
    terms = run(ejabberd_configuration(settings, shlex.join(program), component or ()))
    text = fragment(terms) if is_fragment else whole(terms)
    if output is None:
        print(text, end="")
        return
    output.touch(mode=0o600)
    output.write_text(text, encoding="utf-8")
    print(f"{output}: {len(terms.hosts)} hosts")
    if is_reloaded:
        run(_reload(settings))
        print("ejabberd has read it")


async def _reload(settings: Settings) -> None:
    try:
        async with EjabberdApi((settings.ejabberd_api_url,), ejabberd_api_token(settings)) as api:
            await api.reload()
    except ApiUnavailable as error:
        raise Unreachable(f"ejabberd does not answer ({error}); it reads the file when it starts") from None
    except ApiRefused as error:
        raise Unreachable(f"ejabberd refuses ({error}); run once: ejabberdctl reload_config") from None
