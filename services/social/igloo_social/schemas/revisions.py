"""Earlier versions of a post over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_social.models.posts import Visibility

if TYPE_CHECKING:
    from igloo_social.queries.revisions import Revision


class RevisionSchema(Schema):
    """How a post read before its caption was edited."""

    number = fields.Integer(required=True, metadata={"description": "From 1, the caption that it began with"})
    caption = fields.String(required=True)
    visibility = fields.String(
        required=True,
        validate=validate.OneOf([word.value for word in Visibility]),
        metadata={"description": "To whom the post was shown when this caption was replaced"},
    )
    written_at = fields.AwareDateTime(required=True)
    replaced_at = fields.AwareDateTime(required=True)


class RevisionsPageSchema(Schema):
    """A page of a post's earlier versions."""

    data = fields.List(fields.Nested(RevisionSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def revision_json(revision: Revision) -> dict[str, object]:
    """Present a revision as RevisionSchema documents it."""
    return revision._asdict()
