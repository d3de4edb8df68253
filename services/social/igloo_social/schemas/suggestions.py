"""People to follow, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_social.queries.suggestions import FACEBOOK_FRIEND
from igloo_social.schemas.profiles import PersonSchema

if TYPE_CHECKING:
    from igloo_social.queries.suggestions import Suggestion


class SuggestionSchema(PersonSchema):
    """A person whom the caller may want to follow."""

    reason = fields.String(
        required=True,
        validate=validate.OneOf([FACEBOOK_FRIEND]),
        metadata={"description": "More reasons will come: show the person where you do not know it"},
    )


class SuggestionsPageSchema(Schema):
    """A page of people to follow, the newest found first."""

    data = fields.List(fields.Nested(SuggestionSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def suggestion_json(suggestion: Suggestion) -> dict[str, object]:
    """Present a person to follow as SuggestionSchema documents it."""
    return {
        "id": suggestion.user_id,
        "username": suggestion.username,
        "display_name": suggestion.display_name,
        "avatar_url": suggestion.avatar_url,
        "reason": suggestion.reason,
    }
