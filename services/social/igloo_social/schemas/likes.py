"""Likes over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields

if TYPE_CHECKING:
    from igloo_social.operations.likes import LikeStatus


class LikeStatusSchema(Schema):
    """Whether the caller likes a post, and how many people do."""

    post_id = fields.UUID(required=True)
    liked = fields.Boolean(required=True)
    like_count = fields.Integer(required=True)


def like_status_json(status: LikeStatus) -> dict[str, object]:
    """Present a like's outcome as LikeStatusSchema documents it."""
    return {"post_id": status.post_id, "liked": status.liked, "like_count": status.like_count}
