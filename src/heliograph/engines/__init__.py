"""Where XMPP sessions live: adapters of the `Engine` port."""
