"""Routes of bookmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.pages import PageRequest
from igloo_social.operations import bookmarks as operations
from igloo_social.queries.bookmarks import bookmarks_of
from igloo_social.schemas.bookmarks import BookmarkStatusSchema, bookmark_status_json
from igloo_social.schemas.posts import PostsPageSchema, post_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("bookmarks", __name__, description="Posts that people keep for later")


@blp.route("/v1/posts/<uuid:post_id>/bookmark", methods=["PUT"])
@access.user
@access.about(post_id="post.visible")
@blp.response(200, BookmarkStatusSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
def bookmark_post(post_id: UUID) -> Response:
    """Keep a post for later; again, it changes nothing. Nobody else learns of it."""
    with transaction() as session:
        user_id = current_identity().user_id
        status = operations.keep_post(session, post_id=post_id, user_id=user_id, now=utc_now())
    return json_response(bookmark_status_json(status))


@blp.route("/v1/posts/<uuid:post_id>/bookmark", methods=["DELETE"])
@access.user
@access.about(post_id="post.bookmarked_or_visible")
@blp.response(200, BookmarkStatusSchema)
@blp.alt_response(404, "NOT_FOUND")
def unbookmark_post(post_id: UUID) -> Response:
    """No longer keep a post, also one that the caller may not see any more.

    Without a bookmark it changes nothing, and is 404 where there is no such post for the caller.
    """
    with transaction() as session:
        status = operations.drop_bookmark(session, post_id=post_id, user_id=current_identity().user_id)
    return json_response(bookmark_status_json(status))


@blp.route("/v1/users/me/bookmarks", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PostsPageSchema)
def list_my_bookmarks(query: PageQuery) -> Response:
    """List the posts that one keeps, the last kept first.

    Posts that the caller may not see any more are left out, and come back should they become visible again.
    """
    user_id = current_identity().user_id
    page = PageRequest(query, scope=f"bookmarks:{user_id}")
    with reading() as reader:
        kept = bookmarks_of(reader, owner_id=user_id, scan=page.scan)
    addresses, now = provided(RenditionAddresses), utc_now()
    shown = [post_json(post, addresses, now=now) for _, _, *post in kept.rows if post[0] is not None]
    return page.response(shown, scanned=[(at, post_id) for at, post_id, *_ in kept.rows], more=kept.more)
