"""The public status page of deletions."""

from __future__ import annotations

from flask import Response

from igloo_auth.api.deletion_pages import page_of, unknown_page
from igloo_auth.api.pages import preferred_language, wants_html
from igloo_auth.queries.account_deletions import DeletionNotFound, Receipt, receipt_by_code
from igloo_auth.schemas.account_deletions import AccountDeletionSchema, receipt_json
from igloo_auth.settings import Settings
from igloo_common import access
from igloo_common.database import reading
from igloo_common.web import Blueprint, json_response, provided

blp = Blueprint("data_deletions", __name__, description="How deletions of accounts stand.")


@blp.route("/v1/auth/data-deletions/<confirmation_code>", methods=["GET"])
@access.public
@access.about(confirmation_code="deletion.known")
@blp.response(200, AccountDeletionSchema)
@blp.alt_response(404, "NOT_FOUND")
def read_data_deletion(confirmation_code: str) -> Response:
    """Read how a deletion stands: when it was asked for, what each service has removed, when all was done.

    Needs the confirmation code and nothing else: the account is gone, and with it every way to sign in. Says
    nothing about the person. A browser (`Accept: text/html`) gets a page, in English or Korean. An unknown
    code is 404 `deletion_not_found`. Receipts are kept for good.
    """
    try:
        with reading() as connection:
            receipt = receipt_by_code(connection, confirmation_code=confirmation_code)
    except DeletionNotFound:
        if wants_html():
            return unknown_page(preferred_language())
        raise
    return page_of(receipt, preferred_language()) if wants_html() else _json(receipt)


def _json(receipt: Receipt) -> Response:
    shown = receipt_json(receipt, public_url=provided(Settings).common.public_url)
    return json_response(shown, headers={"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"})
