"""What a person has stored, beside what they may."""

from __future__ import annotations

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.database import reading
from igloo_common.web import Blueprint, json_response, provided
from igloo_media.queries.usage import find_usage
from igloo_media.schemas.usage import UsageSchema, present_usage
from igloo_media.settings import Settings

blp = Blueprint("usage", __name__, description="How much room a person's photos take.")


@blp.route("/v1/media/usage", methods=["GET"])
@access.user
@blp.response(200, UsageSchema)
def get_usage() -> Response:
    """Tell what of yours is stored and on its way, and how much that may be."""
    with reading() as reader:
        usage = find_usage(reader, current_identity().user_id)
    return json_response(present_usage(usage, provided(Settings).person))
