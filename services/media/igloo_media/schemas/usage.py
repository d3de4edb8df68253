"""The shape of what a person has stored, and how the refusal of more is documented."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from igloo_common.rate_limits import RATE_LIMITED
from igloo_media.queries.usage import Usage
from igloo_media.settings import PersonLimits

UPLOADS_LIMITED: Final[dict[str, Any]] = {
    **RATE_LIMITED,
    "description": (
        "`rate_limited`: too many files within an hour; try again after Retry-After."
        " `too_many_open_uploads`: finish or give up some first (then without RateLimit headers)"
    ),
}
"""For `blp.alt_response(429, …)` of the views that take uploads."""


class UsageSchema(Schema):
    """What a person has stored and on its way, and how much that may be."""

    photos = fields.Integer(required=True, metadata={"description": "Ready ones, posted or not."})
    stored_bytes = fields.Integer(required=True, metadata={"description": "Of all sizes of these."})
    stored_bytes_quota = fields.Integer(
        required=True,
        metadata={"description": "For these, and for the announced sizes of files on their way."},
    )
    open_uploads = fields.Integer(
        required=True, metadata={"description": "Files on their way: neither photos yet nor given up."}
    )
    open_uploads_quota = fields.Integer(required=True)


def present_usage(usage: Usage, limits: PersonLimits) -> dict[str, int]:
    """Shape a person's usage as UsageSchema says."""
    return {
        "photos": usage.photos,
        "stored_bytes": usage.stored_bytes,
        "stored_bytes_quota": limits.stored_bytes,
        "open_uploads": usage.open_uploads,
        "open_uploads_quota": limits.open_uploads,
    }
