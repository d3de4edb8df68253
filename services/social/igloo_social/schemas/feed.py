"""The home feed and its changes over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from igloo_common.pagination import MAX_LIMIT, PageSchema
from igloo_social.schemas.posts import PostSchema


class CoverageSchema(Schema):
    """The times of publishing that a page reaches over, posts that are hidden from the caller included."""

    newest = fields.AwareDateTime(required=True)
    oldest = fields.AwareDateTime(required=True)


class FeedPageInfoSchema(PageSchema):
    """Where the feed goes on, what this page covers of it, and from when on to ask for changes."""

    covers = fields.Nested(
        CoverageSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Null for an empty page. A cache whose newest entry is older than `oldest` has a "
            "gap before this page: read on, or drop the older part"
        },
    )
    changes_since = fields.String(
        required=True,
        metadata={
            "description": "A token for `GET /v1/feed/changes`: of several pages, keep that of the one read "
            "first"
        },
    )


class FeedPageSchema(Schema):
    """A page of the home feed."""

    data = fields.List(fields.Nested(PostSchema), required=True)
    page = fields.Nested(FeedPageInfoSchema, required=True)


@dataclass(frozen=True, kw_only=True)
class ChangesQuery:
    """Which changes a phone asks for."""

    since: str | None
    limit: int


class ChangesQuerySchema(Schema):
    """`?since=&limit=` of the feed's changes."""

    since = fields.String(
        load_default=None,
        metadata={
            "description": "`changes_since` of a page of the feed, or `next_since` of the last answer; "
            "without it, the answer is a token for now"
        },
    )
    limit = fields.Integer(
        load_default=MAX_LIMIT,
        validate=validate.Range(min=1, max=MAX_LIMIT),
        metadata={"description": "How many changes to look through at most; many may be of one post."},
    )

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> ChangesQuery:
        return ChangesQuery(**values)


class GapSchema(Schema):
    """Where the kept feed may not be whole any more."""

    published_before = fields.AwareDateTime(
        required=True, metadata={"description": "Drop all posts that were published before this time"}
    )
    cursor = fields.String(
        required=True, metadata={"description": "A cursor of `GET /v1/feed` that reads on from there"}
    )


class FeedChangesSchema(Schema):
    """What to change in a kept feed: first the removals, then the posts, then the gap."""

    posts = fields.List(
        fields.Nested(PostSchema),
        required=True,
        metadata={"description": "New or changed, as they are now: put each in place of the one kept"},
    )
    removed_post_ids = fields.List(
        fields.UUID(),
        required=True,
        metadata={"description": "Not in the feed (any more), for whatever reason"},
    )
    removed_author_ids = fields.List(
        fields.UUID(), required=True, metadata={"description": "None of whose posts is in the feed"}
    )
    gap = fields.Nested(
        GapSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Somebody with a longer history came back into the feed: what is older than this "
            "is read anew when it is wanted"
        },
    )
    next_since = fields.String(required=True, metadata={"description": "What to ask with next time"})
    has_more = fields.Boolean(
        required=True, metadata={"description": "Whether to ask again at once: there is more"}
    )
