"""Which news are shown as one, and which nobody may do without."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_social.models.notifications import NotificationKind

if TYPE_CHECKING:
    from datetime import date

GROUPED_BY_POST: Final = frozenset({NotificationKind.LIKE, NotificationKind.COMMENT})
"""Kinds of which a day's facts about one post are shown as one."""

GROUPED: Final = GROUPED_BY_POST | {NotificationKind.FOLLOW}
"""Kinds of which several facts of a day (in UTC) are shown as one; each fact of the others stands alone."""

NEEDED: Final = frozenset({NotificationKind.FOLLOW_REQUEST, NotificationKind.POST_FAILED})
"""Kinds that stay in the list: people could not answer, or would lose a post unawares."""


def group_of(
    kind: NotificationKind, *, recipient_id: UUID, fact_id: UUID, post_id: UUID | None, day: date
) -> UUID:
    """Name the group that a fact belongs to.

    The name is made of what the facts of a group have in common, and not looked up: so the fact can be
    written first, and only who has written it counts it in the group.
    """
    if kind not in GROUPED:
        common: tuple[object, ...] = (fact_id,)
    elif kind in GROUPED_BY_POST:
        common = (post_id, day)
    else:
        common = (day,)
    text = ":".join(str(part) for part in (recipient_id, kind.value, *common))
    return UUID(bytes=sha256(text.encode()).digest()[:16])
