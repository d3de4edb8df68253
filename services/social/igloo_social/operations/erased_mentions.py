"""Removing what makes a deleted person's name in the texts of others lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

MENTIONS_AT_ONCE = 200


def remove_mentions(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Turn some of the mentions of the person into plain text, which others wrote and which stays.

    Posts and then comments, as locks are taken.
    """
    removed = 0
    for named, unname in ((NAMED_POSTS, UNNAME_IN_POSTS), (NAMED_COMMENTS, UNNAME_IN_COMMENTS)):
        rows = named.rows(session, {"account_id": account_id, "limit": MENTIONS_AT_ONCE})
        if rows:
            text_ids = [text_id for (text_id,) in rows]
            removed += unname.count(session, {"account_id": account_id, "text_ids": text_ids})
    return {"mentions": removed}


def _named(texts: str, mentions: str, column: str) -> Statement:
    return Statement(f"""
    SELECT id FROM {texts} WHERE id IN (
        SELECT {column} FROM {mentions} WHERE user_id = %(account_id)s ORDER BY {column} LIMIT %(limit)s
    ) ORDER BY id FOR NO KEY UPDATE
    """)  # noqa: S608 - words of our own


def _unname(texts: str, mentions: str, column: str) -> Statement:
    return Statement(f"""
    WITH removed AS (
        DELETE FROM {mentions} WHERE user_id = %(account_id)s AND {column} = ANY(%(text_ids)s)
        RETURNING {column}
    )
    UPDATE {texts} SET mention_count = mention_count - 1 FROM removed WHERE id = removed.{column}
    """)  # noqa: S608 - words of our own


NAMED_POSTS = _named("posts", "post_mentions", "post_id")
NAMED_COMMENTS = _named("comments", "comment_mentions", "comment_id")
UNNAME_IN_POSTS = _unname("posts", "post_mentions", "post_id")
UNNAME_IN_COMMENTS = _unname("comments", "comment_mentions", "comment_id")
