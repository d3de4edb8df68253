"""Routes of comments."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.idempotency import KEY_PARAMETER, once
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.operations import comments as operations
from igloo_social.queries.comments import comments_of
from igloo_social.schemas.comments import CommentSchema, CommentsPageSchema, NewCommentSchema, comment_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

blp = Blueprint("comments", __name__, description="What people say under posts")


@blp.route("/v1/posts/<uuid:post_id>/comments", methods=["GET"])
@access.optional
@access.about(post_id="post.visible")
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, CommentsPageSchema)
@blp.alt_response(404, "NOT_FOUND")
def list_comments(query: PageQuery, post_id: UUID) -> Response:
    """List the comments under a post, the newest first.

    Comments by people whom a block hides from the caller are left out; by people whom the caller mutes, they
    are not.
    """
    viewer = viewer_id()
    page = PageRequest(query, scope=f"comments:{post_id}:{viewer}")
    with reading() as reader:
        author_id, comments = comments_of(reader, post_id=post_id, viewer_id=viewer, scan=page.scan)
    shown = [
        comment_json(row, post_id=post_id, post_author_id=author_id, viewer_id=viewer)
        for row in comments.rows
        if row.user_id is not None
    ]
    scanned = [(row.created_at, row.id) for row in comments.rows]
    return page.response(shown, scanned=scanned, more=comments.more)


@blp.route("/v1/posts/<uuid:post_id>/comments", methods=["POST"])
@access.user
@access.about(post_id="post.visible")
@blp.doc(parameters=[KEY_PARAMETER])
@blp.arguments(NewCommentSchema)
@blp.response(201, CommentSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def create_comment(new: dict[str, str], post_id: UUID) -> Response:
    """Comment on a post.

    Its author is told, and whom the comment mentions, provided that they may see the post. 409
    `comments_closed` when the post takes no comments, and `post_not_published` when it is one's own and not
    out yet.
    """
    with transaction() as session:
        return once(session, lambda: _created(session, post_id, new["text"]))


@blp.route("/v1/comments/<uuid:comment_id>", methods=["DELETE"])
@access.user
@access.about(comment_id="comment.deletable")
@blp.response(204)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
def delete_comment(comment_id: UUID) -> Response:
    """Delete one's own comment, or one under one's own post; again, it changes nothing.

    Its words go at once, and what was told about it. Who wrote it may delete it also when they may not see
    the post any more.
    """
    with transaction() as session:
        user_id = current_identity().user_id
        operations.delete_comment(session, comment_id=comment_id, user_id=user_id, now=utc_now())
    return Response(status=204)


def _created(session: Session, post_id: UUID, text: str) -> Response:
    user_id = current_identity().user_id
    row, post_author_id = operations.add_comment(
        session, post_id=post_id, author_id=user_id, text=text, now=utc_now()
    )
    shown = comment_json(row, post_id=post_id, post_author_id=post_author_id, viewer_id=user_id)
    return json_response(shown, status=201)
