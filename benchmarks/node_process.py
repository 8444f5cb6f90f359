"""The node under measurement: a child process with the default configuration, but for TLS, and what it costs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

HOST = "127.0.0.1"
DOMAIN = "localhost"
HTTP_PORT, XMPP_PORT, XMPPS_PORT = 18080, 15722, 15723
"""Below 32768, where no outgoing connection can take them by chance."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A node that is up: its process and its app's keys by environment and kind."""

    pid: int
    keys: dict[str, dict[str, str]]

    def cpu_s(self) -> float:
        """CPU seconds that it has used, in user and system mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_kib(self) -> int:
        """Resident memory in KiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


class Meter:
    """Wall time and the node's CPU time of a section."""

    def __init__(self, node: NodeProcess) -> None:
        self._node = node

    def __enter__(self) -> Meter:
        self._cpu, self._own, self._begin = self._node.cpu_s(), time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wall_s = time.perf_counter() - self._begin
        self.cpu_s = self._node.cpu_s() - self._cpu
        self.own_s = time.process_time() - self._own

    def per(self, count: int) -> dict[str, float]:
        """Rate, node's CPU for each, and how busy the two processes were."""
        return {
            "rate": round(count / self.wall_s, 1),
            "cpu_us": round(self.cpu_s * 1e6 / count, 1),
            "node_cores": round(self.cpu_s / self.wall_s, 2),
            "generator_cores": round(self.own_s / self.wall_s, 2),
        }


@asynccontextmanager
async def node_process() -> AsyncIterator[NodeProcess]:
    """Start a node with its data in a temporary folder; it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder:
        environment = {
            **os.environ,
            "HELIOGRAPH_DATA_DIR": folder,
            "HELIOGRAPH_HTTP_PORT": str(HTTP_PORT),
            "HELIOGRAPH_XMPP_PORT": str(XMPP_PORT),
            "HELIOGRAPH_XMPPS_PORT": str(XMPPS_PORT),
            "HELIOGRAPH_XMPP_REQUIRES_TLS": "false",
            "HELIOGRAPH_LOG_LEVEL": "warning",
        }
        keys = await asyncio.to_thread(_create_app, environment)
        command = (sys.executable, "-m", "heliograph.cli", "serve")
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            await process.stdout.readline()
            yield NodeProcess(process.pid, keys)
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)


def _create_app(environment: dict[str, str]) -> dict[str, dict[str, str]]:
    command = [sys.executable, "-m", "heliograph.cli", "app", "create", "bench", "--json", "--contacts", "open"]
    made: dict[str, Any] = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    keys: dict[str, dict[str, str]] = made["keys"]
    return keys
