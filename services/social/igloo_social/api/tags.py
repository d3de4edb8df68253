"""The route of hashtags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common import access
from igloo_common.access import viewer_id
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.web import Blueprint, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.pages import PageRequest
from igloo_social.queries.scans import places_of, shown_of
from igloo_social.queries.tags import tag_page
from igloo_social.schemas.posts import PostsPageSchema, post_json
from igloo_social.schemas.tags import read_tag

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("tags", __name__, description="Hashtags")


@blp.route("/v1/tags/<string:tag>/posts", methods=["GET"])
@access.optional
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PostsPageSchema)
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def list_tag_posts(query: PageQuery, tag: str) -> Response:
    """List the posts with a hashtag that the caller may see, the last published first.

    The tag may come with its `#` (as `%23`), in capitals, or in full-width letters. Whom the caller mutes is
    left out. A tag that nobody uses has an empty page; what cannot be a tag is refused.
    """
    viewer, folded = viewer_id(), read_tag(tag)
    page = PageRequest(query, scope=f"tag:{folded}:{viewer}")
    with reading() as reader:
        found = tag_page(reader, tag=folded, viewer_id=viewer, scan=page.scan)
    addresses, now = provided(RenditionAddresses), utc_now()
    shown = [post_json(post, addresses, now=now) for post in shown_of(found.rows)]
    return page.response(shown, scanned=places_of(found.rows), more=found.more)
