"""How a node listens, beside what the suites of its parts show."""

from __future__ import annotations

import socket

import pytest

from heliograph import node
from heliograph.errors import SettingsInvalid


def test_an_answer_never_waits_for_the_acknowledgement_of_its_header() -> None:
    """With Nagle's algorithm the body would, some 40 ms on Linux (RFC 1122, section 4.2.3.4)."""
    with node._listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_port_that_is_taken_is_named() -> None:
    with node._listen("127.0.0.1", 0) as taken, pytest.raises(SettingsInvalid, match=str(taken.getsockname()[1])):
        node._listen("127.0.0.1", taken.getsockname()[1])
