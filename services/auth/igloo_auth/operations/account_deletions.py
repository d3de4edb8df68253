"""Deleting accounts: what happens at once, and how the services' steps complete it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from igloo_auth.events import AccountDeleted
from igloo_auth.models.account_deletions import AccountDeletion, DeletionSource, DeletionStep
from igloo_auth.models.account_exports import AccountExport, ExportState
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.operations.sessions import end_session
from igloo_auth.policies.exports import ACCOUNT_DELETED, SERVICES
from igloo_auth.policies.pseudonyms import pseudonym_of
from igloo_auth.queries.accounts import AccountNotFound
from igloo_auth.settings import TokenLifetimes
from igloo_common.ids import new_id
from igloo_common.outbox import emit

DELETIONS_CHANNEL: Final = "auth_deletions"
# 160 random bits, as letters and digits alone: Facebook wants the code alphanumeric.
_CODE_BYTES: Final = 20


def delete_account(
    session: Session,
    *,
    account_id: UUID,
    source: DeletionSource,
    secret_key: str,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> UUID:
    """Delete an account and return the deletion; for an account that is deleted already, that same one.

    Afterwards nobody is signed in to it and nothing says whose it was. What else is held about the person is
    erased by the services, which the event tells to.

    Locks the account's row until the transaction ends, so that a sign-in comes wholly before or wholly
    after. FOR NO KEY UPDATE is enough against the FOR SHARE of sign-ins, and lets pass who holds a session's
    row and is about to write to the trail: FOR UPDATE would deadlock with them.

    Raises:
        AccountNotFound: When there is none, not even a tombstone.
    """
    account = session.scalar(select(Account).where(Account.id == account_id).with_for_update(key_share=True))
    if account is None:
        raise AccountNotFound("This account does not exist any more.")
    if account.deleted_at is not None:
        return session.scalars(
            select(AccountDeletion.id).where(AccountDeletion.account_id == account_id)
        ).one()
    deletion = AccountDeletion(
        id=new_id(),
        confirmation_code=new_confirmation_code(),
        account_id=account_id,
        facebook_user_hash=_unlink(session, account_id=account_id, secret_key=secret_key),
        source=source.value,
        requested_at=now,
    )
    _end_sessions(session, account_id=account_id, lifetimes=lifetimes, now=now)
    _end_export(session, account_id=account_id)
    _bury(account, now=now)
    _record(session, deletion)
    session.execute(select(func.pg_notify(DELETIONS_CHANNEL, "")))
    emit(session, AccountDeleted(account_id=account_id, deletion_id=deletion.id, deleted_at=now), now=now)
    return deletion.id


def record_nothing_held(session: Session, *, pseudonym: bytes, now: datetime) -> UUID:
    """Note that Facebook asked about somebody of whom nothing was held, and return that deletion."""
    deletion = AccountDeletion(
        id=new_id(),
        confirmation_code=new_confirmation_code(),
        facebook_user_hash=pseudonym,
        source=DeletionSource.FACEBOOK.value,
        requested_at=now,
        completed_at=now,
    )
    _record(session, deletion)
    return deletion.id


def complete_deletion_step(
    session: Session,
    *,
    deletion_id: UUID,
    account_id: UUID,
    service: str,
    removed: Mapping[str, int],
    now: datetime,
) -> bool:
    """Note that a service has erased what it held; the last one completes the deletion.

    False when there was nothing to note: the step was complete, or the deletion is not known.
    """
    # One service at a time: two that finish at once would each see the other's step open.
    deletion = session.scalar(
        select(AccountDeletion)
        .where(AccountDeletion.id == deletion_id, AccountDeletion.account_id == account_id)
        .with_for_update()
    )
    step = None if deletion is None else session.get(DeletionStep, (deletion_id, service))
    if deletion is None or step is None or step.completed_at is not None:
        return False
    step.completed_at, step.removed = now, dict(removed)
    session.flush()
    unfinished = exists().where(DeletionStep.deletion_id == deletion_id, DeletionStep.completed_at.is_(None))
    if not session.scalar(select(unfinished)):
        deletion.completed_at = now
    return True


def new_confirmation_code() -> str:
    """Make up a code that nobody guesses."""
    return secrets.token_hex(_CODE_BYTES)


def _unlink(session: Session, *, account_id: UUID, secret_key: str) -> bytes | None:
    """Take the Facebook identity and token away; return what recognises the person's next request."""
    session.execute(delete(FriendLookup).where(FriendLookup.account_id == account_id))
    facebook_user_id = session.scalar(
        delete(FacebookIdentity)
        .where(FacebookIdentity.account_id == account_id)
        .returning(FacebookIdentity.facebook_user_id)
    )
    return None if facebook_user_id is None else pseudonym_of(facebook_user_id, secret_key=secret_key)


def _end_sessions(session: Session, *, account_id: UUID, lifetimes: TokenLifetimes, now: datetime) -> None:
    """End every session; what is kept of them says why, and nothing of the person or the devices."""
    living = session.scalars(
        select(DeviceSession)
        .where(DeviceSession.account_id == account_id, DeviceSession.revoked_at.is_(None))
        .order_by(DeviceSession.id)
        .with_for_update()
    )
    for ended in living:
        end_session(
            session, ended=ended, reason=RevocationReason.ACCOUNT_DELETED, lifetimes=lifetimes, now=now
        )
    session.execute(
        update(DeviceSession)
        .where(DeviceSession.account_id == account_id)
        .values(device_name=None, platform=None, ip_prefix=None)
    )


def _end_export(session: Session, *, account_id: UUID) -> None:
    """Have nobody work any longer on a copy for somebody who left; its objects go with the erasure."""
    session.execute(
        update(AccountExport)
        .where(AccountExport.account_id == account_id, AccountExport.state == ExportState.COLLECTING.value)
        .values(state=ExportState.FAILED.value, failure_code=ACCOUNT_DELETED, due_at=None)
        .execution_options(synchronize_session=False)
    )


def _bury(account: Account, *, now: datetime) -> None:
    account.display_name, account.picture_url, account.is_moderator = "", None, False
    account.suspended_at = account.suspension_reason = None
    account.updated_at = account.deleted_at = now


def _record(session: Session, deletion: AccountDeletion) -> None:
    """Store a deletion with a step for each service: open ones, or done ones when there is nothing to do."""
    session.add(deletion)
    session.flush()
    done = deletion.completed_at
    removed: dict[str, int] | None = None if done is None else {}
    session.execute(
        insert(DeletionStep),
        [
            {"deletion_id": deletion.id, "service": service, "completed_at": done, "removed": removed}
            for service in SERVICES
        ],
    )
