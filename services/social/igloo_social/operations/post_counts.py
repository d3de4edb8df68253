"""The stored counts of people's posts: what the author, followers and strangers page through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from igloo_common.statements import Statement
from igloo_social.policies.posts import UNCOUNTED

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.policies.posts import Counted

RECOUNT_BELOW: Final = 50
"""Whoever has fewer posts has them counted anew at every change; else adding is exact, under their lock."""


def count_change(
    session: Session, author_id: UUID, *, before: Counted = UNCOUNTED, after: Counted = UNCOUNTED
) -> None:
    """Bring the author's counts up to date with one post that has just changed. Needs the author's lock."""
    change = {"posts": after.posts - before.posts}
    change |= {"public": after.public - before.public, "followers": after.followers - before.followers}
    _COUNT.run(session, {"author_id": author_id, **change})


def recount_posts(session: Session, author_id: UUID) -> bool:
    """Count all of a person's posts anew; False when the counts were right. Needs the author's lock."""
    before = _STORED.row(session, {"author_id": author_id})
    _RECOUNT.run(session, {"author_id": author_id})
    return before != _STORED.row(session, {"author_id": author_id})


def counting(author: str, *, below: int | None = None) -> str:
    """Write the update of a person's counts; with `below`, who has more has the changes added.

    Not below nothing: a count that had drifted must not keep anybody from deleting a post.
    """
    is_small = "true" if below is None else f"profiles.post_count < {below}"
    whole = {
        "post_count": ("posts", "count(*)"),
        "public_post_count": (
            "public",
            "count(*) FILTER (WHERE state = 'published' AND visibility = 'public')",
        ),
        "followers_post_count": (
            "followers",
            "count(*) FILTER (WHERE state = 'published' AND visibility = 'followers')",
        ),
    }
    values = [
        anew
        if below is None
        else f"CASE WHEN {is_small} THEN {anew} ELSE greatest(profiles.{column} + %({name})s::integer, 0) END"
        for column, (name, anew) in whole.items()
    ]
    return f"""
    UPDATE profiles SET ({", ".join(whole)}) = (
        SELECT {", ".join(values)}
        FROM posts WHERE author_id = profiles.user_id AND deleted_at IS NULL AND {is_small}
    )
    WHERE user_id = {author}
    """  # noqa: S608 - words of our own


_COUNT = Statement(counting("%(author_id)s", below=RECOUNT_BELOW))
_STORED = Statement("""
SELECT post_count, public_post_count, followers_post_count FROM profiles WHERE user_id = %(author_id)s
""")
_RECOUNT = Statement(counting("%(author_id)s"))
