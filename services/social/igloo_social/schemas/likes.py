"""Likes over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from igloo_social.operations.likes import LikeStatus


class LikeStatusSchema(Schema):
    """Whether the caller likes a post, and how many people do."""

    post_id = fields.UUID(required=True)
    liked = fields.Boolean(required=True)
    like_count = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Null when a like was taken back from a post that the caller may not see any more"
        },
    )


def like_status_json(status: LikeStatus) -> dict[str, object]:
    """Present a like's outcome as LikeStatusSchema documents it."""
    return {"post_id": status.post_id, "liked": status.liked, "like_count": status.like_count}


def likers_json(rows: Iterable[Sequence[Any]]) -> list[dict[str, object]]:
    """Present those of the people of `likers_of` who are shown, as PersonSchema documents them."""
    return [
        {"id": user_id, "username": username, "display_name": display_name, "avatar_url": avatar_url}
        for _, _, user_id, username, display_name, avatar_url in rows
        if user_id is not None
    ]
