"""People to follow, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_social.queries.suggestions import (
    FACEBOOK_FRIEND,
    FOLLOWED_BY_FOLLOWEES,
    MUTUALS_SHOWN,
    NEWEST_FOLLOWEES,
    THEIR_NEWEST,
)
from igloo_social.schemas.profiles import PersonSchema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from igloo_social.queries.suggestions import PersonInShort, Suggestion


class SuggestionSchema(PersonSchema):
    """A person whom the caller may want to follow."""

    reason = fields.String(
        required=True,
        validate=validate.OneOf([FACEBOOK_FRIEND, FOLLOWED_BY_FOLLOWEES]),
        metadata={"description": "Why in the first place. Show the person where you do not know the reason"},
    )
    mutual_count = fields.Integer(
        required=True,
        metadata={
            "description": (
                f"How many of the last {NEWEST_FOLLOWEES} people whom the caller followed have followed them,"
                f" as far as it is among the last {THEIR_NEWEST} follows of each: not more, perhaps less"
            )
        },
    )
    mutuals = fields.List(
        fields.Nested(PersonSchema),
        required=True,
        metadata={"description": f"Up to {MUTUALS_SHOWN} of these, whom the caller followed last first"},
    )


class SuggestionsPageSchema(Schema):
    """A page of people to follow."""

    data = fields.List(fields.Nested(SuggestionSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def suggestion_json(suggestion: Suggestion, people: Mapping[UUID, PersonInShort]) -> dict[str, object]:
    """Present a person to follow, who is one of `people`, as SuggestionSchema documents it."""
    return {
        **_person(people[suggestion.user_id]),
        "reason": FACEBOOK_FRIEND if suggestion.is_facebook_friend else FOLLOWED_BY_FOLLOWEES,
        "mutual_count": suggestion.mutual_count,
        "mutuals": [_person(people[user_id]) for user_id in suggestion.mutual_ids if user_id in people],
    }


def _person(person: PersonInShort) -> dict[str, object]:
    return {
        "id": person.user_id,
        "username": person.username,
        "display_name": person.display_name,
        "avatar_url": person.avatar_url,
    }
