"""What the commands of a service share: its consumers, and how they print a thing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import orjson
from flask import current_app

from igloo_common.consumers import Consumers


def current_consumers() -> Consumers:
    """Return the register of the current application: `consumers` in its package's module of that name."""
    found = importlib.import_module(f"{current_app.import_name}.consumers").consumers
    if not isinstance(found, Consumers):
        raise TypeError(f"{current_app.import_name}.consumers.consumers is no register of consumers")
    return found


def line(fields: Mapping[str, object], *, indent: bool = False) -> str:
    """Render as JSON, on one line unless told otherwise."""
    option = orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(dict(fields), option=option, default=_text).decode()


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
