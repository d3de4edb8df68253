"""Finds people whose stored counts of posts disagree with their posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from uuid import UUID

    from igloo_common.database import Reader


def miscounted_authors(reader: Reader, *, limit: int) -> list[UUID]:
    """List people whose counts of posts seem wrong, by one walk over all posts.

    The deleted are left out: their posts go batch by batch. Without locks a change under way may look like an
    error: count again under the lock before believing it.
    """
    return [user_id for (user_id,) in _MISCOUNTED.rows(reader, {"limit": limit})]


_MISCOUNTED = Statement("""
SELECT user_id FROM profiles LEFT JOIN (
    SELECT author_id, count(*) AS living,
        count(*) FILTER (WHERE state = 'published' AND visibility = 'public') AS public,
        count(*) FILTER (WHERE state = 'published' AND visibility = 'followers') AS followers
    FROM posts WHERE deleted_at IS NULL GROUP BY author_id
) AS counted ON author_id = user_id
WHERE profiles.deleted_at IS NULL
    AND (post_count, public_post_count, followers_post_count)
        <> (coalesce(living, 0), coalesce(public, 0), coalesce(followers, 0))
ORDER BY user_id LIMIT %(limit)s
""")
