"""The route of the home feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.web import Blueprint, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.pages import PageRequest
from igloo_social.queries.timeline import feed_page
from igloo_social.schemas.posts import PostsPageSchema, post_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("feed", __name__, description="The home feed")


@blp.route("/v1/feed", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PostsPageSchema)
def get_feed(query: PageQuery) -> Response:
    """Read the posts of oneself and of whom one follows, the last published first.

    `prev_cursor` leads to what has been published since. Posts reach feeds within moments, not always in the
    order of their times: to be sure of all, begin again without a cursor now and then.
    """
    user_id = current_identity().user_id
    page = PageRequest(query, scope=f"feed:{user_id}")
    with reading() as reader:
        feed = feed_page(reader, owner_id=user_id, scan=page.scan)
    addresses, now = provided(RenditionAddresses), utc_now()
    shown = [post_json(post, addresses, now=now) for _, _, *post in feed.rows if post[0] is not None]
    return page.response(shown, scanned=[(at, entry_id) for at, entry_id, *_ in feed.rows], more=feed.more)
