"""The ends of an export: collected, or given up because the account is deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from igloo_common.outbox import emit
from igloo_media.events import ExportCollected
from igloo_media.models import AccountTask, TaskKind
from igloo_media.operations.account_tasks import Task
from igloo_media.policies.items import CLOSED_ROW_LIFETIME


def finish_export(session: Session, task: Task, *, now: datetime) -> None:
    """Say that the part is in S3, once."""
    if _end(session, task, now=now):
        collected = ExportCollected(export_id=task.id, account_id=task.account_id, collected_at=now)
        emit(session, collected, now=now)


def give_up_export(session: Session, task: Task, *, now: datetime) -> None:
    """End an export without a word: nobody waits for it."""
    _end(session, task, now=now)


def forget_exports(session: Session, *, now: datetime) -> int:
    """Drop the tasks of exports that are long done, and return how many; their parts are gone by then."""
    old = (AccountTask.kind == TaskKind.EXPORT) & (AccountTask.finished_at <= now - CLOSED_ROW_LIFETIME)
    return len(session.scalars(delete(AccountTask).where(old).returning(AccountTask.id)).all())


def _end(session: Session, task: Task, *, now: datetime) -> bool:
    ended = session.scalars(
        update(AccountTask)
        .where(AccountTask.id == task.id, AccountTask.finished_at.is_(None))
        .values(finished_at=now, due_at=None)
        .returning(AccountTask.id)
    )
    return ended.one_or_none() is not None
