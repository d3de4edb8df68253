"""Removing what makes a deleted person's name in the texts of others lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.queries.shown_posts import lock_posts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

MENTIONS_AT_ONCE = 200


def remove_mentions(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Turn some of the mentions of the person into plain text, which others wrote and which stays.

    In posts, or else in comments, for these are changed under their posts' locks as well.
    """
    batch = {"account_id": account_id, "limit": MENTIONS_AT_ONCE}
    return {"mentions": _unname_in_posts(session, batch) or _unname_in_comments(session, batch)}


def _unname_in_posts(session: Session, batch: Mapping[str, object]) -> int:
    post_ids = [post_id for (post_id,) in NAMED_POSTS.rows(session, batch)]
    if not post_ids:
        return 0
    lock_posts(session, post_ids)
    return UNNAME_IN_POSTS.count(session, {**batch, "text_ids": post_ids})


def _unname_in_comments(session: Session, batch: Mapping[str, object]) -> int:
    found = NAMED_COMMENTS.rows(session, batch)
    if not found:
        return 0
    lock_posts(session, {post_id for _, post_id in found})
    return UNNAME_IN_COMMENTS.count(session, {**batch, "text_ids": [comment_id for comment_id, _ in found]})


def _unname(texts: str, mentions: str, column: str) -> Statement:
    return Statement(f"""
    WITH removed AS (
        DELETE FROM {mentions} WHERE user_id = %(account_id)s AND {column} = ANY(%(text_ids)s)
        RETURNING {column}
    )
    UPDATE {texts} SET mention_count = mention_count - 1 FROM removed WHERE id = removed.{column}
    """)  # noqa: S608 - words of our own


NAMED_POSTS = Statement("SELECT post_id FROM post_mentions WHERE user_id = %(account_id)s LIMIT %(limit)s")
NAMED_COMMENTS = Statement("""
SELECT comment_id, post_id FROM comment_mentions JOIN comments ON id = comment_id
WHERE user_id = %(account_id)s LIMIT %(limit)s
""")
UNNAME_IN_POSTS = _unname("posts", "post_mentions", "post_id")
UNNAME_IN_COMMENTS = _unname("comments", "comment_mentions", "comment_id")
