"""What a section costs: wall time, and the CPU time and memory of a server's processes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from servers import Server

_TICKS = os.sysconf("SC_CLK_TCK")


def _trees(pids: Sequence[int]) -> list[int]:
    """Processes and all their descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], list(pids)
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_s(server: Server) -> float:
    """CPU seconds that a server's processes have used, in user and system mode, ended ones too."""
    ticks = 0
    for pid in _trees(server.pids):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        ticks += sum(map(int, fields[11:15]))  # its own, and of the children that it has waited for
    return ticks / _TICKS


def rss_kib(server: Server) -> int:
    """Resident memory of a server's processes in KiB."""
    lines = [line for pid in _trees(server.pids) for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


class Meter:
    """Wall time and the server's CPU time of a section."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> Meter:
        self._cpu, self._own, self._begin = cpu_s(self._server), time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wall_s = time.perf_counter() - self._begin
        self.cpu_s = cpu_s(self._server) - self._cpu
        self.own_s = time.process_time() - self._own

    def per(self, count: int) -> dict[str, float]:
        """Rate, the server's CPU for each, and how busy the two sides were.

        Raises:
            RuntimeError: nothing was done.
        """
        if not count:
            raise RuntimeError("nothing was done in the measured section")
        return {
            "rate": round(count / self.wall_s, 1),
            "cpu_us": round(self.cpu_s * 1e6 / count, 1),
            "server_cores": round(self.cpu_s / self.wall_s, 2),
            "generator_cores": round(self.own_s / self.wall_s, 2),
        }
