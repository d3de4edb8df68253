"""When the last traces of accounts and exports are forgotten: tombstones, and exports long over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, exists
from sqlalchemy.orm import Session

from igloo_auth.models.account_deletions import AccountDeletion, DeletionStep
from igloo_auth.models.account_exports import AccountExport, ExportState
from igloo_auth.models.accounts import Account
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.pruning import SESSION_RETENTION, delete_batch
from igloo_auth.policies.exports import FORGOTTEN_AFTER, OWN_SERVICE


def prune_tombstones(session: Session, *, now: datetime) -> int:
    """Delete a batch of deleted accounts that no phone can ask about any more.

    Not before auth's own step is done: with the account would go the rows that name its objects in S3.
    """
    has_sessions = exists().where(DeviceSession.account_id == Account.id)
    erased = exists().where(
        AccountDeletion.account_id == Account.id,
        DeletionStep.deletion_id == AccountDeletion.id,
        DeletionStep.service == OWN_SERVICE,
        DeletionStep.completed_at.is_not(None),
    )
    over = and_(Account.deleted_at <= now - SESSION_RETENTION, ~has_sessions, erased)
    return delete_batch(session, Account.id, over)


def prune_exports(session: Session, *, now: datetime) -> int:
    """Delete a batch of exports whose archive has been gone for long, or that never had one."""
    ended = (ExportState.EXPIRED.value, ExportState.FAILED.value)
    over = and_(AccountExport.state.in_(ended), AccountExport.expires_at <= now - FORGOTTEN_AFTER)
    return delete_batch(session, AccountExport.id, over)
