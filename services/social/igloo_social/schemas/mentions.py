"""Whom a text names, over HTTP."""

from __future__ import annotations

import orjson
from marshmallow import Schema, fields


class MentionSchema(Schema):
    """A person whom a text names; who does not exist for the caller is left out."""

    user_id = fields.UUID(required=True)
    username = fields.String(
        required=True,
        metadata={"description": "As it stands in the text after the @; the person may have another by now"},
    )


def mentions_json(mentions: str | None) -> orjson.Fragment | list[object]:
    """Present what `visible_mentions` has read, which is as MentionSchema documents it."""
    return [] if mentions is None else orjson.Fragment(mentions)
