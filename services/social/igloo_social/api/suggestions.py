"""Routes of the people whom the caller may want to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.operations.suggestions import dismiss_suggestion
from igloo_social.queries.suggestions import people_in_short, suggestions_for
from igloo_social.schemas.suggestions import SuggestionsPageSchema, suggestion_json

if TYPE_CHECKING:
    from igloo_social.queries.posts import Page
    from igloo_social.queries.suggestions import Suggestion

blp = Blueprint("suggestions", __name__, description="People to follow")


@blp.route("/v1/users/me/suggestions", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, SuggestionsPageSchema)
def list_my_suggestions(query: PageQuery) -> Response:
    """List whom one may want to follow: Facebook friends first, the newest found before the others.

    Then whom one's own followees follow, those whom most of them do before the others. Who is followed, asked
    to follow, muted, dismissed, or blocked either way is left out. Read no further than one shows: people
    move in this list as they are followed, and a pull to refresh begins anew.
    """
    user_id = current_identity().user_id
    page = PageRequest(query, scope=f"suggestions:{user_id}")
    with reading() as reader:
        found = suggestions_for(reader, viewer_id=user_id, scan=page.scan)
        people = people_in_short(reader, _everybody(found))
    scanned = [(suggestion.place, suggestion.user_id) for suggestion in found.rows]
    shown = [suggestion_json(suggestion, people) for suggestion in found.rows if suggestion.user_id in people]
    return page.response(shown, scanned=scanned, more=found.more)


@blp.route("/v1/users/me/suggestions/<uuid:user_id>", methods=["DELETE"])
@access.user
@access.about(user_id="person.other")
@blp.response(204)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def dismiss_my_suggestion(user_id: UUID) -> Response:
    """Never be suggested this person again; again, it changes nothing."""
    with transaction() as session:
        actor_id = current_identity().user_id
        dismiss_suggestion(session, actor_id=actor_id, dismissed_id=user_id, now=utc_now())
    return Response(status=204)


def _everybody(found: Page[Suggestion]) -> set[UUID]:
    return {user_id for row in found.rows for user_id in (row.user_id, *row.mutual_ids)}
