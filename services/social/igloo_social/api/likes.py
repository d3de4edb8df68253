"""Routes of likes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.operations import likes as operations
from igloo_social.queries.likes import likers_of
from igloo_social.queries.posts import visible_post
from igloo_social.schemas.likes import LikeStatusSchema, like_status_json, likers_json
from igloo_social.schemas.profiles import PeoplePageSchema

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("likes", __name__, description="Likes of posts")


@blp.route("/v1/posts/<uuid:post_id>/like", methods=["PUT"])
@access.user
@access.about(post_id="post.visible")
@blp.response(200, LikeStatusSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
def like_post(post_id: UUID) -> Response:
    """Like a post; again, it changes nothing."""
    with transaction() as session:
        user_id = current_identity().user_id
        status = operations.like_post(session, post_id=post_id, user_id=user_id, now=utc_now())
    return json_response(like_status_json(status))


@blp.route("/v1/posts/<uuid:post_id>/like", methods=["DELETE"])
@access.user
@access.about(post_id="post.liked_or_visible")
@blp.response(200, LikeStatusSchema)
@blp.alt_response(404, "NOT_FOUND")
def unlike_post(post_id: UUID) -> Response:
    """No longer like a post, also one that the caller may not see any more.

    Its author's notification goes as well. Without a like it changes nothing, and is 404 where there is no
    such post for the caller.
    """
    with transaction() as session:
        status = operations.unlike_post(session, post_id=post_id, user_id=current_identity().user_id)
    return json_response(like_status_json(status))


@blp.route("/v1/posts/<uuid:post_id>/likes", methods=["GET"])
@access.optional
@access.about(post_id="post.visible")
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PeoplePageSchema)
@blp.alt_response(404, "NOT_FOUND")
def list_likers(query: PageQuery, post_id: UUID) -> Response:
    """List who likes a post, the last first, without those whom a block hides from the caller."""
    page = PageRequest(query, scope=f"likers:{post_id}:{viewer_id()}")
    with reading() as reader:
        visible_post(reader, post_id=post_id, viewer_id=viewer_id())
        likers = likers_of(reader, post_id=post_id, viewer_id=viewer_id(), scan=page.scan)
    scanned = [(at, liker_id) for at, liker_id, *_ in likers.rows]
    return page.response(likers_json(likers.rows), scanned=scanned, more=likers.more)
