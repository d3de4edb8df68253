"""Feeds: each post is in the feed of every follower once, and in nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chaos.model.facts import Made, Violation
from chaos.model.ground import Ground, Row, broken, every
from chaos.model.registers import is_certainly, possible_values
from igloo_social.operations.timeline import BACKFILL_SIZE

_PUBLISHED: Final = "SELECT id::text FROM social.posts WHERE state = 'published' AND deleted_at IS NULL"
# Who reads whom, and since when; everybody reads themselves.
_READERS: Final = """
SELECT from_user AS owner_id, to_user AS author_id, created_at AS since FROM social.relations
WHERE relation_type = 'f' AND NOT is_merged
UNION ALL SELECT user_id, user_id, '-infinity' FROM social.profiles
"""
# A follow brings the newest posts and no more. A deleted one keeps its place here, for it may have been among
# them: so an older one is not asked for that never was brought.
_MISSING: Final = f"""
WITH reads AS ({_READERS}), post AS (
    SELECT id, author_id, published_at, deleted_at,
        row_number() OVER (PARTITION BY author_id ORDER BY published_at DESC, id DESC) AS place
    FROM social.posts WHERE state = 'published'
)
SELECT reads.owner_id::text, post.author_id::text, post.id::text FROM reads JOIN post USING (author_id)
WHERE post.deleted_at IS NULL AND (post.published_at > reads.since OR post.place <= {BACKFILL_SIZE})
AND NOT EXISTS (
    SELECT FROM social.timeline AS entry WHERE entry.owner_id = reads.owner_id
    AND entry.published_at = post.published_at AND entry.post_id = post.id
)
"""  # noqa: S608 - words of our own
_STORED: Final = """
SELECT entry.owner_id::text, entry.author_id::text, entry.post_id::text AS id FROM social.timeline AS entry
JOIN social.posts AS post ON post.id = entry.post_id
WHERE post.deleted_at IS NULL AND entry.owner_id = ANY(%(people)s::uuid[])
"""


def timelines_differ(ground: Ground) -> Sequence[Violation]:
    """Page through everybody's feed: hold it against the ledger, the follows that stand, and its own rows."""
    published = {row["id"] for row in ground.rows(_PUBLISHED)}
    by_author: dict[str, list[Made]] = defaultdict(list)
    for post in ground.ledger.posts:
        by_author[post.author_id].append(post)
    stored: dict[str, list[Row]] = defaultdict(list)
    for row in ground.rows(_STORED, people=ground.ledger.people):
        stored[row["owner_id"]].append(row)
    missing = [
        f"{_named(row)} is missing from the stored feed of {row['owner_id']}" for row in ground.rows(_MISSING)
    ]
    unwanted: list[str] = []
    for user_id, phone in ground.phones.items():
        seen = Counter(post["id"] for post in every(phone, "/v1/feed"))
        missing += _missing(ground, user_id, seen, by_author, published)
        missing += (
            f"{_named(row)} is not shown to {user_id}" for row in stored[user_id] if not seen[row["id"]]
        )
        unwanted += _unwanted(ground, user_id, seen, by_author)
    return [
        *broken("a post is in every follower's feed", missing),
        *broken("a feed shows nothing else, and nothing twice", unwanted),
    ]


def _named(row: Row) -> str:
    return f"post {row['id']} of {row['author_id']}"


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
        expected = standing if own else brought_by_a_follow(standing, gone=gone)
        for post_id in expected:
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
