"""May this address be read? Asked by the gateway before it serves a rendition's bytes; never routed."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.web import Blueprint, provided
from igloo_media.policies.addresses import RenditionNotFound, check_address
from igloo_media.policies.objects import rendition_key, rendition_path
from igloo_media.queries.items import shown_version
from igloo_media.settings import Settings
from igloo_media.storage import Storage

blp = Blueprint("renditions", __name__, description="For the gateway alone.")


HEADERS = {
    "X-Igloo-Object": {"description": "Path and query of the object in S3."},
    "X-Igloo-Rendition": {"description": "The path of what is there: the newest version of the rendition."},
}


class AuthorizeSchema(Schema):
    """What the gateway passes on of the request."""

    original_uri = fields.String(required=True, data_key="X-Original-URI")


@blp.route("/internal/renditions/authorize", methods=["GET"])
@access.public
@blp.arguments(AuthorizeSchema, location="headers")
@blp.response(204, headers=HEADERS)
def authorize_rendition(headers: dict[str, str]) -> Response:
    """Decide on a signed address of a rendition, and say where in S3 its bytes are.

    The address of an older version leads to the newest: what a phone has kept in a list is never a gap.
    """
    now = utc_now()
    keys = provided(Settings).common.address_signing_keys
    address = check_address(headers["original_uri"], keys=keys, now=now)
    with reading() as reader:
        newest = shown_version(reader, media_id=address.media_id, name=address.name)
    if newest is None or address.version > newest:
        raise RenditionNotFound("There is no such rendition.")
    key = rendition_key(address.media_id, address.name, newest)
    return Response(
        status=204,
        headers={
            "X-Igloo-Object": provided(Storage).read_address(key, now=now),
            "X-Igloo-Rendition": rendition_path(address.media_id, address.name, newest),
            # For the bytes, not for this decision: they never change while the address works.
            "Cache-Control": f"public, max-age={address.expires - int(now.timestamp())}, immutable",
        },
    )
