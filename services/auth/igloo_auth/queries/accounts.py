"""What the auth service holds about a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_common.database import Reader
from igloo_common.errors import NotFound


class AccountNotFound(NotFound):
    """The account that a token speaks of is not there any more."""


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """An account as its owner sees it."""

    id: UUID
    display_name: str
    picture_url: str | None
    facebook_user_id: str | None
    created_at: datetime
    updated_at: datetime


def account_of(reader: Reader, *, account_id: UUID) -> AccountView:
    """Return a person's own account.

    Raises:
        AccountNotFound: When there is none (any more).
    """
    found = reader.execute(
        select(
            Account.id,
            Account.display_name,
            Account.picture_url,
            FacebookIdentity.facebook_user_id,
            Account.created_at,
            Account.updated_at,
        )
        .outerjoin(FacebookIdentity, FacebookIdentity.account_id == Account.id)
        .where(Account.id == account_id, Account.deleted_at.is_(None))
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise AccountNotFound("This account does not exist any more.")
    return AccountView(**row)
