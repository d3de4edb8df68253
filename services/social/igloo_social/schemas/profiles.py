"""A person over HTTP: in full, in short, and what may be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, post_load, validate
from sqlalchemy import Row

from igloo_common.pagination import PageSchema
from igloo_common.text_fields import Text
from igloo_social.operations.profiles import ProfileEdit
from igloo_social.policies import names, usernames
from igloo_social.schemas.relations import RelationshipSchema, relationship_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo_social.queries.profiles import ProfileRow, ProfileView
    from igloo_social.queries.search import FoundPerson

BIO_LENGTH = 300


class PersonSchema(Schema):
    """A person in short, as lists and posts show them."""

    id = fields.UUID(required=True)
    username = fields.String(required=True, metadata={"example": "hare_k4f"})
    display_name = fields.String(required=True, metadata={"example": "Snow Hare"})
    avatar_url = fields.Url(required=True, allow_none=True)


class ProfileSchema(PersonSchema):
    """A person in full. The counts leave out whom a block hides from the viewer."""

    bio = fields.String(required=True)
    is_private = fields.Boolean(
        required=True, metadata={"description": "Whether following needs the person's consent"}
    )
    follower_count = fields.Integer(required=True)
    following_count = fields.Integer(required=True)
    post_count = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    relationship = fields.Nested(
        RelationshipSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null for oneself, and without an access token"},
    )


class PeoplePageSchema(Schema):
    """A page of people."""

    data = fields.List(fields.Nested(PersonSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


class Truth(fields.Boolean):
    """true or false and nothing that equals them: to Python, 1 and 1.0 are True."""

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **options)


class ProfileEditSchema(Schema):
    """What a person may change of their profile; what is left out stays as it is."""

    username = fields.String(
        metadata={
            "description": "3 to 30 of a to z, digits, _ and ., not signs alone; capitals become small, some"
            " are reserved",
            "example": "snow.hare",
        }
    )
    display_name = Text(validate=validate.Length(min=1, max=names.MAXIMUM_LENGTH))
    bio = Text(lines=True, validate=validate.Length(max=BIO_LENGTH))
    is_private = Truth()

    @post_load
    def _edit(self, values: dict[str, Any], **_: object) -> ProfileEdit:
        if "username" in values:
            values["username"] = usernames.normalised(values["username"])
        return ProfileEdit(**values)


def person_json(row: Row[Any] | ProfileRow | FoundPerson) -> dict[str, object]:
    """Present a row that has PERSON_COLUMNS as PersonSchema documents it."""
    return {
        "id": row.user_id,
        "username": row.username,
        "display_name": row.display_name,
        "avatar_url": row.avatar_url,
    }


def profile_json(view: ProfileView) -> dict[str, object]:
    """Present a profile as ProfileSchema documents it."""
    row = view.profile
    return {
        **person_json(row),
        "bio": row.bio,
        "is_private": row.is_private,
        "follower_count": row.follower_count,
        "following_count": row.following_count,
        "post_count": row.post_count,
        "created_at": row.created_at,
        "relationship": view.relationship and relationship_json(row.user_id, view.relationship),
    }
