"""The lane that sets suspended people apart and puts reinstated ones back: a batch a step and transaction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.account_tasks import (
    finish_suspension,
    lock_due_suspension,
    note_removed,
    put_off,
)
from igloo_social.operations.suspensions import move_batch

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_social.operations.account_tasks import Task

logger = logging.getLogger(__name__)


def move_next() -> bool:
    """Move the next batch of what is around somebody; False when nobody's turn it is.

    A worker killed over it leaves the rest to the next. One whose turn fails keeps nobody else waiting.
    """
    now, task = utc_now(), None
    try:
        with transaction() as session:
            task = lock_due_suspension(session, now=now)
            if task is not None:
                _move(session, task, now)
    except Exception as error:
        if task is None:
            raise
        _put_off(task, error)
    return task is not None


def _move(session: Session, task: Task, now: datetime) -> None:
    if move_batch(session, task, now=now):
        note_removed(session, task, {}, now=now)  # Back in the row: others that wait get their turn.
        return
    finish_suspension(session, task, now=now)
    logger.info("A suspension was carried through.", extra={"task_id": str(task.id), "kind": task.kind})


def _put_off(task: Task, error: Exception) -> None:
    with transaction() as session:
        pause = put_off(session, task, now=utc_now())
    logger.error(
        "Setting a person apart, or putting them back, failed and is tried again.",
        extra={
            "task_id": str(task.id),
            "kind": task.kind,
            "attempts": task.attempts + 1,
            "pause_seconds": round(pause, 1),
        },
        exc_info=error,
    )
