"""What is to be done about accounts: noted when it is asked for, taken up, put off, and finished."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from igloo_common.backoff import backoff_seconds
from igloo_common.ids import new_id
from igloo_common.outbox import emit
from igloo_social.events import AccountErased, ExportCollected, Removed
from igloo_social.models.account_tasks import ACCOUNT_TASKS, TaskKind
from igloo_social.operations.erasure import bury_person, forget_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

CHANNEL = "social_account_tasks"
LONGEST_PAUSE_SECONDS = 300.0
KEPT_FOR = timedelta(days=30)
EXPORT_LEASE = timedelta(minutes=2)
"""How long a worker has an export to itself; one that died over it leaves it to another after this.

Two that write the same export write the same objects, so that a slow one loses nothing but its work.
"""

_WAKE = text("SELECT pg_notify(:channel, '')")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task that a worker has taken up."""

    id: UUID
    kind: str
    account_id: UUID
    parts_prefix: str | None
    attempts: int
    removed: Mapping[str, int] = field(default_factory=dict)
    place_at: datetime | None = None
    place_id: UUID | None = None


def request_erasure(session: Session, *, deletion_id: UUID, account_id: UUID, now: datetime) -> None:
    """Hide a person from everybody at once, and note that everything of theirs is to be removed.

    Asked again for the same deletion, it changes nothing.
    """
    bury_person(session, user_id=account_id, now=now)
    _note(session, {"id": deletion_id, "kind": TaskKind.ERASURE.value, "account_id": account_id}, now)


def request_export(
    session: Session, *, export_id: UUID, account_id: UUID, parts_prefix: str, now: datetime
) -> None:
    """Note that a copy of everything held about a person is wanted in S3; asked again, it is one task."""
    task = {"id": export_id, "kind": TaskKind.EXPORT.value, "account_id": account_id}
    _note(session, {**task, "parts_prefix": parts_prefix}, now)


def lock_due_erasure(session: Session, *, now: datetime) -> Task | None:
    """Take up the erasure that has waited longest, for as long as the transaction lasts."""
    return _lock_due(session, now, TaskKind.ERASURE)


def note_task(session: Session, *, kind: TaskKind, account_id: UUID, now: datetime) -> None:
    """Note what is to be done about a person, once more though it be noted already."""
    _note(session, {"id": new_id(), "kind": kind.value, "account_id": account_id}, now)


def lock_due_suspension(session: Session, *, now: datetime) -> Task | None:
    """Take up the suspension or reinstatement that has waited longest, until the transaction ends."""
    return _lock_due(session, now, TaskKind.SUSPENSION, TaskKind.REINSTATEMENT)


def end_suspensions(session: Session, *, account_id: UUID, now: datetime) -> None:
    """Close the suspensions of a person that are under way, for another decision has overtaken them.

    Before the person is locked: a worker holds its task first, too. While one is open, the person is hidden.
    """
    unfinished = (ACCOUNT_TASKS.c.finished_at.is_(None), ACCOUNT_TASKS.c.kind == TaskKind.SUSPENSION.value)
    closed = update(ACCOUNT_TASKS).where(ACCOUNT_TASKS.c.account_id == account_id, *unfinished)
    session.execute(closed.values(due_at=None, finished_at=now))


def note_place(session: Session, task: Task, place: tuple[datetime, UUID]) -> None:
    """Remember how far a task has walked, with what it did there."""
    _change(session, task.id, place_at=place[0], place_id=place[1])


def finish_suspension(session: Session, task: Task, *, now: datetime) -> None:
    """Close the task of a person who is wholly set apart, or put back."""
    _finish(session, task.id, now)


def claim_due_export(session: Session, *, now: datetime) -> Task | None:
    """Take up the export that has waited longest, for EXPORT_LEASE."""
    task = _lock_due(session, now, TaskKind.EXPORT)
    if task is not None:
        _change(session, task.id, due_at=now + EXPORT_LEASE, attempts=task.attempts + 1)
    return task


def note_removed(session: Session, task: Task, removed: Mapping[str, int], *, now: datetime) -> None:
    """Remember what an erasure has removed, with the removal itself; others that wait get their turn."""
    _change(session, task.id, removed=_sum(task.removed, removed), due_at=now, attempts=0)


def put_off(session: Session, task: Task, *, now: datetime) -> float:
    """Have a task that failed tried again later, each time later; return in how many seconds."""
    pause = backoff_seconds(task.attempts + 1, cap=LONGEST_PAUSE_SECONDS)
    _change(session, task.id, due_at=now + timedelta(seconds=pause), attempts=task.attempts + 1)
    return pause


def finish_erasure(session: Session, task: Task, *, now: datetime) -> None:
    """Close the task of a person of whom nothing is left, and say so."""
    forget_counts(session, user_id=task.account_id)
    _finish(session, task.id, now)
    removed = tuple(Removed(kind=kind, count=count) for kind, count in sorted(task.removed.items()))
    event = AccountErased(account_id=task.account_id, deletion_id=task.id, removed=removed, erased_at=now)
    emit(session, event, now=now)


def finish_export(session: Session, task: Task, *, now: datetime) -> bool:
    """Close the task of an export that lies in S3, and say so; False when another worker already has."""
    if not _finish(session, task.id, now):
        return False
    emit(session, ExportCollected(export_id=task.id, account_id=task.account_id, collected_at=now), now=now)
    return True


def prune_tasks(session: Session, *, now: datetime) -> int:
    """Forget the tasks that were finished long ago; returns how many."""
    statement = delete(ACCOUNT_TASKS).where(ACCOUNT_TASKS.c.finished_at < now - KEPT_FOR)
    return len(session.execute(statement.returning(ACCOUNT_TASKS.c.id)).all())


def _note(session: Session, task: Mapping[str, object], now: datetime) -> None:
    session.execute(
        insert(ACCOUNT_TASKS).values(**task, requested_at=now, due_at=now).on_conflict_do_nothing()
    )
    session.execute(_WAKE, {"channel": CHANNEL})


def _lock_due(session: Session, now: datetime, *kinds: TaskKind) -> Task | None:
    row = session.execute(
        select(
            ACCOUNT_TASKS.c.id,
            ACCOUNT_TASKS.c.kind,
            ACCOUNT_TASKS.c.account_id,
            ACCOUNT_TASKS.c.parts_prefix,
            ACCOUNT_TASKS.c.attempts,
            ACCOUNT_TASKS.c.removed,
            ACCOUNT_TASKS.c.place_at,
            ACCOUNT_TASKS.c.place_id,
        )
        .where(ACCOUNT_TASKS.c.kind.in_([kind.value for kind in kinds]), ACCOUNT_TASKS.c.due_at <= now)
        .order_by(ACCOUNT_TASKS.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else Task(**row._mapping)


def _change(session: Session, task_id: UUID, **values: object) -> None:
    unfinished = (ACCOUNT_TASKS.c.id == task_id, ACCOUNT_TASKS.c.finished_at.is_(None))
    session.execute(update(ACCOUNT_TASKS).where(*unfinished).values(values))


def _finish(session: Session, task_id: UUID, now: datetime) -> bool:
    unfinished = (ACCOUNT_TASKS.c.id == task_id, ACCOUNT_TASKS.c.finished_at.is_(None))
    closed = update(ACCOUNT_TASKS).where(*unfinished).values(due_at=None, finished_at=now)
    return session.scalar(closed.returning(ACCOUNT_TASKS.c.id)) is not None


def _sum(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(before) + Counter(now))
