"""Route of the people whom the caller may want to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.database import reading
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.queries.suggestions import suggestions_for
from igloo_social.schemas.suggestions import SuggestionsPageSchema, suggestion_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("suggestions", __name__, description="People to follow")


@blp.route("/v1/users/me/suggestions", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, SuggestionsPageSchema)
def list_my_suggestions(query: PageQuery) -> Response:
    """List the Facebook friends who use igloo too and whom one does not follow yet, the newest found first.

    Who is followed, asked to follow, muted, or blocked either way is left out.
    """
    user_id = current_identity().user_id
    page = PageRequest(query, scope=f"suggestions:{user_id}")
    with reading() as reader:
        found = suggestions_for(reader, viewer_id=user_id, scan=page.scan)
    scanned = [(person.suggested_at, person.user_id) for person in found.rows]
    return page.response([suggestion_json(person) for person in found.rows], scanned=scanned, more=found.more)
