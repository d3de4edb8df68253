"""The audit trail: one line for what happened to an account's security, beside the write that did it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from igloo_auth.models.security_events import SecurityEventKind
from igloo_common.ids import new_id
from igloo_common.statements import Statement

_RECORD = Statement("""
INSERT INTO security_events (id, account_id, session_id, kind, ip_prefix, details, occurred_at)
VALUES (%(id)s, %(account_id)s, %(session_id)s, %(kind)s, %(network)s, %(details)s::jsonb, %(now)s)
""")


def record_security_event(
    session: Session,
    *,
    account_id: UUID,
    kind: SecurityEventKind,
    session_id: UUID | None = None,
    network: str | None = None,
    details: Mapping[str, str | None] | None = None,
    now: datetime,
) -> None:
    """Write a line of an account's trail; its owner reads it, so it holds no secret. None is left out."""
    said = {name: value for name, value in (details or {}).items() if value is not None}
    _RECORD.run(
        session,
        {
            "id": new_id(),
            "account_id": account_id,
            "session_id": session_id,
            "kind": kind.value,
            "network": network,
            "details": orjson.dumps(said).decode(),
            "now": now,
        },
    )
