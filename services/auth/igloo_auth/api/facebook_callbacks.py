"""What Facebook calls by itself: a person removed our app, or wants their data deleted."""

from __future__ import annotations

from flask import Response, request

from igloo_auth.facebook.signed_requests import (
    SignedRequest,
    SignedRequestInvalid,
    read_signed_request,
)
from igloo_auth.operations.facebook_callbacks import deauthorize_person, delete_data_of_person
from igloo_auth.queries.account_deletions import receipt_of
from igloo_auth.schemas.account_deletions import (
    FacebookDeletionSchema,
    NothingSchema,
    SignedRequestSchema,
    status_url,
)
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.web import Blueprint, body_limit, json_response, provided

_BODY_BYTES = 16 * 1024
_FORM = {
    "required": True,
    "content": {"application/x-www-form-urlencoded": {"schema": SignedRequestSchema}},
}
_NOT_STORED = {"Cache-Control": "no-store"}

blp = Blueprint("facebook_callbacks", __name__, description="What Facebook calls by itself.")


@blp.route("/v1/auth/facebook/deauthorize", methods=["POST"])
@access.public
@body_limit(_BODY_BYTES)
@blp.doc(requestBody=_FORM)
@blp.response(200, NothingSchema)
@blp.alt_response(400, "BAD_REQUEST")
def deauthorize() -> Response:
    """Hear from Facebook that a person removed our app, and sign them out.

    Ends the sessions that began before Facebook's `issued_at`, with the reason `facebook_deauthorized`, and
    keeps the account. The same message again ends nothing that began since. About somebody unknown there is
    nothing to do, and the answer is the same.

    What Facebook has not signed with our app secret within the last hour is 400 `signed_request_invalid`,
    with the `reason` `malformed`, `forged`, `algorithm`, `no_time`, `expired`, `not_yet_valid` or
    `no_person`; it changes nothing.
    """
    said = _signed_request()
    with transaction() as session:
        deauthorize_person(
            session,
            facebook_user_id=said.facebook_user_id,
            issued_at=said.issued_at,
            lifetimes=provided(Settings).lifetimes,
            now=utc_now(),
        )
    return json_response({}, headers=_NOT_STORED)


@blp.route("/v1/auth/facebook/data-deletion", methods=["POST"])
@access.public
@body_limit(_BODY_BYTES)
@blp.doc(requestBody=_FORM)
@blp.response(200, FacebookDeletionSchema)
@blp.alt_response(400, "BAD_REQUEST")
def delete_facebook_data() -> Response:
    """Hear from Facebook that a person wants their data deleted, and delete their account.

    Starts what `DELETE /v1/account` starts, and answers as Facebook asks for: the address of a public status
    page and a confirmation code. The same request again gives the same code, and never touches an account
    that the person has made since. Of somebody unknown nothing was held: the page says so.

    Refused as `/v1/auth/facebook/deauthorize` refuses.
    """
    said, settings = _signed_request(), provided(Settings)
    with transaction() as session:
        deletion_id = delete_data_of_person(
            session,
            facebook_user_id=said.facebook_user_id,
            issued_at=said.issued_at,
            secret_key=settings.common.secret_key,
            lifetimes=settings.lifetimes,
            now=utc_now(),
        )
        receipt = receipt_of(session, deletion_id=deletion_id)
    answer = {
        "url": status_url(receipt, public_url=settings.common.public_url),
        "confirmation_code": receipt.confirmation_code,
    }
    return json_response(answer, headers=_NOT_STORED)


def _signed_request() -> SignedRequest:
    sent = request.form.getlist("signed_request")
    if len(sent) != 1:
        raise SignedRequestInvalid("malformed")
    return read_signed_request(sent[0], app_secret=provided(Settings).facebook.app_secret, now=utc_now())
