"""The revocation endpoint (RFC 7009): how an app signs out."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Response

from igloo_auth.api.callers import caller_network
from igloo_auth.api.oauth import NOT_STORED, form_or_json, load
from igloo_auth.operations.sign_outs import sign_out, sign_out_by_refresh_token
from igloo_auth.schemas.token import Revocation, RevocationSchema
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import Unauthenticated
from igloo_common.web import Blueprint, provided
from igloo_common.wiring import current_wiring

blp = Blueprint("revocation", __name__, description="Signing out.")
_REVOCATION: Final = RevocationSchema()


@blp.route("/v1/auth/revoke", methods=["POST"])
@access.public
@blp.doc(requestBody=form_or_json(_REVOCATION))
@blp.response(200, description="The token is good for nothing, now or since before.")
def revoke_token() -> Response:
    """Sign out: end the session that a token belongs to.

    Refresh and access tokens are both accepted. An unknown token is answered with 200 as well, as there is
    nothing left to revoke (RFC 7009 section 2.2). Access tokens of the session are refused within seconds.
    """
    revocation: Revocation = load(_REVOCATION)
    session_id = _session_of_access_token(revocation.token)
    network, lifetimes, now = caller_network(), provided(Settings).lifetimes, utc_now()
    with transaction() as session:
        if session_id is not None:
            sign_out(session, session_id=session_id, network=network, lifetimes=lifetimes, now=now)
        else:
            token = revocation.token
            sign_out_by_refresh_token(session, token=token, network=network, lifetimes=lifetimes, now=now)
    return Response(status=200, headers=NOT_STORED)


def _session_of_access_token(token: str) -> UUID | None:
    """Return the session of an access token that is still good; None for everything else."""
    try:
        return current_wiring().verifier.verify(token).session_id
    except Unauthenticated:
        return None
