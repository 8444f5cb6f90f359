"""A server that checks nothing: canned answers on uvloop, without an XML parser. What it reaches is what the generator
and the machine's sockets allow; ours is measured against it where no peer is at hand.

    python benchmarks/stub.py PORT
"""

from __future__ import annotations

import asyncio
import base64
import gc
import re
import sys
from typing import Any

import uvloop

_HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='localhost' id='1' "
    b"version='1.0'><stream:features>%s</stream:features>"
)
_MECHANISMS = _HEADER % (
    b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>"
)
_BIND = _HEADER % b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
_SASL = b"<%s xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</%s>"
_BOUND = (
    b"<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>%s@localhost/r</jid></bind></iq>"
)
_ROSTER = b"<iq type='result' id='ro'><query xmlns='jabber:iq:roster'/></iq>"
_ENDS = {
    b"<message": b"</message>",
    b"<iq": b"</iq>",
    b"<auth": b"</auth>",
    b"<response": b"</response>",
    b"<stream:s": b">",
}

_clients: dict[bytes, Client] = {}
_watchers: set[Client] = set()


class Client(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_buffer", "_is_signed_in", "_name", "_transport")

    def connection_made(self, transport: Any) -> None:
        self._transport, self._buffer, self._name, self._is_signed_in = transport, b"", b"", False

    def connection_lost(self, _error: Exception | None) -> None:
        _watchers.discard(self)
        if _clients.get(self._name) is self:
            del _clients[self._name]

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        while (end := self._end(data)) > 0:
            self._take(data[:end])
            data = data[end:]
        self._buffer = data

    def _end(self, data: bytes) -> int:
        """Where the first stanza ends; 0 before it has come whole."""
        if data.startswith(b"<presence"):
            closing = b"/>" if data.startswith(b"<presence/>") else b"</presence>"
        else:
            closing = next((end for begin, end in _ENDS.items() if data.startswith(begin)), b"")
            if not closing:
                return len(data)
        found = data.find(closing)
        return 0 if found < 0 else found + len(closing)

    def _take(self, stanza: bytes) -> None:
        write = self._transport.write
        if stanza.startswith(b"<message"):
            begin = stanza.find(b"to='") + 4
            other = _clients.get(stanza[begin : stanza.find(b"@", begin)])
            if other is not None:
                other._transport.write(b"<message from='" + self._name + b"@localhost/r'" + stanza[8:])  # noqa: SLF001
        elif stanza.startswith(b"<iq"):
            self._answer(stanza)
        elif stanza.startswith(b"<presence"):
            if b"caps" in stanza:
                _watchers.add(self)
            write(b"<presence from='" + self._name + b"@localhost/r'/>")
        elif stanza.startswith(b"<stream:"):
            write(_BIND if self._is_signed_in else _MECHANISMS)
        elif stanza.startswith(b"<auth"):
            self._challenge(base64.b64decode(stanza[stanza.find(b">") + 1 : -7]))
        elif stanza.startswith(b"<response"):
            self._is_signed_in = True
            _clients[self._name] = self
            write(_SASL % (b"success", b"", b"success"))

    def _challenge(self, first: bytes) -> None:
        parts = re.fullmatch(rb"n,,n=(.*),r=(.*)", first)
        assert parts is not None
        self._name = parts[1]
        challenge = base64.b64encode(b"r=" + parts[2] + b"stub,s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096")
        self._transport.write(_SASL % (b"challenge", challenge, b"challenge"))

    def _answer(self, iq: bytes) -> None:
        if b"xmpp-bind" in iq:
            self._transport.write(_BOUND % self._name)
        elif b"iq:roster" in iq:
            self._transport.write(_ROSTER)
        elif b"<publish" in iq:
            items = iq[iq.find(b"<publish") + 8 : iq.find(b"</publish>")]
            event = b"<event xmlns='http://jabber.org/protocol/pubsub#event'><items" + items + b"</items></event>"
            head = b"<message from='" + self._name + b"@localhost' to='"
            for client in _watchers:
                client._transport.write(head + client._name + b"@localhost/r' type='headline'>" + event + b"</message>")  # noqa: SLF001


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Client, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
