"""What a person finds in their own copy: a statement for each section, with the parameter `person_id`.

Of others it names whom the person can see, by id and username. Who blocks the person is in no section, and
neither is anybody deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, or_, select

from igloo_social.models.devices import DEVICES
from igloo_social.models.notifications import NOTIFICATION_PREFERENCES, NOTIFICATIONS, READ_MARKERS
from igloo_social.models.profiles import FORMER_USERNAMES, PROFILES
from igloo_social.models.relations import RelationType
from igloo_social.models.reports import REPORTS
from igloo_social.queries import exported_people, exported_posts
from igloo_social.queries.exported_people import PERSON, blocks_nobody, is_seen, people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select


def _profile() -> Select[Any]:
    read_until = select(READ_MARKERS.c.read_until).where(READ_MARKERS.c.recipient_id == PERSON)
    return select(
        PROFILES.c.user_id,
        PROFILES.c.username,
        PROFILES.c.display_name,
        PROFILES.c.bio,
        PROFILES.c.avatar_url,
        PROFILES.c.is_private,
        PROFILES.c.follower_count,
        PROFILES.c.following_count,
        PROFILES.c.post_count,
        PROFILES.c.created_at,
        PROFILES.c.updated_at,
        read_until.scalar_subquery().label("notifications_read_until"),
        PROFILES.c.friends_found_at.label("facebook_friends_found_at"),
    ).where(PROFILES.c.user_id == PERSON)


def _former_usernames() -> Select[Any]:
    columns = (FORMER_USERNAMES.c.username, FORMER_USERNAMES.c.released_at)
    return select(*columns).where(FORMER_USERNAMES.c.user_id == PERSON).order_by(*reversed(columns))


def _notifications() -> Select[Any]:
    actor_id = NOTIFICATIONS.c.actor_id
    return (
        select(
            NOTIFICATIONS.c.id,
            NOTIFICATIONS.c.kind,
            actor_id,
            PROFILES.c.username.label("actor_username"),
            NOTIFICATIONS.c.post_id,
            NOTIFICATIONS.c.created_at,
        )
        .select_from(NOTIFICATIONS.outerjoin(PROFILES, PROFILES.c.user_id == actor_id))
        .where(NOTIFICATIONS.c.recipient_id == PERSON, or_(actor_id.is_(None), is_seen(actor_id)))
        .order_by(NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.id)
    )


def _notification_preferences() -> Select[Any]:
    columns = (NOTIFICATION_PREFERENCES.c.kind, NOTIFICATION_PREFERENCES.c.delivery)
    return select(*columns).where(NOTIFICATION_PREFERENCES.c.user_id == PERSON).order_by(*columns)


def _devices() -> Select[Any]:
    """Leave out the token: whoever had it could not push with it, and nobody can read it."""
    columns = (DEVICES.c.id, DEVICES.c.platform, DEVICES.c.registered_at)
    return select(*columns).where(DEVICES.c.user_id == PERSON).order_by(DEVICES.c.registered_at, DEVICES.c.id)


def _reports() -> Select[Any]:
    """Leave out what is reported where its owner blocks the person by now."""
    return (
        select(
            REPORTS.c.id,
            REPORTS.c.target_kind,
            case((blocks_nobody(REPORTS.c.owner_id), REPORTS.c.target_id)).label("target_id"),
            REPORTS.c.reason,
            REPORTS.c.note,
            REPORTS.c.created_at,
            REPORTS.c.resolution,
            REPORTS.c.resolved_at,
        )
        .where(REPORTS.c.reporter_id == PERSON)
        .order_by(REPORTS.c.created_at, REPORTS.c.id)
    )


SECTIONS: Final[Mapping[str, Select[Any]]] = {
    "profile": _profile(),
    "former_usernames": _former_usernames(),
    "posts": exported_posts.posts(),
    "comments": exported_posts.comments(),
    "likes": exported_posts.likes(),
    "bookmarks": exported_posts.bookmarks(),
    "following": people(RelationType.FOLLOW),
    "followers": people(RelationType.FOLLOW, incoming=True),
    "follow_requests_sent": people(RelationType.REQUEST),
    "follow_requests_received": people(RelationType.REQUEST, incoming=True),
    "blocks": people(RelationType.BLOCK),
    "mutes": exported_people.mutes(),
    "dismissed_suggestions": exported_people.dismissed_suggestions(),
    "facebook_friends": exported_people.facebook_friends(),
    "notifications": _notifications(),
    "notification_preferences": _notification_preferences(),
    "devices": _devices(),
    "reports": _reports(),
}
