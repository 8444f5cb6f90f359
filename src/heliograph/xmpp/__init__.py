"""The protocol: XMPP as pure code. Bytes and stanzas in, bytes and decisions out; each module names its RFC or XEP."""
