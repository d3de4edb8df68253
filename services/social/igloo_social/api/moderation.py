"""Routes of moderators: the queue of reports, decisions about them, and the trail of what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.responses import json_response
from igloo_common.web import Blueprint, provided
from igloo_social.addresses import RenditionAddresses
from igloo_social.api.pages import PageRequest
from igloo_social.models.reports import ReportTarget
from igloo_social.operations import moderation as operations
from igloo_social.queries.moderation import actions_of, report_by_id, reports_in_state, target_as_it_is
from igloo_social.schemas.moderation import (
    ActionsPageSchema,
    ActionsQuerySchema,
    DecisionSchema,
    ModeratedReportSchema,
    ReopeningSchema,
    ReportsPageSchema,
    ReportsQuerySchema,
    WholeReportSchema,
    action_json,
    moderated_report_json,
    target_json,
)

if TYPE_CHECKING:
    from flask import Response

    from igloo_common.pagination import PageQuery
    from igloo_social.operations.moderation import Decision

SCOPE = "moderator"

blp = Blueprint("moderation", __name__, description="What moderators do")


@blp.route("/v1/moderation/reports", methods=["GET"])
@access.scope(SCOPE)
@blp.arguments(ReportsQuerySchema, location="query")
@blp.response(200, ReportsPageSchema)
def list_reports(asked: tuple[PageQuery, bool]) -> Response:
    """List the reports that nobody has decided about, the oldest first, or those that are resolved.

    The resolved are listed by when they were reported, the newest first. Reports against the caller are in
    neither list.
    """
    query, is_open = asked
    moderator_id = current_identity().user_id
    page = PageRequest(query, scope=f"reports:{is_open}:{moderator_id}", oldest_first=is_open)
    with reading() as reader:
        found = reports_in_state(reader, is_open=is_open, moderator_id=moderator_id, scan=page.scan)
    rows = page.in_order(found.rows)
    scanned = [(row.created_at, row.id) for row in rows]
    return page.response([moderated_report_json(row) for row in rows], scanned=scanned, more=found.more)


@blp.route("/v1/moderation/reports/<uuid:report_id>", methods=["GET"])
@access.scope(SCOPE)
@access.about(report_id="report.moderate")
@blp.response(200, WholeReportSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
def get_report(report_id: UUID) -> Response:
    """Read a report with what it is about, as it is now, whoever else may see that.

    Moderators so see what its owner shows to nobody else. That is why every look is written into the trail,
    as `view`.
    """
    now = utc_now()
    with transaction() as session:
        report = operations.view_report(
            session, report_id=report_id, moderator_id=current_identity().user_id, now=now
        )
        target = target_as_it_is(session, kind=ReportTarget(report.target_kind), target_id=report.target_id)
    shown = target_json(target, provided(RenditionAddresses), now=now)
    return json_response({**moderated_report_json(report), "target": shown})


@blp.route("/v1/moderation/reports/<uuid:report_id>/resolve", methods=["POST"])
@access.scope(SCOPE)
@access.about(report_id="report.moderate")
@blp.arguments(DecisionSchema)
@blp.response(200, ModeratedReportSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def resolve_report(decision: Decision, report_id: UUID) -> Response:
    """Decide about a report, and with it about all open reports of the same thing.

    A hidden post is its author's alone to see, as `hidden`, and to delete; a hidden comment is nobody's. A
    suspended person is out of sight at once, and signed out everywhere within seconds; a moderator's account
    is suspended by operators alone. Decided so already, it changes nothing; decided otherwise, it is
    `report_resolved`: reopen it first.
    """
    with transaction() as session:
        moderator_id = current_identity().user_id
        operations.resolve_report(
            session, decision, report_id=report_id, moderator_id=moderator_id, now=utc_now()
        )
        report = report_by_id(session, report_id)
    return json_response(moderated_report_json(report))


@blp.route("/v1/moderation/reports/<uuid:report_id>/reopen", methods=["POST"])
@access.scope(SCOPE)
@access.about(report_id="report.moderate")
@blp.arguments(ReopeningSchema)
@blp.response(200, ModeratedReportSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def reopen_report(reopening: dict[str, Any], report_id: UUID) -> Response:
    """Take a decision back, for all reports that it closed: the way of an appeal.

    What was hidden shows again, and a suspended person is reinstated within seconds, unless another report
    that is resolved demands the same. Open already, it changes nothing.
    """
    with transaction() as session:
        moderator_id = current_identity().user_id
        note = reopening["note"]
        operations.reopen_report(
            session, report_id=report_id, note=note, moderator_id=moderator_id, now=utc_now()
        )
        report = report_by_id(session, report_id)
    return json_response(moderated_report_json(report))


@blp.route("/v1/moderation/actions", methods=["GET"])
@access.scope(SCOPE)
@access.about(owner_id="report.moderate", target_id="report.moderate")
@blp.arguments(ActionsQuerySchema, location="query")
@blp.response(200, ActionsPageSchema)
def list_moderation_actions(asked: tuple[PageQuery, dict[str, Any]]) -> Response:
    """List what moderators did, the last first; looks at reports are listed when asked for.

    The trail cannot be changed, not even by the service itself, and outlives what it is about.
    """
    query, filters = asked
    scope = ":".join(["actions", *map(str, filters.values()), str(current_identity().user_id)])
    page = PageRequest(query, scope=scope)
    with reading() as reader:
        done = actions_of(
            reader,
            target_id=filters["target_id"],
            owner_id=filters["owner_id"],
            with_views=filters["views"],
            scan=page.scan,
        )
    scanned = [(row.acted_at, row.id) for row in done.rows]
    return page.response([action_json(row) for row in done.rows], scanned=scanned, more=done.more)
