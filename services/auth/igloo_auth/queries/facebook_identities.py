"""Which accounts belong to which Facebook users."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_common.database import Reader


def accounts_of_facebook_users(reader: Reader, *, facebook_user_ids: Collection[str]) -> tuple[UUID, ...]:
    """Return the living accounts of those Facebook users who have one, in the order of their ids."""
    if not facebook_user_ids:
        return ()
    found = reader.execute(
        select(FacebookIdentity.account_id)
        .join(Account, Account.id == FacebookIdentity.account_id)
        .where(FacebookIdentity.facebook_user_id.in_(facebook_user_ids), Account.deleted_at.is_(None))
        .order_by(FacebookIdentity.account_id)
    )
    return tuple(found.scalars())
