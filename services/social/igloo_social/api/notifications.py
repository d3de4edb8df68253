"""Routes of notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.pages import PageRequest
from igloo_social.operations.notification_preferences import set_preferences
from igloo_social.operations.read_markers import move_read_marker
from igloo_social.queries.notification_preferences import preferences_of
from igloo_social.queries.notifications import notifications_of, unread_count_of
from igloo_social.schemas.notification_preferences import (
    NotificationPreferencesEditSchema,
    NotificationPreferencesSchema,
    preferences_json,
)
from igloo_social.schemas.notifications import (
    NotificationsPageSchema,
    ReadMarkerSchema,
    ReadMarkerStatusSchema,
    UnreadCountSchema,
    notification_json,
    read_marker_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from igloo_social.models.notifications import NotificationDelivery, NotificationKind

blp = Blueprint("notifications", __name__, description="What the caller is told")


@blp.route("/v1/notifications", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, NotificationsPageSchema)
def list_notifications(query: PageQuery) -> Response:
    """List what one has been told in the last 90 days, the last first.

    What several people did is one entry, at the time of the last of them: while paging, an entry may move to
    the front, and is found there again from `prev_cursor` or without a cursor.
    """
    user_id = current_identity().user_id
    page = PageRequest(query, scope=f"notifications:{user_id}")
    with reading() as reader:
        told = notifications_of(reader, recipient_id=user_id, scan=page.scan)
    shown = [notification_json(group) for group in told.rows if group.is_shown]
    return page.response(shown, scanned=[(group.latest_at, group.id) for group in told.rows], more=told.more)


@blp.route("/v1/notifications/unread-count", methods=["GET"])
@access.user
@blp.response(200, UnreadCountSchema)
def count_unread_notifications() -> Response:
    """Count what is new since the read marker: entries of the list, as a badge shows."""
    with reading() as reader:
        return json_response(
            {"unread_count": unread_count_of(reader, recipient_id=current_identity().user_id)}
        )


@blp.route("/v1/notifications/read-marker", methods=["PUT"])
@access.user
@blp.arguments(ReadMarkerSchema)
@blp.response(200, ReadMarkerStatusSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def move_notifications_read_marker(marker: dict[str, Any]) -> Response:
    """Remember up to where one has read; a marker that would go back is refused with 409.

    Another phone of the same person has read further then: ask for the unread count again.
    """
    user_id, read_until = current_identity().user_id, marker["read_until"]
    with transaction() as session:
        move_read_marker(session, recipient_id=user_id, read_until=read_until, now=utc_now())
        unread_count = unread_count_of(session, recipient_id=user_id)
    return json_response(read_marker_json(read_until, unread_count))


@blp.route("/v1/notifications/preferences", methods=["GET"])
@access.user
@blp.response(200, NotificationPreferencesSchema)
def get_notification_preferences() -> Response:
    """Tell what is done about each kind of news: pushed and listed, listed alone, or nothing."""
    with reading() as reader:
        return json_response(preferences_json(preferences_of(reader, user_id=current_identity().user_id)))


@blp.route("/v1/notifications/preferences", methods=["PUT"])
@access.user
@blp.arguments(NotificationPreferencesEditSchema)
@blp.response(200, NotificationPreferencesSchema)
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def set_notification_preferences(deliveries: Mapping[NotificationKind, NotificationDelivery]) -> Response:
    """Choose what is done about some kinds of news from now on; the others stay as they are.

    Requests to follow, and posts that fail, can be kept from phones and not be switched off
    (`notification_needed`). What was told before stays in the list.
    """
    user_id = current_identity().user_id
    with transaction() as session:
        set_preferences(session, user_id=user_id, deliveries=deliveries)
        preferences = preferences_of(session, user_id=user_id)
    return json_response(preferences_json(preferences))
