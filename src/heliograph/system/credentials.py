"""New passwords with their SCRAM verifiers (RFC 5802, RFC 7677), derived beside the event loop and ahead of need.

PBKDF2 is the slowest step of a registration and lets go of the interpreter lock, so it runs on a thread for each core.
A new account's salt is free to choose, so its credentials can lie ready: a burst of registrations takes them from a
stock, which one thread of low priority fills up again; the last of them at leisure.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from heliograph.core import limits
from heliograph.core.sessions import Credentials, Verifiers
from heliograph.xmpp.scram import derive

STOCK = 1024
STOCK_AT_ONCE = 64
LEISURE_S = 0.1
"""The pause before each of the stock beyond `STOCK_AT_ONCE`: a node that has just started does not keep a core busy."""
REFILL_NICENESS = 10


class PreparedCredentials:
    """The adapter of `CredentialSource`; closed by `close()` or by leaving `with`.

    Args:
        random: gives that many unpredictable bytes.
        iterations: of PBKDF2, for new accounts.
        stock: how many credentials for new accounts lie ready, some 1 KB each.
    """

    def __init__(
        self, random: Callable[[int], bytes], iterations: int = limits.SCRAM_ITERATIONS, stock: int = STOCK
    ) -> None:
        self._random = random
        self._iterations = iterations
        self._stock: deque[Credentials] = deque()
        self._missing = threading.Semaphore(stock)
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="heliograph-kdf")
        self._refill = threading.Thread(target=self._keep_stock, name="heliograph-kdf-stock", daemon=True)
        self._refill.start()

    @property
    def prepared(self) -> int:
        """How many credentials for new accounts lie ready."""
        return len(self._stock)

    async def fresh(self) -> Credentials:
        """A password under a new salt: from the stock or, where that is empty, derived now."""
        try:
            credentials = self._stock.popleft()
        except IndexError:
            return await self.under(self._random(limits.SALT_BYTES), self._iterations)
        self._missing.release()
        return credentials

    async def under(self, salt: bytes, iterations: int) -> Credentials:
        """A further password under an account's own salt."""
        return await asyncio.wrap_future(self._threads.submit(self._make, salt, iterations))

    def close(self) -> None:
        """Stop the threads, which takes some milliseconds at most."""
        self._closing.set()
        self._missing.release()
        self._refill.join()
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _make(self, salt: bytes, iterations: int) -> Credentials:
        password = base64.urlsafe_b64encode(self._random(limits.PASSWORD_BYTES)).decode()
        verifiers = Verifiers(
            *derive(password, salt, iterations, "sha1"),
            *derive(password, salt, iterations, "sha256"),
            sha256=hashlib.sha256(password.encode()).digest(),
        )
        return Credentials(password, salt, iterations, verifiers)

    def _keep_stock(self) -> None:
        if sys.platform == "linux":  # elsewhere the call would mean the whole process
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), REFILL_NICENESS)
        while self._missing.acquire():
            if self._closing.wait(LEISURE_S if len(self._stock) >= STOCK_AT_ONCE else 0):
                return
            self._stock.append(self._make(self._random(limits.SALT_BYTES), self._iterations))
