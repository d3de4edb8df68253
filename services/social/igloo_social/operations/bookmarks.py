"""Keeping posts for later, which is nobody else's business: nothing is counted, and nobody is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations.likes import require_published
from igloo_social.operations.relations import share_person
from igloo_social.queries.posts import PostNotFound
from igloo_social.queries.shown_posts import hold_shown_post

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class BookmarkStatus:
    """Whether a person keeps a post."""

    post_id: UUID
    bookmarked: bool


def keep_post(session: Session, *, post_id: UUID, user_id: UUID, now: datetime) -> BookmarkStatus:
    """Keep a post; kept already, it stays at its place in the list.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound: There is no such post for this person.
        PostNotPublished: It is their own and not out yet.
    """
    share_person(session, user_id)
    require_published(hold_shown_post(session, post_id=post_id, viewer_id=user_id))
    _KEEP.run(session, {"user_id": user_id, "post_id": post_id, "now": now})
    return BookmarkStatus(post_id=post_id, bookmarked=True)


def drop_bookmark(session: Session, *, post_id: UUID, user_id: UUID) -> BookmarkStatus:
    """No longer keep a post, also one that has gone out of sight meanwhile; not kept, it changes nothing.

    Raises:
        PostNotFound: They did not keep it, and there is no such post for this person.
    """
    dropped = _DROP.count(session, {"user_id": user_id, "post_id": post_id})
    if not dropped and hold_shown_post(session, post_id=post_id, viewer_id=user_id) is None:
        raise PostNotFound
    return BookmarkStatus(post_id=post_id, bookmarked=False)


_KEEP = Statement("""
INSERT INTO bookmarks (user_id, post_id, created_at) VALUES (%(user_id)s, %(post_id)s, %(now)s)
ON CONFLICT DO NOTHING
""")
_DROP = Statement("DELETE FROM bookmarks WHERE user_id = %(user_id)s AND post_id = %(post_id)s")
