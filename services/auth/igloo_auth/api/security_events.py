"""What happened to the security of the caller's account."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from igloo_auth.queries.security_events import SecurityEventView, security_events_of
from igloo_auth.schemas.security_events import SecurityEventPageSchema
from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.database import reading
from igloo_common.pagination import Cursor, PageQuery, PageQuerySchema, neighbours, page_response
from igloo_common.web import Blueprint

blp = Blueprint("security_events", __name__, description="What happened to an account's security.")


@blp.route("/v1/account/security-events", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, SecurityEventPageSchema)
def list_security_events(query: PageQuery) -> Response:
    """List my security activity, the latest first.

    Nothing in it is ever changed, and nothing removed before it is 180 days old or the account is deleted.
    """
    account_id = current_identity().user_id
    scope = f"security-events:{account_id}"
    asked = query.position(scope=scope)
    found, more = _scan(query, asked, account_id=account_id)
    around = neighbours([(view.occurred_at, view.id) for view in found], asked=asked, more=more)
    return page_response(found, scope=scope, around=around)


def _scan(
    query: PageQuery, asked: Cursor | None, *, account_id: UUID
) -> tuple[list[SecurityEventView], bool]:
    """Read a page, newest first, and whether there is more beyond it."""
    reading_newer = asked is not None and asked.direction == "newer"
    place = None if asked is None else (asked.at, asked.id)
    with reading() as connection:
        rows = security_events_of(
            connection,
            account_id=account_id,
            limit=query.limit + 1,
            older_than=None if reading_newer else place,
            newer_than=place if reading_newer else None,
        )
    page = rows[: query.limit]
    return page[::-1] if reading_newer else page, len(rows) > query.limit
