"""One-to-one text messages."""

from __future__ import annotations

import re
import secrets

from heliograph.errors import PayloadTooLarge, RequestInvalid
from heliograph.sdk.response import Response, SentMessage
from heliograph.sdk.runtime import Calls
from heliograph.xmpp import jid as jids
from heliograph.xmpp.jid import JidMalformed
from heliograph.xmpp.stable_ids import origin_id_xml
from heliograph.xmpp.stanza import escape, quote

_MESSAGE_ID_BYTES = 12
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


class MessageCalls(Calls):
    """The call that sends a message; those that come are events (`MessageReceived`)."""

    async def send_message(self, jid: str, text: str) -> Response[SentMessage]:
        """Send a one-to-one text message over the connection.

        Args:
            jid: a bare or full JID, or an identifier.
            text: what to say; not empty, and what XML can hold.

        Returns:
            The id under which the receiver gets it. That it was sent does not say that it was read.

        Raises:
            NotConnected: there is no connection at the moment.
            RequestInvalid: the JID or the text is none.
            PayloadTooLarge: the text is longer than the server takes.
        """
        runtime = self._on
        try:
            to = jids.parse(jid if "@" in jid else f"{jid}@{runtime.config.domain}")
        except JidMalformed as error:
            raise RequestInvalid(str(error), details={"field": "jid"}) from error
        if not text or _NO_XML.search(text):
            raise RequestInvalid("A text is not empty and holds no control characters", details={"field": "text"})
        message_id = secrets.token_hex(_MESSAGE_ID_BYTES)
        body = f"<body>{escape(text)}</body>{origin_id_xml(message_id)}"
        stanza = f"<message type='chat' id='{message_id}' to={quote(str(to))}>{body}</message>".encode()
        if len(stanza) > runtime.config.limits.stanza_max_bytes:
            raise PayloadTooLarge("The text is longer than the server takes", details={"field": "text"})
        await runtime.connection.send(stanza)
        return Response(200, "Success", SentMessage(message_id=message_id))
