"""Accounts: found by the identity that a person signed in with, made at the first sign-in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.events import AccountCreated
from igloo_common.ids import new_id
from igloo_common.outbox import emit
from igloo_common.statements import Statement

NAMELESS = "Facebook user"
"""What somebody is called whose name Facebook has never said."""

_FIND = Statement("SELECT account_id FROM facebook_identities WHERE facebook_user_id = %(facebook_user_id)s")
_CLAIM = Statement("""
INSERT INTO facebook_identities (facebook_user_id, account_id, linked_at)
VALUES (%(facebook_user_id)s, %(account_id)s, %(now)s)
ON CONFLICT (facebook_user_id) DO NOTHING
""")
_CREATE = Statement("""
INSERT INTO accounts (id, display_name, picture_url, created_at, updated_at)
VALUES (%(account_id)s, %(display_name)s, %(picture_url)s, %(created_at)s, %(created_at)s)
""")
# Deleted since the identity was read: a tombstone says nothing, and signing in is refused next.
_FOLLOW_FACEBOOK = Statement("""
UPDATE accounts SET display_name = coalesce(%(display_name)s, display_name),
    picture_url = %(picture_url)s, updated_at = %(now)s
WHERE id = %(account_id)s AND deleted_at IS NULL
  AND (display_name <> %(display_name)s OR picture_url IS DISTINCT FROM %(picture_url)s)
""")


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
    found = _FIND.row(session, {"facebook_user_id": person.facebook_user_id})
    return None if found is None else found[0]


def _claim_identity(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> bool:
    """Link the identity to an account that is about to be made; False when somebody else has linked it."""
    claim = {"facebook_user_id": person.facebook_user_id, "account_id": account_id, "now": now}
    return _CLAIM.count(session, claim) == 1


def _create_account(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> None:
    created = AccountCreated(
        account_id=account_id,
        display_name=person.display_name or NAMELESS,
        picture_url=person.picture_url,
        created_at=now,
    )
    _CREATE.run(session, asdict(created))
    emit(session, created, now=now)


def _follow_facebook(session: Session, *, account_id: UUID, person: FacebookPerson, now: datetime) -> None:
    """Take over a changed name or picture; an unchanged account is not written at all."""
    _FOLLOW_FACEBOOK.run(
        session,
        {
            "account_id": account_id,
            "display_name": person.display_name,
            "picture_url": person.picture_url,
            "now": now,
        },
    )
