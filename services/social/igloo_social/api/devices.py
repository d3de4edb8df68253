"""Routes of the phones that news is pushed to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.operations.devices import DeviceRegistration
from igloo_social.operations.devices import register_device as register
from igloo_social.operations.devices import remove_device as remove
from igloo_social.schemas.devices import DeviceRegistrationSchema, DeviceSchema, device_json

blp = Blueprint("devices", __name__, description="Phones that news is pushed to")


@blp.route("/v1/devices/<uuid:device_id>", methods=["PUT"])
@access.user
@access.about(device_id="device.own_id")
@blp.arguments(DeviceRegistrationSchema)
@blp.response(200, DeviceSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def register_device(registration: dict[str, Any], device_id: UUID) -> Response:
    """Have news pushed to this phone until the session ends; again, with a new token perhaps, it is the same.

    Apps choose an id when they are installed, and register at each start and whenever the platform gives
    them another token. A token is one phone's: who has registered it before, under any account, is pushed to
    no longer. A person has 20 phones at most; the one that has not registered for longest makes room.
    """
    caller, device, now = current_identity(), DeviceRegistration(id=device_id, **registration), utc_now()
    with transaction() as session:
        register(session, user_id=caller.user_id, session_id=caller.session_id, device=device, now=now)
    return json_response(device_json(device_id, device.platform, now))


@blp.route("/v1/devices/<uuid:device_id>", methods=["DELETE"])
@access.user
@access.about(device_id="device.own_id")
@blp.response(204)
def remove_device(device_id: UUID) -> Response:
    """Push nothing more to a phone; one that is not the caller's changes nothing, and nothing is told."""
    with transaction() as session:
        remove(session, user_id=current_identity().user_id, device_id=device_id, now=utc_now())
    return Response(status=204)
