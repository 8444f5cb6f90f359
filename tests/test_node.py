"""How a node listens, beside what the suites of its parts show."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from heliograph import node
from heliograph.errors import SettingsInvalid
from heliograph.settings import Settings


def test_an_answer_never_waits_for_the_acknowledgement_of_its_header() -> None:
    """With Nagle's algorithm the body would, some 40 ms on Linux (RFC 1122, section 4.2.3.4)."""
    with node._listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_port_that_is_taken_is_named() -> None:
    with node._listen("127.0.0.1", 0) as taken, pytest.raises(SettingsInvalid, match=str(taken.getsockname()[1])):
        node._listen("127.0.0.1", taken.getsockname()[1])


async def test_an_idle_connection_is_left_to_the_client_to_close(tmp_path: Path) -> None:
    """If both sides do so after the same time, a call can meet the end of its connection, and is lost."""
    wanted = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with node.run_node(wanted) as running, httpx.AsyncClient(base_url=running.public_url) as http:
        before = _timers()
        await http.get("/livez")
        kept_s = max(timer.when() for timer in _timers() - before) - asyncio.get_running_loop().time()
    sdk_s = httpx.Limits().keepalive_expiry
    assert sdk_s is not None
    assert kept_s > 10 * sdk_s


def _timers() -> set[asyncio.TimerHandle]:
    """What the event loop is to do later, among it the end of idle connections."""
    return {timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()}  # type: ignore[attr-defined]
