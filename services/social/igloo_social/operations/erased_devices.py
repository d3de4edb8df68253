"""Removing the phones of a deleted person, and what was on its way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

PUSHES_AT_ONCE = 5_000


def remove_devices(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget the person's phones; their endpoints at SNS, which hold the tokens, are deleted from there."""
    account = {"account_id": account_id, "limit": PUSHES_AT_ONCE}
    devices = len(REMOVE_DEVICES.rows(session, account))
    return {"devices": devices, "pushes": REMOVE_PUSHES.count(session, account)}


REMOVE_DEVICES = Statement("""
WITH removed AS (
    DELETE FROM devices WHERE user_id = %(account_id)s RETURNING id, endpoint_arn
), retired AS (
    INSERT INTO retired_endpoints (arn, due_at)
    SELECT endpoint_arn, now() FROM removed WHERE endpoint_arn IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT id FROM removed
""")
REMOVE_PUSHES = Statement("""
DELETE FROM pushes WHERE id IN (
    SELECT id FROM pushes WHERE user_id = %(account_id)s LIMIT %(limit)s
)
""")
