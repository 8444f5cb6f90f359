"""What an operator sets up: apps, webhooks, settings."""

from __future__ import annotations

from heliograph.errors.base import MISSING, Row, UsageError


class AppInvalid(UsageError):
    """An app cannot be created or changed so; `details.field` names the reason."""

    row = Row("app_invalid", 400, "The app's settings are not valid")


class WebhookInvalid(UsageError):
    """A webhook cannot be made so."""

    row = Row("webhook_invalid", 400, "The webhook is not valid")


class WebhookNotFound(UsageError):
    """There is no webhook of that id."""

    row = Row("webhook_not_found", 404, "There is no such webhook", MISSING)


class SettingsInvalid(UsageError):
    """A node cannot start with these settings; `details.settings` names the ones at fault."""

    row = Row("settings_invalid", 400, "The node's settings are not valid")
