"""What the server does with a stanza, a file a feature."""
