"""Nonces for Limited Login."""

from __future__ import annotations

from flask import Response

from igloo_auth.api.limits import charge_nonce
from igloo_auth.api.oauth import NOT_STORED
from igloo_auth.operations.nonces import issue_nonce
from igloo_auth.policies.nonces import NONCE_LIFETIME
from igloo_auth.schemas.nonces import NonceSchema
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, RATE_LIMITED
from igloo_common.web import Blueprint, json_response, provided

blp = Blueprint("nonces", __name__, description="One-time words for Limited Login.")


@blp.route("/v1/auth/nonces", methods=["POST"])
@access.public
@blp.response(201, NonceSchema, headers=RATE_LIMIT_HEADERS)
@blp.alt_response(429, **RATE_LIMITED)
def create_nonce() -> Response:
    """Get a nonce to log in with at Facebook by Limited Login.

    Facebook's SDK takes it with the login and puts it into the id token. Trade that token at
    `POST /v1/auth/token` with `grant_type=facebook_id_token`, once, before the nonce expires. No body is
    needed, and none is read.
    """
    charge_nonce()
    nonce = issue_nonce(secret_key=provided(Settings).common.secret_key, now=utc_now())
    answer = {"nonce": nonce, "expires_in": int(NONCE_LIFETIME.total_seconds())}
    return json_response(answer, status=201, headers=NOT_STORED)
