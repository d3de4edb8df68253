"""Reads of what a person wants to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.models.notifications import NotificationDelivery, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from igloo_common.database import Reader


def preferences_of(reader: Reader, *, user_id: UUID) -> Mapping[NotificationKind, NotificationDelivery]:
    """Read what is done about each kind of news; what the person never chose about is pushed."""
    chosen = dict(_CHOSEN.rows(reader, {"user_id": user_id}))
    return {
        kind: NotificationDelivery(chosen.get(kind.value, NotificationDelivery.PUSH))
        for kind in NotificationKind
    }


_CHOSEN = Statement("SELECT kind, delivery FROM notification_preferences WHERE user_id = %(user_id)s")
