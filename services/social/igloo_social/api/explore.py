"""The route of explore."""

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
from igloo_social.queries.explore import explore_page
from igloo_social.queries.scans import places_of, shown_of
from igloo_social.schemas.posts import PostsPageSchema, post_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("explore", __name__, description="What is out for everybody")


@blp.route("/v1/explore", methods=["GET"])
@access.optional
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PostsPageSchema)
def explore(query: PageQuery) -> Response:
    """Look around in the public posts of public accounts.

    They are ordered by when they came out, and each doubling of 1 + likes + 2 x comments lifts a post by six
    hours. A post that rises while somebody pages may be met twice, or missed. Whom the caller mutes, or a
    block hides, is left out; the order is the same for everybody.
    """
    viewer = viewer_id()
    page = PageRequest(query, scope=f"explore:{viewer}")
    with reading() as reader:
        found = explore_page(reader, viewer_id=viewer, scan=page.scan)
    addresses, now = provided(RenditionAddresses), utc_now()
    shown = [post_json(post, addresses, now=now) for post in shown_of(found.rows)]
    return page.response(shown, scanned=places_of(found.rows), more=found.more)
