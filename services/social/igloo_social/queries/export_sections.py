"""What a person finds in their own copy: a statement for each section, with the parameter `person_id`.

Of others it names whom the person can see, by id and username. Who blocks the person is in no section, and
neither is anybody deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from igloo_social.models.devices import DEVICES
from igloo_social.models.facebook_friends import FACEBOOK_FRIENDS
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.likes import LIKES
from igloo_social.models.notifications import NOTIFICATIONS, READ_MARKERS
from igloo_social.models.posts import POST_IMAGES, POST_REVISIONS, POSTS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType
from igloo_social.models.reports import REPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy import Select

_PERSON: ColumnElement[UUID] = bindparam("person_id", type_=Uuid())
_BLOCK = RELATIONS.alias("block")


def _is_seen(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Hold where somebody, joined as `profiles`, exists for the person whose copy it is."""
    blocks = exists().where(
        _BLOCK.c.from_user == user_id,
        _BLOCK.c.to_user == _PERSON,
        _BLOCK.c.relation_type == literal_column(f"'{RelationType.BLOCK}'"),
    )
    return and_(is_here(), ~blocks)


def _profile() -> Select[Any]:
    read_until = select(READ_MARKERS.c.read_until).where(READ_MARKERS.c.recipient_id == _PERSON)
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
    ).where(PROFILES.c.user_id == _PERSON)


def _posts() -> Select[Any]:
    columns = (
        POSTS.c.id,
        POSTS.c.caption,
        POSTS.c.visibility,
        POSTS.c.state,
        POSTS.c.failure_code,
        POSTS.c.like_count,
        POSTS.c.comment_count,
        POSTS.c.comments_open,
        POSTS.c.created_at,
        POSTS.c.published_at,
        POSTS.c.edited_at,
        POSTS.c.deleted_at,
        _images().label("images"),
        _revisions().label("revisions"),
    )
    # Deleted posts are held until the account is deleted, and so are in the copy. Each half has an index.
    halves = (POSTS.c.deleted_at.is_(None), POSTS.c.deleted_at.is_not(None))
    both = union_all(*(select(*columns).where(POSTS.c.author_id == _PERSON, half) for half in halves))
    rows = both.subquery()
    return select(rows).order_by(rows.c.created_at, rows.c.id)


def _images() -> ColumnElement[Any]:
    image = func.json_build_object(
        literal_column("'media_id'"),
        POST_IMAGES.c.media_id,
        literal_column("'alt_text'"),
        MEDIA_ITEMS.c.alt_text,
    )
    attached = and_(
        MEDIA_ITEMS.c.media_id == POST_IMAGES.c.media_id, MEDIA_ITEMS.c.post_id == POST_IMAGES.c.post_id
    )
    in_order = func.json_agg(aggregate_order_by(image, POST_IMAGES.c.position))
    return (
        select(func.coalesce(in_order, literal_column("'[]'::json")))
        .select_from(POST_IMAGES.outerjoin(MEDIA_ITEMS, attached))
        .where(POST_IMAGES.c.post_id == POSTS.c.id)
        .scalar_subquery()
    )


def _revisions() -> ColumnElement[Any]:
    """Read how a post read before, the oldest first."""
    parts: list[ColumnElement[Any]] = []
    for name in ("caption", "visibility", "written_at", "replaced_at"):
        parts += (literal_column(f"'{name}'"), POST_REVISIONS.c[name])
    in_order = func.json_agg(aggregate_order_by(func.json_build_object(*parts), POST_REVISIONS.c.number))
    return (
        select(func.coalesce(in_order, literal_column("'[]'::json")))
        .where(POST_REVISIONS.c.post_id == POSTS.c.id)
        .correlate_except(POST_REVISIONS)
        .scalar_subquery()
    )


def _likes() -> Select[Any]:
    likes = select(LIKES.c.post_id, LIKES.c.created_at.label("liked_at")).where(LIKES.c.user_id == _PERSON)
    return likes.order_by(LIKES.c.post_id)


def _people(kind: RelationType, *, incoming: bool = False) -> Select[Any]:
    near, far = RELATIONS.c.from_user, RELATIONS.c.to_user
    if incoming:
        near, far = far, near
    return (
        select(far.label("user_id"), PROFILES.c.username, RELATIONS.c.created_at.label("since"))
        .join_from(RELATIONS, PROFILES, PROFILES.c.user_id == far)
        .where(near == _PERSON, RELATIONS.c.relation_type == literal_column(f"'{kind}'"), _is_seen(far))
        .order_by(RELATIONS.c.created_at, far)
    )


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
        .where(NOTIFICATIONS.c.recipient_id == _PERSON, or_(actor_id.is_(None), _is_seen(actor_id)))
        .order_by(NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.id)
    )


def _devices() -> Select[Any]:
    columns = (DEVICES.c.id, DEVICES.c.platform, DEVICES.c.token, DEVICES.c.registered_at)
    return (
        select(*columns).where(DEVICES.c.user_id == _PERSON).order_by(DEVICES.c.registered_at, DEVICES.c.id)
    )


def _facebook_friends() -> Select[Any]:
    friend_id = FACEBOOK_FRIENDS.c.friend_id
    return (
        select(friend_id.label("user_id"), PROFILES.c.username, FACEBOOK_FRIENDS.c.found_at)
        .join_from(FACEBOOK_FRIENDS, PROFILES, PROFILES.c.user_id == friend_id)
        .where(FACEBOOK_FRIENDS.c.user_id == _PERSON, _is_seen(friend_id))
        .order_by(FACEBOOK_FRIENDS.c.found_at, friend_id)
    )


def _reports() -> Select[Any]:
    reports = select(
        REPORTS.c.id,
        REPORTS.c.target_kind,
        REPORTS.c.target_id,
        REPORTS.c.reason,
        REPORTS.c.note,
        REPORTS.c.created_at,
    )
    return reports.where(REPORTS.c.reporter_id == _PERSON).order_by(REPORTS.c.created_at, REPORTS.c.id)


SECTIONS: Final[Mapping[str, Select[Any]]] = {
    "profile": _profile(),
    "posts": _posts(),
    "likes": _likes(),
    "following": _people(RelationType.FOLLOW),
    "followers": _people(RelationType.FOLLOW, incoming=True),
    "follow_requests_sent": _people(RelationType.REQUEST),
    "follow_requests_received": _people(RelationType.REQUEST, incoming=True),
    "blocks": _people(RelationType.BLOCK),
    "mutes": _people(RelationType.MUTE),
    "notifications": _notifications(),
    "devices": _devices(),
    "facebook_friends": _facebook_friends(),
    "reports": _reports(),
}
