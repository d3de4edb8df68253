"""What people want to be told, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.errors import FieldError, Invalid
from igloo_common.statements import Statement
from igloo_social.models.notifications import NotificationDelivery
from igloo_social.operations.relations import share_person
from igloo_social.policies.notifications import NEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.models.notifications import NotificationKind


class NotificationNeeded(Invalid):
    """Without this kind, people could not answer those who ask, or would lose a post unawares."""

    def __init__(self, kinds: Iterable[NotificationKind]) -> None:
        detail = "This can be kept from phones, and not be switched off."
        errors = [FieldError(pointer=f"/{kind}", code=self.code, detail=detail) for kind in kinds]
        super().__init__("Some notifications cannot be switched off.", errors=errors)


def set_preferences(
    session: Session, *, user_id: UUID, deliveries: Mapping[NotificationKind, NotificationDelivery]
) -> None:
    """Change what a person is told from now on; kinds that are left out stay as they are.

    What was told before stays in the list, also of kinds that are off from now on.

    Raises:
        UserNotFound: The person's account was deleted.
        NotificationNeeded: A kind that nobody may do without would be off.
    """
    wrong = [kind for kind in sorted(NEEDED) if deliveries.get(kind) is NotificationDelivery.OFF]
    if wrong:
        raise NotificationNeeded(wrong)
    share_person(session, user_id)
    kinds = sorted(deliveries)
    wished = [deliveries[kind].value for kind in kinds]
    _SET.run(session, {"user_id": user_id, "kinds": [kind.value for kind in kinds], "deliveries": wished})


# In the order of the kinds, so that two phones that set several at once do not deadlock.
_SET = Statement("""
INSERT INTO notification_preferences (user_id, kind, delivery)
SELECT %(user_id)s, kind, delivery
FROM unnest(%(kinds)s::text[], %(deliveries)s::text[]) AS wish(kind, delivery) ORDER BY kind
ON CONFLICT (user_id, kind) DO UPDATE SET delivery = excluded.delivery
""")
