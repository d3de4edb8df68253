"""Bookmarks over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields

if TYPE_CHECKING:
    from igloo_social.operations.bookmarks import BookmarkStatus


class BookmarkStatusSchema(Schema):
    """Whether the caller keeps a post."""

    post_id = fields.UUID(required=True)
    bookmarked = fields.Boolean(required=True)


def bookmark_status_json(status: BookmarkStatus) -> dict[str, object]:
    """Present a bookmark's outcome as BookmarkStatusSchema documents it."""
    return {"post_id": status.post_id, "bookmarked": status.bookmarked}
