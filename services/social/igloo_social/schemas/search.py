"""How people are looked up and searched for, and what is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from igloo_common.field_errors import CodedMessage
from igloo_common.pagination import PageSchema
from igloo_common.text_fields import Text
from igloo_social.policies import usernames
from igloo_social.schemas.profiles import ProfileSchema
from igloo_social.schemas.relations import RelationshipSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_QUERY_LENGTH: Final = 50
MAX_LIMIT: Final = 50
_USERNAME_SIGNS: Final = re.compile(r"[a-z0-9_.]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PeopleQuery:
    """Whom a client asks for: by the exact username, or by what was typed of a name; one of both is None."""

    limit: int
    username: str | None = None
    typed: str | None = None

    @property
    def typed_username(self) -> str:
        """What was typed, as far as a username could begin so; empty if none does."""
        start = usernames.normalised(self.typed or "")
        return start if _USERNAME_SIGNS.fullmatch(start) else ""


class TypedName(Text):
    """What somebody typed of a name, without the @ before it."""

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> str:
        typed = super()._deserialize(value, attr, data, **options)
        return typed.removeprefix("@").removeprefix("\uff20").strip()


class PeopleQuerySchema(Schema):
    """`?username=` or `?q=`, one of both."""

    username = fields.String(
        validate=validate.Length(min=1, max=usernames.MAXIMUM_LENGTH),
        metadata={"description": "The exact username, in any case"},
    )
    q = TypedName(
        validate=validate.Length(min=1, max=MAX_QUERY_LENGTH),
        metadata={"description": "The beginning of a username or of a name's word, or nearly either"},
    )
    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(min=1, max=MAX_LIMIT),
        metadata={"description": "With `q`: how many people at most"},
    )

    @validates_schema
    def _one_of_both(self, values: dict[str, Any], **_: object) -> None:
        if ("username" in values) == ("q" in values):
            raise ValidationError(CodedMessage("Give either username or q.", code="one_of_both"), "q")

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> PeopleQuery:
        return PeopleQuery(limit=values["limit"], username=values.get("username"), typed=values.get("q"))


class FoundPersonSchema(ProfileSchema):
    """Who was found: by `?username=` in full, by `?q=` in short, without what is not required here."""

    bio = fields.String()
    is_private = fields.Boolean()
    follower_count = fields.Integer()
    following_count = fields.Integer()
    post_count = fields.Integer()
    created_at = fields.AwareDateTime()
    relationship = fields.Nested(RelationshipSchema, allow_none=True)


class FoundPeopleSchema(Schema):
    """Everybody who was found, the best first: there are no further pages."""

    data = fields.List(fields.Nested(FoundPersonSchema), required=True)
    page = fields.Nested(PageSchema, required=True)
