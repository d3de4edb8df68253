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

    def meet(self, _app: Flask, *, identity: Identity) -> None:
        """Make the caller's profile unless there is one; a deleted person's stays as it is."""
        if identity.user_id in self._met:
            return
        with transaction() as session:
            see_person(session, user_id=identity.user_id, now=utc_now())
        # The oldest goes first: to meet them again costs one read. Threads may race here, and each step is atomic.
        if len(self._met) >= self._remembered:
            self._met.pop(next(iter(self._met), identity.user_id), None)
        self._met[identity.user_id] = None


def note_first_sights(app: Flask) -> None:
    """Have the application meet everybody whose token is accepted."""
    first_sight = FirstSight()
    app.extensions["igloo_first_sight"] = first_sight  # Signals hold their receivers weakly.
    identified.connect(first_sight.meet, sender=app)
