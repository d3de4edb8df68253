"""What people say to the suggestions that they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations.relations import lock_pair

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


def dismiss_suggestion(session: Session, *, actor_id: UUID, dismissed_id: UUID, now: datetime) -> None:
    """Never suggest a person to the actor again; said already, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    lock_pair(session, actor_id=actor_id, other_id=dismissed_id)
    _DISMISS.run(session, {"actor_id": actor_id, "dismissed_id": dismissed_id, "now": now})


_DISMISS = Statement("""
INSERT INTO dismissed_suggestions (user_id, dismissed_id, dismissed_at)
VALUES (%(actor_id)s, %(dismissed_id)s, %(now)s) ON CONFLICT DO NOTHING
""")
