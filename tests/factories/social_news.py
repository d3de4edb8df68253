"""What people are told, for tests of the social service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from factories.social_people import LONG_AGO
from igloo_common.ids import new_id
from igloo_social.operations.notifications import notify

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

# Groups that say anything else than their facts do, and facts that show their actor or not and should not.
_UNTRUE = text("""
SELECT g.id::text, g.kind, 'group' FROM notification_groups g
LEFT JOIN LATERAL (
    SELECT count(DISTINCT coalesce(actor_id, recipient_id)) AS actors, max(created_at) AS latest_at
    FROM notifications WHERE group_id = g.id AND recipient_id = g.recipient_id AND kind = g.kind
) fact ON true
WHERE g.actor_count <> fact.actors OR g.latest_at IS DISTINCT FROM fact.latest_at
UNION ALL
SELECT id::text, kind, 'fact' FROM (
    SELECT id, kind, group_id, is_newest, row_number() OVER (
        PARTITION BY group_id, actor_id ORDER BY created_at DESC, id DESC
    ) = 1 AS should_be FROM notifications
) fact
WHERE is_newest <> should_be OR group_id IS NULL
""")


def tell(
    session: Session,
    recipient: UUID,
    *,
    actor: UUID | None,
    kind: str = "like",
    post: UUID | None = None,
    thing: UUID | None = None,
    at: datetime = LONG_AGO,
) -> UUID:
    """Tell something about a thing, the post itself if none is given, and return the thing's id."""
    post_id = post or new_id()
    object_id = thing or post_id
    notify(
        session,
        recipient_id=recipient,
        kind=kind,
        actor_id=actor,
        object_id=object_id,
        post_id=post_id,
        now=at,
    )
    return object_id


def assert_groups_agree(session: Session) -> None:
    """Hold when every group says what its facts do, and none is empty."""
    session.rollback()
    assert session.execute(_UNTRUE).all() == []
