"""Phones, and pushes on their way to them, for the social service's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from factories.social_people import LONG_AGO, make_people
from igloo_common.ids import new_id
from igloo_social.models.devices import DEVICES, PUSHES

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


def make_token() -> str:
    """Make up a token such as Apple gives."""
    return f"{new_id().hex}{new_id().hex}"


def make_device(session: Session, user_id: UUID, **columns: Any) -> UUID:  # noqa: ANN401 - any columns
    """Insert a phone with Apple's system, save where the columns say otherwise, and return its id."""
    values = {
        "user_id": user_id,
        "id": new_id(),
        "session_id": new_id(),
        "platform": "apns",
        "token": make_token(),
        "registered_at": LONG_AGO,
        **columns,
    }
    session.execute(insert(DEVICES).values(values))
    device_id: UUID = values["id"]
    return device_id


def add_device_noise(session: Session) -> None:
    """Add strangers with phones of every platform, and pushes to them that are due in a hundred years."""
    for stranger in make_people(session, 2):
        for platform in ("apns", "apns_sandbox", "fcm"):
            arn = f"arn:aws:sns:us-east-1:123456789012:endpoint/NOISE/{new_id()}"
            device_id = make_device(session, stranger, platform=platform, endpoint_arn=arn)
            push = {
                "id": new_id(),
                "notification_id": new_id(),
                "user_id": stranger,
                "device_id": device_id,
                "due_at": LONG_AGO.replace(year=2125),
                "created_at": LONG_AGO,
            }
            session.execute(insert(PUSHES).values(push))
