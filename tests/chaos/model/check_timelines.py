"""Feeds: each post is in the feed of every follower once, and in nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from chaos.model.facts import Made, Violation
from chaos.model.ground import Ground, broken, every
from chaos.model.registers import is_certainly, possible_values
from igloo_social.operations.timeline import BACKFILL_SIZE

_PUBLISHED = "SELECT id::text FROM social.posts WHERE state = 'published' AND deleted_at IS NULL"


def timelines_differ(ground: Ground) -> Sequence[Violation]:
    """Page through everybody's feed and hold it against who is followed and what stands."""
    published = {row["id"] for row in ground.rows(_PUBLISHED)}
    by_author: dict[str, list[Made]] = defaultdict(list)
    for post in ground.ledger.posts:
        by_author[post.author_id].append(post)
    missing: list[str] = []
    unwanted: list[str] = []
    for user_id, phone in ground.phones.items():
        seen = Counter(post["id"] for post in every(phone, "/v1/feed"))
        missing += _missing(ground, user_id, seen, by_author, published)
        unwanted += _unwanted(ground, user_id, seen, by_author)
    return [
        *broken("a post is in every follower's feed", missing),
        *broken("a feed shows nothing else, and nothing twice", unwanted),
    ]


def _missing(
    ground: Ground,
    user_id: str,
    seen: Counter[str],
    by_author: Mapping[str, Sequence[Made]],
    published: set[str],
) -> Iterator[str]:
    for author in ground.ledger.people:
        own = author == user_id
        if not own and not is_certainly(True, ground.ledger.follow_writes(user_id, author), initial=False):
            continue
        standing = [str(p.id) for p in by_author[author] if p.id in published and not p.may_be_missing()]
        gone = len(by_author[author]) - len(standing)
        for post_id in brought_by_a_follow(standing, gone=0 if own else gone):
            if not seen[post_id]:
                yield f"post {post_id} of {author} is missing from the feed of {user_id}"


def brought_by_a_follow(standing: Sequence[str], *, gone: int) -> Sequence[str]:
    """Return the standing posts that are in a follower's feed whenever the follow was made.

    A follow brings the author's newest posts and no more. Each one deleted since may have let an older one
    move up that was never brought.
    """
    return sorted(standing, reverse=True)[: max(0, BACKFILL_SIZE - gone)]


def _unwanted(
    ground: Ground, user_id: str, seen: Counter[str], by_author: Mapping[str, Sequence[Made]]
) -> Iterator[str]:
    for post_id, times in seen.items():
        if times > 1:
            yield f"post {post_id} is {times} times in the feed of {user_id}"
    for author, posts in by_author.items():
        possible = possible_values(ground.ledger.follow_writes(user_id, author), initial=False)
        may_follow = author == user_id or True in possible
        for post in posts:
            if post.id and seen[post.id] and not may_follow:
                yield f"post {post.id} of {author}, who is not followed, is in the feed of {user_id}"
            if post.id and seen[post.id] and not post.may_be_there():
                yield f"post {post.id} of {author} was deleted and is in the feed of {user_id}"
