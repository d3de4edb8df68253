"""The caller's own account."""

from __future__ import annotations

from flask import Response

from igloo_auth.models.account_deletions import DeletionSource
from igloo_auth.operations.account_deletions import delete_account as delete
from igloo_auth.queries.account_deletions import receipt_of
from igloo_auth.queries.accounts import account_of
from igloo_auth.schemas.account_deletions import AccountDeletionSchema, receipt_json
from igloo_auth.schemas.accounts import AccountSchema
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.web import Blueprint, json_response, provided

blp = Blueprint("accounts", __name__, description="What the auth service holds about a person.")


@blp.route("/v1/account", methods=["GET"])
@access.user
@blp.response(200, AccountSchema)
@blp.alt_response(404, "NOT_FOUND")
def read_account() -> Response:
    """Read my account: what Facebook said of me, and since when I have it.

    What others see of me is my profile, `GET /v1/users/me`.
    """
    with reading() as connection:
        return json_response(account_of(connection, account_id=current_identity().user_id))


@blp.route("/v1/account", methods=["DELETE"])
@access.user
@blp.response(202, AccountDeletionSchema)
@blp.alt_response(404, "NOT_FOUND")
def delete_account() -> Response:
    """Delete my account, and everything that igloo holds about me. There is no way back.

    At once nobody is signed in to it any more, and my profile, posts, likes and photos are on their way
    out; each service says in the receipt when it has removed its part. Keep `status_url`: it shows the
    receipt without signing in, which is no longer possible. Asked again, the answer is the same receipt.

    Any other phone of mine is told at its next refresh: `session_revoked` with the reason `account_deleted`.
    So is this one if it never got this answer and asks again. Signing in with Facebook again makes a new and
    empty account. My username stays reserved. Kept are the receipt, which does not say whose it is, and for
    30 days the bare facts that sessions were there and why they ended.
    """
    settings = provided(Settings)
    with transaction() as session:
        deletion_id = delete(
            session,
            account_id=current_identity().user_id,
            source=DeletionSource.OWNER,
            secret_key=settings.common.secret_key,
            lifetimes=settings.lifetimes,
            now=utc_now(),
        )
        receipt = receipt_of(session, deletion_id=deletion_id)
    shown = receipt_json(receipt, public_url=settings.common.public_url)
    return json_response(
        shown, status=202, headers={"Location": shown["status_url"], "Cache-Control": "no-store"}
    )
