"""Removing what stands between a deleted person and others, and the person's posts from the others' feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations.counts import recount_people
from igloo_social.operations.locks import lock_audience
from igloo_social.operations.relations import lock_people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

PEOPLE_AT_ONCE = 200
LOOKED_UP_AT_ONCE = 50_000
"""Feed entries looked for in one statement: the people of a batch times the posts of the deleted person."""


def remove_relations(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove all edges with some people, both ways, and the person's posts from their feeds.

    The others' counts are made anew under the locks that every change of an edge takes. The feeds of all whom
    an edge leads to are held still: who was writing to the person's own, or from the person's posts, has done
    so before, and does so no more after.
    """
    others = _people_around(session, account_id)
    if not others:
        return {}
    living = lock_people(session, others)
    lock_audience(session, (account_id, *others))
    between = {"account_id": account_id, "others": others}
    removed = {
        "relations": REMOVE_INCOMING.count(session, between) + REMOVE_OUTGOING.count(session, between),
        "feed_entries": CLEAN_FEEDS.count(session, between),
    }
    TELL_FEEDS.run(session, between)
    # Others who are deleted as well have their own erasure, and nobody reads their counts.
    recount_people(session, list(living))
    return removed


def _people_around(session: Session, account_id: UUID) -> list[UUID]:
    counted = NUMBER_OF_POSTS.row(session, {"account_id": account_id, "limit": LOOKED_UP_AT_ONCE})
    posts = counted[0] if counted else 0
    limit = max(1, min(PEOPLE_AT_ONCE, LOOKED_UP_AT_ONCE // max(1, posts)))
    return [user_id for (user_id,) in PEOPLE_AROUND.rows(session, {"account_id": account_id, "limit": limit})]


NUMBER_OF_POSTS = Statement("""
SELECT count(*) FROM (
    SELECT FROM posts WHERE author_id = %(account_id)s AND deleted_at IS NULL LIMIT %(limit)s
) AS own
""")
PEOPLE_AROUND = Statement("""
(SELECT from_user FROM relations WHERE to_user = %(account_id)s LIMIT %(limit)s)
UNION
(SELECT to_user FROM relations WHERE from_user = %(account_id)s LIMIT %(limit)s)
""")
REMOVE_INCOMING = Statement("""
DELETE FROM relations WHERE to_user = %(account_id)s AND from_user = ANY(%(others)s)
""")
REMOVE_OUTGOING = Statement("""
DELETE FROM relations WHERE from_user = %(account_id)s AND to_user = ANY(%(others)s)
""")
# Phones that keep one of these feeds look again at whether the person's posts are in it.
TELL_FEEDS = Statement("""
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT other, now(), %(account_id)s, 'a' FROM unnest(%(others)s::uuid[]) AS other ON CONFLICT DO NOTHING
""")
# Each post is looked up in each feed, for the table's key is its only index: LATERAL with LIMIT leaves no
# plan that would rather read all feeds through. The posts come by two indexes, each of which has one half of
# them: a post deleted just now may stand in feeds still. Rows of this table never move, so ctid names them.
CLEAN_FEEDS = Statement("""
WITH own AS (
    SELECT id, published_at FROM posts WHERE author_id = %(account_id)s AND deleted_at IS NULL
    UNION ALL
    SELECT id, published_at FROM posts WHERE author_id = %(account_id)s AND deleted_at IS NOT NULL
)
DELETE FROM timeline WHERE ctid = ANY(ARRAY(
    SELECT entry.ctid FROM own, unnest(%(others)s::uuid[]) AS other(id), LATERAL (
        SELECT timeline.ctid FROM timeline
        WHERE owner_id = other.id AND timeline.published_at = own.published_at AND post_id = own.id LIMIT 1
    ) AS entry
))
""")
