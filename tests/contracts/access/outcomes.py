"""What each rule of `x-igloo-access` promises: the answer to every caller, whatever the operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from contracts.access.worlds import Actor, World

Rule = Callable[[World], "Outcome"]


class Outcome(StrEnum):
    """How an operation answers."""

    DONE = "2xx"
    UNAUTHENTICATED = "401"
    FORBIDDEN = "403"
    HIDDEN = "404"
    """The same answer as for an id that nobody has."""
    CONFLICT = "409"
    REFUSED = "422"


def person_visible(world: World) -> Outcome:
    """Whoever the person has not blocked."""
    return Outcome.DONE if world.sees_person() else Outcome.HIDDEN


def person_follows(world: World) -> Outcome:
    """Whoever meets the person; of a private account, its followers alone."""
    if not world.sees_person():
        return Outcome.HIDDEN
    let_in = not world.setting.is_private or world.actor in {Actor.FOLLOWER, Actor.OWNER}
    return Outcome.DONE if let_in else Outcome.FORBIDDEN


def person_other(world: World) -> Outcome:
    """Whoever meets the person, and is somebody else."""
    return Outcome.REFUSED if world.actor is Actor.OWNER else person_visible(world)


def person_listed(_: World) -> Outcome:
    """Everybody; who does not exist for the caller is left out of the answer."""
    return Outcome.DONE


def post_visible(world: World) -> Outcome:
    """Whoever sees the post."""
    return Outcome.DONE if world.sees_post() else Outcome.HIDDEN


def post_own(world: World) -> Outcome:
    """The post's author; who sees it is told that it is somebody else's."""
    if world.actor is Actor.OWNER:
        return Outcome.DONE
    return Outcome.FORBIDDEN if world.sees_post() else Outcome.HIDDEN


def comment_deletable(world: World) -> Outcome:
    """The comment's author and the post's; who sees it is told that it is neither theirs."""
    return post_own(world)


def media_own(world: World) -> Outcome:
    """The photo's owner; for others there is none."""
    return Outcome.DONE if world.actor is Actor.OWNER else Outcome.HIDDEN


def upload_listed(_: World) -> Outcome:
    """Everybody; one that is somebody else's is answered as one that nobody has."""
    return Outcome.DONE


def media_attach(world: World) -> Outcome:
    """The photo's owner; in a body, others are told which one is not theirs."""
    return Outcome.DONE if world.actor is Actor.OWNER else Outcome.REFUSED


def target_report(world: World) -> Outcome:
    """Whoever sees what is reported, and does not own it."""
    if world.actor is Actor.OWNER:
        return Outcome.REFUSED
    return Outcome.DONE if world.sees_post() else Outcome.HIDDEN


def everybody(_: World) -> Outcome:
    """Whoever may call the operation at all: the name says nothing about others."""
    return Outcome.DONE


RULES: Final[Mapping[str, Rule]] = {
    "person.visible": person_visible,
    "person.follows": person_follows,
    "person.other": person_other,
    "person.listed": person_listed,
    "post.visible": post_visible,
    "post.liked_or_visible": post_visible,
    "post.bookmarked_or_visible": post_visible,
    "post.own": post_own,
    "comment.deletable": comment_deletable,
    "media.own": media_own,
    "upload.own": media_own,
    "upload.listed": upload_listed,
    "media.attach": media_attach,
    "target.report": target_report,
    "report.moderate": everybody,
    "device.own_id": everybody,
    "media.signed": everybody,
}

CALLERS: Final = frozenset({"public", "optional", "user", "scope:moderator", "signature"})

# Where the state of things, and not access, decides: what the operation says then.
STATES: Final[Mapping[tuple[str, Actor], Outcome]] = {
    ("followUser", Actor.BLOCKING): Outcome.CONFLICT,
    # Of none of these has the owner asked anything.
    **{
        ("acceptFollowRequest", actor): Outcome.HIDDEN
        for actor in Actor
        if actor not in {Actor.OWNER, Actor.ANONYMOUS, Actor.DELETED}
    },
    # Nothing was sent to S3.
    ("completeUpload", Actor.OWNER): Outcome.CONFLICT,
    # The file is too small for parts.
    ("beginParts", Actor.OWNER): Outcome.CONFLICT,
    ("listParts", Actor.OWNER): Outcome.CONFLICT,
}


def expected(operation_id: str, access: Mapping[str, object], rule: str | None, world: World) -> Outcome:
    """Say how an operation that names one of the owner's things by this rule answers the world's caller."""
    caller = access["caller"]
    if caller == "public":
        return Outcome.DONE
    # The sessions of the deleted and the suspended have ended: their tokens are refused.
    ended = world.actor is Actor.DELETED or (world.actor is Actor.OWNER and world.setting.is_suspended)
    if ended or (world.actor is Actor.ANONYMOUS and caller != "optional"):
        return Outcome.UNAUTHENTICATED
    if caller == "scope:moderator":
        return Outcome.FORBIDDEN
    outcome = Outcome.DONE if rule is None else RULES[rule](world)
    return STATES.get((operation_id, world.actor), outcome) if outcome is Outcome.DONE else outcome
