"""How many connections an address may hold: a pure count."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Admission:
    """Counts connections by network address.

    Args:
        max_total: connections of one address.
        max_unauthenticated: those of them that have not signed in.
    """

    max_total: int
    max_unauthenticated: int
    _total: dict[str, int] = field(default_factory=dict)
    _unauthenticated: dict[str, int] = field(default_factory=dict)

    def enter(self, address: str) -> bool:
        """Count a new connection; whether it may stay. It is counted in both cases, until it leaves."""
        total = _add(self._total, address, 1)
        return _add(self._unauthenticated, address, 1) <= self.max_unauthenticated and total <= self.max_total

    def authenticated(self, address: str) -> None:
        """A connection has signed in."""
        _add(self._unauthenticated, address, -1)

    def leave(self, address: str, *, was_authenticated: bool) -> None:
        """A connection is gone."""
        _add(self._total, address, -1)
        if not was_authenticated:
            _add(self._unauthenticated, address, -1)


def _add(counts: dict[str, int], address: str, step: int) -> int:
    count = counts.get(address, 0) + step
    if count:
        counts[address] = count
    else:
        counts.pop(address, None)
    return count
