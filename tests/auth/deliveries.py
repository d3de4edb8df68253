"""Events of the other services, handed over as the inbox does."""

from __future__ import annotations

from typing import Any

from flask import Flask

from igloo_auth.consumers import consumers
from igloo_common.clock import utc_now
from igloo_common.consumers import Delivery
from igloo_common.database import transaction
from igloo_common.event_views import decode_view
from igloo_common.ids import new_id


def deliver(app: Flask, event_type: str, **data: object) -> None:
    """Apply an event whose payload is `data`."""
    subscription, now = consumers.subscriptions[event_type], utc_now()
    delivery: Delivery[Any] = Delivery(
        id=new_id(),
        type=event_type,
        key="test",
        sequence=1,
        time=now,
        data=decode_view(subscription.view, data),
    )
    with app.app_context(), transaction() as session:
        subscription.handler(session, delivery, now)


def erased(app: Flask, service: str, event: dict[str, Any], **removed: int) -> None:
    """Have a service say that it has erased the account of an `auth.account.deleted.v1`."""
    deliver(
        app,
        f"{service}.account.erased.v1",
        account_id=event["account_id"],
        deletion_id=event["deletion_id"],
        removed=[{"kind": kind, "count": count} for kind, count in removed.items()],
        erased_at=event["deleted_at"],
    )


def collected(app: Flask, service: str, event: dict[str, Any]) -> None:
    """Have a service say that it has put its part of an `auth.export.requested.v1` into S3."""
    deliver(
        app,
        f"{service}.export.collected.v1",
        export_id=event["export_id"],
        account_id=event["account_id"],
        collected_at=event["requested_at"],
    )
