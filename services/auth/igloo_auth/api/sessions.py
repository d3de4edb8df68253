"""The devices that the caller is signed in on."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from flask import Response

from igloo_auth.api.callers import caller_network
from igloo_auth.operations.sign_outs import end_own_session, end_own_sessions
from igloo_auth.queries.sessions import SessionView, sessions_of
from igloo_auth.schemas.sessions import (
    EndSessionsQuery,
    EndSessionsQuerySchema,
    SessionPageSchema,
    SessionsQuery,
    SessionsQuerySchema,
)
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import Cursor, neighbours, page_response
from igloo_common.web import Blueprint, provided

blp = Blueprint("sessions", __name__, description="The devices that a person is signed in on.")


@blp.route("/v1/auth/sessions", methods=["GET"])
@access.user
@blp.arguments(SessionsQuerySchema, location="query")
@blp.response(200, SessionPageSchema)
def list_sessions(query: SessionsQuery) -> Response:
    """List my sessions, the latest sign-in first.

    An ended session stays to be seen for 30 days with the reason: `signed_out`; `revoked_by_owner`;
    `refresh_token_reused` or `authorization_code_reused` when somebody used a copy of what was given to this
    device; `facebook_deauthorized` when igloo was removed in Facebook's settings; `account_suspended`.
    """
    identity = current_identity()
    scope = f"sessions:{query.state}:{identity.user_id}"
    asked = query.position(scope=scope)
    found, more = _scan(query, asked, account_id=identity.user_id)
    around = neighbours([(view.created_at, view.id) for view in found], asked=asked, more=more)
    data = [{**asdict(view), "current": view.id == identity.session_id} for view in found]
    return page_response(data, scope=scope, around=around)


@blp.route("/v1/auth/sessions", methods=["DELETE"])
@access.user
@blp.arguments(EndSessionsQuerySchema, location="query")
@blp.response(204)
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def end_sessions(query: EndSessionsQuery) -> Response:
    """Sign all my devices out, or with `?except=current` all the others.

    Every session that has begun by now ends, whatever it is just doing; a sign-in after that is a new one.
    """
    identity = current_identity()
    with transaction() as session:
        end_own_sessions(
            session,
            account_id=identity.user_id,
            spared=identity.session_id if query.spare_current else None,
            network=caller_network(),
            lifetimes=provided(Settings).lifetimes,
            now=utc_now(),
        )
    return Response(status=204)


@blp.route("/v1/auth/sessions/<uuid:session_id>", methods=["DELETE"])
@access.user
@access.about(session_id="session.own")
@blp.response(204)
def end_session(session_id: UUID) -> Response:
    """Sign a device of mine out.

    Its refresh token is good for nothing at once, its access token within seconds. Ending a session that
    has ended already is no error.
    """
    with transaction() as session:
        end_own_session(
            session,
            session_id=session_id,
            account_id=current_identity().user_id,
            network=caller_network(),
            lifetimes=provided(Settings).lifetimes,
            now=utc_now(),
        )
    return Response(status=204)


def _scan(query: SessionsQuery, asked: Cursor | None, *, account_id: UUID) -> tuple[list[SessionView], bool]:
    """Read a page, newest first, and whether there is more beyond it."""
    reading_newer = asked is not None and asked.direction == "newer"
    place = None if asked is None else (asked.at, asked.id)
    with reading() as connection:
        rows = sessions_of(
            connection,
            account_id=account_id,
            state=query.state,
            limit=query.limit + 1,
            older_than=None if reading_newer else place,
            newer_than=place if reading_newer else None,
            now=utc_now(),
        )
    page = rows[: query.limit]
    return page[::-1] if reading_newer else page, len(rows) > query.limit
