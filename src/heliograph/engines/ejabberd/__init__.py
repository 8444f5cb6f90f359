"""XMPP sessions on an ejabberd server or cluster."""
