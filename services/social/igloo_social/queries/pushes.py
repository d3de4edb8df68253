"""Reads of what is on its way to phones: what a push says by now, and how much waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, func, literal_column, or_, select

from igloo_social.models.devices import DEVICES, PUSHES, DevicePlatform
from igloo_social.models.notifications import (
    NOTIFICATION_GROUPS,
    NOTIFICATION_PREFERENCES,
    NOTIFICATIONS,
    READ_MARKERS,
    NotificationDelivery,
)
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.notifications import unread_count_of
from igloo_social.queries.visibility import VIEWER, person_is_not_muted, person_is_shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from igloo_common.database import Reader

PEOPLE_READ: Final = 100
"""Where so many people of a group are news, the group's own count says how many there are."""


class Pointless(StrEnum):
    """Why a push is not sent any more."""

    NO_DEVICE = "no_device"
    TAKEN_BACK = "taken_back"
    SWITCHED_OFF = "switched_off"
    READ_OR_HIDDEN = "read_or_hidden"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A phone, as it was registered when the push was taken up."""

    user_id: UUID
    id: UUID
    platform: DevicePlatform
    token: str
    endpoint_arn: str | None
    registered_at: datetime


@dataclass(frozen=True, kw_only=True)
class News:
    """What a group of notifications says that its recipient has not read yet."""

    group_id: UUID
    kind: str
    post_id: UUID | None
    names: Sequence[str]
    """Of the last two who did it, the last first; none where nobody in particular did."""
    actor_count: int
    unread_count: int
    is_update: bool
    """Whether there was unread news in the group before this: the phone has told of it."""


def news_for(
    reader: Reader, *, user_id: UUID, device_id: UUID, notification_id: UUID
) -> tuple[Target, News] | Pointless:
    """Read the phone that a push goes to, and what it says, both as they are now."""
    told = reader.execute(
        _TOLD, {"viewer_id": user_id, "device_id": device_id, "notification_id": notification_id}
    ).one_or_none()
    if told is None:
        return Pointless.NO_DEVICE
    if told.kind is None:
        return Pointless.TAKEN_BACK
    if told.delivery not in {None, NotificationDelivery.PUSH}:
        return Pointless.SWITCHED_OFF
    people = reader.execute(_PEOPLE, {"viewer_id": user_id, "group_id": told.group_id}).all()
    if not people:
        return Pointless.READ_OR_HIDDEN
    unread_count = unread_count_of(reader, recipient_id=user_id)
    return _target(told, user_id=user_id), _news(told, people, unread_count=unread_count)


def waiting_pushes(reader: Reader) -> Row[Any]:
    """Count the pushes that have not been sent, with the age of the oldest in seconds."""
    return reader.execute(_WAITING).one()


def _target(told: Row[Any], *, user_id: UUID) -> Target:
    return Target(
        user_id=user_id,
        id=told.device_id,
        platform=DevicePlatform(told.platform),
        token=told.token,
        endpoint_arn=told.endpoint_arn,
        registered_at=told.registered_at,
    )


def _news(told: Row[Any], people: Sequence[Row[Any]], *, unread_count: int) -> News:
    return News(
        group_id=told.group_id,
        kind=told.kind,
        post_id=told.post_id,
        names=[each.display_name or each.username for each in people[:2] if each.username is not None],
        actor_count=len(people) if len(people) < PEOPLE_READ else told.actor_count,
        unread_count=unread_count,
        is_update=people[-1].created_at < told.created_at,
    )


_GROUP_ID: ColumnElement[UUID] = bindparam("group_id", type_=Uuid())
_TOLD = (
    select(
        DEVICES.c.id.label("device_id"),
        DEVICES.c.platform,
        DEVICES.c.token,
        DEVICES.c.endpoint_arn,
        DEVICES.c.registered_at,
        NOTIFICATIONS.c.kind,
        NOTIFICATIONS.c.post_id,
        NOTIFICATIONS.c.group_id,
        NOTIFICATIONS.c.created_at,
        NOTIFICATION_GROUPS.c.actor_count,
        NOTIFICATION_PREFERENCES.c.delivery,
    )
    .select_from(DEVICES)
    .join(PROFILES, PROFILES.c.user_id == DEVICES.c.user_id)
    .outerjoin(
        NOTIFICATIONS,
        and_(
            NOTIFICATIONS.c.id == bindparam("notification_id", type_=Uuid()),
            NOTIFICATIONS.c.recipient_id == DEVICES.c.user_id,
        ),
    )
    .outerjoin(NOTIFICATION_GROUPS, NOTIFICATION_GROUPS.c.id == NOTIFICATIONS.c.group_id)
    .outerjoin(
        NOTIFICATION_PREFERENCES,
        and_(
            NOTIFICATION_PREFERENCES.c.user_id == DEVICES.c.user_id,
            NOTIFICATION_PREFERENCES.c.kind == NOTIFICATIONS.c.kind,
        ),
    )
    .where(DEVICES.c.user_id == VIEWER, DEVICES.c.id == bindparam("device_id", type_=Uuid()), is_here())
)
_READ_UNTIL: ColumnElement[Any] = (
    select(READ_MARKERS.c.read_until).where(READ_MARKERS.c.recipient_id == VIEWER).scalar_subquery()
)
_ACTOR_ID = NOTIFICATIONS.c.actor_id
_PEOPLE = (
    select(PROFILES.c.username, PROFILES.c.display_name, NOTIFICATIONS.c.created_at)
    .select_from(NOTIFICATIONS.outerjoin(PROFILES, PROFILES.c.user_id == _ACTOR_ID))
    .where(
        NOTIFICATIONS.c.group_id == _GROUP_ID,
        NOTIFICATIONS.c.is_newest,
        NOTIFICATIONS.c.recipient_id == VIEWER,
        NOTIFICATIONS.c.created_at > func.coalesce(_READ_UNTIL, literal_column("'-infinity'::timestamptz")),
        or_(
            _ACTOR_ID.is_(None),
            and_(is_here(), person_is_shown(_ACTOR_ID), person_is_not_muted(_ACTOR_ID)),
        ),
    )
    .order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id.desc())
    .limit(literal_column(str(PEOPLE_READ)))
)
_WAITING = select(
    func.count().label("waiting"),
    func.coalesce(
        func.extract("epoch", func.now() - func.min(PUSHES.c.created_at)), literal_column("0")
    ).label("oldest_seconds"),
)
