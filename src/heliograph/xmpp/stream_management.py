"""Stream management (XEP-0198): both sides count the stanzas that they handled and keep those that the other side has
not acknowledged, so that a stream whose connection was lost goes on where it stood.

`Ledger` is one side's account of one stream. The elements are the same for client and server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import NS_STANZAS, quote
from heliograph.xmpp.stream import StreamError

NS_SM = "urn:xmpp:sm:3"
FEATURE = f"<sm xmlns='{NS_SM}'/>"
FEATURE_TAG = f"{{{NS_SM}}}sm"
REQUEST = f"<r xmlns='{NS_SM}'/>".encode()

_COUNTERS = 2**32
_ID_MAX_CHARS = 4000  # section 12, XML schema


@dataclass(frozen=True, slots=True)
class EnableWanted:
    """The client asks for stream management: with resumption or not, and for how many seconds at most."""

    is_resumable: bool = False
    max_s: int | None = None


@dataclass(frozen=True, slots=True)
class ResumeWanted:
    """The client asks to go on with the stream of that id, of which it has handled `handled` stanzas."""

    id: str
    handled: int


@dataclass(frozen=True, slots=True)
class AckWanted:
    """The other side asks how many stanzas were handled."""


@dataclass(frozen=True, slots=True)
class Acked:
    """The other side has handled so many stanzas."""

    handled: int


@dataclass(frozen=True, slots=True)
class Enabled:
    """The server manages the stream from here on, and with an `id` it can be resumed, for `max_s` seconds."""

    id: str | None = None
    max_s: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The stream of that id goes on, of which the server has handled `handled` stanzas."""

    id: str
    handled: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The server refused to enable or to resume; `handled` is what it had handled of the old stream, if it knows."""

    handled: int | None = None


Management = EnableWanted | ResumeWanted | AckWanted | Acked | Enabled | Resumed | Failed


def parse(element: Element) -> Management | None:
    """What an element says of stream management; `None` if it is of another namespace or not known.

    Raises:
        StreamError: a counter or an id is missing or malformed.
    """
    read = _READERS.get(element.tag)
    return None if read is None else read(element)


def _counter(element: Element) -> int:
    text = element.get("h", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) < _COUNTERS):
        raise StreamError("bad-format", "A counter of stream management is a number below 2^32")
    return int(text)


def _seconds(element: Element) -> int | None:
    text = element.get("max", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def _previd(element: Element) -> str:
    previd = element.get("previd", "")
    if not 0 < len(previd) <= _ID_MAX_CHARS:
        raise StreamError("bad-format", "To resume a stream takes its id")
    return previd


def _is_resumable(element: Element) -> bool:
    return element.get("resume") in ("true", "1")


_READERS: Mapping[str, Callable[[Element], Management]] = {
    f"{{{NS_SM}}}r": lambda _: AckWanted(),
    f"{{{NS_SM}}}a": lambda element: Acked(_counter(element)),
    f"{{{NS_SM}}}enable": lambda element: EnableWanted(_is_resumable(element), _seconds(element)),
    f"{{{NS_SM}}}resume": lambda element: ResumeWanted(_previd(element), _counter(element)),
    f"{{{NS_SM}}}enabled": lambda element: Enabled(
        element.get("id") if _is_resumable(element) else None, _seconds(element)
    ),
    f"{{{NS_SM}}}resumed": lambda element: Resumed(_previd(element), _counter(element)),
    f"{{{NS_SM}}}failed": lambda element: Failed(None if element.get("h") is None else _counter(element)),
}


# ------------------------------------------------------------------------------------------------------------ elements


def enable() -> bytes:
    """What a client sends to have its stream managed and kept (section 3)."""
    return f"<enable xmlns='{NS_SM}' resume='true'/>".encode()


def enabled(stream_id: str | None, max_s: int) -> bytes:
    """The server's answer to `<enable/>`: with the id to resume by, or without resumption (section 3)."""
    if stream_id is None:
        return f"<enabled xmlns='{NS_SM}'/>".encode()
    return f"<enabled xmlns='{NS_SM}' id={quote(stream_id)} resume='true' max='{max_s}'/>".encode()


def resume(stream_id: str, handled: int) -> bytes:
    """What a client sends in place of binding a resource (section 5)."""
    return f"<resume xmlns='{NS_SM}' previd={quote(stream_id)} h='{handled}'/>".encode()


def resumed(stream_id: str, handled: int) -> bytes:
    """The server's answer to `<resume/>` (section 5)."""
    return f"<resumed xmlns='{NS_SM}' previd={quote(stream_id)} h='{handled}'/>".encode()


