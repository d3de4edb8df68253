"""Routes of posts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.conditional import IF_MATCH, IF_NONE_MATCH, expected_versions, tagged
from igloo_common.database import reading, transaction
from igloo_common.idempotency import KEY_PARAMETER, once
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.pages import PageRequest
from igloo_social.operations import post_edits
from igloo_social.operations import posts as operations
from igloo_social.operations.post_edits import PostEdit
from igloo_social.operations.posts import NewPost
from igloo_social.queries.posts import posts_of, visible_post
from igloo_social.queries.profiles import visible_profile
from igloo_social.schemas.posts import NewPostSchema, PostEditSchema, PostSchema, PostsPageSchema, post_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from igloo_common.database import Reader

blp = Blueprint("posts", __name__, description="Posts with their images")


@blp.route("/v1/posts", methods=["POST"])
@access.user
@access.about(media_ids="media.attach")
@blp.doc(parameters=[KEY_PARAMETER])
@blp.arguments(NewPostSchema)
@blp.response(201, PostSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def create_post(new: NewPost) -> Response:
    """Make a post of one to ten images, of a caption, or of both.

    It may name uploads that are not ready yet: it is `processing` then, which the author alone sees, and
    comes out whole when all of them are, or becomes `failed` with the reason and a notification.

    The first 30 hashtags of the caption put it on their pages: `#` and letters, marks, digits or underscores
    of any script, at least one of them a letter and no more than 100. The first 20 people whom it names as
    `@username` are mentioned, and told once it is out if they may see it. What goes beyond stays plain text.
    """
    with transaction() as session:
        return once(session, lambda: _created(session, new))


@blp.route("/v1/posts/<uuid:post_id>", methods=["GET"])
@access.optional
@access.about(post_id="post.visible")
@blp.doc(parameters=[IF_NONE_MATCH])
@blp.response(200, PostSchema)
@blp.alt_response(304, description="It is as the client has it")
@blp.alt_response(404, "NOT_FOUND")
def get_post(post_id: UUID) -> Response:
    """Read a post.

    The ETag is for If-None-Match here and for If-Match on PATCH.
    """
    with reading() as reader:
        return _post_response(reader, post_id)


@blp.route("/v1/posts/<uuid:post_id>", methods=["PATCH"])
@access.user
@access.about(post_id="post.own")
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(PostEditSchema)
@blp.response(200, PostSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(412, "PRECONDITION_FAILED")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def edit_post(edit: PostEdit, post_id: UUID) -> Response:
    """Change one's own post: its caption, to whom it is shown, whether people may comment; the rest stays.

    With If-Match, only while the author has not changed it since the client read it; likes and comments do
    not matter. A changed caption marks the post as edited, and the former one is kept among its revisions.
    Who is mentioned anew is told, and who no longer is, is told no more.
    """
    with transaction() as session:
        post_edits.edit_post(
            session,
            edit,
            post_id=post_id,
            author_id=current_identity().user_id,
            expected_versions=expected_versions(),
            now=utc_now(),
        )
        return _post_response(session, post_id)


@blp.route("/v1/posts/<uuid:post_id>", methods=["DELETE"])
@access.user
@access.about(post_id="post.own")
@blp.response(204)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
def delete_post(post_id: UUID) -> Response:
    """Delete one's own post, with its images and what was told about it; again, it changes nothing."""
    with transaction() as session:
        operations.delete_post(session, post_id=post_id, author_id=current_identity().user_id, now=utc_now())
    return Response(status=204)


@blp.route("/v1/users/<uuid:user_id>/posts", methods=["GET"])
@access.optional
@access.about(user_id="person.visible")
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PostsPageSchema)
@blp.alt_response(404, "NOT_FOUND")
def list_user_posts(query: PageQuery, user_id: UUID) -> Response:
    """List a person's posts, the last made first; authors see their waiting and failed ones too."""
    page = PageRequest(query, scope=f"posts:{user_id}:{viewer_id()}")
    with reading() as reader:
        posts = posts_of(reader, author_id=user_id, viewer_id=viewer_id(), scan=page.scan)
        if not posts.rows:
            visible_profile(reader, user_id=user_id, viewer_id=viewer_id())
    addresses, now = provided(RenditionAddresses), utc_now()
    shown = [post_json(row, addresses, now=now) for row in posts.rows]
    return page.response(shown, scanned=[(row.created_at, row.id) for row in posts.rows], more=posts.more)


def _created(session: Session, new: NewPost) -> Response:
    author_id = current_identity().user_id
    post = operations.create_post(session, new, author_id=author_id, now=utc_now())
    return json_response(post_json(post, provided(RenditionAddresses), now=utc_now()), status=201)


def _post_response(reader: Reader, post_id: UUID) -> Response:
    post = visible_post(reader, post_id=post_id, viewer_id=viewer_id())
    response = json_response(post_json(post, provided(RenditionAddresses), now=utc_now()))
    return tagged(response, version=post.version)
