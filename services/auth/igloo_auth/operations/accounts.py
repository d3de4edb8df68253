"""Accounts: found by the identity that a person signed in with, made at the first sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_auth.events import AccountCreated
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_common.ids import new_id
from igloo_common.outbox import emit

NAMELESS = "Facebook user"
"""What somebody is called whose name Facebook has never said."""


@dataclass(frozen=True, kw_only=True)
class FacebookPerson:
    """Somebody of whom Facebook has said that they are who they are, to our app."""

    facebook_user_id: str
    display_name: str | None
    """None when Facebook did not say it this time."""
    picture_url: str | None


def find_or_create_account(session: Session, *, person: FacebookPerson, now: datetime) -> UUID:
    """Return the account of a Facebook person, with today's name and picture; make it when there is none.

    However many phones sign in for the first time at once, there is one account and one event.
    """
    account_id = _account_of(session, person)
    if account_id is not None:
        _follow_facebook(session, account_id=account_id, person=person, now=now)
        return account_id
    account_id = new_id()
    if not _claim_identity(session, account_id=account_id, person=person, now=now):
        # Another phone was first. The claim waited for its commit, so that its account is there to be seen.
        return find_or_create_account(session, person=person, now=now)
    _create_account(session, account_id=account_id, person=person, now=now)
    return account_id


def _account_of(session: Session, person: FacebookPerson) -> UUID | None:
    return session.scalar(
        select(FacebookIdentity.account_id).where(
            FacebookIdentity.facebook_user_id == person.facebook_user_id
        )
    )


def _claim_identity(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> bool:
    """Link the identity to an account that is about to be made; False when somebody else has linked it."""
    claim = (
        insert(FacebookIdentity)
        .values(facebook_user_id=person.facebook_user_id, account_id=account_id, linked_at=now)
        .on_conflict_do_nothing(index_elements=[FacebookIdentity.facebook_user_id])
        .returning(FacebookIdentity.account_id)
    )
    return session.scalar(claim) is not None


def _create_account(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> None:
    display_name = person.display_name or NAMELESS
    session.execute(
        insert(Account).values(
            id=account_id,
            display_name=display_name,
            picture_url=person.picture_url,
            created_at=now,
            updated_at=now,
        )
    )
    created = AccountCreated(
        account_id=account_id,
        display_name=display_name,
        picture_url=person.picture_url,
        created_at=now,
    )
    emit(session, created, now=now)


def _follow_facebook(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> None:
    """Take over a changed name or picture; an unchanged account is not written at all."""
    display_name = func.coalesce(person.display_name, Account.display_name)
    session.execute(
        update(Account)
        .where(
            Account.id == account_id,
            # Deleted since the identity was read: a tombstone says nothing, and signing in is refused next.
            Account.deleted_at.is_(None),
            or_(
                Account.display_name != display_name,
                Account.picture_url.is_distinct_from(person.picture_url),
            ),
        )
        .values(display_name=display_name, picture_url=person.picture_url, updated_at=now)
        .execution_options(synchronize_session=False)
    )
