"""Removing what moderation holds about a deleted person: what was set apart of them, and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

ROWS_AT_ONCE = 2_000


def remove_set_apart(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some of what a suspension has set apart, the person's own and what leads to them.

    Nobody counts it. A reinstatement that is about to put an edge back holds the person's lock and looks
    whether they live: it has done so before, and the edge is found among the relations, or drops it.
    """
    batch = {"account_id": account_id, "limit": ROWS_AT_ONCE}
    # One of the two in a transaction: the person at the other end may be leaving as well.
    relations = REMOVE_APART_OUT.count(session, batch) or REMOVE_APART_IN.count(session, batch)
    return {"relations": relations, "likes_given": REMOVE_LIKES_APART.count(session, batch)}


def remove_reports(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some reports about the person and what they made, and take them out of those they made.

    What they reported stays reported, without their name and their words. The trail of moderation stays as
    well: it holds ids alone, of which nothing leads to the person any more.
    """
    batch = {"account_id": account_id, "limit": ROWS_AT_ONCE}
    return {"reports": REMOVE_REPORTS.count(session, batch) + FORGET_REPORTER.count(session, batch)}


REMOVE_APART_OUT = Statement("""
DELETE FROM suspended_relations WHERE (from_user, to_user, relation_type) IN (
    SELECT from_user, to_user, relation_type FROM suspended_relations
    WHERE from_user = %(account_id)s LIMIT %(limit)s
)
""")
REMOVE_APART_IN = Statement("""
DELETE FROM suspended_relations WHERE (from_user, to_user, relation_type) IN (
    SELECT from_user, to_user, relation_type FROM suspended_relations
    WHERE to_user = %(account_id)s LIMIT %(limit)s
)
""")
REMOVE_LIKES_APART = Statement("""
WITH doomed AS MATERIALIZED (
    SELECT post_id FROM suspended_likes WHERE user_id = %(account_id)s
    ORDER BY post_id LIMIT %(limit)s FOR UPDATE
)
DELETE FROM suspended_likes
WHERE user_id = %(account_id)s AND post_id = ANY(ARRAY(SELECT post_id FROM doomed))
""")
# Locked in the order of their ids, as by who decides about several at once.
REMOVE_REPORTS = Statement("""
DELETE FROM reports WHERE id IN (
    SELECT id FROM reports WHERE owner_id = %(account_id)s ORDER BY id LIMIT %(limit)s FOR UPDATE
)
""")
FORGET_REPORTER = Statement("""
UPDATE reports SET reporter_id = NULL, note = '' WHERE id IN (
    SELECT id FROM reports WHERE reporter_id = %(account_id)s ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE
)
""")
