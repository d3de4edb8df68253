"""Giving usernames to people: their own choice once a fortnight, and never what another has or had."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from igloo_common.errors import Conflict, FieldError, Invalid
from igloo_social.models.profiles import FORMER_USERNAMES, PROFILES
from igloo_social.policies import usernames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Insert, Row, Update
    from sqlalchemy.orm import Session

BETWEEN_CHANGES: Final = timedelta(days=14)
"""How long a username that was chosen stays at least."""

_UNIQUE: Final = "uq_profiles_username"


class UsernameTaken(Conflict):
    """Somebody else has this username, or had it: it stays theirs."""

    def __init__(self) -> None:
        # The same words for both, and for people who are deleted, suspended, or behind a block.
        detail = "Somebody else has this username."
        super().__init__(detail, errors=[_at_username("username_taken")])


class UsernameChangedRecently(Conflict):
    """The person chose a username less than a fortnight ago; `changeable_at` says when they may again."""

    def __init__(self, changeable_at: datetime) -> None:
        super().__init__(
            f"A username can be changed once in {BETWEEN_CHANGES.days} days.",
            errors=[_at_username("username_changed_recently", "Keep the present one until then.")],
            extra={"changeable_at": changeable_at.isoformat().replace("+00:00", "Z")},
        )


class UsernameRefused(Invalid):
    """The username is malformed or reserved; `errors` says which."""


def refuse_bad_username(username: str) -> None:
    """Let pass what a username may be.

    Raises:
        UsernameRefused: It is malformed, or reserved for igloo.
    """
    problem = usernames.problem_with(username)
    if problem is not None:
        code, detail = problem
        raise UsernameRefused(detail, errors=[_at_username(code, detail)])


def refuse_early_change(session: Session, profile: Row[Any], username: str, *, now: datetime) -> None:
    """Let pass who may choose another username now, if nobody else has or had it as far as is known yet.

    The first choice is free at once: the username before it was made for the person. To look here as well is
    not enough, and keeps two people who want each other's username from waiting for each other.

    Raises:
        UsernameChangedRecently, UsernameTaken: As their names say.
    """
    if profile.username_changed_at is not None and now < profile.username_changed_at + BETWEEN_CHANGES:
        raise UsernameChangedRecently(profile.username_changed_at + BETWEEN_CHANGES)
    if _is_anothers(session, username, profile.user_id):
        raise UsernameTaken


def change_username(
    session: Session, profile: Row[Any], changes: Mapping[str, object], *, now: datetime
) -> None:
    """Write changes of a profile with another username, and keep the old one for its owner to take back.

    Needs the profile's lock.

    Raises:
        UsernameTaken: Nothing can be written in this transaction any more.
    """
    person = PROFILES.c.user_id == profile.user_id
    try:
        session.execute(update(PROFILES).where(person).values({**changes, "username_changed_at": now}))
    except IntegrityError as error:
        if not _is_of_usernames(error):
            raise
        raise UsernameTaken from error
    # Now, and not before: the unique index has waited for whoever was just leaving this username, and this
    # statement sees that they left it. Nobody else can get past the index until this transaction ends.
    if _is_anothers(session, str(changes["username"]), profile.user_id):
        raise UsernameTaken
    session.execute(delete(FORMER_USERNAMES).where(FORMER_USERNAMES.c.username == changes["username"]))
    session.execute(
        insert(FORMER_USERNAMES).values(username=profile.username, user_id=profile.user_id, released_at=now)
    )


def give_username(session: Session, write: Insert | Update, *, user_id: UUID, username: str) -> bool:
    """Run a statement that gives a person a username made for them; False, and undone, if it is another's."""
    try:
        with session.begin_nested():
            session.execute(write)
            if _is_anothers(session, username, user_id):
                raise UsernameTaken
    except UsernameTaken:
        return False
    except IntegrityError as error:
        if not _is_of_usernames(error):
            raise
        return False
    return True


def _is_anothers(session: Session, username: str, user_id: UUID) -> bool:
    has = exists().where(PROFILES.c.username == username, PROFILES.c.user_id != user_id)
    had = exists().where(FORMER_USERNAMES.c.username == username, FORMER_USERNAMES.c.user_id != user_id)
    return bool(session.scalar(select(or_(has, had))))


def _is_of_usernames(error: IntegrityError) -> bool:
    diagnostics = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None) == _UNIQUE


def _at_username(code: str, detail: str = "Choose another one.") -> FieldError:
    return FieldError(pointer="/username", code=code, detail=detail)
