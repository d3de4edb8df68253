"""Writes of profiles: how a person comes to be known, and how they change what others see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import PreconditionFailed
from igloo_common.texts import cleaned
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.follow_requests import accept_requests, lock_with_requesters
from igloo_social.operations.relations import lock_people
from igloo_social.operations.usernames import (
    change_username,
    give_username,
    refuse_bad_username,
    refuse_early_change,
)
from igloo_social.policies import names, usernames
from igloo_social.queries.profiles import UserNotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping, Set
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

_GENERATED_TRIES = 8


class ProfileChanged(PreconditionFailed):
    """The profile is not in the version that the editor read."""


@dataclass(frozen=True, kw_only=True)
class ProfileEdit:
    """What a person changes of their profile; what is None stays as it is."""

    username: str | None = None
    display_name: str | None = None
    bio: str | None = None
    is_private: bool | None = None


def see_person(session: Session, *, user_id: UUID, now: datetime) -> None:
    """Make a profile for an account of which only the id is known; known already, it changes nothing."""
    name = usernames.placeholder(user_id)
    profile = {"user_id": user_id, "display_name": name, "created_at": now, "updated_at": now}
    for username in (name, *_proposals(name, user_id)):
        if _is_known(session, user_id):
            return
        # Without a conflict target: somebody may have the username, or make the same profile just now.
        made = insert(PROFILES).values(**profile, username=username).on_conflict_do_nothing()
        give_username(session, made, user_id=user_id, username=username)


def meet_living(session: Session, user_ids: Collection[UUID], *, now: datetime) -> Set[UUID]:
    """Lock those of these people who are not deleted, and make a profile first for whom nobody has seen yet.

    What is then written of them is found by the erasure of those whose account is deleted next.
    """
    living = lock_people(session, user_ids).keys()
    unmet = sorted(set(user_ids) - living)
    if not unmet:
        return living
    for user_id in unmet:
        see_person(session, user_id=user_id, now=now)
    return lock_people(session, user_ids).keys()


def merge_account(
    session: Session, *, account_id: UUID, display_name: str, picture_url: str | None, now: datetime
) -> None:
    """Give a person the name and picture that their account came with, save where they chose their own.

    The account's event and its first token come in either order, and the event may come again.
    """
    see_person(session, user_id=account_id, now=now)
    profile = _lock_profile(session, account_id)
    if profile is None or profile.account_seen_at is not None:
        return
    name = cleaned(display_name)[: names.MAXIMUM_LENGTH].strip()
    placeholder = usernames.placeholder(account_id)
    changes: dict[str, object] = {"account_seen_at": now}
    if profile.avatar_url is None:
        changes["avatar_url"] = picture_url
    if name and profile.display_name == placeholder:
        changes["display_name"] = name
    _change(session, profile, changes, now)
    if name and profile.username == placeholder:
        _take_first_free(session, account_id, _proposals(name, account_id))


def edit_profile(
    session: Session,
    *,
    user_id: UUID,
    edit: ProfileEdit,
    expected_versions: Container[int] | None,
    now: datetime,
) -> None:
    """Change a person's own profile; going public lets everybody follow who asked to.

    `expected_versions` holds the versions that the editor may have read; None asks for none.

    Raises:
        ProfileChanged: It is in none of these versions.
        UsernameRefused, UsernameTaken, UsernameChangedRecently: As their names say.
        UserNotFound: The account was deleted, or is suspended.
    """
    if edit.username is not None:
        refuse_bad_username(edit.username)
    requesters = lock_with_requesters(session, user_id) if edit.is_private is False else []
    profile = _lock_profile(session, user_id)
    if profile is None or profile.suspended_at is not None:
        raise UserNotFound
    if expected_versions is not None and profile.version not in expected_versions:
        raise ProfileChanged("The profile has changed since you read it.")
    given = {name: value for name, value in asdict(edit).items() if value is not None}
    changes = {name: value for name, value in given.items() if value != getattr(profile, name)}
    if not changes:
        return
    if edit.username is not None and "username" in changes:
        refuse_early_change(session, profile, edit.username, now=now)
        change_username(session, profile, _next_version(profile, changes, now), now=now)
    else:
        _change(session, profile, changes, now)
    accept_requests(session, actor_id=user_id, requester_ids=requesters, now=now)


def _is_known(session: Session, user_id: UUID) -> bool:
    return session.scalar(select(PROFILES.c.user_id).where(PROFILES.c.user_id == user_id)) is not None


def _lock_profile(session: Session, user_id: UUID) -> Row[Any] | None:
    statement = select(PROFILES).where(PROFILES.c.user_id == user_id, PROFILES.c.deleted_at.is_(None))
    return session.execute(statement.with_for_update(key_share=True)).one_or_none()


def _change(session: Session, profile: Row[Any], changes: Mapping[str, object], now: datetime) -> None:
    values = _next_version(profile, changes, now)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == profile.user_id).values(values))


def _next_version(profile: Row[Any], changes: Mapping[str, object], now: datetime) -> dict[str, object]:
    return {**changes, "version": profile.version + 1, "updated_at": now}


def _proposals(name: str, user_id: UUID) -> Iterator[str]:
    return islice(usernames.candidates(name, user_id), _GENERATED_TRIES)


def _take_first_free(session: Session, user_id: UUID, proposals: Iterator[str]) -> None:
    """Give a person the first of these usernames that is free; the placeholder stays if none is."""
    for username in proposals:
        taken = update(PROFILES).where(PROFILES.c.user_id == user_id).values(username=username)
        if give_username(session, taken, user_id=user_id, username=username):
            return
