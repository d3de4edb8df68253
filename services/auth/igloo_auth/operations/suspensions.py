"""What is decided about an account: that it is suspended or reinstated, or that it is a moderator's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.events import AccountReinstated, AccountSuspended
from igloo_auth.models.accounts import Account
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import RevocationReason
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.operations.sessions import end_sessions, lock_account
from igloo_auth.queries.accounts import AccountNotFound
from igloo_auth.settings import TokenLifetimes
from igloo_common.outbox import emit


def suspend_account(
    session: Session, *, account_id: UUID, reason: str, lifetimes: TokenLifetimes, now: datetime
) -> bool:
    """End all of a person's sessions, and refuse to sign them in, with `reason`, until they are reinstated.

    An account that is suspended already stays as it is; returns whether anything was changed.

    Raises:
        AccountNotFound: When there is none, or only the tombstone of one.
    """
    account = _locked(session, account_id)
    if account.suspended_at is not None:
        return False
    account.suspended_at, account.suspension_reason, account.updated_at = now, reason, now
    end_sessions(
        session,
        account_id=account_id,
        reason=RevocationReason.ACCOUNT_SUSPENDED,
        lifetimes=lifetimes,
        now=now,
    )
    record_security_event(
        session,
        account_id=account_id,
        kind=SecurityEventKind.ACCOUNT_SUSPENDED,
        details={"reason": reason},
        now=now,
    )
    emit(session, AccountSuspended(account_id=account_id, suspended_at=now), now=now)
    return True


def suspend_on_decision(
    session: Session, *, account_id: UUID, reason: str, lifetimes: TokenLifetimes, now: datetime
) -> bool:
    """Suspend an account because a moderator decided it, unless it is a moderator's as well.

    Moderators do not decide about each other: an operator dismisses one first. The social service, which has
    the person out of sight already and cannot know, hears that they are to be seen again.

    Returns False when the decision was refused.

    Raises:
        AccountNotFound: When there is none, or only the tombstone of one.
    """
    account = _locked(session, account_id)
    if account.is_moderator and account.suspended_at is None:
        emit(session, AccountReinstated(account_id=account_id, reinstated_at=now), now=now)
        return False
    suspend_account(session, account_id=account_id, reason=reason, lifetimes=lifetimes, now=now)
    return True


def reinstate_account(session: Session, *, account_id: UUID, now: datetime) -> bool:
    """Let a suspended person sign in again; returns whether anything was changed.

    Raises:
        AccountNotFound: When there is none, or only the tombstone of one.
    """
    account = _locked(session, account_id)
    if account.suspended_at is None:
        return False
    account.suspended_at = account.suspension_reason = None
    account.updated_at = now
    record_security_event(session, account_id=account_id, kind=SecurityEventKind.ACCOUNT_REINSTATED, now=now)
    emit(session, AccountReinstated(account_id=account_id, reinstated_at=now), now=now)
    return True


def set_moderator(session: Session, *, account_id: UUID, is_moderator: bool, now: datetime) -> bool:
    """Have an account's tokens carry the scope `moderator`, or not any more, from the next refresh on.

    Returns whether anything was changed.

    Raises:
        AccountNotFound: When there is none, or only the tombstone of one.
    """
    account = _locked(session, account_id)
    if account.is_moderator == is_moderator:
        return False
    account.is_moderator, account.updated_at = is_moderator, now
    kind = SecurityEventKind.MODERATOR_APPOINTED if is_moderator else SecurityEventKind.MODERATOR_DISMISSED
    record_security_event(session, account_id=account_id, kind=kind, now=now)
    return True


def _locked(session: Session, account_id: UUID) -> Account:
    account = lock_account(session, account_id=account_id)
    if account is None or account.deleted_at is not None:
        raise AccountNotFound("There is no such account.")
    return account
