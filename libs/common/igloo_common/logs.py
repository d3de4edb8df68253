"""Logs as JSON lines on standard error: one line an event, fields beside the message, never a token."""

import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import orjson

from igloo_common.tracing import current_trace

_STANDARD_ERROR: Final = 2
_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET_NAME: Final = re.compile(r"token|secret|password|authorization|cookie|api_?key", re.IGNORECASE)
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_HIDDEN: Final = "[hidden]"


class JsonLines(logging.Handler):
    """Writes every record as one JSON line with service, request id and trace id."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a record that cannot be formatted is reported by logging itself."""
        try:
            write_line(self._fields(record))
        except Exception:  # noqa: BLE001 -- logging must never break what it reports on; this is its own hook
            self.handleError(record)

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        trace = current_trace()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": _JWT.sub(_HIDDEN, record.getMessage()),
        }
        if trace is not None:
            line["request_id"], line["trace_id"] = trace.request_id, trace.trace_id
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            line["exception"] = _JWT.sub(_HIDDEN, text)
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                line[name] = _shown(name, value)
        return line


def configure_logs(*, service: str, level: str) -> None:
    """Send everything that this process logs to standard error as JSON lines; calling again replaces."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, JsonLines)]:
        root.removeHandler(handler)
    root.addHandler(JsonLines(service))
    root.setLevel(level)
    logging.captureWarnings(capture=True)


def write_line(fields: Mapping[str, object]) -> None:
    """Write one JSON line.

    One `write` a line keeps lines whole when several processes share the stream. A log collector that went
    away is no reason to fail a request, so what cannot be written is dropped.
    """
    try:
        line = orjson.dumps(fields, default=str, option=_OPTIONS)
    except TypeError:
        # Half a surrogate pair, or keys of some odd type: better escaped than lost.
        line = orjson.dumps({name: ascii(value) for name, value in fields.items()}, option=_OPTIONS)
    with suppress(OSError):
        os.write(_STANDARD_ERROR, line)


def _shown(name: str, value: object) -> object:
    if _SECRET_NAME.search(name):
        return _HIDDEN
    return _JWT.sub(_HIDDEN, value) if isinstance(value, str) else value
