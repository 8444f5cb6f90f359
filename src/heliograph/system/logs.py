"""Structured logs: one event a line, for people or for programs."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

_LEVELS = logging.getLevelNamesMapping()


def configure_logs(level: str, style: Literal["text", "json"]) -> None:
    """Write log lines of that level and above to standard error.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        style: `text` for people, `json` for programs.
    """
    renderer = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if style == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=max(_LEVELS[level.upper()], logging.WARNING), format="%(message)s")
