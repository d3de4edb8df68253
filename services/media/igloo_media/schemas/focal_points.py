"""Where the eye falls in a photo: what its owner says of it, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from igloo_media.events import FocalPoint


class Share(fields.Float):
    """A number from 0 to 1; a text that reads like one is refused."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's options
        super().__init__(validate=validate.Range(min=0, max=1), **options)

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> float:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        # Zero has a sign in JSON too: adding zero takes it off.
        return float(super()._deserialize(value, attr, data, **options) or 0) + 0.0


class FocalPointSchema(Schema):
    """From 0 to 1 across and down the upright photo; the square thumbnail is cut round it."""

    x = Share(required=True, metadata={"description": "0 is the left edge, 1 the right one.", "example": 0.5})
    y = Share(required=True, metadata={"description": "0 is the top, 1 the bottom.", "example": 0.33})

    @post_load
    def _point(self, values: dict[str, Any], **_: object) -> FocalPoint:
        return FocalPoint(**values)


def focal_point_field(**options: Any) -> fields.Nested:  # noqa: ANN401 - marshmallow's options
    """Make the field of a request or a reply: a point, or null for the middle."""
    return fields.Nested(FocalPointSchema, allow_none=True, **options)


def present_focal_point(x: float | None, y: float | None) -> dict[str, float] | None:
    """Shape the two columns as FocalPointSchema says."""
    return None if x is None or y is None else {"x": x, "y": y}
