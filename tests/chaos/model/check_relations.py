"""Follows, blocks and likes are what the people who made them were told last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken, every
from chaos.model.registers import Write, possible_values

_LIKES = "SELECT user_id::text, post_id::text FROM social.likes"


def relations_differ(ground: Ground) -> Sequence[Violation]:
    """Check every relation of every person, as they see it."""
    return [
        *broken("a follow is as it was told", [*_follows(ground)]),
        *broken("a block is as it was told", [*_blocks(ground)]),
        *broken("a like is as it was told", [*_likes(ground)]),
    ]


def _follows(ground: Ground) -> Iterator[str]:
    for user_id, phone in ground.phones.items():
        listed = {row["id"] for row in every(phone, f"/v1/users/{user_id}/following")}
        for other in ground.ledger.people:
            writes = ground.ledger.follow_writes(user_id, other)
            yield from _unexpected(f"follow of {other} by {user_id}", writes, is_there=other in listed)


def _blocks(ground: Ground) -> Iterator[str]:
    for user_id, phone in ground.phones.items():
        listed = {row["id"] for row in every(phone, "/v1/users/me/blocks")}
        for other in ground.ledger.people:
            writes = ground.ledger.blocks.get((user_id, other), [])
            yield from _unexpected(f"block of {other} by {user_id}", writes, is_there=other in listed)


def _likes(ground: Ground) -> Iterator[str]:
    """Check the likes of every post that is certainly there; of the others there may be none."""
    stored = {(row["user_id"], row["post_id"]) for row in ground.rows(_LIKES)}
    posts = {post.id: post for post in ground.ledger.posts if post.id and not post.may_be_missing()}
    for user_id, post_id in {*ground.ledger.likes, *stored}:
        post = posts.get(post_id)
        if post is not None:
            writes = ground.ledger.like_writes(user_id, post)
            is_there = (user_id, post_id) in stored
            yield from _unexpected(f"like of {post_id} by {user_id}", writes, is_there=is_there)


def _unexpected(what: str, writes: Sequence[Write[bool]], *, is_there: bool) -> Iterator[str]:
    possible = possible_values(writes, initial=False)
    if is_there not in possible:
        yield (
            f"{what} was acknowledged and is not there" if True in possible else f"{what} is there, and ended"
        )
