"""From the phone's approval to the browser being connected, with the Python SDK on both sides: one sign-in at a time.

    python benchmarks/qr_sign_in.py [--rounds 60]

The check code is typed in no time, as a person is not what is measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import uvloop

from heliograph import SDK
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind
from heliograph.node import run_node
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs

_CAP = 100


async def measure(rounds: int) -> list[float]:
    """Seconds from the call that approves to the callback of the device that was let in."""
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder:
        settings = Settings(data_dir=Path(folder), http_port=0, xmpp_port=0, xmpps_port=0)
        async with run_node(settings) as node:
            policy = replace(apps.Policy(), max_sessions=_CAP)
            made = await apps.create(node.ports, "bench", "localhost", policy=policy)
            key = made.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
            for number in range(rounds):
                async with SDK() as phone, SDK() as screen:
                    for sdk in (phone, screen):
                        await sdk.initialize(node.public_url, key, ca_file=node.certificate_file)
                    await phone.register(f"user{number % 50}")
                    taken.append(await _sign_in(phone, screen))
    return taken


async def _sign_in(phone: SDK, screen: SDK) -> float:
    shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    approved: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    signing_in = asyncio.create_task(
        screen.generate_qr_code(
            lambda code: None if shown.done() else shown.set_result(code.text), ask_code=lambda *_: approved
        )
    )
    consent = (await phone.scan_qr_code(await shown)).data
    begin = time.perf_counter()
    approved.set_result((await phone.approve_qr_code(consent)).data.check_code or "")
    await signing_in
    return time.perf_counter() - begin


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    configure_logs("error", "text")
    taken = sorted(uvloop.run(measure(parser.parse_args().rounds)))
    p99 = taken[min(len(taken) - 1, int(0.99 * len(taken)))]
    p50_ms, p99_ms = statistics.median(taken) * 1e3, p99 * 1e3
    print(f"approved -> connected: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, {len(taken)} rounds")


if __name__ == "__main__":
    main()
