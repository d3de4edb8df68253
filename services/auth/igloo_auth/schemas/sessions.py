"""The shape of a session, as the person whose device it is sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validate

from igloo_auth.models.sessions import RevocationReason
from igloo_auth.queries.sessions import SessionState
from igloo_common.pagination import PageQuery, PageQuerySchema, PageSchema


@dataclass(frozen=True, kw_only=True)
class SessionsQuery(PageQuery):
    """Which sessions, and which page of them."""

    state: SessionState


class SessionsQuerySchema(PageQuerySchema):
    """`?state=` beside the paging parameters."""

    state = fields.Enum(
        SessionState,
        by_value=True,
        load_default=SessionState.ACTIVE,
        metadata={"description": "`active` (signed in now), `ended` (in the last 30 days) or `all`."},
    )

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> SessionsQuery:
        return SessionsQuery(**values)


@dataclass(frozen=True, kw_only=True)
class EndSessionsQuery:
    """Which sessions are to end."""

    spare_current: bool


class EndSessionsQuerySchema(Schema):
    """`?except=` of signing out everywhere."""

    spared = fields.String(
        data_key="except",
        load_default=None,
        validate=validate.Equal("current"),
        metadata={"description": "`current` spares the session that asks.", "enum": ["current"]},
    )

    @pre_load
    def _refuse_unknown(self, parameters: Mapping[str, str], **_: object) -> Mapping[str, str]:
        """Refuse other parameters: a mistyped `except` must not end the session that it was to spare."""
        unknown = {name: ["Unknown field."] for name in parameters if name != "except"}
        if unknown:
            raise ValidationError(unknown)
        return parameters

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> EndSessionsQuery:
        return EndSessionsQuery(spare_current=values["spared"] is not None)


class SessionSchema(Schema):
    """A device that is or was signed in."""

    id = fields.UUID(required=True)
    device_name = fields.String(required=True, allow_none=True)
    platform = fields.String(required=True, allow_none=True)
    ip_prefix = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The network last seen, no finer than /24 (IPv4) or /48 (IPv6)."},
    )
    created_at = fields.AwareDateTime(required=True)
    last_seen_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(
        required=True, metadata={"description": "When the session ends if it is not used again."}
    )
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_reason = fields.Enum(RevocationReason, by_value=True, required=True, allow_none=True)
    current = fields.Boolean(
        required=True, metadata={"description": "Whether this request was made by this session."}
    )


class SessionPageSchema(Schema):
    """A page of sessions, the latest sign-in first."""

    data = fields.List(fields.Nested(SessionSchema), required=True)
    page = fields.Nested(PageSchema, required=True)
