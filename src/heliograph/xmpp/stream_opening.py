"""How a client's stream may begin, and what an error says that ends it (RFC 6120, sections 4.7 to 4.9)."""

from __future__ import annotations

from heliograph.xmpp.framing import STREAM_TAG
from heliograph.xmpp.jid import JidMalformed, parse
from heliograph.xmpp.stanza import NS_CLIENT, NS_STREAM_ERRORS, escape, split_tag
from heliograph.xmpp.stream import StreamError, StreamHeader


def check_header(header: StreamHeader) -> None:
    """Take a client's header or end the stream (RFC 6120, sections 4.7.5, 4.8.1 and 4.8.5).

    Raises:
        StreamError: it is not one, or of another version or content.
    """
    if header.tag != STREAM_TAG:
        is_stream = split_tag(header.tag)[1] == "stream"
        raise StreamError("invalid-namespace" if is_stream else "bad-format", "This is not the header of a stream")
    if header.default_ns != NS_CLIENT:
        raise StreamError("invalid-namespace", f"The content namespace is {NS_CLIENT}")
    major = header.attrib.get("version", "0.9").partition(".")[0]
    if not major.isdecimal() or int(major) < 1:
        raise StreamError("unsupported-version", "XMPP 1.0 is spoken here")


def claimed_bare(address: str | None) -> str | None:
    """The bare JID of what a header says in `from`, if it is one."""
    try:
        return None if address is None else parse(address).bare
    except JidMalformed:
        return None


def stream_error_xml(error: StreamError) -> str:
    """What stands inside `<stream:error/>` (RFC 6120, section 4.9.2)."""
    said = f"<text xmlns='{NS_STREAM_ERRORS}' xml:lang='en'>{escape(error.text)}</text>" if error.text else ""
    return f"<{error.condition} xmlns='{NS_STREAM_ERRORS}'/>{said}{error.application}"
