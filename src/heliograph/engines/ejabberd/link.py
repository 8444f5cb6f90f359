"""The connection to ejabberd as an external component; it comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

import structlog

from heliograph.core import limits
from heliograph.xmpp.component import HANDSHAKE_TAG, as_stanza, handshake, header
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Event, Limits, ReaderPool, StreamEnd, StreamError, StreamHeader, StreamParser

log = structlog.get_logger("heliograph.ejabberd")

STANZA_MAX_BYTES = 1024 * 1024
PENDING_MAX_BYTES = 64 * 1024 * 1024
"""What may wait for ejabberd to read it; then the connection is given up, and what was missed is made good after the
next one.
"""
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
RETRY_FIRST_S, RETRY_MAX_S = 0.2, 5.0
_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where ejabberd listens, and who connects."""

    host: str
    port: int
    name: str
    secret: str = field(repr=False)


class ComponentLink:
    """One connection at a time.

    Args:
        address: where to.
        received: gets this link and each stanza.
        lost: is told that stanzas can be sent no longer.

    Attributes:
        is_renewing: whether it is gone by intent, and on its way back; whoever is granted something again resets it.
    """

    def __init__(
        self,
        address: Address,
        received: Callable[[ComponentLink, Stanza], None],
        lost: Callable[[ComponentLink], None],
    ) -> None:
        self._address = address
        self._received = received
        self._lost = lost
        self.is_renewing = False
        self._is_given_up = False
        self._writer: asyncio.StreamWriter | None = None

    def send(self, data: bytes) -> bool:
        """Send a stanza, and never wait; false where it is lost, as there is no connection."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > PENDING_MAX_BYTES:
            log.warning("ejabberd_reads_too_slowly")
            writer.transport.abort()
            return False
        writer.write(data)
        return True

    def reconnect(self) -> None:
        """Give this connection up for a new one, once what waits in it was sent."""
        if self._writer is not None:
            self._is_given_up = True
            self._writer.transport.close()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._writer.transport.abort)

    async def run(self) -> None:
        """Connect, again and again, until it is cancelled."""
        patience_s = RETRY_FIRST_S
        while True:
            try:
                await self._connect()
                patience_s = RETRY_FIRST_S
            except (OSError, TimeoutError, StreamError) as error:
                log.warning("ejabberd_unreachable", error=str(error) or type(error).__name__)
            self.is_renewing, self._is_given_up = self._is_given_up, False
            if self.is_renewing:
                continue
            await asyncio.sleep(patience_s)
            patience_s = min(patience_s * 2, RETRY_MAX_S)

    async def _connect(self) -> None:
        """One connection, from its beginning to its end."""
        address = self._address
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(address.host, address.port)
        parser = StreamParser(Limits(STANZA_MAX_BYTES, limits.STANZA_MAX_DEPTH, STANZA_MAX_BYTES), ReaderPool())
        try:
            writer.write(header(address.name))
            while data := await reader.read(_READ_BYTES):
                for event in parser.feed(data):
                    self._take(event, writer)
        finally:
            parser.close()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            if self._writer is not None:
                self._writer = None
                self._lost(self)

    def _take(self, event: Event, writer: asyncio.StreamWriter) -> None:
        match event:
            case StreamHeader():
                writer.write(handshake(event.attrib.get("id", ""), self._address.secret))
            case StreamEnd():
                raise StreamError("undefined-condition", "ejabberd has closed the stream")
            case Element(tag=tag) if tag == HANDSHAKE_TAG:
                self._writer = writer
                log.info(
                    "ejabberd_connected", component=self._address.name, at=f"{self._address.host}:{self._address.port}"
                )
            case Element():
                stanza = as_stanza(event)
                if stanza is None:
                    conditions = [child.tag.rpartition("}")[2] for child in event]
                    raise StreamError("undefined-condition", f"ejabberd says: {', '.join(conditions)}")
                self._received(self, stanza)
