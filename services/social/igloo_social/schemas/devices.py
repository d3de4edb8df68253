"""Phones that are pushed to, over HTTP; what they are reached by goes in and never out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from igloo_common.field_errors import CodedMessage
from igloo_social.models.devices import DevicePlatform
from igloo_social.policies.devices import MAXIMUM_TOKEN_LENGTH, problem_with

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

_PLATFORMS = [platform.value for platform in DevicePlatform]
_WHICH_OF_APPLES = (
    "Builds of Xcode get tokens of Apple's sandbox; those of TestFlight and the App Store do not"
)
_WHAT_IT_IS_REACHED_BY = (
    "What the platform gave the app: hexadecimal for Apple, FCM's registration token otherwise."
    " No answer shows it again"
)


class DeviceRegistrationSchema(Schema):
    """How the platform's push service reaches the app on a phone."""

    platform = fields.String(
        required=True, validate=validate.OneOf(_PLATFORMS), metadata={"description": _WHICH_OF_APPLES}
    )
    token = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAXIMUM_TOKEN_LENGTH),
        metadata={"description": _WHAT_IT_IS_REACHED_BY},
    )

    @validates_schema(skip_on_field_errors=True)
    def refuse_malformed_token(self, registration: Mapping[str, Any], **_: object) -> None:
        """Refuse a token that is none of its platform's."""
        problem = problem_with(DevicePlatform(registration["platform"]), registration["token"])
        if problem is not None:
            raise ValidationError(CodedMessage(problem, code="malformed_token"), "token")

    @post_load
    def name_platform(self, registration: dict[str, Any], **_: object) -> dict[str, Any]:
        """Give the platform as what it is."""
        return {**registration, "platform": DevicePlatform(registration["platform"])}


class DeviceSchema(Schema):
    """A phone that news is pushed to."""

    id = fields.UUID(required=True, metadata={"description": "As the app has chosen it"})
    platform = fields.String(required=True, validate=validate.OneOf(_PLATFORMS))
    registered_at = fields.AwareDateTime(required=True, metadata={"description": "The last time"})


def device_json(device_id: UUID, platform: DevicePlatform, registered_at: datetime) -> dict[str, object]:
    """Present a phone as DeviceSchema documents it."""
    return {"id": device_id, "platform": platform.value, "registered_at": registered_at}
