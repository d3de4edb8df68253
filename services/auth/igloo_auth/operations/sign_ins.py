"""Signing in: whichever way somebody proved who they are, it ends here in a session of their account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.operations.grants import Grant, GrantRefused
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.operations.sessions import Device, open_session
from igloo_auth.settings import TokenLifetimes
from igloo_common.statements import Statement

_STANDING = Statement("""
SELECT is_moderator, suspended_at, suspension_reason, deleted_at FROM accounts WHERE id = %(id)s FOR SHARE
""")


class AccountSuspended(GrantRefused):
    """A moderator has suspended the account; `reason` is what they gave for it."""


class AccountDeleted(GrantRefused):
    """The account was deleted between the proof and the sign-in; the next sign-in makes a new one."""


def sign_in(
    session: Session,
    *,
    account_id: UUID,
    device: Device,
    grant_type: str,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> Grant:
    """Open a session of an account on a device.

    Locks the account's row against suspension and deletion until the transaction ends: whichever comes first,
    no session is opened that the other does not end.

    Raises:
        AccountSuspended, AccountDeleted: When the account may not sign in.
    """
    is_moderator = require_good_standing(session, account_id=account_id)
    grant = open_session(
        session,
        account_id=account_id,
        device=device,
        is_moderator=is_moderator,
        lifetimes=lifetimes,
        now=now,
    )
    record_security_event(
        session,
        account_id=account_id,
        kind=SecurityEventKind.SIGNED_IN,
        session_id=grant.session_id,
        network=device.network,
        details={"grant_type": grant_type, "device_name": device.name, "platform": device.platform},
        now=now,
    )
    return grant


def require_good_standing(session: Session, *, account_id: UUID) -> bool:
    """Return whether an account that may sign in is a moderator's; locks its row as `sign_in` does.

    Raises:
        AccountSuspended, AccountDeleted: When the account may not sign in.
    """
    standing = _STANDING.row(session, {"id": account_id})
    is_moderator, suspended_at, suspension_reason, deleted_at = standing or (False, None, None, None)
    if standing is None or deleted_at is not None:
        raise AccountDeleted("This account has just been deleted: sign in again to make a new one.")
    if suspended_at is not None:
        raise AccountSuspended("This account is suspended.", reason=suspension_reason)
    return bool(is_moderator)
