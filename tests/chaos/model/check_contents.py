"""Posts and comments: what was acknowledged is there, once, under one id; what was deleted is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import LiteralString

from chaos.model.facts import Made, Violation
from chaos.model.ground import Ground, broken, every
from chaos.model.registers import possible_values

_POSTS = """
SELECT id::text, author_id::text, caption AS words, state FROM social.posts
WHERE deleted_at IS NULL AND caption LIKE 'snow %%'
"""
_COMMENTS = """
SELECT c.id::text, c.author_id::text, c.text AS words FROM social.comments AS c
JOIN social.posts AS p ON p.id = c.post_id
WHERE c.deleted_at IS NULL AND p.deleted_at IS NULL AND c.text LIKE 'brr %%'
"""


def contents_differ(ground: Ground) -> Sequence[Violation]:
    """Check all posts and comments against the database, and posts against their author's own list."""
    posts, comments = _by_words(ground, _POSTS), _by_words(ground, _COMMENTS)
    return [
        *broken("a post is there once", [*_posts(ground, posts)]),
        *broken("a post is in its author's list", [*_own_lists(ground, posts)]),
        *broken("a comment is there once", [*_comments(ground, comments)]),
    ]


Rows = Mapping[str, Sequence[Mapping[str, str]]]


def _by_words(ground: Ground, query: LiteralString) -> Rows:
    found: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in ground.rows(query):
        found[row["words"]].append(row)
    return found


def _posts(ground: Ground, stored: Rows) -> Iterator[str]:
    for post in ground.ledger.posts:
        rows = stored.get(post.words, ())
        yield from _counted(
            "post", post, rows, may_be_there=post.may_be_there(), may_be_missing=post.may_be_missing()
        )
        for row in rows:
            if row["state"] != "published" and not post.media_ids:
                yield f"post {row['id']} of {post.author_id} is {row['state']}"


def _comments(ground: Ground, stored: Rows) -> Iterator[str]:
    for comment in ground.ledger.comments:
        possible = possible_values(ground.ledger.comment_writes(comment), initial=False)
        post = comment.post
        assert post is not None
        yield from _counted(
            "comment",
            comment,
            stored.get(comment.words, ()),
            may_be_there=True in possible and post.may_be_there(),
            may_be_missing=False in possible or post.may_be_missing(),
        )


def _counted(
    what: str, made: Made, rows: Sequence[Mapping[str, str]], *, may_be_there: bool, may_be_missing: bool
) -> Iterator[str]:
    name = f"{what} {made.id or made.words!r} of {made.author_id}"
    if len(made.ids_told) > 1:
        yield f"{name} was acknowledged under {len(made.ids_told)} ids: {sorted(made.ids_told)}"
    if len(rows) > 1:
        yield f"{name} is there {len(rows)} times: {[row['id'] for row in rows]}"
    if not rows and not may_be_missing:
        yield f"{name} was acknowledged and is lost"
    if rows and not may_be_there:
        yield f"{name} was deleted and is there"
    if rows and made.id is not None and made.id not in {row["id"] for row in rows}:
        yield f"{name} is there under another id: {[row['id'] for row in rows]}"
    if any(row["author_id"] != made.author_id for row in rows):
        yield f"{name} is there as somebody else's"


def _own_lists(ground: Ground, stored: Rows) -> Iterator[str]:
    published: dict[str, set[str]] = defaultdict(set)
    for rows in stored.values():
        for row in rows:
            if row["state"] == "published":
                published[row["author_id"]].add(row["id"])
    for user_id, phone in ground.phones.items():
        listed = [post["id"] for post in every(phone, f"/v1/users/{user_id}/posts")]
        for missing in published[user_id] - set(listed):
            yield f"post {missing} is missing from the list of {user_id}"
        if len(listed) != len(set(listed)):
            yield f"the list of {user_id} has a post twice"
