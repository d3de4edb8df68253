"""Tells people what concerns them, once, in groups, and takes it back."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_social.models.notifications import WORDED, NotificationKind
from igloo_social.operations.notification_groups import Removal
from igloo_social.policies.notifications import group_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


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
    """Tell one person one fact, once; what people do to themselves is not news.

    Nobody is told of a kind that they have switched off, nor what somebody does whom they mute now or from
    whom a block parts them, either way. Told again, nothing changes, and the group does not move.

    Of comments, it needs the post's lock, like all that changes comments of a post.
    """
    kind, fact_id = NotificationKind(kind), new_id()
    day = now.astimezone(UTC).date()
    group_id = group_of(kind, recipient_id=recipient_id, fact_id=fact_id, post_id=post_id, day=day)
    fact = {
        "id": fact_id,
        "recipient_id": recipient_id,
        "kind": kind.value,
        "actor_id": actor_id,
        "object_id": object_id,
        "post_id": post_id,
        "group_id": group_id,
        "now": now,
    }
    NOTIFY.run(session, fact)


# The fact comes first: its unique constraint decides who tells it, and only they go on to the group. The
# foreign key is looked at when the statement ends, with the group there. What the actor did before in the
# group is read as it was before the statement, without the fact; it shows the actor no more.
NOTIFY = Statement("""
WITH recipient AS (
    SELECT user_id, coalesce((
        SELECT delivery FROM notification_preferences WHERE user_id = %(recipient_id)s AND kind = %(kind)s
    ), 'push') AS delivery
    FROM profiles
    WHERE user_id = %(recipient_id)s AND deleted_at IS NULL
        AND user_id IS DISTINCT FROM %(actor_id)s::uuid
        AND NOT EXISTS (
            SELECT FROM relations WHERE from_user = %(recipient_id)s AND to_user = %(actor_id)s::uuid
            AND (relation_type = 'b'
                OR relation_type = 'm' AND coalesce(expires_at, 'infinity') > %(now)s::timestamptz)
        )
        AND NOT EXISTS (
            SELECT FROM relations
            WHERE from_user = %(actor_id)s::uuid AND to_user = %(recipient_id)s AND relation_type = 'b'
        )
), fact AS (
    INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, post_id, group_id, created_at)
    SELECT %(id)s, user_id, %(kind)s, %(actor_id)s::uuid, %(object_id)s::uuid, %(post_id)s::uuid,
        %(group_id)s, %(now)s
    FROM recipient WHERE delivery <> 'off'
    ON CONFLICT DO NOTHING
    RETURNING id, recipient_id, kind, actor_id, group_id, created_at
), earlier AS (
    SELECT id FROM notifications
    WHERE group_id = %(group_id)s AND actor_id = %(actor_id)s::uuid AND is_newest
        AND EXISTS (SELECT FROM fact)
), grouped AS (
    INSERT INTO notification_groups AS present (id, recipient_id, kind, latest_at, actor_count)
    SELECT group_id, recipient_id, kind, created_at, 1 FROM fact
    ON CONFLICT (id) DO UPDATE SET
        latest_at = greatest(present.latest_at, excluded.latest_at),
        actor_count = present.actor_count + 1 - (SELECT count(*) FROM earlier)
    RETURNING id
), aged AS (
    UPDATE notifications SET is_newest = false
    FROM earlier, grouped WHERE notifications.id = earlier.id
), pushed AS (
    INSERT INTO pushes (id, notification_id, user_id, device_id, due_at, created_at)
    SELECT gen_random_uuid(), fact.id, devices.user_id, devices.id, fact.created_at, fact.created_at
    FROM fact JOIN recipient ON delivery = 'push' JOIN devices ON devices.user_id = fact.recipient_id
)
SELECT id FROM fact
""")


def withdraw(
    session: Session,
    *,
    recipient_id: UUID,
    kind: NotificationKind | str,
    actor_id: UUID | None,
    object_id: UUID | None,
) -> None:
    """Take back what was told, because it no longer holds. Of comments, it needs the post's lock."""
    fact = {"recipient_id": recipient_id, "kind": str(kind), "actor_id": actor_id, "object_id": object_id}
    FACTS[actor_id is not None, object_id is not None].run(session, fact)


def withdraw_all_about_post(session: Session, post_id: UUID) -> None:
    """Take back everything that was told about a post that is gone, its comments included.

    Needs the post's lock.
    """
    _ABOUT_POST.run(session, {"post_id": post_id})


def withdraw_all_about_comment(session: Session, comment_id: UUID) -> None:
    """Take back everything that was told about a comment that is gone; needs the post's lock."""
    withdraw_all_about_comments(session, (comment_id,))


def withdraw_all_about_comments(session: Session, comment_ids: Collection[UUID]) -> None:
    """Take back everything that was told about comments that are gone; needs their posts' locks."""
    _ABOUT_COMMENTS.run(session, {"comment_ids": list(comment_ids)})


def remove_between(session: Session, a: UUID, b: UUID, *, comment_ids: Collection[UUID] = ()) -> None:
    """Take back what either was told about the other. Needs both people's locks.

    With it goes what anybody was told about these comments, which the same block removes: at once, for the
    groups are locked in the order of their ids, after everything else that the transaction locks.
    """
    _BETWEEN.run(session, {"a": a, "b": b, "comment_ids": list(comment_ids)})


def _facts(*, has_actor: bool, has_object: bool) -> Removal:
    """Find the fact by the index that makes it unique: IS NOT DISTINCT FROM would read all of the kind."""
    actor = "= %(actor_id)s" if has_actor else "IS NULL"
    thing = "= %(object_id)s" if has_object else "IS NULL"
    return Removal(
        f"recipient_id = %(recipient_id)s AND kind = %(kind)s AND actor_id {actor} AND object_id {thing}"
    )


FACTS = {
    (has_actor, has_object): _facts(has_actor=has_actor, has_object=has_object)
    for has_actor in (True, False)
    for has_object in (True, False)
}
"""How one fact is taken back, by whether it has an actor, and an object."""

_ABOUT_POST = Removal("post_id = %(post_id)s")
_ABOUT_COMMENTS = Removal(f"{WORDED} AND object_id = ANY(%(comment_ids)s::uuid[])")
_BETWEEN = Removal(
    f"""id IN (
    SELECT id FROM notifications WHERE recipient_id = %(a)s AND actor_id = %(b)s
    UNION ALL
    SELECT id FROM notifications WHERE recipient_id = %(b)s AND actor_id = %(a)s
    UNION ALL
    SELECT id FROM notifications WHERE {WORDED} AND object_id = ANY(%(comment_ids)s::uuid[])
)"""  # noqa: S608 - words of our own
)
