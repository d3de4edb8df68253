"""The words that say what a photo shows to whom cannot see it."""

from __future__ import annotations

from typing import Any

from marshmallow import validate

from igloo_common.text_fields import Text

MAX_ALT_TEXT_LENGTH = 1000


def alt_text_field(**options: Any) -> Text:  # noqa: ANN401 - marshmallow's options
    """Make the field of a request: a text of several lines, or null for none."""
    length = validate.Length(min=1, max=MAX_ALT_TEXT_LENGTH)
    return Text(lines=True, allow_none=True, validate=length, **options)
