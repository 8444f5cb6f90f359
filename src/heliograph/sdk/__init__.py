"""The Python SDK: register, connect, profiles, contacts and sessions, over the public API and XMPP."""
