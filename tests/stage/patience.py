"""How long a test waits for what has to come. It costs time only where that does not come: a machine that is slow or
busy must not make a test fail.
"""

from __future__ import annotations

PATIENCE_S = 60.0
PATIENCE_MS = PATIENCE_S * 1000
