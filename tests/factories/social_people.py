"""People and edges of the social service, written straight into its tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from igloo_common.ids import new_id
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.operations.counts import recount_people

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

LONG_AGO = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def make_person(session: Session, **columns: Any) -> UUID:  # noqa: ANN401 - any columns of the table
    """Insert a profile and return its id."""
    user_id: UUID = columns.pop("user_id", None) or new_id()
    values = {
        "user_id": user_id,
        "username": f"p_{user_id.hex[-20:]}",
        "display_name": "Somebody",
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        **columns,
    }
    session.execute(insert(PROFILES).values(values))
    return user_id


def make_people(session: Session, count: int) -> list[UUID]:
    """Insert several profiles and return their ids."""
    return [make_person(session) for _ in range(count)]


def relate(session: Session, from_user: UUID, kind: str, to_user: UUID, *, at: datetime = LONG_AGO) -> None:
    """Insert an edge ("f", "r", "b" or "m"), and bring both people's counts up to date."""
    session.execute(
        insert(RELATIONS).values(from_user=from_user, relation_type=kind, to_user=to_user, created_at=at)
    )
    recount_people(session, [from_user, to_user])


def add_noise(session: Session, *around: UUID) -> None:
    """Surround people with strangers who have edges of every kind among themselves, and mutes with them.

    A query that forgets one of its conditions finds some of these.
    """
    strangers = make_people(session, 4)
    for kind in "frbm":
        for from_user, to_user in pairwise(strangers):
            relate(session, from_user, kind, to_user)
            relate(session, to_user, kind, from_user, at=LONG_AGO + timedelta(days=1))
    for person in around:
        relate(session, person, "m", strangers[0])
        relate(session, strangers[1], "m", person)


def make_private(session: Session, user_id: UUID) -> None:
    """Make an account private, as it is from the start in some tests."""
    session.execute(update(PROFILES).where(PROFILES.c.user_id == user_id).values(is_private=True))
