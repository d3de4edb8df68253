"""Which accounts belong to which Facebook users."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from igloo_common.database import Reader
from igloo_common.statements import Statement

_LIVING = Statement("""
SELECT i.account_id FROM facebook_identities i JOIN accounts a ON a.id = i.account_id
WHERE i.facebook_user_id = ANY(%(facebook_user_ids)s) AND a.deleted_at IS NULL
ORDER BY i.account_id
""")


def accounts_of_facebook_users(reader: Reader, *, facebook_user_ids: Collection[str]) -> tuple[UUID, ...]:
    """Return the living accounts of those Facebook users who have one, in the order of their ids."""
    if not facebook_user_ids:
        return ()
    found = _LIVING.rows(reader, {"facebook_user_ids": list(facebook_user_ids)})
    return tuple(account_id for (account_id,) in found)
