"""What Facebook says by itself about a person: that they removed our app, or want their data deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from igloo_auth.models.account_deletions import AccountDeletion, DeletionSource
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.models.web_sign_ins import AuthorizationCode
from igloo_auth.operations.account_deletions import delete_account, record_nothing_held
from igloo_auth.operations.friend_lookups import TOKEN_KEPT_FOR, take_back_friends
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.operations.sessions import end_session
from igloo_auth.policies.pseudonyms import pseudonym_of
from igloo_auth.settings import TokenLifetimes

# Facebook's time has whole seconds: what we did within that second may well have been before.
_SECOND: Final = timedelta(seconds=1)


def deauthorize_person(
    session: Session,
    *,
    facebook_user_id: str,
    issued_at: datetime,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> int:
    """End the sessions that a person began before they removed our app; return how many.

    The account stays: who only tidies up their Facebook settings has not asked us to throw anything away.
    Facebook's message sent again ends nothing that began since.
    """
    before = issued_at + _SECOND
    account_id = session.scalar(
        select(FacebookIdentity.account_id).where(FacebookIdentity.facebook_user_id == facebook_user_id)
    )
    if account_id is None:
        return 0
    _forget_what_leads_to_sessions(session, account_id=account_id, before=before)
    begun = session.scalars(
        select(DeviceSession)
        .where(
            DeviceSession.account_id == account_id,
            DeviceSession.created_at < before,
            DeviceSession.revoked_at.is_(None),
            DeviceSession.expires_at > now,
        )
        .order_by(DeviceSession.id)
        .with_for_update()
    ).all()
    for ended in begun:
        end_session(
            session, ended=ended, reason=RevocationReason.FACEBOOK_DEAUTHORIZED, lifetimes=lifetimes, now=now
        )
    if begun:
        record_security_event(
            session,
            account_id=account_id,
            kind=SecurityEventKind.FACEBOOK_DEAUTHORIZED,
            details={"sessions": str(len(begun))},
            now=now,
        )
    # Whom Facebook named goes with the permission to ask; friends found since are of a later list and stay.
    take_back_friends(session, account_id=account_id, found_at=min(before, now), now=now)
    return len(begun)


def delete_data_of_person(
    session: Session,
    *,
    facebook_user_id: str,
    issued_at: datetime,
    secret_key: str,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> UUID:
    """Delete the account that a person had when they asked Facebook for it, and return the deletion.

    The same request again, or another one of a person who is gone, gives the deletion that there is. An
    account that the person made since they asked is left alone.
    """
    pseudonym = pseudonym_of(facebook_user_id, secret_key=secret_key)
    # Of somebody unknown there is no row to lock, and two requests at once must give one code.
    name = f"igloo deletion for facebook {pseudonym.hex()}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    account_id = session.scalar(
        select(FacebookIdentity.account_id).where(
            FacebookIdentity.facebook_user_id == facebook_user_id,
            FacebookIdentity.linked_at < issued_at + _SECOND,
        )
    )
    if account_id is not None:
        return delete_account(
            session,
            account_id=account_id,
            source=DeletionSource.FACEBOOK,
            secret_key=secret_key,
            lifetimes=lifetimes,
            now=now,
        )
    known = session.scalar(
        select(AccountDeletion.id)
        .where(AccountDeletion.facebook_user_hash == pseudonym)
        .order_by(AccountDeletion.requested_at.desc(), AccountDeletion.id.desc())
        .limit(1)
    )
    return known or record_nothing_held(session, pseudonym=pseudonym, now=now)


def _forget_what_leads_to_sessions(session: Session, *, account_id: UUID, before: datetime) -> None:
    """Drop codes not yet traded in, and the Facebook token that is good for nothing now."""
    session.execute(
        delete(AuthorizationCode)
        .where(
            AuthorizationCode.account_id == account_id,
            AuthorizationCode.issued_at < before,
            AuthorizationCode.redeemed_at.is_(None),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(FriendLookup)
        .where(FriendLookup.account_id == account_id, FriendLookup.expires_at < before + TOKEN_KEPT_FOR)
        .execution_options(synchronize_session=False)
    )
