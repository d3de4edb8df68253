"""Removing what a deleted person said under posts, their own and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations.comments import recount_comments
from igloo_social.queries.shown_posts import lock_posts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

COMMENTS_AT_ONCE = 200


def remove_comments(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some of the person's comments, and count those posts' comments anew under the posts' locks.

    Deleted and hidden ones, too. Removed and not made tombstones, as posts are: nothing looks for them.
    """
    found = SAID.rows(session, {"account_id": account_id, "limit": COMMENTS_AT_ONCE})
    if not found:
        return {}
    post_ids = sorted({post_id for _, post_id in found})
    lock_posts(session, post_ids)
    removed = REMOVE_COMMENTS.count(session, {"comment_ids": [comment_id for comment_id, _ in found]})
    recount_comments(session, post_ids)
    return {"comments": removed}


def removing_comments(comments: str) -> str:
    """Write the statement that removes these comments and whom they mention. Needs their posts' locks."""
    return f"""
    WITH doomed AS MATERIALIZED (
        {comments}
    ), unnamed AS (
        DELETE FROM comment_mentions WHERE comment_id = ANY(ARRAY(SELECT id FROM doomed))
    )
    DELETE FROM comments WHERE id = ANY(ARRAY(SELECT id FROM doomed))
    """  # noqa: S608 - words of our own


SAID = Statement("SELECT id, post_id FROM comments WHERE author_id = %(account_id)s LIMIT %(limit)s")
REMOVE_COMMENTS = Statement(removing_comments("SELECT unnest(%(comment_ids)s::uuid[]) AS id"))
