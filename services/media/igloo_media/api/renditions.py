"""May this address be read? Asked by the gateway before it serves a rendition's bytes; never routed."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.web import Blueprint, provided
from igloo_media.policies.addresses import RenditionNotFound, check_address
from igloo_media.policies.objects import rendition_key
from igloo_media.queries.items import is_shown
from igloo_media.settings import Settings
from igloo_media.storage import Storage

blp = Blueprint("renditions", __name__, description="For the gateway alone.")


class AuthorizeSchema(Schema):
    """What the gateway passes on of the request."""

    original_uri = fields.String(required=True, data_key="X-Original-URI")


@blp.route("/internal/renditions/authorize", methods=["GET"])
@access.public
@blp.arguments(AuthorizeSchema, location="headers")
@blp.response(204, headers={"X-Igloo-Object": {"description": "Path and query of the object in S3."}})
def authorize_rendition(headers: dict[str, str]) -> Response:
    """Decide on a signed address of a rendition, and say where in S3 its bytes are."""
    now = utc_now()
    keys = provided(Settings).common.address_signing_keys
    address = check_address(headers["original_uri"], keys=keys, now=now)
    with reading() as reader:
        if not is_shown(reader, media_id=address.media_id, name=address.name):
            raise RenditionNotFound("There is no such rendition.")
    return Response(
        status=204,
        headers={
            "X-Igloo-Object": provided(Storage).read_address(
                rendition_key(address.media_id, address.name), now=now
            ),
            # For the bytes, not for this decision: they never change while the address works.
            "Cache-Control": f"public, max-age={address.expires - int(now.timestamp())}, immutable",
        },
    )
