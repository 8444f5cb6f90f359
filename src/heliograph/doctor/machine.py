"""Is the machine ready: ports, disk, clock, open files, and who may read the secrets?"""

from __future__ import annotations

import datetime as dt
import email.utils
import resource
import shutil
import socket
import stat
from pathlib import Path

import httpx

from heliograph.doctor.findings import Finding, ok, problem, warning
from heliograph.system.open_files import OPEN_FILES_ENOUGH

DISK_PROBLEM_BYTES = 100 * 1024**2
DISK_WARNING_BYTES = 1024**3
CLOCK_SKEW_S = 30.0
_RELEASED = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""No clock that is right shows an earlier time."""
_ASK_TIMEOUT_S = 5.0


def port(name: str, host: str, number: int) -> Finding:
    """Whether a port is free, or already open on a running node."""
    if number == 0:
        return ok("ports", f"{name}: any free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, number), family=family).close()
    except OSError as error:
        return _taken(name, host, number, error)
    return ok("ports", f"{name}: {number} on {host} is free")


def _taken(name: str, host: str, number: int, error: OSError) -> Finding:
    if isinstance(error, PermissionError):
        advice = "Choose a port from 1024 on, or let the service manager hand it over."
        return problem("ports", f"{name}: {number} on {host} may not be opened", advice)
    if _is_open(host, number):
        advice = "Fine if that is this node; else stop what holds it, or choose another port."
        return warning("ports", f"{name}: {number} on {host} is in use", advice)
    return problem("ports", f"{name}: {number} on {host}: {error.strerror}", "Choose an address of this machine.")


def _is_open(host: str, number: int) -> bool:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is looked at, not opened
    try:
        socket.create_connection((reached, number), timeout=1.0).close()
    except OSError:
        return False
    return True


def disk(folder: Path) -> Finding:
    """Whether there is room for data."""
    free = shutil.disk_usage(_existing(folder)).free
    text, advice = f"{free // 1024**2} MiB free", "Make room, or move data_dir to a larger disk."
    if free < DISK_PROBLEM_BYTES:
        return problem("disk", text, advice)
    return warning("disk", text, advice) if free < DISK_WARNING_BYTES else ok("disk", text)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def permissions(private: list[Path]) -> list[Finding]:
    """Whether nobody but the owner can get at what is secret.

    Args:
        private: files and folders that hold secrets; those that are not there do not count.
    """
    found = []
    for path in private:
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            wanted = "700" if path.is_dir() else "600"
            found.append(problem("permissions", f"{path} is open to others ({mode:o})", f"chmod {wanted} {path}"))
    return found or [ok("permissions", "secrets are readable by their owner alone")]


def clock(now: dt.datetime, newest_entry: float, ask: str | None = None) -> list[Finding]:
    """Whether the clock can be right.

    Args:
        now: what it shows.
        newest_entry: when the newest change was made, in seconds since the epoch.
        ask: the URL of a server whose `Date` is believed; `None` asks nobody.
    """
    advice = "Let the machine set its clock by itself (NTP)."
    if now < _RELEASED or now.timestamp() < newest_entry - CLOCK_SKEW_S:
        return [problem("clock", f"{now:%Y-%m-%d %H:%M} UTC is in the past", advice)]
    if ask is None:
        return [ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")]
    try:
        told = httpx.head(ask, timeout=_ASK_TIMEOUT_S).headers["Date"]
        skew_s = (now - email.utils.parsedate_to_datetime(told)).total_seconds()
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return [warning("clock", f"{ask} tells no time", "Ask another server.")]
    if abs(skew_s) > CLOCK_SKEW_S:
        return [problem("clock", f"{skew_s:+.0f} s off {ask}: tokens and assertions will fail", advice)]
    return [ok("clock", f"agrees with {ask}")]


def open_files() -> Finding:
    """Whether the system lets the node hold enough sockets."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES_ENOUGH:
        return warning("open files", f"at most {hard}", "Raise the limit (ulimit -Hn, or LimitNOFILE of systemd).")
    return ok("open files", "enough")
