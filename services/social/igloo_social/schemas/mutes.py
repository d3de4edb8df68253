"""Mutes over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, post_load, validate

from igloo_common.pagination import PageSchema
from igloo_social.policies.relations import LONGEST_MUTE, SHORTEST_MUTE
from igloo_social.schemas.profiles import PersonSchema, person_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row


@dataclass(frozen=True, kw_only=True)
class Mute:
    """How long a person shall be muted; None is for good."""

    duration: timedelta | None


class Seconds(fields.Integer):
    """A whole number and nothing that equals or spells one: to Python, True is 1, and "60" reads as 60."""

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - what a client sent
        attr: str | None,
        data: Mapping[str, Any] | None,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **options)


class MuteSchema(Schema):
    """How long to mute: a length and not a moment, for the server's clock ends it and not a phone's."""

    duration_seconds = Seconds(
        load_default=None,
        allow_none=True,
        validate=validate.Range(
            min=int(SHORTEST_MUTE.total_seconds()), max=int(LONGEST_MUTE.total_seconds())
        ),
        metadata={
            "description": "From a minute to a year; null, or left out, is for good",
            "example": 604_800,
        },
    )

    @post_load
    def _mute(self, values: dict[str, Any], **_: object) -> Mute:
        seconds = values["duration_seconds"]
        return Mute(duration=None if seconds is None else timedelta(seconds=seconds))


class MutedPersonSchema(PersonSchema):
    """A person whom the caller mutes."""

    muting_until = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Null for one that does not end by itself"}
    )


class MutedPeoplePageSchema(Schema):
    """A page of the people whom the caller mutes."""

    data = fields.List(fields.Nested(MutedPersonSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def muted_person_json(row: Row[Any]) -> dict[str, object]:
    """Present a row of a list of the muted as MutedPersonSchema documents it."""
    return {**person_json(row), "muting_until": row.expires_at}
