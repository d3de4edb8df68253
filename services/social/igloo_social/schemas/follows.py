"""Followers and followees over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from igloo_common.pagination import PageQuery, PageQuerySchema, PageSchema
from igloo_social.queries.familiar_people import COUNTED_UP_TO
from igloo_social.schemas.profiles import PersonSchema


@dataclass(frozen=True, kw_only=True)
class FollowsQuery(PageQuery):
    """What page a client asks for, and whether of the people alone whom the caller follows too."""

    familiar: bool


class FollowsQuerySchema(PageQuerySchema):
    """`?limit=&cursor=&familiar=`."""

    familiar = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={"description": "Only people whom the caller follows too; needs an access token"},
    )

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> FollowsQuery:
        return FollowsQuery(**values)


class FollowsCursorsSchema(PageSchema):
    """Where the list goes on, and how long it is."""

    familiar_count = fields.Integer(
        validate=validate.Range(min=0, max=COUNTED_UP_TO),
        metadata={
            "description": f"With `familiar=true`: how many there are, {COUNTED_UP_TO} being so many or more"
        },
    )


class FollowsPageSchema(Schema):
    """A page of followers, or of followees."""

    data = fields.List(fields.Nested(PersonSchema), required=True)
    page = fields.Nested(FollowsCursorsSchema, required=True)
