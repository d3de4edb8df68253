"""Reads of how far the tasks about accounts are behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from igloo_social.models.account_tasks import ACCOUNT_TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from igloo_common.database import Reader

_WAITING = (
    select(
        ACCOUNT_TASKS.c.kind,
        func.count().label("waiting"),
        func.extract("epoch", func.now() - func.min(ACCOUNT_TASKS.c.requested_at)).label("oldest_seconds"),
    )
    .where(ACCOUNT_TASKS.c.due_at.is_not(None))
    .group_by(ACCOUNT_TASKS.c.kind)
)


def waiting_tasks(reader: Reader) -> Sequence[Row[Any]]:
    """Count the unfinished tasks of each kind that has any, with the age of the oldest."""
    return reader.execute(_WAITING).all()
