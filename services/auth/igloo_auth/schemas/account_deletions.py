"""The shapes of a deletion's receipt, and of what Facebook sends and wants to hear about deletions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from igloo_auth.queries.account_deletions import Receipt, StepView

STATUS_PATH: Final = "/v1/auth/data-deletions/"
PENDING: Final = "pending"
COMPLETED: Final = "completed"
_STATES: Final = (PENDING, COMPLETED)


class DeletionStepSchema(Schema):
    """How far one service is with a deletion."""

    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    completed_at = fields.AwareDateTime(required=True, allow_none=True)
    removed = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "How many of which kind of thing were removed; empty until the step is completed.",
            "example": {"posts": 12, "comments": 40},
        },
    )


class DeletionServicesSchema(Schema):
    """Every service's step."""

    auth = fields.Nested(DeletionStepSchema, required=True)
    social = fields.Nested(DeletionStepSchema, required=True)
    media = fields.Nested(DeletionStepSchema, required=True)


class AccountDeletionSchema(Schema):
    """The receipt of a deletion; it says nothing about the person."""

    confirmation_code = fields.String(required=True, metadata={"example": "5f1d0c6c9a0b4e7f8a21"})
    status_url = fields.URL(
        required=True,
        metadata={"description": "Answers this receipt, as it stands then, to anybody who has the address."},
    )
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    account_found = fields.Boolean(
        required=True,
        metadata={"description": "False when Facebook asked about somebody of whom nothing was held."},
    )
    requested_at = fields.AwareDateTime(required=True)
    completed_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "When the last service had finished."}
    )
    services = fields.Nested(DeletionServicesSchema, required=True)


class SignedRequestSchema(Schema):
    """The form that Facebook sends."""

    signed_request = fields.String(
        required=True, metadata={"description": "Signature and payload, base64url, with a dot between."}
    )


class FacebookDeletionSchema(Schema):
    """What Facebook shows to the person who asked for the deletion."""

    url = fields.URL(required=True, metadata={"description": "The public status page."})
    confirmation_code = fields.String(required=True)


class NothingSchema(Schema):
    """An empty object."""


def receipt_json(receipt: Receipt, *, public_url: str) -> Mapping[str, Any]:
    """Return a receipt as it is sent."""
    return {
        "confirmation_code": receipt.confirmation_code,
        "status_url": status_url(receipt, public_url=public_url),
        "state": PENDING if receipt.completed_at is None else COMPLETED,
        "account_found": receipt.account_found,
        "requested_at": receipt.requested_at,
        "completed_at": receipt.completed_at,
        "services": {service: _step_json(step) for service, step in receipt.services.items()},
    }


def status_url(receipt: Receipt, *, public_url: str) -> str:
    """Return where everybody who has the code can see how the deletion stands."""
    return f"{public_url}{STATUS_PATH}{receipt.confirmation_code}"


def _step_json(step: StepView) -> Mapping[str, Any]:
    return {
        "state": PENDING if step.completed_at is None else COMPLETED,
        "completed_at": step.completed_at,
        "removed": step.removed,
    }
