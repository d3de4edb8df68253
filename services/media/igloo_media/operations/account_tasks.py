"""The tasks about whole accounts: asked for by events, worked off by one worker at a time under a lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_common.errors import Gone
from igloo_common.statements import Sent, Statement
from igloo_media.models import AccountTask, TaskKind
from igloo_media.operations.wakes import ACCOUNT_TASKS_CHANNEL, wake_lane
from igloo_media.policies.account_tasks import LEASE


class AccountDeleted(Gone):
    """The account is deleted: nothing new is taken for it."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One worker's turn at a task, until its lease ends."""

    id: UUID
    kind: TaskKind
    account_id: UUID
    parts_prefix: str
    """Empty for an erasure."""
    done_to: UUID | None
    attempts: int
    leased_until: datetime


def request_erasure(session: Session, *, deletion_id: UUID, account_id: UUID, now: datetime) -> None:
    """Have everything of a person erased; asked again, it changes nothing.

    Waits for the uploads that the person asks for at this moment: whoever comes later sees the task.
    """
    _LOCK.run(session, {"account_id": account_id})
    _add(session, id=deletion_id, kind=TaskKind.ERASURE, account_id=account_id, now=now)
    # Exports of the person are given up when a worker takes them: one that S3 held up is taken soon.
    session.execute(
        update(AccountTask)
        .where(
            AccountTask.account_id == account_id,
            AccountTask.kind == TaskKind.EXPORT,
            AccountTask.due_at > now + LEASE,
        )
        .values(due_at=now + LEASE)
    )


def request_export(
    session: Session, *, export_id: UUID, account_id: UUID, parts_prefix: str, now: datetime
) -> None:
    """Have what is held about a person collected; nothing is, once the account is deleted."""
    if not is_deleted(session, account_id):
        _add(
            session,
            id=export_id,
            kind=TaskKind.EXPORT,
            account_id=account_id,
            parts_prefix=parts_prefix,
            now=now,
        )


def ask_whether_deleted(session: Session, account_id: UUID) -> Sent:
    """Ask whether an account is deleted: rows say yes. Holds a shared lock on the account until the end.

    A request that asks first has its rows committed before the erasure begins, which then finds them; one
    that asks later is refused.
    """
    _LOCK_SHARED.send(session, {"account_id": account_id})
    return _ERASURE.send(session, {"account_id": account_id})


def is_deleted(session: Session, account_id: UUID) -> bool:
    """Tell whether an account is deleted."""
    return bool(_ERASURE.rows(session, {"account_id": account_id}))


def take_task(session: Session, *, now: datetime) -> Task | None:
    """Take the next task, or one whose worker died; none when nothing is due.

    Erasures go first: they are rare, and what a person wants gone is shown until they have begun.
    """
    due = (
        select(AccountTask.id)
        .where(AccountTask.due_at <= now)
        .order_by(AccountTask.kind, AccountTask.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(
        update(AccountTask)
        .where(AccountTask.id == due.scalar_subquery())
        .values(due_at=now + LEASE, attempts=AccountTask.attempts + 1)
        .returning(
            AccountTask.id,
            AccountTask.kind,
            AccountTask.account_id,
            func.coalesce(AccountTask.parts_prefix, "").label("parts_prefix"),
            AccountTask.done_to,
            AccountTask.attempts,
            AccountTask.due_at.label("leased_until"),
        )
    ).one_or_none()
    return None if taken is None else Task(**{**taken._mapping, "kind": TaskKind(taken.kind)})


def go_on_later(session: Session, task: Task, *, due_at: datetime, done_to: UUID | None = None) -> None:
    """Give the turn back after some progress."""
    _give_back(session, task, due_at=due_at, attempts=0, done_to=done_to or task.done_to)


def try_again_later(session: Session, task: Task, *, due_at: datetime) -> None:
    """Give the turn back after a failure; the attempts so far tell how long the next pause is."""
    _give_back(session, task, due_at=due_at)


def _give_back(session: Session, task: Task, **values: object) -> None:
    # Not when the lease has run out meanwhile and another worker is at it.
    session.execute(
        update(AccountTask)
        .where(AccountTask.id == task.id, AccountTask.due_at == task.leased_until)
        .values(**values)
    )


def _add(session: Session, *, now: datetime, **values: Any) -> None:  # noqa: ANN401 - columns of AccountTask
    task = insert(AccountTask).values(**values, requested_at=now, due_at=now)
    session.execute(task.on_conflict_do_nothing())
    wake_lane(session, ACCOUNT_TASKS_CHANNEL)


_ACCOUNT = "hashtextextended('media account ' || %(account_id)s::uuid::text, 0)"
_LOCK = Statement(f"SELECT pg_advisory_xact_lock({_ACCOUNT})")
_LOCK_SHARED = Statement(f"SELECT pg_advisory_xact_lock_shared({_ACCOUNT})")
_ERASURE = Statement("SELECT id FROM account_tasks WHERE account_id = %(account_id)s AND kind = 'erasure'")
