"""Auth's own part of a deletion: everything that its tables still hold about the person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Delete, delete, select, table, update
from sqlalchemy import column as sql_column
from sqlalchemy.orm import Session, aliased

from igloo_auth.models.account_deletions import DeletionStep
from igloo_auth.models.account_exports import AccountExport
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.models.web_sign_ins import AuthorizationCode
from igloo_auth.operations.account_deletions import complete_deletion_step
from igloo_auth.policies.exports import OWN_SERVICE
from igloo_common.event_traces import forget_published

_KEPT_REPLIES = table("idempotency_keys", sql_column("subject"))


def erase_account(session: Session, *, deletion_id: UUID, account_id: UUID, now: datetime) -> bool:
    """Erase what is held about the person of a deleted account, and note it as auth's step.

    The objects of the person's exports are to be gone already: with the rows goes what names them. One
    transaction, so that the counts in the receipt are right however often it was tried. False when it was
    done before.
    """
    step = session.scalar(
        select(DeletionStep)
        .where(DeletionStep.deletion_id == deletion_id, DeletionStep.service == OWN_SERVICE)
        .with_for_update()
    )
    if step is None or step.completed_at is not None:
        return False
    removed = {
        "security_events": _count(
            session, delete(SecurityEvent).where(SecurityEvent.account_id == account_id)
        ),
        "refresh_tokens": _erase_tokens(session, account_id=account_id),
        "authorization_codes": _count(
            session, delete(AuthorizationCode).where(AuthorizationCode.account_id == account_id)
        ),
        "friend_lookups": _count(session, delete(FriendLookup).where(FriendLookup.account_id == account_id)),
        "exports": _count(session, delete(AccountExport).where(AccountExport.account_id == account_id)),
        "kept_replies": _count(
            session, delete(_KEPT_REPLIES).where(_KEPT_REPLIES.c.subject == str(account_id))
        ),
        # The name and the picture, as they were told to the other services; and who the friends are.
        "events": forget_published(
            session, aggregate_keys=[f"account:{account_id}", f"friends:{account_id}"]
        ),
    }
    return complete_deletion_step(
        session,
        deletion_id=deletion_id,
        account_id=account_id,
        service=OWN_SERVICE,
        removed=removed,
        now=now,
    )


def _erase_tokens(session: Session, *, account_id: UUID) -> int:
    """Delete the refresh tokens that no phone can be holding, and every seal.

    The hash of a chain's live end stays, and of the one before it, which a phone holds whose last answer was
    lost: by them the phone is told why it was signed out. They go with the session.
    """
    own = select(DeviceSession.id).where(DeviceSession.account_id == account_id)
    successor = aliased(RefreshToken)
    used = select(successor.id).where(successor.session_id.in_(own), successor.rotated_at.is_not(None))
    erased = _count(
        session,
        delete(RefreshToken).where(RefreshToken.session_id.in_(own), RefreshToken.successor_id.in_(used)),
    )
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.session_id.in_(own), RefreshToken.sealed_successor.is_not(None))
        .values(sealed_successor=None)
        .execution_options(synchronize_session=False)
    )
    return erased


def _count(session: Session, statement: Delete) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount
