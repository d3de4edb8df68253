"""Tells people what concerns them, takes it back, and remembers how far they have read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_
from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import Conflict, Invalid
from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_social.models.notifications import NOTIFICATIONS, READ_MARKERS, NotificationKind
from igloo_social.operations.locks import lock_pair
from igloo_social.operations.relations import share_person

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


_NOTIFY = Statement("""
INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, post_id, created_at)
VALUES (%(id)s, %(recipient_id)s, %(kind)s, %(actor_id)s, %(object_id)s, %(post_id)s, %(now)s)
ON CONFLICT DO NOTHING
""")
_WITHDRAW = Statement("""
DELETE FROM notifications
WHERE recipient_id = %(recipient_id)s AND kind = %(kind)s
    AND actor_id IS NOT DISTINCT FROM %(actor_id)s::uuid
    AND object_id IS NOT DISTINCT FROM %(object_id)s::uuid
""")


class ReadMarkerStale(Conflict):
    """The notifications have been read further than this already, on another phone perhaps."""


class ReadMarkerInFuture(Invalid):
    """Nobody has read what has not happened yet."""


def notify(
    session: Session,
    *,
    recipient_id: UUID,
    kind: NotificationKind | str,
    actor_id: UUID | None,
    object_id: UUID | None,
    now: datetime,
    post_id: UUID | None = None,
) -> None:
    """Tell one person one fact, once; what people do to themselves is not news."""
    if recipient_id == actor_id:
        return
    fact = {"recipient_id": recipient_id, "kind": str(kind), "actor_id": actor_id, "object_id": object_id}
    _NOTIFY.run(session, {**fact, "id": new_id(), "post_id": post_id, "now": now})


def withdraw(
    session: Session,
    *,
    recipient_id: UUID,
    kind: NotificationKind | str,
    actor_id: UUID | None,
    object_id: UUID | None,
) -> None:
    """Take back what was told, because it no longer holds."""
    fact = {"recipient_id": recipient_id, "kind": str(kind), "actor_id": actor_id, "object_id": object_id}
    _WITHDRAW.run(session, fact)


def withdraw_all_about_post(session: Session, post_id: UUID) -> None:
    """Take back everything that was told about a post that is gone, its comments included."""
    session.execute(delete(NOTIFICATIONS).where(NOTIFICATIONS.c.post_id == post_id))


def withdraw_all_about_comment(session: Session, comment_id: UUID) -> None:
    """Take back everything that was told about a comment that is gone."""
    session.execute(delete(NOTIFICATIONS).where(NOTIFICATIONS.c.object_id == comment_id))


def remove_between(session: Session, a: UUID, b: UUID) -> None:
    """Take back what either was told about the other, and let neither be told more on old grounds."""
    lock_pair(session, a, b)
    session.execute(
        delete(NOTIFICATIONS).where(
            or_(
                and_(NOTIFICATIONS.c.recipient_id == a, NOTIFICATIONS.c.actor_id == b),
                and_(NOTIFICATIONS.c.recipient_id == b, NOTIFICATIONS.c.actor_id == a),
            )
        )
    )


def move_read_marker(session: Session, *, recipient_id: UUID, read_until: datetime, now: datetime) -> None:
    """Remember that everything up to a moment has been read; saying the same again changes nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        ReadMarkerStale: When the marker stands later already.
        ReadMarkerInFuture: When the moment has not come yet.
    """
    if read_until > now:
        raise ReadMarkerInFuture("read_until lies in the future.")
    share_person(session, recipient_id)
    marker = insert(READ_MARKERS).values(recipient_id=recipient_id, read_until=read_until)
    moved = session.execute(
        marker.on_conflict_do_update(
            index_elements=[READ_MARKERS.c.recipient_id],
            set_={"read_until": marker.excluded.read_until},
            where=READ_MARKERS.c.read_until <= marker.excluded.read_until,
        ).returning(READ_MARKERS.c.recipient_id)
    ).one_or_none()
    if moved is None:
        raise ReadMarkerStale("The notifications have been read further than this already.")
