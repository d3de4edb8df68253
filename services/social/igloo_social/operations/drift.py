"""Finds stored counts that disagree with what they count, among rows that are walked by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.models.comments import SHOWN
from igloo_social.operations.ranks import ranked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from igloo_common.database import Reader

FIRST: Final = UUID(int=0)
"""The place before every row."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A table to walk through, and what may be wrong about its rows: a condition in SQL for each kind.

    A look is one statement, and what it compares is changed in one transaction: so a change under way never
    looks wrong. Rows are asked for by their ids, which no plan answers by reading the table.
    """

    table: str
    key: str
    condition: str
    wrong: Mapping[str, str]

    def next_statement(self) -> Statement:
        """Write the statement that lists the ids that come next."""
        return Statement(f"""
        SELECT {self.key} FROM {self.table} WHERE {self.key} > %(after)s ORDER BY {self.key} LIMIT %(limit)s
        """)  # noqa: S608 - words of our own

    def look_statement(self, kind: str) -> Statement:
        """Write the statement that lists which of some rows are wrong in one way."""
        return Statement(f"""
        SELECT {self.key} FROM {self.table} AS one
        WHERE {self.key} = ANY(%(ids)s::uuid[]) AND {self.condition} AND ({self.wrong[kind]})
        ORDER BY {self.key}
        """)  # noqa: S608 - words of our own


def next_ids(reader: Reader, ground: Ground, *, after: UUID, limit: int) -> list[UUID]:
    """List the ids that come next; fewer than the limit at the end."""
    return [row[0] for row in _NEXT[ground.table].rows(reader, {"after": after, "limit": limit})]


def wrong_among(reader: Reader, ground: Ground, ids: Sequence[UUID]) -> dict[str, list[UUID]]:
    """List for each kind which of these rows are wrong."""
    sent = {kind: _LOOKS[kind].send(reader, {"ids": list(ids)}) for kind in ground.wrong}
    return {kind: [row[0] for row in look.rows()] for kind, look in sent.items()}


def _posts(filtered: str = "") -> str:
    return f"(SELECT count(*) FROM posts WHERE author_id = one.user_id AND deleted_at IS NULL {filtered})"  # noqa: S608 - words of our own


# The deleted are left out: what is theirs goes batch by batch, and their counts with the last of it.
PEOPLE: Final = Ground(
    "profiles",
    "user_id",
    "one.deleted_at IS NULL",
    {
        "followers": """
            follower_count <> (SELECT count(*) FROM relations
                WHERE to_user = one.user_id AND relation_type = 'f')
        """,
        "followees": """
            following_count <> (SELECT count(*) FROM relations
                WHERE from_user = one.user_id AND relation_type = 'f')
        """,
        "posts": f"""
            (post_count, public_post_count, followers_post_count) <> (
                {_posts()},
                {_posts("AND state = 'published' AND visibility = 'public'")},
                {_posts("AND state = 'published' AND visibility = 'followers'")}
            )
        """,
        # That a follow of a marked account is not merged yet is no fault: the merging lane comes to it.
        "merged_follows": """
            (SELECT true FROM relations JOIN profiles AS author ON author.user_id = to_user
                WHERE from_user = one.user_id AND is_merged AND NOT author.merged_at_read LIMIT 1) IS NOT NULL
        """,
    },
)
_AUTHOR_LIVES: Final = """
    (SELECT profiles.deleted_at IS NULL FROM profiles WHERE profiles.user_id = one.author_id)
"""
POSTS: Final = Ground(
    "posts",
    "id",
    _AUTHOR_LIVES,
    {
        "likes": "like_count <> (SELECT count(*) FROM likes WHERE post_id = one.id)",
        "comments": f"""
            comment_count <> (SELECT count(*) FROM comments WHERE comments.post_id = one.id AND {SHOWN})
        """,  # noqa: S608 - words of our own
        "ranks": f"rank_at IS DISTINCT FROM {ranked()}",
        "post_mentions": "mention_count <> (SELECT count(*) FROM post_mentions WHERE post_id = one.id)",
        "tags": """
            ARRAY(
                SELECT row(tag, published_at)::text FROM post_tags WHERE post_id = one.id ORDER BY 1
            ) <> ARRAY(
                SELECT row(tag, one.published_at)::text FROM unnest(one.tags) AS tag
                WHERE one.state = 'published' AND one.deleted_at IS NULL ORDER BY 1
            )
        """,
    },
)
COMMENTS: Final = Ground(
    "comments",
    "id",
    f"""{_AUTHOR_LIVES} AND (
        SELECT profiles.deleted_at IS NULL FROM posts JOIN profiles ON profiles.user_id = posts.author_id
        WHERE posts.id = one.post_id
    )""",  # noqa: S608 - words of our own
    {
        "comment_mentions": """
            mention_count <> (SELECT count(*) FROM comment_mentions WHERE comment_id = one.id)
        """
    },
)
# Who comments twice in the same moment shows by the later told, which need not bear the later time: the
# group's time lies between that of the newest that shows somebody and that of the newest of all.
GROUPS: Final = Ground(
    "notification_groups",
    "id",
    "true",
    {
        "notification_groups": """(
            SELECT count(*) = 0 OR count(*) FILTER (WHERE is_newest) <> one.actor_count
                OR count(DISTINCT coalesce(actor_id, recipient_id)) <> one.actor_count
                OR one.latest_at NOT BETWEEN max(created_at) FILTER (WHERE is_newest) AND max(created_at)
            FROM notifications WHERE group_id = one.id
        )"""
    },
)
GROUNDS: Final = (PEOPLE, POSTS, COMMENTS, GROUPS)
KINDS: Final = tuple(kind for ground in GROUNDS for kind in ground.wrong)

_NEXT: Final = {ground.table: ground.next_statement() for ground in GROUNDS}
_LOOKS: Final = {kind: ground.look_statement(kind) for ground in GROUNDS for kind in ground.wrong}
