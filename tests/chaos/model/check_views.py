"""What people see of each other: counts as long as the lists beside them, and nothing across a block."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

from chaos.model.facts import Made, Violation
from chaos.model.ground import Ground, broken, every
from chaos.model.registers import is_certainly, possible_values
from igloo_local.phone import Phone, Refused

POSTS_LOOKED_AT: Final = 4
PEOPLE_LOOKED_AT: Final = 2
_NOT_FOUND: Final = 404
_OF_A_PERSON: Final = {"follower_count": "followers", "following_count": "following", "post_count": "posts"}


def views_differ(ground: Ground) -> Sequence[Violation]:
    """Have everybody look at some posts and at some people, the same ones whenever the ledger is the same."""
    chance = random.Random(len(ground.ledger.posts))  # noqa: S311 - a sample, not a secret
    posts = [post for post in ground.ledger.posts if post.id is not None]
    sentences: list[str] = []
    for user_id, phone in sorted(ground.phones.items()):
        others = [other for other in ground.ledger.people if other != user_id]
        for post in chance.sample(posts, min(POSTS_LOOKED_AT, len(posts))):
            sentences += _post(ground, user_id, phone, post)
        for other in chance.sample(others, min(PEOPLE_LOOKED_AT, len(others))):
            sentences += _person(ground, user_id, phone, other)
    return broken("what is shown is what there is", sentences)


def _post(ground: Ground, user_id: str, phone: Phone, post: Made) -> Iterator[str]:
    name = f"post {post.id} of {post.author_id}"
    parted = _parted(ground, user_id, post.author_id)
    try:
        shown = phone.call("GET", f"/v1/posts/{post.id}")
    except Refused as refusal:
        if refusal.status != _NOT_FOUND:
            yield f"{user_id} asks for {name}: {refusal}"
        elif not post.may_be_missing() and parted == {False}:
            yield f"{user_id} does not see {name}"
        return
    if not post.may_be_there():
        yield f"{user_id} sees {name}, which was deleted"
    if _is_shut_out(ground, user_id, post.author_id):
        yield f"{user_id} sees {name}, whose author blocks them"
    if shown["liked"] not in possible_values(ground.ledger.like_writes(user_id, post), initial=False):
        yield f"{user_id} is told liked={shown['liked']} of {name}"
    for kind in ("like", "comment"):
        listed = [row["id"] for row in every(phone, f"/v1/posts/{post.id}/{kind}s")]
        yield from _miscounted(f"{kind}s of {name}", user_id, shown[f"{kind}_count"], listed)


def _person(ground: Ground, user_id: str, phone: Phone, other: str) -> Iterator[str]:
    parted = _parted(ground, user_id, other)
    try:
        profile = phone.call("GET", f"/v1/users/{other}")
    except Refused as refusal:
        if refusal.status != _NOT_FOUND or parted == {False}:
            yield f"{user_id} asks for {other}: {refusal}"
        return
    if _is_shut_out(ground, user_id, other):
        yield f"{user_id} sees {other}, who blocks them"
    for count, path in _OF_A_PERSON.items():
        listed = [row["id"] for row in every(phone, f"/v1/users/{other}/{path}")]
        yield from _miscounted(f"{path} of {other}", user_id, profile[count], listed)


def _miscounted(what: str, user_id: str, count: int, listed: Sequence[str]) -> Iterator[str]:
    if len(listed) != len(set(listed)):
        yield f"{user_id} is shown one of the {what} twice"
    if count != len(listed):
        yield f"{user_id} is told of {count} {what}, and reads {len(listed)}"


def _is_shut_out(ground: Ground, user_id: str, other: str) -> bool:
    """Tell whether somebody is certainly blocked by the other; who blocks goes on to see whom."""
    return is_certainly(True, ground.ledger.blocks.get((other, user_id), ()), initial=False)


def _parted(ground: Ground, a: str, b: str) -> set[bool]:
    """Return whether a block may stand between two people, and whether none may."""
    either = [
        set(possible_values(ground.ledger.blocks.get(pair, ()), initial=False)) for pair in ((a, b), (b, a))
    ]
    possible = {True} if any(True in one for one in either) else set()
    return possible | ({False} if all(False in one for one in either) else set())
