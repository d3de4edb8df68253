"""Deciding about reports, taking decisions back, and writing both down where nobody can change them.

All that concerns one person's things holds that person's lock: two moderators who decide at once, and people
who report at that moment, come one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from igloo_common.errors import Conflict, FieldError, Forbidden, Invalid
from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_social.models.reports import (
    MODERATION_ACTIONS,
    ModerationStep,
    ReportTarget,
    Resolution,
)
from igloo_social.operations.decisions import carry_out, take_back
from igloo_social.policies.moderation import fits
from igloo_social.queries.moderation import report_by_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


class OwnMatter(Forbidden):
    """Nobody decides about what is reported of themselves, or reads who reported it."""

    def __init__(self) -> None:
        super().__init__("This report is against you: another moderator looks at it.")


class ResolutionUnfit(Invalid):
    """The resolution is about another kind of thing than the report."""

    def __init__(self, resolution: Resolution, kind: ReportTarget) -> None:
        detail = f"A report of a {kind.value} cannot be resolved by {resolution.value}."
        error = FieldError(pointer="/resolution", code="resolution_unfit", detail=detail)
        super().__init__(detail, errors=[error])


class ReportResolved(Conflict):
    """It has been decided otherwise: reopen the report first."""

    def __init__(self, resolution: str) -> None:
        detail = f"The report has been resolved by {resolution}: reopen it to decide anew."
        super().__init__(detail, extra={"resolution": resolution})


class ReportedAgain(Conflict):
    """The same person has reported the same thing anew since: that report is open."""

    def __init__(self) -> None:
        super().__init__("The same person has reported it again since: decide about that report.")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a moderator decides, and why."""

    resolution: Resolution
    note: str = ""


def view_report(session: Session, *, report_id: UUID, moderator_id: UUID, now: datetime) -> Row[Any]:
    """Read a report, and note that the moderator looked: at what they might not see otherwise.

    Raises:
        ReportNotFound: There is none.
        OwnMatter: It is against the moderator.
    """
    report = _report_for(session, report_id, moderator_id)
    _record(session, report, action=ModerationStep.VIEW, moderator_id=moderator_id, note="", now=now)
    return report


def resolve_report(
    session: Session, decision: Decision, *, report_id: UUID, moderator_id: UUID, now: datetime
) -> None:
    """Carry a decision out, and close all open reports of the same thing; done already, it changes nothing.

    Raises:
        ReportNotFound, OwnMatter: See `view_report`.
        ResolutionUnfit: The decision is about another kind of thing.
        ReportResolved: It was decided otherwise.
    """
    report = _lock(session, report_id, moderator_id)
    kind = ReportTarget(report.target_kind)
    if not fits(decision.resolution, kind):
        raise ResolutionUnfit(decision.resolution, kind)
    if report.resolution == decision.resolution:
        return
    if report.resolution is not None:
        raise ReportResolved(report.resolution)
    target = {"target_kind": report.target_kind, "target_id": report.target_id}
    _RESOLVE.run(session, {**target, "resolution": decision.resolution.value, "now": now})
    _record(
        session,
        report,
        action=decision.resolution,
        moderator_id=moderator_id,
        note=decision.note,
        now=now,
    )
    carry_out(session, report, decision.resolution, moderator_id=moderator_id, now=now)


def reopen_report(session: Session, *, report_id: UUID, note: str, moderator_id: UUID, now: datetime) -> None:
    """Take a decision back for all reports that it closed, with its effect; open already, it changes nothing.

    The effect stays while another report that was resolved demands it as well. Who has reported the same
    thing anew since keeps the new report: the old one stays closed, as dismissed.

    Raises:
        ReportNotFound, OwnMatter: See `view_report`.
        ReportedAgain: This very report was followed by a new one of the same person.
    """
    report = _lock(session, report_id, moderator_id)
    if report.resolution is None:
        return
    decision = {
        "target_kind": report.target_kind,
        "target_id": report.target_id,
        "resolution": report.resolution,
        "resolved_at": report.resolved_at,
    }
    reopened = {row[0] for row in _REOPEN.rows(session, decision)}
    if report_id not in reopened:
        raise ReportedAgain
    _DISMISS_OTHERS.run(session, decision)
    _record(session, report, action=ModerationStep.REOPEN, moderator_id=moderator_id, note=note, now=now)
    take_back(session, report, moderator_id=moderator_id, now=now)


def _report_for(session: Session, report_id: UUID, moderator_id: UUID) -> Row[Any]:
    report = report_by_id(session, report_id)
    if report.owner_id == moderator_id:
        raise OwnMatter
    return report


def _lock(session: Session, report_id: UUID, moderator_id: UUID) -> Row[Any]:
    """Lock the owner of what is reported, then read the report as it is under that lock."""
    report = _report_for(session, report_id, moderator_id)
    _LOCK_OWNER.run(session, {"owner_id": report.owner_id})
    return report_by_id(session, report_id)


def _record(
    session: Session,
    report: Row[Any],
    *,
    action: Resolution | ModerationStep,
    moderator_id: UUID,
    note: str,
    now: datetime,
) -> None:
    session.execute(
        insert(MODERATION_ACTIONS).values(
            id=new_id(),
            moderator_id=moderator_id,
            action=action.value,
            report_id=report.id,
            target_kind=report.target_kind,
            target_id=report.target_id,
            owner_id=report.owner_id,
            note=note,
            acted_at=now,
        )
    )


_LOCK_OWNER = Statement("SELECT FROM profiles WHERE user_id = %(owner_id)s FOR NO KEY UPDATE")
# Locked in the order of their ids, as by the erasure of who reported them.
_RESOLVE = Statement("""
WITH decided AS (
    SELECT id FROM reports
    WHERE target_kind = %(target_kind)s AND target_id = %(target_id)s AND resolved_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE reports SET resolution = %(resolution)s, resolved_at = %(now)s
FROM decided WHERE reports.id = decided.id
""")
_REOPEN = Statement("""
WITH undecided AS (
    SELECT id FROM reports
    WHERE target_kind = %(target_kind)s AND target_id = %(target_id)s
        AND resolved_at = %(resolved_at)s AND resolution = %(resolution)s
        AND NOT EXISTS (
            SELECT FROM reports AS later
            WHERE later.target_kind = reports.target_kind AND later.target_id = reports.target_id
                AND later.resolved_at IS NULL AND later.reporter_id = reports.reporter_id
        )
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE reports SET resolution = NULL, resolved_at = NULL
FROM undecided WHERE reports.id = undecided.id
RETURNING reports.id
""")
_DISMISS_OTHERS = Statement("""
UPDATE reports SET resolution = 'dismiss'
WHERE target_kind = %(target_kind)s AND target_id = %(target_id)s
    AND resolved_at = %(resolved_at)s AND resolution = %(resolution)s
""")
