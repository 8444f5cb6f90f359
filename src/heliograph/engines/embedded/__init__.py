"""The embedded XMPP server: one process, one event loop, standard XMPP on the wire."""
