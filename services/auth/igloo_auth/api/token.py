"""The token endpoint: proof of who somebody is comes in, igloo's own tokens go out."""

from __future__ import annotations

from typing import Final

from flask import Response

from igloo_auth.api.grants import GRANTORS
from igloo_auth.api.grants.grantor import Grantor
from igloo_auth.api.limits import limited_grant
from igloo_auth.api.oauth import NOT_STORED, UnsupportedGrantType, form_or_json, load
from igloo_auth.operations.grants import Grant
from igloo_auth.policies.scopes import scopes_of
from igloo_auth.schemas.token import GrantTypeSchema, TokenSchema
from igloo_auth.tokens.access_tokens import AccessTokens
from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, RATE_LIMITED
from igloo_common.web import Blueprint, json_response, provided

blp = Blueprint("token", __name__, description="Signing in, and staying signed in.")
_GRANT_TYPE: Final = GrantTypeSchema()


@blp.route("/v1/auth/token", methods=["POST"])
@access.public
@blp.doc(requestBody=form_or_json(*(grantor.schema for grantor in GRANTORS.values())))
@blp.response(200, TokenSchema, headers=RATE_LIMIT_HEADERS)
@blp.alt_response(429, **RATE_LIMITED)
def issue_token() -> Response:
    """Sign in, or stay signed in.

    `grant_type` chooses what proves who calls. Refusals are problem documents with the `error` of RFC 6749:
    `invalid_request`, `unsupported_grant_type`, or `invalid_grant` with one of the codes
    `facebook_token_invalid`, `nonce_invalid`, `nonce_reused`, `authorization_code_invalid`,
    `authorization_code_expired`, `authorization_code_reused`, `refresh_token_invalid`,
    `refresh_token_expired`, `refresh_token_reused`, `session_revoked`, `account_suspended` and
    `account_deleted`; where there is more to say, `reason` says it in a word. When Facebook cannot be asked,
    a sign-in answers 503 `facebook_unavailable`; when its answer makes no sense or it refuses our app, 502
    `facebook_failed`. Both say in Retry-After when to ask again, and who is signed in stays so. Too often is
    429 `rate_limited` with the `error` `temporarily_unavailable`: it ends no session and uses up no token.

    Each refresh token is good for one successor. Send the same one again when an answer was lost: within a
    minute, or until the successor is used, it gives the same successor. After that it ends the session.
    """
    with limited_grant():
        grantor = _grantor(load(_GRANT_TYPE)["grant_type"])
        return _token_response(grantor.grant(load(grantor.schema)))


def _grantor(grant_type: str) -> Grantor:
    found = GRANTORS.get(grant_type)
    if found is None:
        raise UnsupportedGrantType(f"grant_type must be one of {', '.join(sorted(GRANTORS))}.")
    return found


def _token_response(grant: Grant) -> Response:
    tokens, now = provided(AccessTokens), utc_now()
    scope = " ".join(sorted(scopes_of(is_moderator=grant.is_moderator)))
    answer = {
        "access_token": tokens.issue(
            account_id=grant.account_id, session_id=grant.session_id, scope=scope, now=now
        ),
        "token_type": "Bearer",
        "expires_in": tokens.seconds,
        "refresh_token": grant.refresh_token,
        "refresh_expires_in": int((grant.refresh_expires_at - now).total_seconds()),
        "scope": scope,
        "user_id": grant.account_id,
        "session_id": grant.session_id,
    }
    return json_response(answer, headers=NOT_STORED)
