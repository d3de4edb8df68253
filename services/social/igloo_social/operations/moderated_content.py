"""Taking a post or a comment from others' sight because a moderator decided so, and showing it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations import notifications, publishing
from igloo_social.operations.comments import recount_comments
from igloo_social.operations.mentions import withdraw_mentions
from igloo_social.queries.comments import find_comment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


def hide_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Hide a post from everybody but its author, and take back that it mentions people.

    Needs the author's lock. One that is deleted, or is not out, stays as it is.
    """
    _LOCK_POST.run(session, {"post_id": post_id})
    if publishing.hide_post(session, post_id=post_id, author_id=author_id, now=now):
        mentioned = [user_id for (user_id,) in _MENTIONED.rows(session, {"post_id": post_id})]
        withdraw_mentions(session, mentioned, writer_id=author_id, object_id=post_id)


def show_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Show a hidden post to whom its author meant it, likewise."""
    _LOCK_POST.run(session, {"post_id": post_id})
    publishing.restore_post(session, post_id=post_id, author_id=author_id, now=now)


def hide_comment(session: Session, *, comment_id: UUID) -> None:
    """Hide a comment from everybody, and take back what was told of it. Needs its author's lock."""
    if _change(session, _HIDE_COMMENT, comment_id):
        notifications.withdraw_all_about_comment(session, comment_id)


def show_comment(session: Session, *, comment_id: UUID) -> None:
    """Show a hidden comment, unless its author is suspended: then it waits for that to end, likewise."""
    _change(session, _SHOW_COMMENT, comment_id)


def _change(session: Session, change: Statement, comment_id: UUID) -> bool:
    """Change a comment under its post's lock, and count that post's comments anew; False if nothing did."""
    comment = find_comment(session, comment_id)
    if comment is None:
        return False
    _LOCK_POST.run(session, {"post_id": comment.post_id})
    changed: Mapping[str, object] = {"comment_id": comment_id}
    if not change.count(session, changed):
        return False
    recount_comments(session, [comment.post_id])
    return True


_LOCK_POST = Statement("SELECT FROM posts WHERE id = %(post_id)s FOR NO KEY UPDATE")
_MENTIONED = Statement("SELECT user_id FROM post_mentions WHERE post_id = %(post_id)s ORDER BY user_id")
_HIDE_COMMENT = Statement("""
UPDATE comments SET hidden_by = 'moderation'
WHERE id = %(comment_id)s AND deleted_at IS NULL AND hidden_by IS DISTINCT FROM 'moderation'
""")
_SHOW_COMMENT = Statement("""
UPDATE comments SET hidden_by = CASE WHEN suspended_at IS NOT NULL THEN 'suspension' END
FROM profiles
WHERE id = %(comment_id)s AND hidden_by = 'moderation' AND profiles.user_id = author_id
""")
