"""What happened to an account's security, as its owner reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from igloo_auth.models.security_events import SecurityEvent
from igloo_common.database import Reader


@dataclass(frozen=True, kw_only=True)
class SecurityEventView:
    """One line of the trail."""

    id: UUID
    kind: str
    occurred_at: datetime
    session_id: UUID | None
    ip_prefix: str | None
    details: Mapping[str, str]


def security_events_of(
    reader: Reader,
    *,
    account_id: UUID,
    limit: int,
    older_than: tuple[datetime, UUID] | None = None,
    newer_than: tuple[datetime, UUID] | None = None,
) -> list[SecurityEventView]:
    """Return a person's trail from one place of it on; oldest first when reading `newer_than` it."""
    place = tuple_(SecurityEvent.occurred_at, SecurityEvent.id)
    columns = (getattr(SecurityEvent, name) for name in SecurityEventView.__dataclass_fields__)
    chosen = select(*columns).where(SecurityEvent.account_id == account_id)
    if newer_than is not None:
        chosen = chosen.where(place > newer_than).order_by(SecurityEvent.occurred_at, SecurityEvent.id)
    else:
        chosen = chosen.order_by(SecurityEvent.occurred_at.desc(), SecurityEvent.id.desc())
    if older_than is not None:
        chosen = chosen.where(place < older_than)
    return [SecurityEventView(**row) for row in reader.execute(chosen.limit(limit)).mappings()]
