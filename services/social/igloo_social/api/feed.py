"""The routes of the home feed, and of what changes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.pagination import Cursor, PageQuery, PageQuerySchema, encode_cursor
from igloo_common.responses import json_response
from igloo_common.web import Blueprint, ProblemSchema, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.changes_tokens import ChangesExpired, ChangesToken
from igloo_social.api.pages import PageRequest
from igloo_social.queries.feed_changes import Changes, feed_changes
from igloo_social.queries.timeline import feed_page
from igloo_social.schemas.feed import ChangesQuery, ChangesQuerySchema, FeedChangesSchema, FeedPageSchema
from igloo_social.schemas.posts import post_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from flask import Response

    from igloo_common.pagination import Position

blp = Blueprint("feed", __name__, description="The home feed")


@blp.route("/v1/feed", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, FeedPageSchema)
def get_feed(query: PageQuery) -> Response:
    """Read the posts of oneself and of whom one follows and does not mute, the last published first.

    `prev_cursor` leads to what has been published since. Posts reach feeds within moments, not always in the
    order of their times: a phone that keeps the feed asks `GET /v1/feed/changes` from `changes_since` on
    for all that came, changed and went.
    """
    user_id, now = current_identity().user_id, utc_now()
    page = PageRequest(query, scope=_feed_scope(user_id))
    with reading() as reader:
        feed = feed_page(reader, owner_id=user_id, scan=page.scan)
    addresses = provided(RenditionAddresses)
    shown = [post_json(post, addresses, now=now) for _, _, *post in feed.rows if post[0] is not None]
    scanned = [(at, entry_id) for at, entry_id, *_ in feed.rows]
    token = ChangesToken(until=now).encode(scope=_changes_scope(user_id))
    more_of_page = {"covers": _coverage(scanned), "changes_since": token}
    return page.response(shown, scanned=scanned, more=feed.more, more_of_page=more_of_page)


@blp.route("/v1/feed/changes", methods=["GET"])
@access.user
@blp.arguments(ChangesQuerySchema, location="query")
@blp.response(200, FeedChangesSchema)
@blp.alt_response(400, schema=ProblemSchema, description="`invalid_cursor`: not a token of one's own")
@blp.alt_response(410, schema=ProblemSchema, description="`changes_expired`: read the feed anew")
def get_feed_changes(query: ChangesQuery) -> Response:
    """Read what came into one's feed, changed in it or left it since, so that a kept copy agrees with it.

    Apply an answer in the order of removed authors, removed posts, posts, and gap; applying it twice does
    no harm, and much is told twice. Posts older than all that the copy covers can be ignored. Ask on with
    `next_since` while `has_more`, and then whenever the phone wakes. Likes, comments and names change
    without being told. Tokens work for seven days.
    """
    user_id, now = current_identity().user_id, utc_now()
    if query.since is None:
        return _changes_response(None, ChangesToken(until=now), user_id, now)
    token = ChangesToken.decode(query.since, scope=_changes_scope(user_id), now=now)
    until = token.reading_until(now)
    with reading() as reader:
        found = feed_changes(
            reader,
            owner_id=user_id,
            given_at=token.until,
            after=token.after,
            until=until,
            limit=query.limit,
        )
    if found.is_expired:
        raise ChangesExpired
    last = found.scanned[-1] if found.more else None
    following = ChangesToken(until=until, place=None if last is None else (last.at, last.id))
    return _changes_response(found, following, user_id, now)


def _changes_response(
    found: Changes | None, following: ChangesToken, user_id: UUID, now: datetime
) -> Response:
    addresses = provided(RenditionAddresses)
    before = found and found.gap_before
    return json_response(
        {
            "posts": [post_json(post, addresses, now=now) for post in found.posts] if found else [],
            "removed_post_ids": found.removed_post_ids if found else [],
            "removed_author_ids": found.removed_author_ids if found else [],
            "gap": before and {"published_before": before, "cursor": _cursor_at(before, user_id)},
            "next_since": following.encode(scope=_changes_scope(user_id)),
            "has_more": bool(found and found.more),
        }
    )


def _cursor_at(before: datetime, user_id: UUID) -> str:
    return encode_cursor(Cursor(before, UUID(int=0), "older"), scope=_feed_scope(user_id))


def _coverage(scanned: Sequence[Position]) -> dict[str, datetime] | None:
    return {"newest": scanned[0][0], "oldest": scanned[-1][0]} if scanned else None


def _feed_scope(user_id: UUID) -> str:
    return f"feed:{user_id}"


def _changes_scope(user_id: UUID) -> str:
    return f"feed changes:{user_id}"
