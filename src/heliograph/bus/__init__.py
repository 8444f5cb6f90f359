"""What nodes tell each other and count together: adapters of `Bus` and `RateCounters`."""

from __future__ import annotations

from dataclasses import dataclass

from heliograph.core.ports import Bus, RateCounters


@dataclass(frozen=True, slots=True)
class Shared:
    """Both, over one thing that nodes share."""

    bus: Bus
    rates: RateCounters
