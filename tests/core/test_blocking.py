"""Who blocks whom, and how much a list holds."""

from __future__ import annotations

import pytest

from heliograph.core import blocking, limits
from heliograph.core.blocking import Apart
from heliograph.errors import BlockInvalid, BlockLimit

ADA = "ada@chat.example"
BOB = "bob@chat.example"


def test_a_user_is_apart_from_whom_they_block_and_from_who_blocks_them() -> None:
    apart = Apart(ADA, frozenset((BOB, "far.example")), frozenset(("eve@chat.example",)))
    assert [apart.covers(jid) for jid in (BOB, "zoe@far.example", "eve@chat.example")] == [True, True, True]
    assert not apart.covers("kim@chat.example")


def test_nobody_is_apart_from_oneself() -> None:
    assert not Apart(ADA, frozenset(("chat.example",)), frozenset((ADA,))).covers(ADA)
    with pytest.raises(BlockInvalid):
        blocking.check(ADA, (BOB, f"{ADA}/phone"))


def test_a_full_list_takes_nobody_more_and_still_lets_go() -> None:
    full = frozenset(f"user{number}@chat.example" for number in range(limits.BLOCKED_MAX))
    with pytest.raises(BlockLimit):
        blocking.add(full, frozenset((BOB,)))
    assert blocking.add(full, full) == full
