"""Puts posts on the pages of their hashtags, and takes them off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


def agree_tags(session: Session, post_id: UUID) -> None:
    """Put a post on the pages of just the tags that it has while it is out. Needs the post's lock.

    Without tags before or after a change there is nothing to agree, and no need to ask.
    """
    _AGREE.run(session, {"post_id": post_id})


_AGREE = Statement("""
WITH wanted AS (
    SELECT tag, published_at, id AS post_id FROM posts, unnest(tags) AS tag
    WHERE id = %(post_id)s AND state = 'published' AND deleted_at IS NULL
), removed AS (
    DELETE FROM post_tags
    WHERE post_id = %(post_id)s AND (tag, published_at) NOT IN (SELECT tag, published_at FROM wanted)
)
INSERT INTO post_tags (tag, published_at, post_id) SELECT tag, published_at, post_id FROM wanted
ON CONFLICT DO NOTHING
""")
