"""The shape of a line of the trail, as the person whose account it is reads it."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

from igloo_auth.models.security_events import SecurityEventKind
from igloo_common.pagination import PageSchema

MEANINGS: Final = {
    SecurityEventKind.SIGNED_IN: "somebody signed in; `grant_type`, `device_name`, `platform`",
    SecurityEventKind.SIGNED_OUT: "a device signed itself out; `device_name`, `platform`",
    SecurityEventKind.SESSION_REVOKED: "I ended a device's session; `device_name`, `platform`",
    SecurityEventKind.REFRESH_TOKEN_REUSED: (
        "a used-up refresh token came again, so that two parties held it and the session was ended;"
        " `device_name`, `platform`"
    ),
    SecurityEventKind.AUTHORIZATION_CODE_REUSED: "a used-up code of a web sign-in came again; session ended",
    SecurityEventKind.FACEBOOK_DEAUTHORIZED: "igloo was removed in Facebook's settings; sessions ended",
    SecurityEventKind.ACCOUNT_SUSPENDED: "the account was suspended; all sessions ended; `reason`",
    SecurityEventKind.ACCOUNT_REINSTATED: "the suspension was taken back",
    SecurityEventKind.MODERATOR_APPOINTED: "an operator made me a moderator",
    SecurityEventKind.MODERATOR_DISMISSED: "I am no moderator any more",
    SecurityEventKind.EXPORT_REQUESTED: "a copy of everything held about me was asked for",
    SecurityEventKind.EXPORT_LINK_ISSUED: "a link to that copy was given out",
}
"""What each kind says, and which members its `details` may have."""


def _kinds() -> str:
    return " ".join(f"`{kind.value}`: {meaning}." for kind, meaning in MEANINGS.items())


class SecurityEventSchema(Schema):
    """Something that happened to the account's security."""

    id = fields.UUID(required=True)
    kind = fields.Enum(
        SecurityEventKind,
        by_value=True,
        required=True,
        metadata={"description": f"More may come. {_kinds()}"},
    )
    occurred_at = fields.AwareDateTime(required=True)
    session_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The device that it is about; it may be forgotten by now."},
    )
    ip_prefix = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Where it was done from, no finer than /24 (IPv4) or /48 (IPv6)."},
    )
    details = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={
            "description": "What else there is to say, by kind; members that are unknown are left out."
        },
    )


class SecurityEventPageSchema(Schema):
    """A page of the trail, the latest first."""

    data = fields.List(fields.Nested(SecurityEventSchema), required=True)
    page = fields.Nested(PageSchema, required=True)
