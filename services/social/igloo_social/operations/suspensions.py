"""Suspending people and reinstating them: out of sight at once, and then set apart, or put back, in batches.

Follows and requests move to suspended_relations and likes to suspended_likes, comments are marked, and
everybody's counts around are made anew. What others were told of the person is taken back: it is no news any
more when they come back. What else cannot be put back is said beside each function. Blocks and mutes stay
where they are, and so do posts: they hide with their author.

The auth service owns the truth. What moderators decide hides the person here at once, but only the auth
service's word puts anybody back: so however its events and our decisions cross, the last of them is what it
says. Every batch holds the person's lock and looks on which side they are: of tasks that contradict each
other, the one that fell behind finds nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.models.account_tasks import TaskKind
from igloo_social.operations.account_tasks import end_suspensions, note_task
from igloo_social.operations.profiles import see_person
from igloo_social.operations.suspended_feeds import tell_who_stayed
from igloo_social.operations.suspended_relations import put_relations_back, set_relations_apart
from igloo_social.operations.suspended_traces import (
    hide_comments,
    put_likes_back,
    set_likes_apart,
    show_comments,
    take_news_back,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.operations.account_tasks import Task

_SETTING_APART: tuple[Callable[[Session, UUID, datetime], bool], ...] = (
    set_relations_apart,
    set_likes_apart,
    hide_comments,
    take_news_back,
)
_PUTTING_BACK: tuple[Callable[[Session, UUID, datetime], bool], ...] = (
    put_relations_back,
    put_likes_back,
    show_comments,
)


def suspend_person(session: Session, *, user_id: UUID, now: datetime) -> bool:
    """Take a person out of everybody's sight, one never seen too; False if they are, or are deleted.

    Waits for whatever they do just now, and leaves nothing that they could still do.
    """
    see_person(session, user_id=user_id, now=now)
    if not _SUSPEND.count(session, {"user_id": user_id, "now": now}):
        return False
    note_task(session, kind=TaskKind.SUSPENSION, account_id=user_id, now=now)
    return True


def reinstate_person(session: Session, *, user_id: UUID, now: datetime) -> bool:
    """Have a suspended person seen again; False if they are not suspended, or are deleted."""
    person = {"user_id": user_id, "now": now}
    if _SIDE.row(session, person) == (True,):
        end_suspensions(session, account_id=user_id, now=now)
    if not _REINSTATE.count(session, person):
        return False
    note_task(session, kind=TaskKind.REINSTATEMENT, account_id=user_id, now=now)
    return True


def move_batch(session: Session, task: Task, *, now: datetime) -> bool:
    """Move one batch of what a task is about; False when nothing is left to move.

    Nothing is left, either, of a task that a later decision, or the deletion of the account, has overtaken.
    """
    suspends = task.kind == TaskKind.SUSPENSION
    side = _SIDE.row(session, {"user_id": task.account_id})
    if side != (suspends,):
        return False
    if not suspends and tell_who_stayed(session, task, now=now):
        return True
    moves = _SETTING_APART if suspends else _PUTTING_BACK
    return any(move(session, task.account_id, now) for move in moves)


_SUSPEND = Statement("""
UPDATE profiles SET suspended_at = %(now)s, updated_at = %(now)s
WHERE user_id = %(user_id)s AND deleted_at IS NULL AND suspended_at IS NULL
""")
_REINSTATE = Statement("""
UPDATE profiles SET suspended_at = NULL, updated_at = %(now)s
WHERE user_id = %(user_id)s AND deleted_at IS NULL AND suspended_at IS NOT NULL
""")
_SIDE = Statement("""
SELECT suspended_at IS NOT NULL FROM profiles WHERE user_id = %(user_id)s AND deleted_at IS NULL
""")
