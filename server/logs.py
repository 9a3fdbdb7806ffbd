"""One JSON line per event on stderr, with no secret in it."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET = re.compile(
    r"""sr_[A-Za-z0-9]{8,}
    | whsec_[A-Za-z0-9+/=_-]{8,}
    | (?<=/files/)[^/\s"?]+
    | (?<=/uploads/)[^/\s"?]+""",
    re.VERBOSE,
)
"""API keys, callback secrets and the tokens of signed links."""


CHATTY = ("uvicorn.access", "alembic", "dbos", "botocore", "urllib3", "httpx2", "httpcore2")
"""Libraries of which every start and every request would be some lines."""


def configure_logs(level: str, process: str) -> None:
    """Send structlog's events and those of libraries the same way; ``process`` is on each line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name(process),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _name(process: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def mask_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace whatever looks like a secret, wherever it stands."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = SECRET.sub("***", value)
    return event
