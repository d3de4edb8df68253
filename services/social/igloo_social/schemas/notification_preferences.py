"""What people want to be told, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, post_load, validate

from igloo_social.models.notifications import NotificationDelivery, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping


def _delivery(when: str) -> fields.String:
    ways = [way.value for way in NotificationDelivery]
    return fields.String(validate=validate.OneOf(ways), metadata={"description": when})


class NotificationPreferencesEditSchema(Schema):
    """What is done about each kind of news: `push` to phones and list it, `list` it alone, or `off`.

    What is left out stays as it is.
    """

    follow = _delivery("Somebody follows one")
    follow_request = _delivery("Somebody asks to follow one; cannot be `off`")
    follow_accepted = _delivery("Somebody lets one follow them")
    like = _delivery("Somebody likes one's post")
    comment = _delivery("Somebody comments on one's post")
    mention = _delivery("A post or a comment mentions one")
    post_failed = _delivery("One's own post could not come out; cannot be `off`")

    @post_load
    def _edit(self, values: dict[str, Any], **_: object) -> Mapping[NotificationKind, NotificationDelivery]:
        return {NotificationKind(kind): NotificationDelivery(way) for kind, way in values.items()}


class NotificationPreferencesSchema(NotificationPreferencesEditSchema):
    """What is done about each kind of news; `push` until the person chooses."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Hold every kind for required."""
        field_obj.required = True


def preferences_json(
    preferences: Mapping[NotificationKind, NotificationDelivery],
) -> dict[str, object]:
    """Present preferences as NotificationPreferencesSchema documents them."""
    return {kind.value: delivery.value for kind, delivery in preferences.items()}
