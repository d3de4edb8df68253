"""The ends of an export: collected, or given up because the account is deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from igloo_common.outbox import emit
from igloo_media.events import ExportCollected
from igloo_media.models import AccountTask
from igloo_media.operations.account_tasks import Task


def finish_export(session: Session, task: Task, *, now: datetime) -> None:
    """Say that the part is in S3, once."""
    if _end(session, task, now=now):
        collected = ExportCollected(export_id=task.id, account_id=task.account_id, collected_at=now)
        emit(session, collected, now=now)


def give_up_export(session: Session, task: Task, *, now: datetime) -> None:
    """End an export without a word: nobody waits for it."""
    _end(session, task, now=now)


def _end(session: Session, task: Task, *, now: datetime) -> bool:
    ended = session.scalars(
        update(AccountTask)
        .where(AccountTask.id == task.id, AccountTask.finished_at.is_(None))
        .values(finished_at=now, due_at=None)
        .returning(AccountTask.id)
    )
    return ended.one_or_none() is not None
