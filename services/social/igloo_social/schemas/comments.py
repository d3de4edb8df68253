"""Comments over HTTP: what a client may say, and what it gets to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_common.text_fields import Text
from igloo_social.models.comments import MAX_COMMENT_LENGTH
from igloo_social.policies.comments import may_delete_comment
from igloo_social.schemas.mentions import MentionSchema, mentions_json
from igloo_social.schemas.profiles import PersonSchema

if TYPE_CHECKING:
    from uuid import UUID

    from igloo_social.queries.comments import CommentRow


class NewCommentSchema(Schema):
    """A comment to write."""

    text = Text(
        lines=True,
        required=True,
        validate=validate.Length(min=1, max=MAX_COMMENT_LENGTH),
        metadata={
            "description": "`@username` mentions people: they are told, provided that they may see the post"
        },
    )


class CommentSchema(Schema):
    """A comment as the caller sees it."""

    id = fields.UUID(required=True)
    post_id = fields.UUID(required=True)
    author = fields.Nested(PersonSchema, required=True)
    text = fields.String(required=True)
    mentions = fields.List(fields.Nested(MentionSchema), required=True)
    can_delete = fields.Boolean(
        required=True, metadata={"description": "Whether the caller wrote it, or the post that it is under"}
    )
    created_at = fields.AwareDateTime(required=True)


class CommentsPageSchema(Schema):
    """A page of comments."""

    data = fields.List(fields.Nested(CommentSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def comment_json(
    row: CommentRow, *, post_id: UUID, post_author_id: UUID, viewer_id: UUID | None
) -> dict[str, object]:
    """Present a comment whose author is shown as CommentSchema documents it."""
    created_at, comment_id, author_id, username, display_name, avatar_url, text, mentions = row
    can_delete = author_id is not None and may_delete_comment(
        viewer_id, author_id=author_id, post_author_id=post_author_id
    )
    return {
        "id": comment_id,
        "post_id": post_id,
        "author": {
            "id": author_id,
            "username": username,
            "display_name": display_name,
            "avatar_url": avatar_url,
        },
        "text": text,
        "mentions": mentions_json(mentions),
        "can_delete": can_delete,
        "created_at": created_at,
    }
