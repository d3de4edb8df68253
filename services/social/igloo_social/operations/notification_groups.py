"""Keeps groups of news true when facts of them are taken back: they say what is left, and empty ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session


class Removal:
    """The removal of the facts for which a condition holds, with what it changes about their groups.

    Two statements in one round trip. The first locks the groups, in the order of their ids; the second then
    sees what others have told and taken back before, which a single one would not: it would count by what
    was there when it began to wait.
    """

    def __init__(self, facts: str) -> None:
        self.lock = Statement(_LOCK.format(facts=facts))
        self.remove = Statement(_REMOVE.format(facts=facts))

    def run(self, session: Session, parameters: Mapping[str, object]) -> None:
        """Remove them: at the latest with COMMIT."""
        self.lock.run(session, parameters)
        self.remove.run(session, parameters)

    def count(self, session: Session, parameters: Mapping[str, object]) -> int:
        """Remove them now, and return how many there were."""
        self.lock.run(session, parameters)
        row = self.remove.row(session, parameters)
        return 0 if row is None else int(row[0])


def regroup(session: Session, group_ids: Sequence[UUID]) -> None:
    """Make groups that had drifted say what their facts do; empty ones go.

    Needs the groups' locks, and those of the recipients and of the facts' posts.
    """
    groups = {"ids": list(group_ids)}
    _SHOW_ACTORS_ONCE.run(session, groups)
    _RECOUNT.run(session, groups)
    _REMOVE_EMPTY.run(session, groups)


_LOCK: Final = """
SELECT FROM notification_groups
WHERE id = ANY(ARRAY(SELECT group_id FROM notifications WHERE {facts}))
ORDER BY id FOR UPDATE
"""
# All parts of it see the facts as they were before it, so those that go are left out by hand. Where a newest
# comment of somebody goes, the one before shows them; a post may have too many likes to look for that, and
# nobody likes it twice.
_REMOVE: Final = """
WITH gone AS (
    DELETE FROM notifications WHERE {facts} RETURNING id, kind, group_id, actor_id, is_newest
), heir AS (
    UPDATE notifications SET is_newest = true
    FROM (SELECT group_id, actor_id FROM gone WHERE is_newest AND kind <> 'like') AS lost, LATERAL (
        SELECT left_over.id FROM notifications AS left_over
        WHERE left_over.group_id = lost.group_id AND left_over.actor_id = lost.actor_id
            AND left_over.id NOT IN (SELECT id FROM gone)
        ORDER BY left_over.created_at DESC, left_over.id DESC LIMIT 1
    ) AS next
    WHERE notifications.id = next.id
    RETURNING notifications.group_id, notifications.created_at
), change AS (
    SELECT group_id, count(*) FILTER (WHERE is_newest) - (
        SELECT count(*) FROM heir WHERE heir.group_id = gone.group_id
    ) AS lost
    FROM gone WHERE group_id IS NOT NULL GROUP BY group_id
), emptied AS (
    DELETE FROM notification_groups USING change WHERE id = group_id AND actor_count <= lost
), kept AS (
    UPDATE notification_groups SET
        actor_count = actor_count - lost,
        latest_at = coalesce(greatest((
            SELECT created_at FROM notifications AS fact
            WHERE fact.group_id = notification_groups.id AND fact.is_newest
                AND fact.id NOT IN (SELECT id FROM gone)
            ORDER BY fact.created_at DESC, fact.id DESC LIMIT 1
        ), (
            SELECT max(created_at) FROM heir WHERE heir.group_id = notification_groups.id
        )), latest_at)
    FROM change WHERE notification_groups.id = change.group_id AND actor_count > lost
)
SELECT count(*) FROM gone
"""
# A flag that is right stays: see notify, which gives it to whatever was told last.
_SHOW_ACTORS_ONCE: Final = Statement("""
UPDATE notifications SET is_newest = shows FROM (
    SELECT id, row_number() OVER (
        PARTITION BY group_id, actor_id ORDER BY is_newest DESC, created_at DESC, id DESC
    ) = 1 AS shows
    FROM notifications WHERE group_id = ANY(%(ids)s::uuid[])
) AS fact
WHERE notifications.id = fact.id AND is_newest <> shows
""")
_RECOUNT: Final = Statement("""
UPDATE notification_groups SET actor_count = facts.actors, latest_at = facts.latest_at
FROM (
    SELECT group_id, count(*) FILTER (WHERE is_newest) AS actors, max(created_at) AS latest_at
    FROM notifications WHERE group_id = ANY(%(ids)s::uuid[]) GROUP BY group_id
) AS facts
WHERE id = facts.group_id
""")
_REMOVE_EMPTY: Final = Statement("""
DELETE FROM notification_groups WHERE id = ANY(%(ids)s::uuid[])
    AND NOT EXISTS (SELECT FROM notifications WHERE group_id = notification_groups.id)
""")
