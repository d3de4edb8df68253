"""Has a person's friends looked up after a sign-in, where the person shares them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.facebook.graph import TokenHolder
from igloo_auth.operations.friend_lookups import request_friend_lookup, take_back_friends
from igloo_auth.settings import Settings
from igloo_common.web import provided


def look_up_friends(
    session: Session, *, account_id: UUID, holder: TokenHolder, user_token: str, now: datetime
) -> None:
    """Leave the token, sealed, to the worker; nothing is kept of one that may not ask for friends.

    Who allowed it before and does so no more has no friends here from now on.
    """
    if holder.shares_friends:
        request_friend_lookup(
            session,
            account_id=account_id,
            token=user_token,
            secret_key=provided(Settings).common.secret_key,
            now=now,
        )
    else:
        take_back_friends(session, account_id=account_id, found_at=now, now=now)
