"""What the views need, found through the application: settings, people, authorization, id tokens, faults."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from igloo_local.facebook.authorization import Authorization
from igloo_local.facebook.errors import ObjectUnknown
from igloo_local.facebook.faults import Faults
from igloo_local.facebook.id_tokens import IdTokens
from igloo_local.facebook.people import People, Person
from igloo_local.facebook.settings import Settings

EXTENSION = "igloo-facebook"


@dataclass(frozen=True, kw_only=True)
class Directory:
    """One running stand-in."""

    settings: Settings
    people: People
    authorization: Authorization
    id_tokens: IdTokens
    faults: Faults

    def person(self, person_id: str) -> Person:
        """Return a person who must exist."""
        found = self.people.get(person_id)
        if found is None:
            raise ObjectUnknown(person_id)
        return found


def directory() -> Directory:
    """Return the directory of the current application."""
    return cast(Directory, current_app.extensions[EXTENSION])
