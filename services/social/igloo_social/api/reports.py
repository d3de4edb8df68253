"""The route by which people report what breaks the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.idempotency import KEY_PARAMETER, once
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, RATE_LIMITED, RateLimit, charge
from igloo_common.responses import json_response
from igloo_common.web import Blueprint, provided
from igloo_social.operations import reports as operations
from igloo_social.schemas.reports import NewReportSchema, ReportSchema, report_json
from igloo_social.settings import HOUR, Settings

if TYPE_CHECKING:
    from flask import Response
    from sqlalchemy.orm import Session

    from igloo_social.operations.reports import NewReport

LIMIT_NAME: Final = "reports"

blp = Blueprint("reports", __name__, description="Reporting what breaks the rules")


@blp.route("/v1/reports", methods=["POST"])
@access.user
@access.about(target_id="target.report")
@blp.doc(parameters=[KEY_PARAMETER])
@blp.arguments(NewReportSchema)
@blp.response(201, ReportSchema, headers=RATE_LIMIT_HEADERS)
@blp.alt_response(200, schema=ReportSchema, description="Reported before, and nobody has decided yet")
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
@blp.alt_response(429, **RATE_LIMITED)
def create_report(new: NewReport) -> Response:
    """Report a person, a post or a comment to the moderators.

    It is kept as it reads at this moment. Reported again by the same person while nobody has decided, it is
    the first report, unchanged, with 200. What the caller does not see is 404, their own is `own_report`.
    Nobody but moderators learns who reported what.
    """
    quota = provided(Settings).reports_per_hour
    limit = RateLimit(name=LIMIT_NAME, quota=quota, window_seconds=HOUR)
    charge(limit, str(current_identity().user_id))
    with transaction() as session:
        return once(session, lambda: _reported(session, new))


def _reported(session: Session, new: NewReport) -> Response:
    said = operations.report(session, new, reporter_id=current_identity().user_id, now=utc_now())
    return json_response(report_json(said.report), status=201 if said.is_new else 200)
