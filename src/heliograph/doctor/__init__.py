"""The doctor: looks at a node's settings, files and machine, and says what to do about what it finds."""
