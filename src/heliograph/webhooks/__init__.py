"""Brings webhooks' messages to their receivers."""
