"""Counts: each one that is stored or shown is the length of its list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, LiteralString

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken, every

_STORED: Final[Sequence[tuple[str, LiteralString]]] = (
    (
        "likes of post",
        """
        SELECT p.id::text AS what, p.like_count AS stored, count(l.user_id) AS counted
        FROM social.posts AS p LEFT JOIN social.likes AS l ON l.post_id = p.id
        WHERE p.deleted_at IS NULL GROUP BY p.id HAVING p.like_count <> count(l.user_id)
        """,
    ),
    (
        "comments of post",
        """
        SELECT p.id::text AS what, p.comment_count AS stored, count(c.id) AS counted
        FROM social.posts AS p LEFT JOIN social.comments AS c
            ON c.post_id = p.id AND c.deleted_at IS NULL AND c.hidden_by IS NULL
        WHERE p.deleted_at IS NULL GROUP BY p.id HAVING p.comment_count <> count(c.id)
        """,
    ),
    (
        "followers of",
        """
        SELECT u.user_id::text AS what, u.follower_count AS stored, count(r.from_user) AS counted
        FROM social.profiles AS u LEFT JOIN social.relations AS r
            ON r.to_user = u.user_id AND r.relation_type = 'f'
        GROUP BY u.user_id HAVING u.follower_count <> count(r.from_user)
        """,
    ),
    (
        "followees of",
        """
        SELECT u.user_id::text AS what, u.following_count AS stored, count(r.to_user) AS counted
        FROM social.profiles AS u LEFT JOIN social.relations AS r
            ON r.from_user = u.user_id AND r.relation_type = 'f'
        GROUP BY u.user_id HAVING u.following_count <> count(r.to_user)
        """,
    ),
    (
        "posts of",
        """
        SELECT u.user_id::text AS what, u.post_count AS stored, count(p.id) AS counted
        FROM social.profiles AS u LEFT JOIN social.posts AS p
            ON p.author_id = u.user_id AND p.deleted_at IS NULL
        GROUP BY u.user_id HAVING u.post_count <> count(p.id)
        """,
    ),
    (
        "public posts of",
        """
        SELECT u.user_id::text AS what, u.public_post_count AS stored, count(p.id) AS counted
        FROM social.profiles AS u LEFT JOIN social.posts AS p
            ON p.author_id = u.user_id AND p.deleted_at IS NULL AND p.state = 'published'
            AND p.visibility = 'public'
        GROUP BY u.user_id HAVING u.public_post_count <> count(p.id)
        """,
    ),
    (
        "ready photos of",
        """
        SELECT u.owner_id::text AS what, u.photos AS stored, count(i.id) AS counted
        FROM media.owner_usage AS u LEFT JOIN media.media_items AS i
            ON i.owner_id = u.owner_id AND i.state = 'ready'
        GROUP BY u.owner_id, u.photos HAVING u.photos <> count(i.id)
        """,
    ),
)
_SHOWN: Final = {"follower_count": "followers", "following_count": "following", "post_count": "posts"}


def lists_differ(ground: Ground) -> Sequence[Violation]:
    """Check the stored counts of everything, and the shown counts of everybody's own profile."""
    return broken("a count is the length of its list", [*_stored(ground), *_shown(ground)])


def _stored(ground: Ground) -> Iterator[str]:
    for name, query in _STORED:
        for row in ground.rows(query):
            yield f"{name} {row['what']}: {row['stored']} stored, {row['counted']} counted"


def _shown(ground: Ground) -> Iterator[str]:
    for user_id, phone in ground.phones.items():
        profile = phone.call("GET", f"/v1/users/{user_id}")
        for count, path in _SHOWN.items():
            rows = [row["id"] for row in every(phone, f"/v1/users/{user_id}/{path}")]
            if len(rows) != len(set(rows)):
                yield f"{path} of {user_id} lists somebody twice"
            if profile[count] != len(rows):
                yield f"{user_id} has {count} {profile[count]} and lists {len(rows)} {path}"
