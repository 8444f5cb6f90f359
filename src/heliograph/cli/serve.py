"""Run a node, or see the demo."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Annotated

import typer

from heliograph import demo as demonstration
from heliograph.cli.options import ConfigFile
from heliograph.cli.running import loop_factory, run, settings_of, stop_signal
from heliograph.node import run_node
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs

_SWITCH_S = 0.001
"""How long the thread that commits may wait for a busy event loop to lend it the interpreter, which it needs twice for
each commit. With Python's own 5 ms a session took 27 ms to end under full load, so it takes 21; messages cost the same.
"""


def serve(config: ConfigFile = None) -> None:
    """Run a node: HTTP, WebSocket and XMPP in one process. SIGTERM or Ctrl-C stops it gracefully."""
    settings = settings_of(config)
    configure_logs(settings.log_level, settings.log_format)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopped = stop_signal()
    sys.setswitchinterval(_SWITCH_S)
    async with run_node(settings) as node:
        print(f"Heliograph is up: {node.public_url}, XMPP on {node.xmpp_port} (STARTTLS) and {node.xmpps_port} (TLS)")
        print(f"Certificate: {node.certificate_file}", flush=True)
        _keep_what_is_loaded()
        await stopped.wait()


def _keep_what_is_loaded() -> None:
    """Take what a node consists of out of the garbage collector's sight: 98,000 objects that stay anyway. A full
    collection went through them all, and held the event loop for 45 to 60 ms.
    """
    gc.collect()
    gc.freeze()


def demo(
    stays: Annotated[
        bool | None,
        typer.Option(
            "--stay/--no-stay",
            help="Whether a node stays up then with two users, to try the pages, until Ctrl-C; it does at a terminal.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="The port of the pages; 0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """Play the whole story on a private node over real sockets. Exit status 0 means that each promise held."""
    configure_logs("error", "text")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        is_held = runner.run(demonstration.play())
    if not is_held:
        raise typer.Exit(1)
    if sys.stdout.isatty() if stays is None else stays:
        run(_stay(port))
    else:
        print("Try the pages yourself: make demo ARGS=--stay")


async def _stay(port: int) -> None:
    await demonstration.stay(port, stop_signal())
