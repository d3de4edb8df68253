"""Copies of everything held about the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response

from igloo_auth.api.callers import caller_network
from igloo_auth.models.account_exports import ExportState
from igloo_auth.operations.account_exports import note_link_issued, request_export
from igloo_auth.policies.exports import LINK_LIFE, archive_key
from igloo_auth.queries.account_exports import ExportView, export_of
from igloo_auth.schemas.account_exports import AccountExportSchema, export_json
from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.idempotency import KEY_PARAMETER, once
from igloo_common.object_store import ObjectStore
from igloo_common.web import Blueprint, json_response, provided

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_NOT_STORED = {"Cache-Control": "no-store"}

blp = Blueprint("account_exports", __name__, description="Copies of everything held about a person.")


@blp.route("/v1/account/exports", methods=["POST"])
@access.user
@blp.doc(parameters=[KEY_PARAMETER])
@blp.response(202, AccountExportSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
@blp.alt_response(429, "TOO_MANY_REQUESTS")
def request_account_export() -> Response:
    """Ask for a copy of everything that igloo holds about me: one zip archive, put together in a while.

    Look at the address in `Location` until `state` is `ready`, `failed` or `expired`. While one export is
    being collected, asking again gives that one. More than five a day are 429 `too_many_exports`.
    """
    with transaction() as session:
        return once(session, lambda: _requested(session))


@blp.route("/v1/account/exports/<uuid:export_id>", methods=["GET"])
@access.user
@access.about(export_id="export.own")
@blp.response(200, AccountExportSchema)
@blp.alt_response(404, "NOT_FOUND")
def read_account_export(export_id: UUID) -> Response:
    """Read how an export of mine stands, and where to download it once it is ready.

    The archive holds a folder for each service with JSON files and my photos, a README.txt and an index.html
    to begin with. It is kept for seven days. Each answer brings a fresh address that is good for fifteen
    minutes; that one was given out is written into my security activity.

    An export that is not ready within a day has `failed`, with the code `export_timed_out`. An unknown export
    and somebody else's are both 404 `export_not_found`.
    """
    identity, now = current_identity(), utc_now()
    with transaction() as session:
        export = export_of(session, export_id=export_id, account_id=identity.user_id, now=now)
        if export.state is ExportState.READY:
            note_link_issued(
                session,
                export_id=export_id,
                account_id=identity.user_id,
                session_id=identity.session_id,
                network=caller_network(),
                now=now,
            )
    if export.state is not ExportState.READY:
        return json_response(export_json(export), headers=_NOT_STORED)
    # Signed outside of the transaction: the credentials of a task's role may have to be fetched first.
    link_expires_at = min(now + LINK_LIFE, export.expires_at)
    shown = export_json(export, download_url=_address(export), link_expires_at=link_expires_at)
    return json_response(shown, headers=_NOT_STORED)


def _requested(session: Session) -> Response:
    identity, now = current_identity(), utc_now()
    export_id = request_export(
        session,
        account_id=identity.user_id,
        session_id=identity.session_id,
        network=caller_network(),
        now=now,
    )
    export = export_of(session, export_id=export_id, account_id=identity.user_id, now=now)
    headers = {**_NOT_STORED, "Location": f"/v1/account/exports/{export_id}"}
    return json_response(export_json(export), status=202, headers=headers)


def _address(export: ExportView) -> str:
    return provided(ObjectStore).download_address(
        archive_key(export.id),
        filename=f"igloo-{export.requested_at:%Y-%m-%d}.zip",
        seconds=int(LINK_LIFE.total_seconds()),
    )
