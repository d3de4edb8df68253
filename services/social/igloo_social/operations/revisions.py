"""Keeps how posts read before their words were edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.policies.posts import was_shown_to

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


def keep_revision(session: Session, post: Row[Any], *, now: datetime) -> None:
    """Keep the words of a post that are about to be replaced. Needs the post's lock."""
    kept = {
        "post_id": post.id,
        "caption": post.caption,
        "visibility": was_shown_to(post.state, post.visibility).value,
        "written_at": post.edited_at or post.created_at,
        "now": now,
    }
    _KEEP.run(session, kept)


_KEEP = Statement("""
INSERT INTO post_revisions (post_id, number, caption, visibility, written_at, replaced_at)
SELECT %(post_id)s, coalesce(max(number), 0) + 1, %(caption)s, %(visibility)s, %(written_at)s, %(now)s
FROM post_revisions WHERE post_id = %(post_id)s
""")