def failed(condition: str) -> bytes:
    """The server enables or resumes nothing, and the stream stands as before (sections 3 and 5)."""
    return f"<failed xmlns='{NS_SM}'><{condition} xmlns='{NS_STANZAS}'/></failed>".encode()


def ack(handled: int) -> bytes:
    """How many stanzas were handled (section 4)."""
    return f"<a xmlns='{NS_SM}' h='{handled}'/>".encode()


# -------------------------------------------------------------------------------------------------------------- ledger


@dataclass(slots=True)
class Ledger:
    """What one side has handled and sent since a stream is managed.

    Args:
        max_stanzas: how many sent stanzas may be unacknowledged.
        max_bytes: how many bytes they may have together.

    Attributes:
        handled: stanzas of the other side that were handled, modulo 2^32.
    """

    max_stanzas: int
    max_bytes: int
    handled: int = 0
    _acked: int = 0
    _queue: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    _asked: int | None = None

    def count(self) -> None:
        """A stanza of the other side was handled."""
        self.handled = (self.handled + 1) % _COUNTERS

    def add(self, stanza: bytes) -> None:
        """A stanza is sent, or would be if there were a connection."""
        self._queue.append(stanza)
        self._bytes += len(stanza)

    @property
    def is_full(self) -> bool:
        """Whether more is unacknowledged than may be."""
        return len(self._queue) > self.max_stanzas or self._bytes > self.max_bytes

    def ask(self) -> bool:
        """Whether to send `<r/>` now: something was sent, and no other request is on its way. Counts as sent."""
        if not self._queue or self._asked is not None:
            return False
        self._asked = self._sent
        return True

    @property
    def _sent(self) -> int:
        return (self._acked + len(self._queue)) % _COUNTERS

    def acknowledge(self, handled: int) -> bool:
        """The other side has handled so many stanzas; whether it should be asked again, as more was sent since.

        Raises:
            StreamError: it says that it has handled what was never sent to it (section 4).
        """
        news = (handled - self._acked) % _COUNTERS
        if news > len(self._queue):
            raise _too_high(handled, self._sent)
        for _ in range(news):
            self._bytes -= len(self._queue.popleft())
        self._acked = handled
        asked, self._asked = self._asked, None
        return asked is not None and asked != self._sent

    def resume(self, handled: int) -> Sequence[bytes]:
        """The stream goes on, of which the other side has handled so many: what it lacks, in order.

        Raises:
            StreamError: as `acknowledge` does.
        """
        self._asked = None
        self.acknowledge(handled)
        return tuple(self._queue)

    def take(self) -> Sequence[bytes]:
        """What was not acknowledged when the stream is over; it is in the ledger no longer."""
        left = tuple(self._queue)
        self._queue.clear()
        self._bytes = 0
        return left


@dataclass(slots=True)
class Continuation:
    """What a client keeps of its managed stream when the connection is lost.

    Args:
        max_stanzas, max_bytes: as a `Ledger` has them.

    Attributes:
        id: what to resume by; `None` before the server gave it, and where it offers no resumption.
        jid: the full JID that the stream is bound to.
        is_enabled: whether the server manages the stream.
        requests: how many requests the client has made on the stream, so that none gets an id twice.
        is_settled: whether the client has done all that a new stream needs; before that there is nothing to go on with.
        unsure: messages of streams that were lost for good: the server has not acknowledged them, and may have handled
            them or not.
    """

    max_stanzas: int
    max_bytes: int
    id: str | None = None
    jid: str = ""
    requests: int = 0
    is_enabled: bool = False
    is_settled: bool = False
    unsure: list[bytes] = field(default_factory=list)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.max_stanzas, self.max_bytes)

    def reset(self) -> None:
        """The stream is over, or a new one begins."""
        self.unsure += [stanza for stanza in self.ledger.take() if stanza.startswith(b"<message")]
        del self.unsure[: -self.max_stanzas]
        self.id, self.jid, self.requests = None, "", 0
        self.is_enabled = self.is_settled = False
        self.ledger = Ledger(self.max_stanzas, self.max_bytes)

    def take_unsure(self) -> Sequence[bytes]:
        """The messages that have to be sent again; their receivers know by their ids what they have."""
        unsure, self.unsure = self.unsure, []
        return unsure


def _too_high(handled: int, sent: int) -> StreamError:
    counts = f"<handled-count-too-high xmlns='{NS_SM}' h='{handled}' send-count='{sent}'/>"
    return StreamError("undefined-condition", "More stanzas were acknowledged than were sent", counts)
