"""Gives people a profile when a token of theirs is first seen: their own event may still be on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.access import identified
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.profiles import see_person

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask

    from igloo_common.identity import Identity

REMEMBERED_PEOPLE = 100_000


class FirstSight:
    """Remembers whom this process has met, so that a request pays for one look into a dictionary."""

    def __init__(self, *, remembered: int = REMEMBERED_PEOPLE) -> None:
        self._remembered = remembered
        self._met: dict[UUID, None] = {}

    def meet_caller(self, _app: Flask, *, identity: Identity) -> None:
        """Meet the caller of a request."""
        if identity.user_id not in self._met:
            self.meet_person(identity.user_id)

    def has_met(self, user_id: UUID) -> bool:
        """Tell whether this process remembers a person."""
        return user_id in self._met

    def meet_person(self, user_id: UUID) -> None:
        """Make a person's profile unless there is one; a deleted person's stays as it is."""
        with transaction() as session:
            see_person(session, user_id=user_id, now=utc_now())
        # The oldest goes first: to meet them again costs one read. Threads may race: each step is atomic.
        if len(self._met) >= self._remembered:
            self._met.pop(next(iter(self._met), user_id), None)
        self._met[user_id] = None


def note_first_sights(app: Flask) -> None:
    """Have the application meet everybody whose token is accepted."""
    first_sight = FirstSight()
    app.extensions["igloo_first_sight"] = first_sight  # Signals hold their receivers weakly.
    identified.connect(first_sight.meet_caller, sender=app)
