"""What a moderator's decision does to a thing and to its owner, and how that is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import SuspensionDecided, SuspensionLifted
from igloo_social.models.reports import ReportReason, Resolution
from igloo_social.operations.moderated_content import (
    hide_comment,
    hide_post,
    show_comment,
    show_post,
)
from igloo_social.operations.suspensions import suspend_person
from igloo_social.policies.moderation import suspension_reason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


def carry_out(
    session: Session, report: Row[Any], resolution: Resolution, *, moderator_id: UUID, now: datetime
) -> None:
    """Do what a decision about a report says. Needs the owner's lock, and the report as read under it."""
    if resolution is Resolution.HIDE_POST:
        hide_post(session, post_id=report.target_id, author_id=report.owner_id, now=now)
    elif resolution is Resolution.HIDE_COMMENT:
        hide_comment(session, comment_id=report.target_id)
    elif resolution is Resolution.SUSPEND_ACCOUNT and report.owner_state != "deleted":
        # Also when they are suspended already: what lifts that may be on its way from the auth service.
        suspend_person(session, user_id=report.owner_id, now=now)
        event = SuspensionDecided(
            account_id=report.owner_id,
            report_id=report.id,
            moderator_id=moderator_id,
            reason=suspension_reason(ReportReason(report.reason)),
            decided_at=now,
        )
        emit(session, event, now=now)


def take_back(session: Session, report: Row[Any], *, moderator_id: UUID, now: datetime) -> None:
    """Undo what was decided about a report that is open again, unless another decision demands it as well.

    `report` is as it was decided. Needs the owner's lock. A suspension ends when the auth service has lifted
    it, and says so.
    """
    if _is_demanded(session, report):
        return
    resolution = Resolution(report.resolution)
    if resolution is Resolution.HIDE_POST:
        show_post(session, post_id=report.target_id, author_id=report.owner_id, now=now)
    elif resolution is Resolution.HIDE_COMMENT:
        show_comment(session, comment_id=report.target_id)
    elif resolution is Resolution.SUSPEND_ACCOUNT and report.owner_state != "deleted":
        event = SuspensionLifted(
            account_id=report.owner_id, report_id=report.id, moderator_id=moderator_id, lifted_at=now
        )
        emit(session, event, now=now)


def _is_demanded(session: Session, report: Row[Any]) -> bool:
    about_owner = report.resolution == Resolution.SUSPEND_ACCOUNT
    demand = _DEMANDED_OF_OWNER if about_owner else _DEMANDED_OF_TARGET
    names = ("resolution", "owner_id", "target_kind", "target_id")
    return bool(demand.rows(session, {name: getattr(report, name) for name in names}))


_DEMANDED_OF_TARGET = Statement("""
SELECT 1 FROM reports
WHERE target_kind = %(target_kind)s AND target_id = %(target_id)s AND resolution = %(resolution)s LIMIT 1
""")
_DEMANDED_OF_OWNER = Statement("""
SELECT 1 FROM reports WHERE owner_id = %(owner_id)s AND resolution = %(resolution)s LIMIT 1
""")
