"""The caller's own account."""

from __future__ import annotations

from flask import Response

from igloo_auth.queries.accounts import account_of
from igloo_auth.schemas.accounts import AccountSchema
from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.database import reading
from igloo_common.web import Blueprint, json_response

blp = Blueprint("accounts", __name__, description="What the auth service holds about a person.")


@blp.route("/v1/account", methods=["GET"])
@access.user
@blp.response(200, AccountSchema)
def read_account() -> Response:
    """Read my account: what Facebook said of me, and since when I have it.

    What others see of me is my profile, `GET /v1/users/me`.
    """
    with reading() as connection:
        return json_response(account_of(connection, account_id=current_identity().user_id))
