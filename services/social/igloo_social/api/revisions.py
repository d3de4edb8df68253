"""The route of a post's earlier versions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import viewer_id
from igloo_common.database import reading
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.queries.posts import visible_post
from igloo_social.queries.revisions import revisions_of, visible_revisions
from igloo_social.schemas.revisions import RevisionsPageSchema, revision_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("revisions", __name__, description="Earlier versions of posts")


@blp.route("/v1/posts/<uuid:post_id>/revisions", methods=["GET"])
@access.optional
@access.about(post_id="post.visible")
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, RevisionsPageSchema)
@blp.alt_response(404, "NOT_FOUND")
def list_revisions(query: PageQuery, post_id: UUID) -> Response:
    """List how a post read before its caption was edited, the last replaced first.

    Who sees the post sees the captions that they could have seen at their time: one that was for followers is
    shown to followers, and one that was private, or was replaced before the post came out, to the author.
    """
    viewer = viewer_id()
    page = PageRequest(query, scope=f"revisions:{post_id}:{viewer}")
    with reading() as reader:
        post = visible_post(reader, post_id=post_id, viewer_id=viewer)
        found = revisions_of(reader, post_id=post_id, scan=page.scan)
        shown = visible_revisions(reader, found.rows, author_id=post.author_id, viewer_id=viewer)
    scanned = [revision.place for revision in found.rows]
    return page.response(list(map(revision_json, shown)), scanned=scanned, more=found.more)
