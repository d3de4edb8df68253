"""Posts over HTTP: what a client may ask for, and what it gets to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from igloo_common.field_errors import CodedMessage
from igloo_common.pagination import PageSchema
from igloo_common.text_fields import Text
from igloo_social.models.posts import MAX_CAPTION_LENGTH, MAX_IMAGES, PostState, Visibility
from igloo_social.operations.post_edits import PostEdit
from igloo_social.operations.posts import NewPost
from igloo_social.schemas.images import ImageSchema
from igloo_social.schemas.mentions import MentionSchema, mentions_json
from igloo_social.schemas.profiles import PersonSchema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from igloo_social.addresses import RenditionAddresses

_STATES = [state.value for state in PostState]
_VISIBILITY = "`followers` and `private` (the author alone) hide it from everybody else"


def _refuse_repetition(media_ids: Sequence[UUID]) -> None:
    if len(set(media_ids)) < len(media_ids):
        raise ValidationError(CodedMessage("A medium can be shown once.", code="duplicate"))


class NewPostSchema(Schema):
    """A post to make: images in the order in which they are to be shown, a caption, or both."""

    caption = Text(lines=True, load_default="", validate=validate.Length(max=MAX_CAPTION_LENGTH))
    media_ids = fields.List(
        fields.UUID(),
        load_default=(),
        validate=[validate.Length(max=MAX_IMAGES), _refuse_repetition],
        metadata={
            "description": "The caller's own uploads; those that are not ready yet keep the post waiting"
        },
    )
    visibility = fields.Enum(
        Visibility, by_value=True, load_default=Visibility.PUBLIC, metadata={"description": _VISIBILITY}
    )

    comments_open = fields.Boolean(
        load_default=True, metadata={"description": "Whether people may comment on it"}
    )

    @post_load
    def _command(self, values: dict[str, Any], **_: object) -> NewPost:
        return NewPost(**values)


class PostEditSchema(Schema):
    """What an author may change of a post; what is left out stays as it is."""

    caption = Text(lines=True, validate=validate.Length(max=MAX_CAPTION_LENGTH))
    visibility = fields.Enum(Visibility, by_value=True, metadata={"description": _VISIBILITY})

    comments_open = fields.Boolean(
        metadata={"description": "Whether people may comment; what they said before stays either way"}
    )

    @post_load
    def _command(self, values: dict[str, Any], **_: object) -> PostEdit:
        return PostEdit(**values)


class PostFailureSchema(Schema):
    """Why a post never came out."""

    code = fields.String(
        required=True,
        validate=validate.OneOf(
            ["media_failed", "media_deleted", "media_not_owned", "media_already_attached", "media_missing"]
        ),
    )
    detail = fields.String(required=True)


class PostSchema(Schema):
    """A post as the caller sees it."""

    id = fields.UUID(required=True)
    author = fields.Nested(PersonSchema, required=True)
    caption = fields.String(required=True)
    visibility = fields.String(required=True, validate=validate.OneOf([word.value for word in Visibility]))
    state = fields.String(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={
            "description": "Others see published posts alone; a moderator took a `hidden` one out of sight"
        },
    )
    failure = fields.Nested(PostFailureSchema, required=True, allow_none=True)
    images = fields.List(fields.Nested(ImageSchema), required=True)
    like_count = fields.Integer(required=True)
    comment_count = fields.Integer(required=True)
    comments_open = fields.Boolean(
        required=True, metadata={"description": "Whether people may comment; what was said before stays"}
    )
    liked = fields.Boolean(required=True, metadata={"description": "Whether the caller likes it"})
    bookmarked = fields.Boolean(required=True, metadata={"description": "Whether the caller keeps it"})
    tags = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The caption's hashtags, as their pages have them"},
    )
    mentions = fields.List(fields.Nested(MentionSchema), required=True)
    created_at = fields.AwareDateTime(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)
    edited_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the caption was last changed; other changes leave no mark"},
    )


class PostsPageSchema(Schema):
    """A page of posts."""

    data = fields.List(fields.Nested(PostSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def post_json(row: Sequence[Any], addresses: RenditionAddresses, *, now: datetime) -> dict[str, object]:
    """Present POST_COLUMNS as PostSchema documents them.

    Unpacked by position, which costs a third of asking a row for its names: a page of the feed has 340.
    """
    (
        post_id,
        author_id,
        username,
        display_name,
        avatar_url,
        caption,
        visibility,
        state,
        failure_code,
        failure_detail,
        images,
        like_count,
        comment_count,
        comments_open,
        liked,
        bookmarked,
        tags,
        mentions,
        created_at,
        published_at,
        edited_at,
        _version,
    ) = row
    return {
        "id": post_id,
        "author": {
            "id": author_id,
            "username": username,
            "display_name": display_name,
            "avatar_url": avatar_url,
        },
        "caption": caption,
        "visibility": visibility,
        "state": state,
        "failure": failure_code and {"code": failure_code, "detail": failure_detail},
        "images": addresses.images_json(images, now=now),
        "like_count": like_count,
        "comment_count": comment_count,
        "comments_open": comments_open,
        "liked": liked,
        "bookmarked": bookmarked,
        "tags": tags,
        "mentions": mentions_json(mentions),
        "created_at": created_at,
        "published_at": published_at,
        "edited_at": edited_at,
    }
