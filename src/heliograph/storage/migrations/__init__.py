"""Numbered SQL files, applied in order, once each."""
