"""Reporting what breaks the rules: kept as it reads now, once while nobody has decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import FieldError, Invalid
from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_social.models.reports import REPORTS
from igloo_social.queries.reports import open_report, owner_of, refuse, visible_target

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from igloo_social.models.reports import ReportReason, ReportTarget
    from igloo_social.queries.reports import Target


class OwnReport(Invalid):
    """Nobody reports themselves, or what is theirs: they delete it."""

    def __init__(self) -> None:
        detail = "This is your own."
        error = FieldError(pointer="/target_id", code="own_report", detail=detail)
        super().__init__(detail, errors=[error])


@dataclass(frozen=True, kw_only=True)
class NewReport:
    """What somebody reports, and why."""

    target_kind: ReportTarget
    target_id: UUID
    reason: ReportReason
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A report, and whether it is new."""

    report: Row[Any]
    is_new: bool


def report(session: Session, new: NewReport, *, reporter_id: UUID, now: datetime) -> Reported:
    """Report a thing that the reporter sees; said again while nobody has decided, it is the same report.

    Locks the owner and the reporter, so that the erasure of either finds the report. What is read after that
    is what is kept: if it is deleted at the same moment, it was reported before.

    Raises:
        UserNotFound, PostNotFound, CommentNotFound: They see no such thing, or left meanwhile.
        OwnReport: It is their own.
    """
    owner_id = owner_of(session, kind=new.target_kind, target_id=new.target_id)
    people = {reporter_id, owner_id}
    if len(_SHARE_PEOPLE.rows(session, {"user_ids": list(people)})) < len(people):
        refuse(new.target_kind)
    target = visible_target(session, kind=new.target_kind, target_id=new.target_id, viewer_id=reporter_id)
    if owner_id == reporter_id:
        raise OwnReport
    while True:
        made = _insert(session, new, target, reporter_id, now)
        if made is not None:
            return Reported(report=made, is_new=True)
        found = open_report(session, reporter_id=reporter_id, kind=new.target_kind, target_id=new.target_id)
        # None when a moderator has decided about it between the two statements: it is a new one then.
        if found is not None:
            return Reported(report=found, is_new=False)


def _insert(
    session: Session, new: NewReport, target: Target, reporter_id: UUID, now: datetime
) -> Row[Any] | None:
    statement = insert(REPORTS).values(
        id=new_id(),
        reporter_id=reporter_id,
        target_kind=new.target_kind.value,
        target_id=new.target_id,
        owner_id=target.owner_id,
        reason=new.reason.value,
        note=new.note,
        snapshot=dict(target.snapshot),
        created_at=now,
    )
    return session.execute(statement.on_conflict_do_nothing().returning(REPORTS)).one_or_none()


_SHARE_PEOPLE = Statement("""
SELECT user_id FROM profiles
WHERE user_id = ANY(%(user_ids)s) AND deleted_at IS NULL AND suspended_at IS NULL
ORDER BY user_id FOR SHARE
""")
